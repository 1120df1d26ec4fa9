//! A TCP door for Graphite's plaintext: lines without acknowledgement, from collectors that speak nothing else.
//!
//! What cannot be taken now is not read: the sender's connection fills up and it waits. Nothing tells a sender that a line is
//! durable, so what was on its way when either side went down may be lost; a sender that must not lose anything uses another
//! door.

use crate::decode::graphite::{self, LONGEST};
use crate::decode::points::{Format, Names};
use crate::metrics::DoorMetrics;
use crate::{Catalog, Intake, Parcel};
use access::{Entrance, Line, Seat};
use bytes::{Bytes, BytesMut};
use schemas::source::Decoder;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// What rejects say of where lines came by, and the door's name in figures.
const NAME: &str = "graphite";

/// Settings of the door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Bytes of lines read and handed over at once.
    pub chunk: usize,
    /// Paths whose meaning is remembered, over all connections.
    pub max_paths: usize,
    /// How long a connection may be silent.
    pub idle: Duration,
    /// How long connections have at shutdown to hand over what was read.
    pub drain: Duration,
}

impl Default for Config {
    fn default() -> Config {
        let (idle, drain) = (Duration::from_secs(3600), Duration::from_secs(5));
        Config { chunk: 64 << 10, max_paths: 65_536, idle, drain }
    }
}

/// What all connections share.
#[derive(Clone, Debug)]
struct Shared {
    intake: Intake,
    config: Arc<Config>,
    names: Arc<Mutex<Names>>,
    metrics: DoorMetrics,
}

/// Takes connections at an entrance until `shutdown` is ready.
pub async fn run(entrance: Entrance, intake: Intake, config: Config, shutdown: impl Future<Output = ()>) {
    let (catalog, metrics) = (intake.catalog().clone(), intake.metrics().door(NAME));
    let names = Names::new(catalog.clone(), Format::Graphite, routes(&catalog), config.max_paths);
    let shared = Shared { intake, config: Arc::new(config), names: Arc::new(Mutex::new(names)), metrics };
    let (stop, stopped) = watch::channel(false);
    let mut open = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        while open.try_join_next().is_some() {}
        let (stream, seat) = tokio::select! {
            () = &mut shutdown => break,
            next = entrance.next() => next,
        };
        let (front, shared, stopped) = (entrance.front().clone(), shared.clone(), stopped.clone());
        open.spawn(async move {
            shared.metrics.connections.inc();
            if let Some(line) = front.shake(stream, &seat).await {
                serve(line, seat, &shared, stopped).await;
            }
            shared.metrics.connections.dec();
        });
    }
    drop(entrance);
    let _ = stop.send(true);
    let _ = timeout(shared.config.drain, async { while open.join_next().await.is_some() {} }).await;
    open.shutdown().await;
}

/// The routes that Graphite's lines may be for.
fn routes(catalog: &Catalog) -> Vec<usize> {
    let graphite = |route: &usize| matches!(catalog.source(*route).decoder, Decoder::Graphite(_));
    (0..catalog.routes.len()).filter(graphite).collect()
}

/// Reads lines until the sender goes, is silent for too long, or the door closes.
async fn serve(mut stream: Line, seat: Seat, shared: &Shared, mut stopped: watch::Receiver<bool>) {
    let mut read = Lines::default();
    loop {
        let more = tokio::select! {
            more = timeout(shared.config.idle, stream.read_buf(&mut read.buffer)) => more,
            _ = stopped.wait_for(|stop| *stop) => break,
            () = seat.presence.dismissed() => break,
        };
        if !matches!(more, Ok(Ok(bytes)) if bytes > 0) {
            break;
        }
        if let Some(lines) = read.whole(shared.config.chunk)
            && !shared.submit(lines).await
        {
            return;
        }
    }
    // A sender that ends without an end of line meant the last line all the same.
    if let Some(rest) = read.rest() {
        shared.submit(rest).await;
    }
}

impl Shared {
    /// Hands lines over, waiting for room. Whether the intake still takes anything.
    async fn submit(&self, lines: Bytes) -> bool {
        let now = self.intake.now();
        self.metrics.bytes.inc_by(lines.len() as u64);
        let parcel: Parcel = {
            let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
            graphite::read(&mut names, NAME, lines, now)
        };
        let rows: usize = parcel.readings.iter().map(|readings| readings.batch.len()).sum();
        self.metrics.messages.inc_by((rows + parcel.refused.len()) as u64);
        match self.intake.room(parcel.weight()).await {
            Ok(room) => {
                drop(self.intake.ask_parcel(room, parcel));
                true
            }
            Err(_) => false,
        }
    }
}

/// Bytes that came, cut into whole lines.
#[derive(Debug, Default)]
struct Lines {
    buffer: BytesMut,
    /// Whether the rest of a line that was too long is being passed over.
    passing: bool,
}

impl Lines {
    /// The whole lines among the first bytes, and all that came once they are `most`: a line longer than that is cut, and its rest
    /// passed over.
    fn whole(&mut self, most: usize) -> Option<Bytes> {
        if self.passing {
            let Some(end) = self.buffer.iter().position(|&byte| byte == b'\n') else {
                self.buffer.clear();
                return None;
            };
            drop(self.buffer.split_to(end + 1));
            self.passing = false;
        }
        match self.buffer.iter().rposition(|&byte| byte == b'\n') {
            Some(end) => Some(self.buffer.split_to(end + 1).freeze()),
            // Too long for a line in any case: the reader refuses what is there.
            None if self.buffer.len() > most.max(LONGEST) => {
                self.passing = true;
                Some(self.buffer.split().freeze())
            }
            None => None,
        }
    }

    /// What came after the last end of line.
    fn rest(&mut self) -> Option<Bytes> {
        let rest = self.buffer.split().freeze();
        (!self.passing && !rest.is_empty()).then_some(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_cut_into_whole_lines_however_they_come() {
        let text = "a 1 2\nb 3 4\r\nlast 5";
        for step in 1..text.len() {
            let mut lines = Lines::default();
            let mut seen = String::new();
            for piece in text.as_bytes().chunks(step) {
                lines.buffer.extend_from_slice(piece);
                if let Some(whole) = lines.whole(10) {
                    assert!(whole.ends_with(b"\n"));
                    seen.push_str(std::str::from_utf8(&whole).unwrap());
                }
            }
            seen.push_str(std::str::from_utf8(&lines.rest().unwrap()).unwrap());
            assert_eq!(seen, text, "by {step}");
        }
    }

    #[test]
    fn a_line_without_end_is_refused_once_and_its_rest_passed_over() {
        let mut lines = Lines::default();
        let mut given = Vec::new();
        for _ in 0..5 {
            lines.buffer.extend_from_slice(&[b'x'; LONGEST]);
            given.extend(lines.whole(10).map(|whole| whole.len()));
        }
        lines.buffer.extend_from_slice(b"xx\na 1 2\n");
        assert_eq!(lines.whole(10).unwrap(), "a 1 2\n");
        assert_eq!(given, [2 * LONGEST], "more than the reader takes, once");
        assert!(lines.rest().is_none());
    }
}
