//! A connection that ends itself when its caller does not go on: neither silence nor a slow hand may hold a place for ever.

use crate::Limits;
use crate::presence::Presence;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// A stream that fails with `TimedOut` when its caller says nothing for too long between requests, takes too long over a
/// request head, or takes none of what is sent to it.
pub(crate) struct Stalling<S> {
    stream: S,
    presence: Presence,
    idle: Duration,
    head: Duration,
    stall: Duration,
    /// Requests begun when the next head was begun to be waited for.
    requests: u64,
    /// Whether a byte of that head has come.
    begun: bool,
    reading: Timer,
    writing: Timer,
}

/// Runs while something is pending.
type Timer = Option<Pin<Box<Sleep>>>;

impl<S> Stalling<S> {
    /// Wraps a stream that has not been read from.
    pub(crate) fn new(stream: S, presence: Presence, limits: &Limits) -> Stalling<S> {
        let (idle, head, stall) = (limits.idle, limits.head, limits.stall);
        Stalling { stream, presence, idle, head, stall, requests: 0, begun: false, reading: None, writing: None }
    }

    /// Passes on what a read came to. While a request is under way, silence is what is expected.
    fn heard(&mut self, came: Poll<io::Result<()>>, some: bool, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let requests = self.presence.requests();
        if requests != self.requests {
            (self.requests, self.begun, self.reading) = (requests, false, None);
        }
        if self.presence.is_under_way() {
            return came;
        }
        if came.is_ready() {
            if some && !self.begun {
                (self.begun, self.reading) = (true, None);
            }
            return came;
        }
        let limit = if self.begun { self.head } else { self.idle };
        run_out(&mut self.reading, limit, "the caller did not send a request", context)
    }

    /// Passes on what a write came to; a pending one is watched.
    fn taken<T>(&mut self, came: Poll<io::Result<T>>, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        if came.is_ready() {
            // What is sent after the request has ended is still its answer: the caller takes it, and is not idle.
            if let (Some(reading), false) = (&mut self.reading, self.begun) {
                reading.as_mut().reset(Instant::now() + self.idle);
            }
            if self.writing.take().is_some() {
                self.presence.moves();
            }
            return came;
        }
        self.presence.stalls();
        run_out(&mut self.writing, self.stall, "the caller stopped reading", context)
    }
}

/// Pending until a timer, started if it is not running, runs out; then an error.
fn run_out<T>(timer: &mut Timer, limit: Duration, why: &'static str, context: &mut Context<'_>) -> Poll<io::Result<T>> {
    let timer = timer.get_or_insert_with(|| Box::pin(sleep(limit)));
    timer.as_mut().poll(context).map(|()| Err(io::Error::new(io::ErrorKind::TimedOut, why)))
}

impl<S: AsyncRead + Unpin> AsyncRead for Stalling<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        let came = Pin::new(&mut self.stream).poll_read(context, into);
        self.heard(came, into.filled().len() > before, context)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Stalling<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let came = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.taken(came, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let came = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.taken(came, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let came = Pin::new(&mut self.stream).poll_flush(context);
        self.taken(came, context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let came = Pin::new(&mut self.stream).poll_shutdown(context);
        self.taken(came, context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
    use tokio::time::timeout;

    fn pair(idle: u64, head: u64, stall: u64) -> (Stalling<DuplexStream>, DuplexStream, Presence) {
        let (ours, theirs) = tokio::io::duplex(8);
        let presence = Presence::new(Instant::now());
        let [idle, head, stall] = [idle, head, stall].map(Duration::from_millis);
        let limits = Limits { idle, head, stall, ..Limits::default() };
        (Stalling::new(ours, presence.clone(), &limits), theirs, presence)
    }

    /// Reads until there is an error; gives its kind.
    async fn end(ours: &mut Stalling<DuplexStream>) -> io::ErrorKind {
        loop {
            if let Err(error) = ours.read(&mut [0; 8]).await {
                break error.kind();
            }
        }
    }

    /// Longer than any test: a limit that must not be the one that ends it.
    const NEVER: u64 = 3_600_000;

    #[tokio::test]
    async fn a_caller_that_stops_reading_is_let_go_and_waited_for_meanwhile() {
        let (mut ours, theirs, presence) = pair(NEVER, NEVER, 20);
        let request = presence.begin();
        assert!(ours.write_all(b"12345678").await.is_ok() && presence.waiting().is_none());
        assert_eq!(ours.write_all(b"9").await.map_err(|error| error.kind()), Err(io::ErrorKind::TimedOut));
        assert!(presence.waiting().is_some());
        drop((theirs, request));
    }

    #[tokio::test]
    async fn whoever_goes_on_taking_an_answer_is_not_idle() {
        let (mut ours, mut theirs, presence) = pair(40, NEVER, NEVER);
        drop(presence.begin());
        let slow = async {
            let mut byte = [0];
            for _ in 0..30 {
                assert!(theirs.read_exact(&mut byte).await.is_ok());
                sleep(Duration::from_millis(5)).await;
            }
        };
        let send = async {
            for byte in [b'x'; 30] {
                // As hyper does: it looks for the next request while it sends.
                let looked = timeout(Duration::from_millis(1), ours.read(&mut [0; 8])).await;
                assert!(looked.is_err(), "{looked:?}");
                assert!(ours.write_all(&[byte]).await.is_ok());
            }
        };
        tokio::join!(slow, send);
    }

    #[tokio::test]
    async fn a_byte_now_and_then_makes_no_head() {
        let (mut ours, mut theirs, _) = pair(NEVER, 50, NEVER);
        let drips = async {
            while theirs.write_all(b"G").await.is_ok() {
                sleep(Duration::from_millis(5)).await;
            }
        };
        let ended = tokio::select! { ended = end(&mut ours) => Some(ended), () = drips => None };
        assert_eq!(ended, Some(io::ErrorKind::TimedOut));
    }

    #[tokio::test]
    async fn silence_has_its_limit_but_not_while_a_request_is_under_way() {
        let (mut ours, mut theirs, presence) = pair(20, NEVER, NEVER);
        assert!(theirs.write_all(b"GET").await.is_ok() && ours.read(&mut [0; 8]).await.is_ok());
        let request = presence.begin();
        assert!(timeout(Duration::from_millis(60), ours.read(&mut [0; 8])).await.is_err());
        drop(request);
        assert_eq!(end(&mut ours).await, io::ErrorKind::TimedOut);
        let (mut ours, _theirs, _) = pair(20, NEVER, NEVER);
        assert_eq!(end(&mut ours).await, io::ErrorKind::TimedOut, "before the first request");
    }
}
