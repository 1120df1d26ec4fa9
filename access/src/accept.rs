//! The accept loop of the HTTP door: a seat for each connection, and an end that lets requests finish.
//!
//! `axum::serve` is not used: it sets no timer, so a caller that never finishes its request head would stay for ever.

use crate::connection::{serve, told};
use crate::{Entrance, Limits};
use axum::Router;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Who sent a request: an extension of every request that came through [`run`]. Behind a trusted proxy it is whom the proxy
/// names; the unspecified address where a proxy on this machine names nobody, who may be anywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// Serves `router` at an entrance until `shutdown` is ready, then lets requests under way finish for `limits.drain`.
/// Returns how many connections had to be cut.
pub async fn run(entrance: Entrance, router: Router, limits: Limits, shutdown: impl Future<Output = ()>) -> usize {
    let (stop, stopped) = watch::channel(false);
    let mut open = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        while open.try_join_next().is_some() {}
        let (stream, seat) = tokio::select! {
            () = &mut shutdown => break,
            next = entrance.next() => next,
        };
        let (front, router, mut stopped) = (entrance.front().clone(), router.clone(), stopped.clone());
        open.spawn(async move {
            let line = tokio::select! {
                line = front.shake(stream, &seat) => line,
                () = told(&mut stopped) => None,
            };
            if let Some(line) = line {
                serve(line, &seat, router, front.proxies, limits, stopped).await;
            }
        });
    }
    drop(entrance);
    let _ = stop.send(true);
    let _ = tokio::time::timeout(limits.drain, async { while open.join_next().await.is_some() {} }).await;
    let cut = open.len();
    open.shutdown().await;
    cut
}

#[cfg(test)]
mod tests;
