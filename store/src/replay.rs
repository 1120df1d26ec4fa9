//! The log taken over at start, before new records come.

use crate::disk::Disk;
use crate::intake::{Intake, lock};
use crate::log::{Entry, Log, Record, Recovered, Settings};
use crate::state::{self, Positions};
use crate::{Config, Error, LogId, Position};
use object_store::ObjectStore;
use schemas::Dataset;
use std::collections::BTreeMap;
use std::sync::Arc;

/// By dataset why its contract would reinterpret rows; to be raised if the log holds any.
pub(crate) type Refusals = BTreeMap<Arc<str>, Error>;

/// What replay needs.
pub(crate) struct Replay {
    pub(crate) intake: Arc<Intake>,
    pub(crate) objects: Arc<dyn ObjectStore>,
    /// Up to where rejects and marks are saved, by log.
    pub(crate) desk: Positions,
    pub(crate) refusals: Refusals,
}

impl Replay {
    /// Opens the log and takes over what it holds.
    pub(crate) async fn run(
        mut self,
        config: &Config,
        datasets: &[Arc<Dataset>],
        disk: Arc<dyn Disk>,
    ) -> Result<(Log, Recovered), Error> {
        let (folder, settings, datasets) = (config.log.clone(), Settings::new(config, disk), datasets.to_vec());
        let runtime = tokio::runtime::Handle::current();
        crate::seal::blocking(move || {
            let mut begun = false;
            // Datasets without a contract, and how far each was filed.
            let mut gone = BTreeMap::<String, Position>::new();
            let (log, found) = Log::open(&folder, settings, &datasets, &mut |id, record| {
                if !std::mem::replace(&mut begun, true) {
                    self.begin(id);
                }
                if let Entry::Foreign { dataset, .. } = &record.entry
                    && self.intake.book(dataset).is_none()
                {
                    let filed = match gone.get(dataset) {
                        Some(filed) => *filed,
                        None => runtime.block_on(state::position(&*self.objects, dataset, id))?,
                    };
                    gone.insert(dataset.clone(), filed);
                    if record.position <= filed {
                        return Ok(());
                    }
                }
                self.one(id, record)
            })?;
            if !begun {
                self.begin(found.id);
            }
            Ok((log, found))
        })
        .await
    }

    fn begin(&self, id: LogId) {
        self.intake.begin(id);
        let mut desk = lock(&self.intake.desk);
        desk.saved = self.desk.get(&id).copied().unwrap_or_default();
        desk.position = desk.saved;
    }

    fn one(&mut self, id: LogId, record: Record) -> Result<(), Error> {
        if let Entry::Batch(batch) = &record.entry
            && let Some(refusal) = self.refusals.remove(&batch.dataset.id)
        {
            return Err(refusal);
        }
        self.intake.replay(id, record, self.desk.get(&id).copied().unwrap_or_default())
    }
}
