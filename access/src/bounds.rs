//! What every request is held to, whatever it asks for: bytes and pace of its body, sent and inflated, and time to answer.

use crate::body::{Bounded, Fate, Pace, too_large};
use crate::presence::Presence;
use crate::{Kind, Limits, Problem};
use axum::Router;
use axum::body::{Body, HttpBody};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Response, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::IntoResponse;
use tower_http::decompression::RequestDecompressionLayer;

/// A router whose requests keep to `limits`, with gzip taken off their bodies. Layers added later surround what this
/// answers by itself (408, 413, 415, 504) as they do all other answers.
pub fn bounds<S: Clone + Send + Sync + 'static>(router: Router<S>, limits: Limits) -> Router<S> {
    router
        .layer(from_fn_with_state(limits, inflated))
        .layer(RequestDecompressionLayer::new())
        .layer(from_fn_with_state(limits, sent))
}

/// Holds a request to its bounds as it comes from the caller.
async fn sent(State(limits): State<Limits>, mut request: Request, next: Next) -> Response<Body> {
    if let Err(problem) = encoding(&mut request) {
        return closing(problem);
    }
    if request.body().size_hint().lower() > limits.body_bytes as u64 {
        return closing(Problem::new(Kind::TooLarge, too_large(limits.body_bytes)));
    }
    let fate = Fate::default();
    if !request.body().is_end_stream() {
        let presence = request.extensions().get::<Presence>().cloned();
        let (pace, fate) = (Pace::new(&limits), fate.clone());
        request = request.map(|body| Body::new(Bounded::sent(body, limits.body_bytes, pace, presence, fate)));
    }
    let answer = match tokio::time::timeout(limits.request, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            let detail = format!("no answer within {} s", limits.request.as_secs_f64());
            Problem::new(Kind::Timeout, detail).into_response()
        }
    };
    // Whatever was made of a body that ended early, its end is what the caller must hear of.
    fate.get().cloned().map_or(answer, closing)
}

/// Holds a request to its bounds as the endpoints read it.
async fn inflated(State(limits): State<Limits>, request: Request, next: Next) -> Response<Body> {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let fate = Fate::default();
    let own = fate.clone();
    let request = request.map(|body| Body::new(Bounded::inflated(body, limits.body_bytes, own)));
    let answer = next.run(request).await;
    fate.get().cloned().map_or(answer, closing)
}

/// Whether the body comes in an encoding that is taken; its name is put as the layer that takes it off spells it.
fn encoding(request: &mut Request) -> Result<(), Problem> {
    let Some(encoding) = request.headers().get(header::CONTENT_ENCODING) else { return Ok(()) };
    // `x-gzip` is the same (RFC 9110, section 8.4.1.3).
    let known = [("gzip", "gzip"), ("x-gzip", "gzip"), ("identity", "identity")];
    let found = known.iter().find(|(name, _)| encoding.as_bytes().eq_ignore_ascii_case(name.as_bytes()));
    let Some((_, name)) = found else {
        let detail = format!("Content-Encoding {encoding:?} is not taken; send gzip, or the body as it is");
        return Err(Problem::new(Kind::Encoding, detail));
    };
    request.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static(name));
    Ok(())
}

/// A problem after which the connection ends: what is left of the body is not read.
fn closing(problem: Problem) -> Response<Body> {
    let encoding = problem.kind == Kind::Encoding;
    let mut response = problem.into_response();
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    if encoding {
        response.headers_mut().insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}
