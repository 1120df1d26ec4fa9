//! The writing side of the store.

use crate::{Config, Error, Position, Reader};
use schemas::{Batch, Dataset, Reject, Time};
use std::sync::Arc;

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
pub struct Writer {}

/// Opens a store: takes the locks, recovers, replays the log, starts the log thread and maintenance.
/// Runs on the current tokio runtime.
pub async fn open(_config: Config, _datasets: Vec<Arc<Dataset>>, _clock: Clock) -> Result<(Writer, Reader), Error> {
    todo!()
}

impl Writer {
    /// Logs, waits for the fsync of the group it lands in, and publishes. The order of calls is the order of positions:
    /// the future must be polled once (or `append` awaited) before the next call for that to hold.
    /// `Kind::Busy` when `queue_bytes` are waiting, `Kind::Full` when the disk is.
    pub async fn append(&self, _append: Append) -> Result<Receipt, Error> {
        todo!()
    }

    /// The time given to a recent message without time that had this hash of topic and payload (rule 24).
    pub fn mark(&self, _hash: u64) -> Option<Time> {
        todo!()
    }

    /// Whether a reading at `time` of a dataset would lie in a window whose raw readings are gone (rule 17).
    /// Always false until retention exists.
    pub fn too_old(&self, _dataset: &str, _time: Time) -> bool {
        false
    }

    /// Seals and flushes all that is hot now, and folds all that is late: for tests, `import` and shutdown.
    pub async fn settle(&self) -> Result<(), Error> {
        todo!()
    }

    /// Flushes, stops the threads and gives the locks back. Appends after it answer `Kind::Closed`.
    pub async fn close(&self) -> Result<(), Error> {
        todo!()
    }
}
