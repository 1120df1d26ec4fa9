//! The week before the demo started, through the same mapping as live messages, by import.

use crate::app::App;
use crate::town::Town;
use crate::{Error, Message};
use ingest::import::Import;
use schemas::time::{DAY, HOUR};
use schemas::{Dataset, Span, Time};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

/// How far back the town remembers.
const PAST: i64 = 7 * DAY;
/// Chunks of messages made ahead of the import.
const AHEAD: usize = 4;

/// What one dataset still lacks.
pub(super) struct Gap {
    dataset: Arc<Dataset>,
    span: Span,
    import: Import,
}

/// What was filled in.
#[derive(Debug)]
pub(super) struct Filled {
    /// Messages.
    pub(super) messages: u64,
    /// How long it took.
    pub(super) took: Duration,
}

/// The gaps of all datasets up to now: a week, or what passed since the demo ran in this folder before.
pub(super) fn plan(app: &App, datasets: &[Arc<Dataset>], now: Time) -> Result<Vec<Gap>, Error> {
    let mut gaps = Vec::with_capacity(datasets.len());
    for dataset in datasets {
        let extent = app.reader().snapshot(&dataset.id)?.extent();
        // Not all sensors were heard at the last instant; what comes twice counts once.
        let from = extent.map_or(now.plus(-PAST), |(_, last)| last.plus(-HOUR).max(now.plus(-PAST)));
        let import = app.import(&dataset.id, 0)?;
        gaps.push(Gap { dataset: dataset.clone(), span: Span { from, to: now }, import });
    }
    Ok(gaps)
}

/// Fills the gaps, all datasets beside each other, until done or `stopped` turns true.
pub(super) async fn fill(gaps: Vec<Gap>, town: Arc<Town>, stopped: watch::Receiver<bool>) -> Result<Filled, Error> {
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for gap in gaps {
        tasks.spawn(fill_one(gap, town.clone(), stopped.clone()));
    }
    let mut messages = 0;
    while let Some(filled) = tasks.join_next().await {
        messages += filled.map_err(|e| Error::run(format!("history broke down: {e}")))??;
    }
    Ok(Filled { messages, took: start.elapsed() })
}

async fn fill_one(gap: Gap, town: Arc<Town>, stopped: watch::Receiver<bool>) -> Result<u64, Error> {
    let Gap { dataset, span, mut import } = gap;
    let (chunks, mut made) = mpsc::channel(AHEAD);
    let making = tokio::task::spawn_blocking(move || make(&town, &dataset.id, span, &chunks));
    while let Some(chunk) = made.recv().await {
        if *stopped.borrow() {
            break;
        }
        for Message { topic, payload } in chunk {
            import.push(&topic.into(), payload).await.map_err(|e| Error::run(e.message))?;
        }
    }
    drop(made);
    making.await.map_err(|e| Error::run(format!("history broke down: {e}")))?;
    import.finish().await.map_err(|e| Error::run(e.message))
}

/// Makes a dataset's messages hour by hour, for as long as somebody takes them: the last day first, since most look there.
fn make(town: &Town, dataset: &str, span: Span, chunks: &mpsc::Sender<Vec<Message>>) {
    let yesterday = span.to.plus(-DAY).max(span.from);
    for part in [Span { from: yesterday, ..span }, Span { to: yesterday, ..span }] {
        if !make_part(town, dataset, part, chunks) {
            return;
        }
    }
}

/// Makes the messages of a part; whether they were all taken.
fn make_part(town: &Town, dataset: &str, part: Span, chunks: &mpsc::Sender<Vec<Message>>) -> bool {
    let mut from = part.from;
    while from < part.to {
        let to = from.plus(HOUR).min(part.to);
        let devices = town.devices().iter().filter(|device| device.dataset == dataset);
        let messages = devices
            .flat_map(|device| town.wakes(device, Span { from, to }).flat_map(|time| town.messages(device, time)));
        if chunks.blocking_send(messages.collect()).is_err() {
            return false;
        }
        from = to;
    }
    true
}
