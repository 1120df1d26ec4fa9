//! The reading side of the store.

use crate::{Error, RejectRow, Snapshot, Status};
use schemas::Dataset;
use std::sync::Arc;

/// A cloneable handle that takes snapshots.
#[derive(Clone, Debug)]
pub struct Reader {}

impl Reader {
    /// The datasets the store was opened with.
    pub fn datasets(&self) -> &[Arc<Dataset>] {
        todo!()
    }

    /// The newest published snapshot of a dataset; `Kind::Unknown` for one it does not have.
    pub fn snapshot(&self, _dataset: &str) -> Result<Arc<Snapshot>, Error> {
        todo!()
    }

    /// The rejects table, newest last seen first.
    pub fn rejects(&self) -> Vec<RejectRow> {
        todo!()
    }

    /// Figures for operators: log, hot, files, what waits to be folded.
    pub fn status(&self) -> Status {
        todo!()
    }
}
