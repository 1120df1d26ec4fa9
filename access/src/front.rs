//! The front of a door: who gets in, and the TLS handshake. The same for HTTP and MQTT.

use crate::counts::{Counts, Refused};
use crate::loopback::Admitted;
use crate::seats::{NoSeat, Seats};
use crate::{Proxies, Seat, Tls};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_rustls::server::TlsStream;

/// How long to wait at most before looking again who could make room.
const LOOK: Duration = Duration::from_millis(50);

/// How many may come in, and how they have to.
#[derive(Clone, Debug)]
pub struct Front {
    /// Connections at once; past it the one that has kept the door waiting longest makes room.
    pub connections: usize,
    /// Connections of one address at once (IPv6: of one /64); trusted proxies have no such bound.
    pub per_address: usize,
    /// How long a TLS handshake may take.
    pub handshake: Duration,
    /// The certificate, for a door that speaks TLS.
    pub tls: Option<Tls>,
    /// The proxies in front.
    pub proxies: Arc<Proxies>,
    /// Who may connect.
    pub admitted: Admitted,
    /// What it counts in.
    pub counts: Counts,
}

impl Default for Front {
    fn default() -> Front {
        Front {
            connections: 4096,
            per_address: 256,
            handshake: Duration::from_secs(10),
            tls: None,
            proxies: Arc::default(),
            admitted: Admitted::Everybody,
            counts: Counts::default(),
        }
    }
}

/// A bound socket with its front.
#[derive(Debug)]
pub struct Entrance {
    listener: TcpListener,
    seats: Seats,
    front: Front,
}

impl Entrance {
    /// Opens a front on a bound socket.
    pub fn new(listener: TcpListener, front: Front) -> Entrance {
        let seats = Seats::new(front.connections, front.per_address, front.counts.clone());
        Entrance { listener, seats, front }
    }

    /// What it was opened with.
    pub fn front(&self) -> &Front {
        &self.front
    }

    /// The next connection that may come in, with its seat. Those that may not are closed at once and counted. Cancelling
    /// it is safe.
    pub async fn next(&self) -> (TcpStream, Seat) {
        loop {
            let (stream, peer) = match self.listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    pause_after(&error).await;
                    continue;
                }
            };
            if let Some(seat) = self.seat(peer).await {
                // Answers are written whole: waiting to gather more only delays them.
                let _ = stream.set_nodelay(true);
                return (stream, seat);
            }
        }
    }

    /// A seat for a caller, waited for while the door is at work for everybody who is in.
    async fn seat(&self, peer: SocketAddr) -> Option<Seat> {
        let proxy = self.front.proxies.trusts(peer.ip());
        if self.front.admitted == Admitted::Proxies && !proxy && !is_local(peer.ip()) {
            self.front.counts.refused(Refused::Stranger);
            return None;
        }
        let mut told = false;
        loop {
            match self.seats.take(peer, !proxy) {
                Ok(seat) => return Some(seat),
                Err(NoSeat::Full) => {
                    if !std::mem::replace(&mut told, true) {
                        tracing::warn!(%peer, most = self.front.connections, "all seats are taken and none is idle");
                    }
                    let _ = timeout(LOOK, self.seats.freed()).await;
                }
                Err(NoSeat::Address) => {
                    self.front.counts.refused(Refused::Address);
                    return None;
                }
            }
        }
    }
}

impl Front {
    /// The connection as it is to be read from: after a TLS handshake, if the door speaks TLS. Nothing if that fails.
    pub async fn shake(&self, stream: TcpStream, seat: &Seat) -> Option<Line> {
        let Some(tls) = &self.tls else { return Some(Line::Plain(stream)) };
        let shaken = tokio::select! {
            shaken = timeout(self.handshake, tls.accept(stream, is_local(seat.peer.ip()))) => shaken,
            () = seat.presence.dismissed() => return None,
        };
        match shaken {
            Ok(Ok(line)) => return Some(line),
            Ok(Err(error)) => tracing::debug!(peer = %seat.peer, %error, "no TLS handshake"),
            Err(_) => tracing::debug!(peer = %seat.peer, "the TLS handshake took too long"),
        }
        self.counts.handshake_failed();
        None
    }
}

fn is_local(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

/// A failed accept: a caller that went away is nothing; running out of file descriptors needs time to pass.
async fn pause_after(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if !matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
        tracing::warn!(%error, "cannot accept a connection");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// A connection, encrypted or not.
#[derive(Debug)]
pub enum Line {
    /// As it is.
    Plain(TcpStream),
    /// Within TLS.
    Secret(Box<TlsStream<TcpStream>>),
}

impl AsyncRead for Line {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Line::Plain(stream) => Pin::new(stream).poll_read(context, into),
            Line::Secret(stream) => Pin::new(stream).poll_read(context, into),
        }
    }
}

impl AsyncWrite for Line {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Line::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Line::Secret(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Line::Plain(stream) => Pin::new(stream).poll_write_vectored(context, slices),
            Line::Secret(stream) => Pin::new(stream).poll_write_vectored(context, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Line::Plain(stream) => stream.is_write_vectored(),
            Line::Secret(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Line::Plain(stream) => Pin::new(stream).poll_flush(context),
            Line::Secret(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Line::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Line::Secret(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
