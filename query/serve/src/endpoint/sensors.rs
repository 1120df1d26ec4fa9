//! `/datasets/{dataset}/sensors`: what readings come from, a row per sensor.

use crate::call::{Call, Named};
use crate::parameter::{ATTRIBUTE, BBOX, FORMAT, NEAR, Parameter, Q};
use access::Problem;
use axum::response::Response;
use engine::{Question, Sensors, parse_bbox, parse_near};

pub(crate) const PARAMETERS: &[Parameter] = &[ATTRIBUTE, BBOX, FORMAT, NEAR, Q];

pub(crate) async fn get(call: Call, Named(dataset): Named) -> Result<Response, Problem> {
    let mut params = call.params(PARAMETERS);
    let question = Sensors {
        dataset: dataset.id.to_string(),
        bbox: params.read("bbox", parse_bbox),
        near: params.read("near", parse_near),
        attributes: params.attributes(),
        q: params.text("q"),
    };
    let format = call.format(params)?;
    call.answer(Question::Sensors(question), format).await
}
