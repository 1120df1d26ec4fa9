//! `/datasets` and `/datasets/{dataset}`: what there is.

use crate::call::{Call, Named};
use crate::parameter::{FORMAT, Parameter};
use access::Problem;
use axum::response::Response;
use engine::Question;

pub(crate) const PARAMETERS: &[Parameter] = &[FORMAT];

/// Every dataset the caller may read, a row each.
pub(crate) async fn list(call: Call) -> Result<Response, Problem> {
    let format = call.format(call.params(PARAMETERS))?;
    let ids = call.datasets().iter().map(|dataset| dataset.id.clone()).collect();
    call.answer(Question::Datasets { ids }, format).await
}

/// One dataset, as a single row.
pub(crate) async fn one(call: Call, Named(dataset): Named) -> Result<Response, Problem> {
    let format = call.format(call.params(PARAMETERS))?;
    call.answer(Question::Dataset(dataset.id.to_string()), format).await
}
