//! Probes: whether the process lives, and whether it can do its work.

use crate::api::Api;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// `/health`: the process answers. Touches nothing, so that no load elsewhere can delay it. The words are those that clients of
/// InfluxDB 2 look for.
pub(crate) async fn health() -> Response {
    document(StatusCode::OK, &json!({ "name": "lamppost", "status": "pass" }))
}

/// `/ready`: readings are taken in and questions answered; else 503 with the reasons.
pub(crate) async fn ready(State(api): State<Api>) -> Response {
    let reasons = (api.parts.unready)();
    let status = if reasons.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    document(status, &json!({ "ready": reasons.is_empty(), "reasons": reasons }))
}

/// A small JSON document that nobody may keep.
pub(crate) fn document(status: StatusCode, value: &serde_json::Value) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (status, headers, format!("{value}\n")).into_response()
}
