//! `/datasets/{dataset}/readings`: raw rows by time, page by page.

use crate::call::{Call, Named};
use crate::parameter::{CURSOR, FIELDS, FORMAT, FROM, LIMIT, Parameter, SENSOR, TO, TZ};
use access::Problem;
use axum::response::Response;
use engine::{Question, Readings, parse_zone};

pub(crate) const PARAMETERS: &[Parameter] = &[CURSOR, FIELDS, FORMAT, FROM, LIMIT, SENSOR, TO, TZ];

pub(crate) async fn get(call: Call, Named(dataset): Named) -> Result<Response, Problem> {
    let mut params = call.params(PARAMETERS);
    let tz = params.read("tz", parse_zone);
    let (from, to) = params.span(call.api.parts.engine.now(), tz.as_ref().unwrap_or(&dataset.zone));
    let question = Readings {
        dataset: dataset.id.to_string(),
        sensors: params.sensors(),
        from,
        to,
        fields: params.list("fields"),
        cursor: params.text("cursor"),
        limit: params.count("limit"),
        tz,
    };
    let format = call.format(params)?;
    call.answer(Question::Readings(question), format).await
}
