//! Reads rows and hands them on, at the pace asked for. Runs on a thread of its own: files block.

use crate::rows::Reader;
use crate::rows::topic::Pattern;
use crate::{Error, Message};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::sync::mpsc;

/// How often a feed that waits for room looks whether it is to end.
const LOOK: Duration = Duration::from_millis(200);

/// What is to be read, and where it goes.
#[derive(Debug)]
pub(super) struct Feed {
    pub(super) files: Vec<PathBuf>,
    pub(super) delimiter: Option<u8>,
    pub(super) pattern: Pattern,
    /// Rows to leave out, over all files.
    pub(super) skip: u64,
    /// Rows to send at most.
    pub(super) limit: u64,
    pub(super) pace: Pace,
    /// Set when the person wants it to end.
    pub(super) stop: Arc<AtomicBool>,
    pub(super) queue: mpsc::Sender<Message>,
}

/// What became of a feed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Done {
    /// Topics with replaced characters.
    pub(super) replaced: u64,
    /// Rows still to be left out.
    pub(super) skip: u64,
}

impl Feed {
    /// Feeds until the rows, the limit or the connection end.
    pub(super) fn run(mut self) -> Result<Done, Error> {
        let mut replaced = 0;
        for file in std::mem::take(&mut self.files) {
            let mut reader = Reader::open(&file, self.delimiter)?;
            while let Some(row) = reader.next_row()? {
                if self.skip > 0 {
                    self.skip -= 1;
                    continue;
                }
                if self.limit == 0 || self.stop.load(Ordering::Acquire) {
                    return Ok(Done { replaced, skip: self.skip });
                }
                let filled = reader.topic(&self.pattern)?;
                replaced += u64::from(filled.replaced);
                self.pace.wait();
                let Some(room) = self.room() else { return Ok(Done { replaced, skip: self.skip }) };
                room.send(Message { topic: filled.topic, payload: row.json.into() });
                self.limit -= 1;
            }
        }
        Ok(Done { replaced, skip: self.skip })
    }

    /// Room for a row, as soon as there is; nothing once nobody takes rows, or the person wants it to end: a server that
    /// takes nothing for now must not keep them waiting.
    fn room(&self) -> Option<mpsc::Permit<'_, Message>> {
        while !self.stop.load(Ordering::Acquire) {
            if let Ok(room) = Handle::current().block_on(tokio::time::timeout(LOOK, self.queue.reserve())) {
                return room.ok();
            }
        }
        None
    }
}

/// Spreads rows evenly over time.
#[derive(Debug)]
pub(super) struct Pace {
    gap: Option<Duration>,
    next: Instant,
}

impl Pace {
    /// So many rows a second, or as many as go.
    pub(super) fn new(rate: Option<u32>) -> Pace {
        Pace { gap: rate.map(|rate| Duration::from_secs(1) / rate), next: Instant::now() }
    }

    /// Waits until the next row is due.
    fn wait(&mut self) {
        let Some(gap) = self.gap else { return };
        let early = self.next.saturating_duration_since(Instant::now());
        // Timers are good to a millisecond; a few rows at once are evener than a wait for each.
        if early > Duration::from_millis(5) {
            Handle::current().block_on(tokio::time::sleep(early));
        }
        self.next += gap;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_feed_that_waits_for_room_ends_when_it_is_told_to() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("rows.jsonl");
        std::fs::write(&file, "{}\n".repeat(10)).unwrap();
        let (queue, mut rows) = mpsc::channel(1);
        let stop = Arc::new(AtomicBool::new(false));
        let feed = Feed {
            files: vec![file],
            delimiter: None,
            pattern: Pattern::parse("a").unwrap(),
            skip: 0,
            limit: u64::MAX,
            pace: Pace::new(None),
            stop: stop.clone(),
            queue,
        };
        let feeding = tokio::task::spawn_blocking(move || feed.run());
        // Two are taken, one waits, and nobody takes more.
        assert!(rows.recv().await.is_some() && rows.recv().await.is_some());
        stop.store(true, Ordering::Release);
        let ended = tokio::time::timeout(Duration::from_secs(30), feeding).await;
        assert_eq!(ended.unwrap().unwrap().unwrap(), Done::default());
    }
}
