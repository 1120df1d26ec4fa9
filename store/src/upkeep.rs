//! What keeps files few, logs short and old ones away, beside ingest and fold: compaction, checkpoints,
//! retention, vacuum.

use crate::book::Book;
use crate::compact::{self, Rest};
use crate::intake::lock;
use crate::maintenance::note;
use crate::retention::{self, Patience, Since};
use crate::store::Store;
use crate::vacuum::vacuum;
use crate::{Error, Task, table};
use std::sync::Weak;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::Instant;

/// A day or partition that is over becomes one file when nothing has come for so many times `flush.age`.
const AT_REST: u32 = 10;

/// How long nothing must have come for an old day before it goes, so that an import of history is not cut short; and how long
/// after that what was judged before it was marked may be on its way to the log.
const PATIENCE: Patience = Patience { rest: Duration::from_secs(3600), grace: Duration::from_secs(60) };
/// Between looks for what has been kept for long enough.
const LOOK: Duration = Duration::from_secs(10);

/// What is remembered of a dataset from turn to turn.
#[derive(Debug, Default)]
struct Memory {
    rest: Rest,
    since: Since,
    /// When retention was looked at last.
    looked: Option<Instant>,
}

/// Runs until the store is closed or nobody holds it any more.
pub(crate) async fn run(store: Weak<Store>, tick: Duration) {
    let mut memories: Vec<Memory> = Vec::new();
    let mut vacuumed = Instant::now();
    let mut pause = tick;
    loop {
        tokio::time::sleep(pause).await;
        let Some(store) = store.upgrade().filter(|s| !s.closed.load(Ordering::Acquire)) else { return };
        memories.resize_with(store.intake.books.len(), Memory::default);
        let every = (store.config.vacuum_after / 64).clamp(tick, Duration::from_secs(600));
        let vacuums = vacuumed.elapsed() >= every;
        if vacuums {
            vacuumed = Instant::now();
        }
        let mut bytes = 0;
        for (book, memory) in store.intake.books.iter().zip(&mut memories) {
            if lock(&book.upkeep_trouble).waits() {
                continue;
            }
            let answer = turn(&store, book, memory, vacuums, &mut bytes).await;
            note(book, &book.upkeep_trouble, "upkeep", &answer);
        }
        let per_second = (store.config.fold_bytes / 60).max(1);
        let rest = Duration::from_secs_f64(bytes as f64 / per_second as f64).min(Duration::from_secs(60));
        pause = rest.max(tick);
    }
}

/// What is due of one dataset, each in one bounded step.
async fn turn(
    store: &Store,
    book: &Book,
    Memory { rest, since, looked }: &mut Memory,
    vacuums: bool,
    bytes: &mut u64,
) -> Result<(), Error> {
    let now = store.intake.now();
    let long = AT_REST * store.config.flush_age;
    let is_due = {
        let holding = lock(&book.holding);
        rest.tidy(&holding);
        compact::next(&holding, now, &mut |tier, first, files| rest.has(long, tier, first, files)).is_some()
    };
    if is_due {
        let mut is_at_rest = |tier, first, files: &[_]| rest.has(long, tier, first, files);
        let work = compact::compact(store, book, now, &mut is_at_rest);
        *bytes += store.turns.take(&book.duty, Task::Compact, work).await?;
    }
    checkpoint(store, book).await?;
    let is_time = looked.is_none_or(|looked| looked.elapsed() >= LOOK);
    if is_time && retention::may_be_due(&lock(&book.holding), now) {
        *looked = Some(Instant::now());
        let work = retention::retain(store, book, now, since, PATIENCE);
        store.turns.take(&book.duty, Task::Retain, work).await?;
    }
    if vacuums {
        let work = vacuum(store, book, table::now(), store.config.vacuum_after);
        store.turns.take(&book.duty, Task::Vacuum, work).await?;
    }
    let mut replaced = 0;
    for table in std::iter::once(&book.table).chain(&book.tiers) {
        replaced += table.lock().await.past().waiting();
    }
    book.replaced.store(replaced, Ordering::Relaxed);
    Ok(())
}

/// Compacts until nothing is left to be put together, whether at rest or not.
pub(crate) async fn settle(store: &Store, book: &Book) -> Result<(), Error> {
    while compact::compact(store, book, store.intake.now(), &mut |_, _, _| true).await? > 0 {}
    checkpoint(store, book).await
}

/// Writes the checkpoints that are due.
async fn checkpoint(store: &Store, book: &Book) -> Result<(), Error> {
    for table in std::iter::once(&book.table).chain(&book.tiers) {
        let work = {
            let table = table.lock().await;
            table.checkpoint_due().then(|| table.checkpoint())
        };
        if let Some(work) = work {
            let version = store.turns.take(&book.duty, Task::Checkpoint, work).await?;
            table.lock().await.checkpointed(version);
        }
    }
    Ok(())
}
