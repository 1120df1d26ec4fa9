//! The writing side of the store.

use crate::intake::lock;
use crate::store::Store;
use crate::{Backup, Config, Erasure, Error, Kind, Position, Preview, Reader, act, backup, maintenance};
use schemas::{Batch, Dataset, Reject, Time};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Where the store gets the time from.
pub type Clock = Arc<dyn Fn() -> Time + Send + Sync>;

/// What one call hands over, all of it durable together.
#[derive(Clone, Debug, Default)]
pub struct Append {
    /// Readings, one batch per dataset at most.
    pub batches: Vec<Batch>,
    /// Rejects that the same messages gave rise to.
    pub rejects: Vec<Reject>,
}

/// The store's word that what was appended is durable and readable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Position of the last record of the append.
    pub position: Position,
}

/// The one writer of a store. Cloneable: all clones feed the same log.
#[derive(Clone, Debug)]
pub struct Writer {
    store: Arc<Store>,
}

/// Opens a store: takes the locks, recovers, replays the log, starts the log thread and maintenance.
/// Runs on the current tokio runtime.
pub async fn open(config: Config, datasets: Vec<Arc<Dataset>>, clock: Clock) -> Result<(Writer, Reader), Error> {
    let store = Arc::new(Store::open(config, datasets, clock.clone()).await?);
    maintenance::start(&store, clock);
    Ok((Writer { store: store.clone() }, Reader { store }))
}

impl Writer {
    /// Logs, waits for the fsync of the group it lands in, and publishes. The order of calls is the order of positions:
    /// the future must be polled once (or `append` awaited) before the next call for that to hold.
    /// `Kind::Busy` when `queue_bytes` are waiting or flushes do not keep up, `Kind::Full` when the disk is.
    pub async fn append(&self, append: Append) -> Result<Receipt, Error> {
        append_to(&self.store, append).await
    }

    /// What an erasure would do now. `Kind::Unknown` where dataset, sensor or field is not known, `Kind::Mismatch` where the
    /// span is empty.
    pub async fn preview(&self, erasure: &Erasure) -> Result<Preview, Error> {
        act::preview(&self.store, erasure).await
    }

    /// Erases what a preview tells: durable like any append, and in force for all readers when it answers. Refused as
    /// [`Writer::preview`] says.
    pub async fn erase(&self, erasure: Erasure) -> Result<Receipt, Error> {
        act::erase(&self.store, erasure).await
    }

    /// The time given to a recent message without time that had this hash of topic and payload (rule 24).
    pub fn mark(&self, hash: u64) -> Option<Time> {
        lock(&self.store.intake.desk).marks.get(hash)
    }

    /// Whether a reading at `time` of a dataset would lie in a window whose raw readings are gone (rule 17).
    /// False for a dataset there is not.
    pub fn too_old(&self, dataset: &str, time: Time) -> bool {
        self.store.intake.book(dataset).is_some_and(|book| book.refused.holds(&book.dataset, time))
    }

    /// Takes a backup of all that is there into a folder, named by its full path, that is empty or not there yet, while everything
    /// goes on. [`crate::restore`] is the way back. `Kind::Unusable` for a folder that cannot be used.
    pub async fn backup(&self, to: &Path) -> Result<Backup, Error> {
        backup::backup(&self.store, to).await
    }

    /// While `held` no window closes: history that is imported stays fresh in whatever order it comes, as long as each
    /// sensor's rows ascend.
    pub fn hold(&self, held: bool) {
        self.store.held.store(held, Ordering::Release);
    }

    /// Seals and flushes all that is hot now, and folds all that is late: for tests, `import` and shutdown.
    pub async fn settle(&self) -> Result<(), Error> {
        maintenance::settle(&self.store).await
    }

    /// Flushes, stops the threads and gives the locks back. Appends after it answer `Kind::Closed`. When a flush fails the
    /// store is closed all the same: the log holds what it lacks.
    pub async fn close(&self) -> Result<(), Error> {
        close(&self.store).await
    }
}

/// Logs an append and waits until it is readable.
pub(crate) async fn append_to(store: &Store, append: Append) -> Result<Receipt, Error> {
    if store.closed.load(Ordering::Acquire) {
        return Err(Error::new(Kind::Closed, "the store has been closed"));
    }
    for batch in &append.batches {
        store.book(&batch.dataset.id)?;
    }
    let most = most(store);
    if store.intake.bytes() > most {
        return Err(full(store).unwrap_or_else(|| {
            let message = format!("more than {most} bytes of readings wait to be flushed; try again shortly");
            Error::new(Kind::Busy, message)
        }));
    }
    let receipt = store.log.append(append)?.await;
    receipt.unwrap_or_else(|_| Err(Error::new(Kind::Closed, "the log ended before it could answer")))
}

/// Bytes of readings that may wait to be flushed.
fn most(store: &Store) -> usize {
    store.config.hot_bytes.saturating_add(store.config.hot_bytes / 2)
}

/// Why nothing is taken now for want of room on the data disk, if so.
pub(crate) fn stopped(store: &Store) -> Option<String> {
    let most = most(store);
    full(store).filter(|_| store.intake.bytes() > most).map(|error| error.message)
}

/// What to answer while readings wait to be flushed, if they do for want of room on the data disk.
fn full(store: &Store) -> Option<Error> {
    store.intake.books.iter().find_map(|book| {
        let trouble = lock(&book.flush_trouble);
        let why = trouble.full()?;
        let data = store.config.data.display();
        Some(Error::new(Kind::Full, format!("{data} has no room, intake goes on when it has: {why}")))
    })
}

async fn close(store: &Arc<Store>) -> Result<(), Error> {
    if store.closed.swap(true, Ordering::AcqRel) {
        return Ok(());
    }
    let log = store.log.clone();
    crate::seal::blocking(move || {
        log.close();
        Ok(())
    })
    .await?;
    let mut answer = Ok(());
    for book in &store.intake.books {
        answer = answer.and(crate::flush::flush(store, book).await);
        // A fold under way ends before the folder is given back.
        drop(book.turn.lock().await);
    }
    let _turn = store.saving.lock().await;
    answer = answer.and(store.save_desk().await).and(store.empty_bin().await);
    store.unlock();
    answer
}
