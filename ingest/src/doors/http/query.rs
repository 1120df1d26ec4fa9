//! `/query`, where clients of InfluxDB 1 have a database made before they write. There is nothing to make: contracts say what is
//! taken. Nothing else is asked here.

use super::Door;
use super::answer::Api;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Response, StatusCode, header};
use bytes::Bytes;
use serde_json::{Value, json};
use std::sync::Arc;
use url::form_urlencoded;

/// Answers as if the database were there; whatever else is asked is told where to ask.
pub(super) async fn post(State(door): State<Arc<Door>>, request: Request) -> Response<Body> {
    let query = Bytes::copy_from_slice(request.uri().query().unwrap_or_default().as_bytes());
    let body = match door.bodies.receive(request, &door.parts.limits).await {
        Ok(body) => body.text,
        Err(problem) => return Api::First.problem(problem),
    };
    let texts = [query, body];
    let asked = texts.iter().flat_map(|text| form_urlencoded::parse(text)).find(|(key, _)| key == "q");
    let statement = asked.map(|(_, text)| text.trim().to_ascii_uppercase()).unwrap_or_default();
    match statement.starts_with("CREATE DATABASE ") {
        true => answer(StatusCode::OK, &json!({ "results": [{ "statement_id": 0 }] })),
        false => {
            let error = "InfluxQL is not spoken here: ask /api/v1, or /api/v1/sql in SQL; of InfluxQL only CREATE DATABASE is known";
            answer(StatusCode::BAD_REQUEST, &json!({ "error": error }))
        }
    }
}

fn answer(status: StatusCode, document: &Value) -> Response<Body> {
    let mut response = Response::new(format!("{document}\n").into());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
