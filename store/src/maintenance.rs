//! What runs beside ingest: flush by size and age, fold, tiers, removal of folded files; more in [`crate::upkeep`].

use crate::book::{Book, Trouble};
use crate::intake::lock;
use crate::store::Store;
use crate::tier::Pace;
use crate::{Error, Task, act, flush, fold, tier, upkeep};
use schemas::{Day, Time};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;
use tokio::time::Instant;

/// Late files of a day that wait before it is folded, unless they are old.
const LATE_FILES: usize = 8;
/// Folded late files that wait for the tiers to be refreshed, at most, while others are being folded.
const STALE_FILES: usize = 128;

/// Starts maintenance. It ends when the store is closed or nobody holds it any more.
pub(crate) fn start(store: &Arc<Store>, now: Arc<dyn Fn() -> Time + Send + Sync>) {
    let tick = (store.config.flush_age / 8).clamp(Duration::from_millis(10), Duration::from_millis(250));
    tokio::spawn(flushing(Arc::downgrade(store), now, tick));
    tokio::spawn(folding(Arc::downgrade(store), tick));
    tokio::spawn(upkeep::run(Arc::downgrade(store), tick));
}

async fn flushing(store: Weak<Store>, now: Arc<dyn Fn() -> Time + Send + Sync>, tick: Duration) {
    let mut silent = Instant::now();
    loop {
        let Some(intake) = store.upgrade().map(|s| s.intake.clone()) else { return };
        let _ = tokio::time::timeout(tick, intake.wake.notified()).await;
        drop(intake);
        let Some(store) = store.upgrade().filter(|s| !s.closed.load(Ordering::Acquire)) else { return };
        let quiet = silent.elapsed() >= store.config.flush_age;
        if quiet {
            silent = Instant::now();
        }
        flush_due(&store, now(), quiet).await;
    }
}

/// Flushes what is over the budget, largest first, then what is old, and then, from time to time, datasets that went
/// silent, so that their position holds no segment back (rule 20).
async fn flush_due(store: &Store, now: Time, quiet: bool) {
    let mut flushed = false;
    // So often at most: under lasting pressure segments must be let go too, and the next turn comes at once.
    for _ in 0..store.intake.books.len() {
        if store.intake.bytes() <= store.config.hot_bytes {
            break;
        }
        let ready = store.intake.books.iter().filter(|b| b.bytes() > 0 && !lock(&b.flush_trouble).waits());
        let Some(book) = ready.max_by_key(|b| b.bytes()) else { break };
        flushed |= flush_one(store, book).await;
    }
    let age = i64::try_from(store.config.flush_age.as_micros()).unwrap_or(i64::MAX);
    let silent = quiet && store.log.stats().segments > 1;
    for book in &store.intake.books {
        let due = {
            let holding = lock(&book.holding);
            let old = holding.hot.oldest.is_some_and(|oldest| now.0.saturating_sub(oldest.0) >= age);
            let unsaved = holding.unsaved.is_some() || holding.saved < holding.flushed;
            old || !holding.sealed.is_empty() || unsaved || silent && holding.hot.is_empty()
        };
        if due && !lock(&book.flush_trouble).waits() {
            flushed |= flush_one(store, book).await;
        }
    }
    if flushed && let Err(error) = store.release().await {
        tracing::warn!(%error, "log segments could not be let go; they stay until the next flush");
    }
}

async fn flush_one(store: &Store, book: &Book) -> bool {
    let answer = store.turns.take(&book.duty, Task::Flush, flush::flush(store, book)).await;
    note(book, &book.flush_trouble, "flush", &answer);
    answer.is_ok()
}

/// Keeps what a turn answered.
pub(crate) fn note(book: &Book, trouble: &Mutex<Trouble>, what: &str, answer: &Result<(), Error>) {
    if let Err(error) = answer {
        tracing::warn!(dataset = %book.dataset.id, %error, "{what} failed; it is tried again");
    }
    lock(trouble).note(answer);
}

async fn folding(store: Weak<Store>, tick: Duration) {
    let mut waiting = Waiting::default();
    let mut pause = tick;
    loop {
        tokio::time::sleep(pause).await;
        let Some(store) = store.upgrade().filter(|s| !s.closed.load(Ordering::Acquire)) else { return };
        let began = Instant::now();
        let bytes = fold_due(&store, &mut waiting).await;
        let per_second = (store.config.fold_bytes / 60).max(1);
        let rest = Duration::from_secs_f64(bytes as f64 / per_second as f64).min(Duration::from_secs(60));
        // Where there was work there may be more; it takes two thirds of the time at most.
        pause = if bytes > 0 { rest.max(began.elapsed() / 2) } else { tick };
    }
}

/// Since when late files of (dataset, day) are seen to wait.
type Waiting = std::collections::HashMap<(usize, Day), Instant>;

/// Folds one day of each dataset that is due, brings tiers forward, and empties the bin. Gives the bytes that folds
/// read and wrote.
async fn fold_due(store: &Store, waiting: &mut Waiting) -> u64 {
    let mut bytes = 0;
    for (i, book) in store.intake.books.iter().enumerate() {
        if lock(&book.fold_trouble).waits() {
            continue;
        }
        let answer = fold_one(store, (i, book), waiting, &mut bytes).await;
        note(book, &book.fold_trouble, "fold", &answer);
    }
    if let Err(error) = store.empty_bin().await {
        tracing::warn!(%error, "a folded late file could not be removed; the next start removes it");
    }
    bytes
}

async fn fold_one(
    store: &Store,
    (i, book): (usize, &Book),
    waiting: &mut Waiting,
    bytes: &mut u64,
) -> Result<(), Error> {
    let late: Vec<(Day, usize)> =
        lock(&book.holding).shelf.late.iter().map(|(day, files)| (*day, files.len())).collect();
    waiting.retain(|(book, day), _| *book != i || late.iter().any(|(d, _)| d == day));
    let age = 2 * store.config.flush_age;
    let due = late.iter().find(|(day, files)| {
        let since = waiting.entry((i, *day)).or_insert_with(Instant::now);
        *files >= LATE_FILES || since.elapsed() >= age
    });
    if let Some((day, _)) = due {
        *bytes += store.turns.take(&book.duty, Task::Fold, fold::fold(store, book, *day)).await?;
    }
    act::find(book).await?;
    *bytes += tiers(store, book, due.is_none(), Pace::Patient).await?;
    Ok(())
}

/// Closes windows that are due and refreshes touched ones, each in one bounded step. While days are still being folded
/// (`folded` is false) those wait for company: a refresh writes whole partitions anew. Gives the bytes read and written.
async fn tiers(store: &Store, book: &Book, folded: bool, pace: Pace) -> Result<u64, Error> {
    let (closes, stale) = {
        let mut holding = lock(&book.holding);
        let files = holding.shelf.stale.values().map(Vec::len).sum::<usize>();
        (tier::is_due(store, &mut holding, pace), if folded { files > 0 } else { files >= STALE_FILES })
    };
    let mut bytes = 0;
    if closes {
        bytes += store.turns.take(&book.duty, Task::Close, tier::close(store, book, pace)).await?;
    }
    if stale {
        bytes += store.turns.take(&book.duty, Task::Refresh, tier::refresh(store, book)).await?;
    }
    Ok(bytes)
}

/// Flushes, folds and compacts until nothing waits; for tests, import and shutdown.
pub(crate) async fn settle(store: &Store) -> Result<(), Error> {
    for book in &store.intake.books {
        flush::flush(store, book).await?;
        loop {
            let day = lock(&book.holding).shelf.late.keys().next().copied();
            let Some(day) = day else { break };
            if fold::fold(store, book, day).await? == 0 {
                // Erasures wait for saved state.
                flush::flush(store, book).await?;
            }
        }
        while tiers(store, book, true, Pace::Now).await? > 0 {}
        upkeep::settle(store, book).await?;
    }
    store.empty_bin().await?;
    store.release().await
}
