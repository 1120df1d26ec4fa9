//! Closing: windows whose time is over are committed to their tier, once (rules 3, 4, 5, 19).
//!
//! The dataset's limit of lateness ([`limit`]) is raised while nothing that was sealed waits for its commit (rule 5). Rows before it are
//! late from then on, so that the committed raw files hold all there is of the windows before it, but for late rows, which make
//! theirs dirty. Those windows are computed here, some at a time, in the dataset's turn of maintenance.

use super::{Tier, file, kernel, partial};
use crate::book::Book;
use crate::file::{Effort, FileMeta};
use crate::holding::Holding;
use crate::intake::lock;
use crate::paths::FileName;
use crate::shelf::Shelf;
use crate::store::Store;
use crate::table::{App, Commit};
use crate::{Error, Kind, Position, Rollup, Run, snapshot};
use schemas::time::{DAY, HOUR};
use schemas::{Dataset, Span, Time};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// A dataset that has sent nothing for so long is not waited for by its clock: history that is being replayed stays fresh.
const SILENT: i64 = DAY;

/// Windows are closed so long behind a backlog that is coming in, so that its next rows stay fresh though they come in
/// some disorder.
const BEHIND: i64 = HOUR / 4;

/// Whether rows that are on their way are waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// A backlog that is coming in is followed: its windows close when its rows are filed.
    Patient,
    /// What is there now is all there is.
    Now,
}

/// Up to where windows may close: `settle` before now, or before the newest reading of a dataset that has long been silent,
/// or some time before the newest filed one (`backlog`) while older rows than those of now come in.
fn limit(dataset: &Dataset, now: Time, newest: i64, backlog: Option<i64>) -> Time {
    let reach = match backlog {
        Some(i64::MIN) => return Time(i64::MIN),
        Some(filed) => Time(filed.saturating_sub(BEHIND)),
        None if newest < now.0.saturating_sub(SILENT) => Time(newest),
        None => now,
    };
    let settled = dataset.settled(reach);
    Tier::Quarter.window(settled, &dataset.zone).from
}

/// The newest instant filed of a dataset whose rows keep coming while it is older than those of a dataset that is up to
/// date: those wait for a flush at most.
fn backlog(store: &Store, holding: &Holding, now: Time) -> Option<i64> {
    let age = store.config.flush_age;
    let coming = !holding.hot.is_empty() || holding.arrived.is_some_and(|arrived| arrived.elapsed() < age);
    let waits = i64::try_from(2 * age.as_micros()).unwrap_or(i64::MAX);
    let newest = holding.filed.newest();
    (coming && newest < holding.dataset.settled(now).0.saturating_sub(waits)).then_some(newest)
}

/// Closes windows that are due in one step per tier: those that begin on one UTC day at most. Gives the bytes read and written;
/// none when nothing is due.
pub(crate) async fn close(store: &Store, book: &Book, pace: Pace) -> Result<u64, Error> {
    let _turn = book.turn.lock().await;
    if store.closed.load(Ordering::Acquire) {
        return Err(Error::new(Kind::Closed, "the store has been closed"));
    }
    raise(store, &mut lock(&book.holding), pace);
    let mut bytes = 0;
    for tier in Tier::ALL {
        bytes += step(store, book, tier).await?;
    }
    Ok(bytes)
}

/// Whether windows of some tier are due.
pub(crate) fn is_due(store: &Store, holding: &mut Holding, pace: Pace) -> bool {
    raise(store, holding, pace);
    let limit = holding.closed.instant();
    Tier::ALL.into_iter().any(|tier| next(&holding.dataset, tier, &holding.shelf, limit).is_some())
}

/// Raises the limit of lateness, unless rows that were decided fresh wait for their commit, or history is being imported.
fn raise(store: &Store, holding: &mut Holding, pace: Pace) {
    if holding.sealed.is_empty() && !store.held.load(Ordering::Acquire) {
        let now = store.intake.now();
        let backlog = if pace == Pace::Patient { backlog(store, holding, now) } else { None };
        holding.closed.raise(limit(&holding.dataset, now, holding.newest, backlog));
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
    let (rollup, mut bytes) = match (windows.first(), windows.last()) {
        (Some(first), Some(end)) => {
            let span = Span { from: first.from, to: end.to };
            let kept = lock(&book.holding).partials.of(tier, shelf.committed(span));
            match kept {
                Some(kept) => (put_together(dataset.clone(), tier, kept, span).await?, 0),
                None => {
                    let (mut bytes, mut runs) = (0, Vec::new());
                    let fields: Vec<usize> = (0..dataset.fields.len()).collect();
                    for meta in shelf.committed(span) {
                        bytes += meta.bytes;
                        runs.push(store.cache.load(dataset, meta, &fields, None, &number).await?);
                    }
                    (roll_up(dataset.clone(), tier, runs, windows).await?, bytes)
                }
            }
        }
        _ => (Rollup::default(), 0),
    };
    // What is closed becomes part of larger files before long.
    let made = file::Maker { store, book, tier, sensors, log, last, effort: Effort::Quick };
    let adds = made.write(rollup).await?;
    bytes += adds.iter().map(|meta| meta.bytes).sum::<u64>();
    let commit = Commit {
        adds,
        removes: Vec::new(),
        transactions: vec![(App::Closed, Position(closed.0.max(0) as u64))],
        info: serde_json::json!({ "what": "close", "closed": closed.to_string() }),
        data_change: true,
    };
    made.commit(&commit).await?;
    tidy(book);
    Ok(bytes.max(1))
}

/// Lets go what sealed files come to once the tiers have it.
fn tidy(book: &Book) {
    let mut holding = lock(&book.holding);
    let waiting = holding.sealed.iter().filter_map(|sealed| sealed.files.as_ref()).flat_map(|(fresh, _)| fresh);
    let waiting: Vec<FileName> = waiting.map(|file| file.name).collect();
    let shelf = holding.shelf.clone();
    holding.partials.tidy(&book.dataset, &shelf, &waiting);
}

/// The rows of windows in a span, put together from what files come to.
async fn put_together(dataset: Arc<Dataset>, tier: Tier, kept: Vec<Rollup>, span: Span) -> Result<Rollup, Error> {
    crate::seal::blocking(move || Ok(partial::combine(&dataset, tier, &kept, span))).await
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
