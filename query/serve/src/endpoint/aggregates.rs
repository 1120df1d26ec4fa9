//! `/datasets/{dataset}/aggregates`: functions of fields per bucket and group.

use crate::call::{Call, Named};
use crate::parameter::{
    ATTRIBUTE, BUCKET, FIELD_FUNCTIONS, FILL, FORMAT, FROM, GROUP, MAX_POINTS, MOST, ORDER, Parameter, SENSOR, TO, TZ,
};
use crate::params::Params;
use access::Problem;
use axum::response::Response;
use engine::{Aggregates, BucketChoice, Error, Question, parse_zone};

pub(crate) const PARAMETERS: &[Parameter] =
    &[ATTRIBUTE, BUCKET, FIELD_FUNCTIONS, FILL, FORMAT, FROM, GROUP, MAX_POINTS, MOST, ORDER, SENSOR, TO, TZ];

pub(crate) async fn get(call: Call, Named(dataset): Named) -> Result<Response, Problem> {
    let mut params = call.params(PARAMETERS);
    let tz = params.read("tz", parse_zone);
    let (from, to) = params.span(call.api.parts.engine.now(), tz.as_ref().unwrap_or(&dataset.zone));
    let question = Aggregates {
        dataset: dataset.id.to_string(),
        from,
        to,
        bucket: bucket(&mut params),
        fields: params.list("fields"),
        group: params.read("group", str::parse).unwrap_or_default(),
        tz,
        sensors: params.sensors(),
        attributes: params.attributes(),
        fill: params.read("fill", str::parse).unwrap_or_default(),
        order: params.read("order", str::parse),
        limit: params.count("limit"),
    };
    let format = call.format(params)?;
    call.answer(Question::Aggregates(question), format).await
}

/// The bucket asked for: `auto` unless said. `max_points` goes with `auto` only: elsewhere it could not be kept.
fn bucket(params: &mut Params) -> BucketChoice {
    let max_points = params.count("max_points");
    let text = params.text("bucket");
    let auto = BucketChoice::Auto { max_points: max_points.unwrap_or(BucketChoice::DEFAULT_POINTS) };
    let Some(text) = text else { return auto };
    let chosen = BucketChoice::parse(&text, max_points).and_then(|chosen| match chosen {
        BucketChoice::Fixed(_) if max_points.is_some() => {
            let detail = format!("max_points goes with bucket=auto, not with bucket={text}");
            Err(Error::invalid("max_points", detail, ["bucket=auto".to_owned()]))
        }
        chosen => Ok(chosen),
    });
    params.keep(chosen).unwrap_or(auto)
}
