//! `/status`: the server at a glance, for its operators only.

use crate::call::Call;
use crate::probe::document;
use access::{Problem, Right};
use axum::http::StatusCode;
use axum::response::Response;

/// Store, doors and rejects as JSON.
pub(crate) async fn get(call: Call) -> Result<Response, Problem> {
    if !call.caller.may(Right::Operate, None) {
        return Err(call.caller.lacks(Right::Operate, "reading the status from elsewhere"));
    }
    Ok(document(StatusCode::OK, &(call.api.parts.status)()))
}
