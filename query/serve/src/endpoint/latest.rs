//! `/datasets/{dataset}/latest`: the newest value and time of every field, a row per sensor.

use crate::call::{Call, Named};
use crate::parameter::{ATTRIBUTE, FIELDS, FORMAT, MOST, ORDER, Parameter, SENSOR, TZ};
use access::Problem;
use axum::response::Response;
use engine::{Latest, Question, parse_zone};

pub(crate) const PARAMETERS: &[Parameter] = &[ATTRIBUTE, FIELDS, FORMAT, MOST, ORDER, SENSOR, TZ];

pub(crate) async fn get(call: Call, Named(dataset): Named) -> Result<Response, Problem> {
    let mut params = call.params(PARAMETERS);
    let question = Latest {
        dataset: dataset.id.to_string(),
        sensors: params.sensors(),
        attributes: params.attributes(),
        fields: params.list("fields"),
        order: params.read("order", str::parse),
        limit: params.count("limit"),
        tz: params.read("tz", parse_zone),
    };
    let format = call.format(params)?;
    call.answer(Question::Latest(question), format).await
}
