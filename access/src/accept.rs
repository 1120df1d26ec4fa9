//! The accept loop of the HTTP doors: hyper with timers, a cap on connections, and an end that lets requests finish.
//!
//! `axum::serve` is not used: it sets no timer, so a caller that never finishes its request head would stay for ever.

use crate::stall::Stalling;
use crate::{Kind, Limits, Problem};
use axum::Router;
use axum::body::{Body, HttpBody};
use axum::extract::{Request, State};
use axum::http::Response;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::IntoResponse;
use http_body_util::Limited;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tower::util::MapRequestLayer;

/// Who sent a request: an extension of every request that came through [`run`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// Serves `router` on a bound listener until `shutdown` is ready, then lets requests under way finish for `limits.drain`.
/// Returns how many connections had to be cut.
pub async fn run(listener: TcpListener, router: Router, limits: Limits, shutdown: impl Future<Output = ()>) -> usize {
    let router = router.layer(from_fn_with_state(limits, bounded));
    let places = Arc::new(Semaphore::new(limits.connections));
    let (stop, stopped) = watch::channel(false);
    let mut open = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        while open.try_join_next().is_some() {}
        let next = async {
            // The semaphore is never closed: an error cannot come.
            let place = places.clone().acquire_owned().await.ok();
            (listener.accept().await, place)
        };
        let (accepted, place) = tokio::select! {
            () = &mut shutdown => break,
            next = next => next,
        };
        match accepted {
            Ok((stream, peer)) => {
                let serving = connection(stream, peer, router.clone(), limits, stopped.clone());
                open.spawn(async move {
                    serving.await;
                    drop(place);
                });
            }
            Err(error) => pause_after(&error).await,
        }
    }
    drop(listener);
    let _ = stop.send(true);
    let _ = tokio::time::timeout(limits.drain, async { while open.join_next().await.is_some() {} }).await;
    let cut = open.len();
    open.shutdown().await;
    cut
}

/// A failed accept: a caller that went away is nothing; running out of file descriptors needs time to pass.
async fn pause_after(error: &std::io::Error) {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if !matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
        tracing::warn!(%error, "cannot accept a connection");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Serves one connection until it ends, or the server stops and its request is answered.
async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    limits: Limits,
    mut stopped: watch::Receiver<bool>,
) {
    // Answers are written whole: waiting to gather more only delays them.
    let _ = stream.set_nodelay(true);
    let named = MapRequestLayer::new(move |mut request: hyper::Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(Peer(peer));
        request
    });
    let service = TowerToHyperService::new(tower::Layer::layer(&named, router));
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header)
        .max_header_size(limits.header_bytes)
        .half_close(false);
    let mut serving = pin!(builder.serve_connection(TokioIo::new(Stalling::new(stream, limits.stall)), service));
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        () = told(&mut stopped) => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, %error, "connection ended");
    }
}

/// Ready once the server stops.
async fn told(stopped: &mut watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

/// Holds each request to its bounds of size and time.
async fn bounded(State(limits): State<Limits>, request: Request, next: Next) -> Response<Body> {
    if request.body().size_hint().lower() > limits.body_bytes as u64 {
        let detail = format!("the body has more than {} bytes", limits.body_bytes);
        return Problem::new(Kind::TooLarge, detail).into_response();
    }
    let request = request.map(|body| Body::new(Limited::new(body, limits.body_bytes)));
    match tokio::time::timeout(limits.request, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            let detail = format!("no answer within {} s", limits.request.as_secs_f64());
            Problem::new(Kind::Timeout, detail).into_response()
        }
    }
}

#[cfg(test)]
mod tests;
