//! Many connections from one address of this machine that say little.

use rustix::process::{Resource, getrlimit, setrlimit};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, timeout};

/// Lets this process open as many sockets as it may.
pub(super) fn raise() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).unwrap();
    assert!(limit.current.is_none_or(|most| most > 12_000), "this test needs 12,000 open files: ulimit -Hn");
}

/// Connects from 127.0.0.`last`.
pub(super) async fn connect_from(to: &str, last: u8) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from(([127, 0, 0, last], 0)))?;
    socket.connect(to.parse().unwrap()).await
}

/// The connections.
pub(super) struct Crowd(Vec<TcpStream>);

impl Crowd {
    /// Opens so many, and says the same on each.
    pub(super) async fn new(to: &str, last: u8, count: usize, first: &[u8]) -> Crowd {
        let mut streams = Vec::with_capacity(count);
        for _ in 0..count {
            let mut stream = connect_from(to, last).await.unwrap();
            // One that is closed at once may not take it.
            let _ = stream.write_all(first).await;
            streams.push(stream);
        }
        Crowd(streams)
    }

    /// Says a byte a second on each.
    pub(super) async fn drip(mut self, time: Duration) {
        let until = Instant::now() + time;
        while Instant::now() < until {
            for stream in &mut self.0 {
                let _ = stream.write_all(b"x").await;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    /// How many of them the other side has closed by then.
    pub(super) async fn closed(&self, within: Duration) -> usize {
        let until = Instant::now() + within;
        let mut closed = 0;
        for stream in &self.0 {
            let left = until.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
            let gone = async { stream.readable().await.is_ok() && !matches!(stream.try_read(&mut [0]), Ok(1)) };
            closed += usize::from(timeout(left, gone).await.unwrap_or(false));
        }
        closed
    }
}
