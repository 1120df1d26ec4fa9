//! What the scans of one question share: the datasets it may see, one snapshot of each, and how much it may still read.

use super::counters::Counters;
use super::failure::SMALLER;
use super::message::{Failure, Fault};
use super::{Catalog, Table};
use crate::Engine;
use schemas::{Dataset, Time};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use store::Snapshot;
use tokio::sync::SemaphorePermit;

/// The ground of one question.
pub(super) struct Ground {
    engine: Engine,
    /// The datasets it may see.
    pub(super) datasets: Vec<Arc<Dataset>>,
    /// The tables it was told of.
    pub(super) catalog: Catalog,
    /// The instant it is asked at.
    pub(super) now: Time,
    /// Taken at the first scan of a dataset, so that all scans of it see the same rows.
    snapshots: Mutex<BTreeMap<Arc<str>, Arc<Snapshot>>>,
    /// Stored rows it may still read.
    left: AtomicU64,
    counters: Arc<Counters>,
}

impl Ground {
    /// The ground of a question asked now that may read so many rows.
    pub(super) fn new(
        engine: Engine,
        datasets: Vec<Arc<Dataset>>,
        catalog: Catalog,
        rows: u64,
        counters: Arc<Counters>,
    ) -> Ground {
        let now = engine.instant();
        let (snapshots, left) = (Mutex::default(), AtomicU64::new(rows));
        Ground { engine, datasets, catalog, now, snapshots, left, counters }
    }

    /// The table of that name.
    pub(super) fn table(&self, name: &str) -> Result<&Table, Failure> {
        self.catalog.tables.iter().find(|table| table.name == name).ok_or_else(|| {
            tracing::error!(name, "a SQL worker wants a table it was not told of");
            Failure::internal()
        })
    }

    /// The dataset's snapshot, the same for the whole question.
    pub(super) fn snapshot(&self, dataset: &str) -> Result<Arc<Snapshot>, Failure> {
        let mut taken = self.snapshots.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(snapshot) = taken.get(dataset) {
            return Ok(snapshot.clone());
        }
        let snapshot = self.engine.reader().snapshot(dataset).map_err(failed)?;
        taken.insert(snapshot.dataset.id.clone(), snapshot.clone());
        Ok(snapshot)
    }

    /// Waits for a query thread's turn.
    pub(super) async fn turn(&self) -> Result<SemaphorePermit<'_>, Failure> {
        self.engine.turn().await.map_err(failed)
    }

    /// Counts rows that were read; fails once they are too many.
    pub(super) fn spend(&self, rows: u64) -> Result<(), Failure> {
        self.counters.rows.fetch_add(rows, Ordering::Relaxed);
        let spent = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(rows));
        spent
            .map(|_| ())
            .map_err(|_| Failure::new(Fault::TooMuch, "the question reads more stored rows than it may", &SMALLER))
    }
}

/// Logs a failure of store or engine; the caller is told only that there was one.
pub(super) fn failed(error: impl std::fmt::Display) -> Failure {
    tracing::error!(%error, "rows for a question in SQL could not be read");
    Failure::internal()
}
