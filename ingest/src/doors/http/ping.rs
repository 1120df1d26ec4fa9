//! `/ping`, by which InfluxDB's clients look whether somebody is there, and whom they take it for.

use axum::http::{HeaderName, HeaderValue, StatusCode};

/// Clients ask for the version of InfluxDB whose ways of writing these are. Version 1.8 has both.
pub(super) const VERSION: (HeaderName, HeaderValue) =
    (HeaderName::from_static("x-influxdb-version"), HeaderValue::from_static("1.8.10-lamppost"));
const BUILD: (HeaderName, HeaderValue) = (HeaderName::from_static("x-influxdb-build"), HeaderValue::from_static("OSS"));

/// Somebody is there.
pub(super) async fn get() -> (StatusCode, [(HeaderName, HeaderValue); 2]) {
    (StatusCode::NO_CONTENT, [VERSION, BUILD])
}
