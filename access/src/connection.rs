//! One HTTP connection, from its first byte to its last.

use crate::body::Answering;
use crate::stall::Stalling;
use crate::{Limits, Peer, Proxies, Seat};
use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tower::ServiceExt;

/// Serves one connection until it ends, another takes its seat, or the server stops and its request is answered.
pub(crate) async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    seat: &Seat,
    router: Router,
    proxies: Arc<Proxies>,
    limits: Limits,
    mut stopped: watch::Receiver<bool>,
) {
    let service = service_fn(|mut request: hyper::Request<Incoming>| {
        let under_way = seat.presence.begin();
        let peer = Peer(proxies.caller(seat.peer, request.headers()));
        request.extensions_mut().insert(peer);
        request.extensions_mut().insert(seat.presence.clone());
        let answered = router.clone().oneshot(request);
        async {
            let response = answered.await?;
            Ok::<_, Infallible>(response.map(|body| Body::new(Answering::new(body, under_way))))
        }
    });
    // hyper's own timer for heads counts idle time in; the stream has one for each.
    let mut builder = http1::Builder::new();
    builder.header_read_timeout(None).max_header_size(limits.head_bytes).half_close(false);
    let stream = Stalling::new(stream, seat.presence.clone(), &limits);
    let mut serving = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let ended = loop {
        tokio::select! {
            ended = serving.as_mut() => break ended,
            // hyper has read ahead while the request was under way. Only if it is asked again does it wait for the next,
            // and the stream with it.
            () = seat.presence.ended() => {}
            () = seat.presence.dismissed() => return,
            () = told(&mut stopped) => {
                serving.as_mut().graceful_shutdown();
                break serving.await;
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(peer = %seat.peer, %error, "connection ended");
    }
}

/// Ready once the server stops.
pub(crate) async fn told(stopped: &mut watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stopped| *stopped).await;
}
