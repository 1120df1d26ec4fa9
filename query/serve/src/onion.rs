//! What surrounds every endpoint: request id, log line, metrics, panics, problem addresses, sharing with other sites.

use crate::api::Api;
use access::{Kind, Problem};
use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, Response, StatusCode, header};
use axum::middleware::Next;
use axum::response::IntoResponse;
use futures::FutureExt;
use std::panic::AssertUnwindSafe;
use std::time::Instant;
use tracing::Instrument;

/// Header that names one request, in the response and in the log.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Names, times and counts each request, and turns a panic into a problem: one request may end badly, not the server.
pub(crate) async fn watched(State(api): State<Api>, request: Request, next: Next) -> Response<Body> {
    let id = api.metrics.next_id();
    let span = tracing::info_span!("request", id, method = %request.method(), path = request.uri().path());
    let mut watch = Watch {
        route: request.extensions().get::<MatchedPath>().cloned(),
        method: request.method().clone(),
        began: Instant::now(),
        status: None,
        api,
    };
    let answered = AssertUnwindSafe(next.run(request)).catch_unwind().instrument(span.clone()).await;
    let mut response = answered.unwrap_or_else(|_| {
        span.in_scope(|| tracing::error!("a request ended in a panic"));
        Problem::new(Kind::Internal, "the server failed to answer").into_response()
    });
    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, HeaderValue::from(id));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    watch.status = Some(response.status());
    let (status, micros) = (response.status().as_u16(), watch.began.elapsed().as_micros() as u64);
    span.in_scope(|| tracing::debug!(status, micros, "answered"));
    response
}

/// A request under way. It is counted when it ends, also when its caller left or its time ran out.
struct Watch {
    api: Api,
    route: Option<MatchedPath>,
    method: Method,
    began: Instant,
    status: Option<StatusCode>,
}

impl Drop for Watch {
    fn drop(&mut self) {
        let route = self.route.as_ref().map_or("unmatched", MatchedPath::as_str);
        self.api.metrics.observe(route, &self.method, self.status, self.began.elapsed());
    }
}

/// Tells problems where they happened: the address stands in them as `instance`.
pub(crate) async fn told(request: Request, next: Next) -> Response<Body> {
    let instance = request.uri().path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string);
    let head = request.method() == Method::HEAD;
    let mut response = next.run(request).await;
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        let body = problem.json(Some(&instance));
        response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
        *response.body_mut() = if head { Body::empty() } else { Body::from(body) };
    }
    response
}

/// Lets scripts of other sites read. Browsers keep no key for us, so a page elsewhere has only what its reader gave it.
pub(crate) async fn shared(request: Request, next: Next) -> Response<Body> {
    let preflight = request.method() == Method::OPTIONS;
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static(
            "Link, ETag, Retry-After, X-Request-Id, RateLimit, RateLimit-Policy, WWW-Authenticate",
        ),
    );
    if preflight {
        let allowed = headers.entry(header::ALLOW).or_insert(HeaderValue::from_static(ALLOWED)).clone();
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, allowed);
        // A star does not stand for Authorization (Fetch standard, section 3.3.4).
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("Authorization, *"));
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    }
    response
}

/// The methods of a public path that says nothing else.
pub(crate) const ALLOWED: &str = "GET, HEAD, OPTIONS";
