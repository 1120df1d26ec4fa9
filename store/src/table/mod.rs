//! The raw table of a dataset: Delta as transaction log, one committer, its own manifest in memory.

mod app;

pub(crate) use app::App;

use crate::file::FileMeta;
use crate::paths::FileName;
use crate::{Error, Position};
use futures::future::BoxFuture;
use object_store::ObjectStore;
use schemas::Dataset;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What one commit changes, all or nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Commit {
    /// Files that join; already written and synced.
    pub(crate) adds: Vec<FileMeta>,
    /// Files that leave.
    pub(crate) removes: Vec<FileName>,
    /// Application transactions and the positions they reach.
    pub(crate) transactions: Vec<(App, Position)>,
    /// Kept in the log entry under `lamppost`, for [`Table::infos`].
    pub(crate) info: serde_json::Value,
    /// Whether the rows of the table change: false for compaction only.
    pub(crate) data_change: bool,
}

/// The raw table of one dataset. Whoever holds it is its only committer.
#[derive(Debug)]
pub(crate) struct Table {
    /// The object store of the data folder.
    store: Arc<dyn ObjectStore>,
    /// Its dataset.
    dataset: Arc<Dataset>,
    /// Newest version.
    version: u64,
    /// Version of the newest checkpoint.
    checkpoint: Option<u64>,
    /// Files of the newest version.
    files: BTreeMap<FileName, FileMeta>,
    /// How far each application transaction has come.
    transactions: BTreeMap<App, Position>,
}

impl Table {
    /// Opens the raw table of a dataset in the object store of the data folder, creating it when there is none.
    /// Fields that the contract has gained are added by a commit. `Kind::Mismatch` when the stored columns are not the
    /// contract's, `Kind::Corrupt` when the log cannot be read or needs what Lamppost does not know.
    pub(crate) async fn open_or_create(_store: Arc<dyn ObjectStore>, _dataset: Arc<Dataset>) -> Result<Table, Error> {
        todo!()
    }

    /// Newest version.
    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    /// Files of the newest version by name.
    pub(crate) fn files(&self) -> &BTreeMap<FileName, FileMeta> {
        &self.files
    }

    /// How far each application transaction has come.
    pub(crate) fn transactions(&self) -> &BTreeMap<App, Position> {
        &self.transactions
    }

    /// A `seq` for the n-th file that a fold or compaction writes before the next commit: never given before.
    pub(crate) fn seq(&self, n: u16) -> u64 {
        (self.version + 1) << 16 | u64::from(n)
    }

    /// Commits, durably, and gives the new version. An error that leaves open whether the commit stands is cleared up by
    /// reading the entry again; if even that fails the error stands, and the next commit clears it up first: repeat the
    /// same commit. Refused: a transaction that would go back, a file added twice, a file removed that is not there.
    /// `Kind::Locked` when another writer has committed.
    pub(crate) async fn commit(&mut self, _commit: &Commit) -> Result<u64, Error> {
        todo!()
    }

    /// Visits the `info` of commits still in the log, newest first, until `visit` gives false. Commits without one
    /// (creation, new columns) are left out.
    pub(crate) async fn infos(
        &self,
        _visit: &mut (dyn FnMut(u64, serde_json::Value) -> bool + Send),
    ) -> Result<(), Error> {
        todo!()
    }

    /// Parquet files in the raw folder that the newest version does not list and no earlier one in the log removed:
    /// left by a crash between file and commit.
    pub(crate) async fn orphans(&self) -> Result<Vec<FileName>, Error> {
        todo!()
    }

    /// Whether a checkpoint is due: so many commits since the last.
    pub(crate) fn checkpoint_due(&self) -> bool {
        self.version - self.checkpoint.unwrap_or(0) >= CHECKPOINT_EVERY
    }

    /// Writes a checkpoint of the newest version. Runs beside commits: take the future, spawn it, and call
    /// [`Table::checkpointed`] with its answer.
    pub(crate) fn checkpoint(&self) -> BoxFuture<'static, Result<u64, Error>> {
        todo!()
    }

    /// Notes that a checkpoint of `version` stands.
    pub(crate) fn checkpointed(&mut self, version: u64) {
        self.checkpoint = self.checkpoint.max(Some(version));
    }
}

/// Commits between checkpoints: opening reads at most so many entries one by one.
const CHECKPOINT_EVERY: u64 = 100;
