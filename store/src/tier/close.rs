//! Closing: windows whose time is over are committed to their tier, once (rules 3, 4, 5, 19).
//!
//! The dataset's limit of lateness ([`limit`]) is raised while nothing that was sealed waits for its commit (rule 5). Rows before it are
//! late from then on, so that the committed raw files hold all there is of the windows before it, but for late rows, which make
//! theirs dirty. Those windows are computed here, some at a time, in the dataset's turn of maintenance.

use super::{Tier, file, kernel};
use crate::book::Book;
use crate::file::FileMeta;
use crate::holding::Holding;
use crate::intake::lock;
use crate::shelf::Shelf;
use crate::store::Store;
use crate::table::{App, Commit};
use crate::{Error, Kind, Position, Rollup, Run, snapshot};
use schemas::time::DAY;
use schemas::{Dataset, Span, Time};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// A dataset that has sent nothing for so long is not waited for by its clock: history that is being replayed stays fresh.
const SILENT: i64 = DAY;

/// Up to where windows may close: `settle` before now, or before the newest reading of a dataset that has long been silent.
fn limit(dataset: &Dataset, now: Time, newest: i64) -> Time {
    let reach = if newest < now.0.saturating_sub(SILENT) { Time(newest) } else { now };
    let settled = dataset.settled(reach);
    Tier::Quarter.window(settled, &dataset.zone).from
}

/// Closes windows that are due in one step per tier: those that begin on one UTC day at most. Gives the bytes read and written;
/// none when nothing is due.
pub(crate) async fn close(store: &Store, book: &Book) -> Result<u64, Error> {
    let _turn = book.turn.lock().await;
    if store.closed.load(Ordering::Acquire) {
        return Err(Error::new(Kind::Closed, "the store has been closed"));
    }
    raise(store, &mut lock(&book.holding));
    let mut bytes = 0;
    for tier in Tier::ALL {
        bytes += step(store, book, tier).await?;
    }
    Ok(bytes)
}

/// Whether windows of some tier are due.
pub(crate) fn is_due(store: &Store, holding: &mut Holding) -> bool {
    raise(store, holding);
    let limit = holding.closed.instant();
    Tier::ALL.into_iter().any(|tier| next(&holding.dataset, tier, &holding.shelf, limit).is_some())
}

/// Raises the limit of lateness, unless rows that were decided fresh wait for their commit, or history is being imported.
fn raise(store: &Store, holding: &mut Holding) {
    if holding.sealed.is_empty() && !store.held.load(Ordering::Acquire) {
        holding.closed.raise(limit(&holding.dataset, store.intake.now(), holding.newest));
    }
}

/// What a step closes: the windows to compute, if any hold rows, and up to where the tier is closed then.
#[derive(Debug, PartialEq)]
struct Step {
    windows: Vec<Span>,
    closed: Time,
}

/// The next step of a tier, if one is due. `limit` is the dataset's limit of lateness.
fn next(dataset: &Dataset, tier: Tier, shelf: &Shelf, limit: Time) -> Option<Step> {
    let target = tier.window(limit, &dataset.zone).from;
    let closed = shelf.tier(tier).closed;
    let later = |meta: &&Arc<FileMeta>| meta.max_time >= closed.0;
    let first = shelf.files.values().flatten().filter(later).map(|meta| meta.min_time.max(closed.0)).min();
    if target <= closed || limit.0 == i64::MIN {
        return None;
    }
    let Some(first) = first.filter(|&first| first < target.0) else {
        // Nothing to compute. Before the first row there is no window to tell of.
        let none = Step { windows: Vec::new(), closed: target };
        return (closed.0 != i64::MIN).then_some(none);
    };
    let from = tier.window(Time(first), &dataset.zone).from.max(closed);
    let last = tier.window(Time(from.day().span().to.0 - 1), &dataset.zone);
    let to = last.to.min(target);
    let span = Span { from, to };
    let edges = tier.bucket().edges(span, &dataset.zone, 1_000).unwrap_or_default();
    let windows = edges.windows(2).map(|edge| Span { from: edge[0], to: edge[1] }).collect();
    Some(Step { windows, closed: to })
}

/// Takes one step of a tier.
async fn step(store: &Store, book: &Book, tier: Tier) -> Result<u64, Error> {
    let dataset = &book.dataset;
    let (shelf, limit, sensors, number, log, last) = {
        // A commit that stood though it answered an error may have closed windows.
        let table = book.tier(tier).lock().await;
        let mut holding = lock(&book.holding);
        Arc::make_mut(&mut holding.shelf).take_over_tier(tier, &table);
        holding.changed();
        let number = snapshot::numbering(&holding.numbers);
        let sensors = holding.known.sensors.clone();
        (holding.shelf.clone(), holding.closed.instant(), sensors, number, holding.log, holding.flushed)
    };
    let Some(Step { windows, closed }) = next(dataset, tier, &shelf, limit) else { return Ok(0) };
    let (mut bytes, mut runs) = (0, Vec::new());
    if let (Some(first), Some(end)) = (windows.first(), windows.last()) {
        let span = Span { from: first.from, to: end.to };
        let fields: Vec<usize> = (0..dataset.fields.len()).collect();
        for meta in shelf.committed(span) {
            bytes += meta.bytes;
            runs.push(store.cache.load(dataset, meta, &fields, None, &number).await?);
        }
    }
    let made = file::Maker { store, book, tier, sensors, log, last };
    let adds = made.write(roll_up(dataset.clone(), tier, runs, windows).await?).await?;
    bytes += adds.iter().map(|meta| meta.bytes).sum::<u64>();
    let commit = Commit {
        adds,
        removes: Vec::new(),
        transactions: vec![(App::Closed, Position(closed.0.max(0) as u64))],
        info: serde_json::json!({ "what": "close", "closed": closed.to_string() }),
        data_change: true,
    };
    made.commit(&commit).await?;
    Ok(bytes.max(1))
}

/// The rows of common windows, computed off the runtime's own threads.
async fn roll_up(dataset: Arc<Dataset>, tier: Tier, runs: Vec<Run>, windows: Vec<Span>) -> Result<Rollup, Error> {
    crate::seal::blocking(move || {
        let run = crate::run::merge(&runs, dataset.fields.len());
        Ok(kernel::rollup(&dataset, tier, &run, |_| &windows))
    })
    .await
}

#[cfg(test)]
mod tests;
