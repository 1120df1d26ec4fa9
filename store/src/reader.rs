//! The reading side of the store.

use crate::book::Book;
use crate::holding::Holding;
use crate::intake::lock;
use crate::store::Store;
use crate::{Act, DatasetStatus, Error, RejectRow, Snapshot, Status, Tier, TierStatus, audit, disk, writer};
use schemas::{Dataset, Time};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// A cloneable handle that takes snapshots.
#[derive(Clone, Debug)]
pub struct Reader {
    pub(crate) store: Arc<Store>,
}

impl Reader {
    /// The datasets the store was opened with.
    pub fn datasets(&self) -> &[Arc<Dataset>] {
        &self.store.datasets
    }

    /// The newest published snapshot of a dataset; `Kind::Unknown` for one it does not have.
    pub fn snapshot(&self, dataset: &str) -> Result<Arc<Snapshot>, Error> {
        Ok(lock(&self.store.book(dataset)?.holding).snapshot())
    }

    /// The audit log: what was erased and by whom, oldest first.
    pub async fn acts(&self) -> Result<Vec<Act>, Error> {
        let waiting = lock(&self.store.intake.desk).acts.clone();
        Ok(audit::with(audit::read(&*self.store.objects).await?, &waiting))
    }

    /// The rejects table, newest last seen first.
    pub fn rejects(&self) -> Vec<RejectRow> {
        lock(&self.store.intake.desk).rejects.rows()
    }

    /// Figures for operators: log, hot, files, what waits to be folded.
    pub fn status(&self) -> Status {
        let log = self.store.log.stats();
        let config = &self.store.config;
        let free = |folder| disk::free_bytes(folder).unwrap_or_default();
        Status {
            log: self.store.log_id,
            position: log.last,
            log_bytes: log.bytes,
            log_segments: log.segments,
            log_waiting_bytes: log.waiting_bytes,
            log_syncs: log.syncs,
            free_bytes: free(&config.data),
            log_free_bytes: (!disk::is_same(&config.log, &config.data)).then(|| free(&config.log)),
            reserve_bytes: config.reserve_bytes,
            recovered: self.store.recovered.clone(),
            stopped: log.stopped.or_else(|| writer::stopped(&self.store)),
            tasks: self.store.turns.look(),
            datasets: self.store.intake.books.iter().map(status).collect(),
        }
    }
}

fn tier_status(holding: &Holding, tier: Tier) -> TierStatus {
    let shelf = holding.shelf.tier(tier);
    let files = || shelf.files.values().flatten();
    let some = |instant: Time| (instant.0 != i64::MIN).then_some(instant);
    TierStatus {
        tier: tier.name().to_owned(),
        files: files().count() as u64,
        bytes: files().map(|file| file.bytes).sum(),
        rows: files().map(|file| file.rows).sum(),
        closed: some(shelf.closed),
        floor: some(shelf.floor),
    }
}

fn status(book: &Book) -> DatasetStatus {
    let holding = lock(&book.holding);
    let files = || holding.shelf.files.values().flatten();
    let late = || holding.shelf.late.values().flatten();
    // A part whose files are still being written counts as one: its rows are no longer hot, and not yet anywhere else.
    let sealed = holding.sealed.iter().map(|s| s.files.as_ref().map_or(1, |(fresh, late)| fresh.len() + late.len()));
    DatasetStatus {
        id: holding.dataset.id.to_string(),
        sensors: holding.known.sensors.ids.len() as u64,
        newest: (holding.newest != i64::MIN).then_some(Time(holding.newest)),
        rows: holding.rows,
        hot_rows: holding.hot.rows() as u64,
        hot_bytes: holding.hot.bytes() as u64,
        sealed_files: sealed.sum::<usize>() as u64,
        files: files().count() as u64,
        file_bytes: files().map(|f| f.bytes).sum(),
        file_rows: files().map(|f| f.rows).sum(),
        late_files: late().count() as u64,
        late_rows: late().map(|f| f.meta.rows).sum(),
        late_days: holding.shelf.late.len() as u64,
        stale_days: holding.shelf.stale.len() as u64,
        going_days: holding.known.going.keys().filter(|day| !holding.shelf.gone.contains(day)).count() as u64,
        gone_days: holding.shelf.gone.len() as u64,
        replaced_files: book.replaced.load(Ordering::Relaxed) as u64,
        tiers: Tier::ALL.map(|tier| tier_status(&holding, tier)).into(),
        flushed: holding.flushed,
        version: holding.version,
        working: book.duty.working(),
        done: book.duty.done(),
        trouble: [&book.flush_trouble, &book.fold_trouble, &book.upkeep_trouble]
            .into_iter()
            .find_map(|trouble| lock(trouble).message()),
    }
}
