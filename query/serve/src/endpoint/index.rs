//! `/api/v1`: what the API offers, for programs and for people with curl.

use crate::call::Call;
use crate::endpoint::{aggregates, datasets, latest, readings, sensors, sql};
use crate::parameter::Parameter;
use access::Problem;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

/// The document.
#[derive(serde::Serialize)]
struct Index {
    title: &'static str,
    version: &'static str,
    endpoints: Vec<Endpoint>,
}

/// One path.
#[derive(serde::Serialize)]
struct Endpoint {
    path: &'static str,
    about: &'static str,
    parameters: Vec<Described>,
}

/// One parameter.
#[derive(serde::Serialize)]
struct Described {
    name: &'static str,
    about: &'static str,
}

pub(crate) async fn get(call: Call) -> Result<Response, Problem> {
    call.params(&[]).finish()?;
    let index = Index {
        title: "Lamppost: open telemetry of this city",
        version: env!("CARGO_PKG_VERSION"),
        endpoints: vec![
            endpoint("/api/v1/datasets", "every dataset: fields, units, licence, extent", datasets::PARAMETERS),
            endpoint("/api/v1/datasets/{dataset}", "one dataset", datasets::PARAMETERS),
            endpoint("/api/v1/datasets/{dataset}/sensors", "its sensors and where they are", sensors::PARAMETERS),
            endpoint(
                "/api/v1/datasets/{dataset}/latest",
                "newest value and time of every field of every sensor",
                latest::PARAMETERS,
            ),
            endpoint("/api/v1/datasets/{dataset}/readings", "raw rows, page by page", readings::PARAMETERS),
            endpoint(
                "/api/v1/datasets/{dataset}/aggregates",
                "means, sums and more per bucket of time and group of sensors",
                aggregates::PARAMETERS,
            ),
            endpoint(
                "/api/v1/sql",
                "an answer to a question in SQL, by GET, or by POST with the text as body",
                sql::PARAMETERS,
            ),
        ],
    };
    // Plain words: writing them cannot fail.
    let body = serde_json::to_string_pretty(&index).unwrap_or_default();
    Ok(([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response())
}

fn endpoint(path: &'static str, about: &'static str, parameters: &'static [Parameter]) -> Endpoint {
    let described = |parameter: &Parameter| Described { name: parameter.name, about: parameter.about };
    Endpoint { path, about, parameters: parameters.iter().map(described).collect() }
}
