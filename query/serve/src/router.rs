//! The whole API on one page.

use crate::api::{Api, Parts};
use crate::endpoint::{aggregates, datasets, index, latest, readings, sensors, sql};
use crate::{admission, landing, metrics, onion, operate, probe, problems, status};
use access::{Problem, bounds};
use axum::Router;
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{MethodRouter, get, post};

/// Every path Lamppost serves over HTTP.
pub fn router(parts: Parts) -> Router {
    let limits = parts.limits;
    let api = Api::new(parts);
    let public = Router::new()
        .route("/", open(get(landing::get)))
        .route("/docs/problems/{slug}", open(get(problems::get)))
        .route("/api/v1", open(get(index::get)))
        .route("/api/v1/datasets", open(get(datasets::list)))
        .route("/api/v1/datasets/{dataset}", open(get(datasets::one)))
        .route("/api/v1/datasets/{dataset}/sensors", open(get(sensors::get)))
        .route("/api/v1/datasets/{dataset}/latest", open(get(latest::get)))
        .route("/api/v1/datasets/{dataset}/readings", open(get(readings::get)))
        .route("/api/v1/datasets/{dataset}/aggregates", open(get(aggregates::get)))
        .route("/api/v1/sql", sql::methods())
        .fallback(problems::no_such_path)
        .method_not_allowed_fallback(problems::no_such_method);
    let probes = Router::new()
        .route("/health", open(get(probe::health)))
        .route("/ready", open(get(probe::ready)))
        .method_not_allowed_fallback(problems::no_such_method);
    let operators = Router::new()
        .route("/metrics", open(get(metrics::get)))
        .route("/status", open(get(status::get)))
        .route("/operate/{act}", post(operate::post).fallback(async || Problem::method("POST")))
        .method_not_allowed_fallback(problems::no_such_method);
    let admitted = from_fn_with_state(api.clone(), admission::admitted);
    bounds(public, limits)
        .layer(admitted.clone())
        .merge(bounds(probes, limits))
        .layer(from_fn(onion::shared))
        .merge(bounds(operators, limits).layer(admitted))
        .layer(from_fn(onion::told))
        .layer(from_fn_with_state(api.clone(), onion::watched))
        .with_state(api)
}

/// A path that browsers on other sites may read: it answers their preflight too.
fn open(reading: MethodRouter<Api>) -> MethodRouter<Api> {
    reading.options(|| async { StatusCode::NO_CONTENT })
}
