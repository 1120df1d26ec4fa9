//! The one place where the rooms are wired together: store → intake → doors, and store → engine → HTTP.
//!
//! Opening and closing go in opposite orders. At the end the doors close first, then what they took is made durable, then
//! the store flushes and gives its locks back; the HTTP door answers until the doors are shut.

mod backups;
pub(crate) mod certificates;
mod descriptors;
pub mod figures;
mod fronts;
pub mod glance;
mod operate;
mod process;
mod pulse;
mod serving;
pub mod sockets;
mod watch;

pub use sockets::Sockets;

use crate::{Config, Error, console};
use schemas::{Dataset, Time};
use std::sync::Arc;
use store::{Clock, Reader, Writer};
use tokio::task::{JoinError, JoinHandle};

/// The store and the way into it, open. Doors and answers come with [`App::serve`].
pub struct App {
    writer: Writer,
    reader: Reader,
    intake: ingest::Intake,
    /// The intake's working half; nothing once it has ended.
    gathering: Option<JoinHandle<Result<(), ingest::Error>>>,
    clock: Clock,
    started: Time,
}

/// The machine's clock: the only place that reads it.
pub fn clock() -> Clock {
    Arc::new(|| Time(jiff::Timestamp::now().as_microsecond()))
}

impl App {
    /// Opens the store of a config with these datasets, and the intake in front of it.
    pub async fn open(config: &Config, datasets: Vec<Arc<Dataset>>, clock: Clock) -> Result<App, Error> {
        let (writer, reader) = store::open(config.store.clone(), datasets.clone(), clock.clone()).await?;
        let known: Vec<Vec<Arc<str>>> = datasets
            .iter()
            .map(|dataset| reader.snapshot(&dataset.id).map(|snapshot| snapshot.sensors.ids.clone()))
            .collect::<Result<_, _>>()?;
        let catalog = Arc::new(ingest::Catalog::new(datasets));
        let metrics = ingest::Metrics::default();
        let (intake, gathering) =
            ingest::intake::open(writer.clone(), catalog, &known, config.ingest.clone(), clock.clone(), metrics);
        let gathering = Some(tokio::spawn(gathering.run()));
        let started = clock();
        Ok(App { writer, reader, intake, gathering, clock, started })
    }

    /// What can be read.
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// An import into one source of one dataset.
    pub fn import(&self, dataset: &str, source: usize) -> Result<ingest::import::Import, Error> {
        ingest::import::Import::new(self.intake.clone(), dataset, source).map_err(|e| Error::usage(e.message))
    }

    /// Readings of a dataset handed to the store since the start.
    pub fn readings(&self, dataset: &str) -> u64 {
        figures::readings(self.intake.metrics(), dataset)
    }

    /// While history is imported windows stay open.
    pub fn hold(&self, held: bool) {
        self.writer.hold(held);
    }

    /// Files all that is hot and folds all that is late.
    pub async fn settle(&self) -> Result<(), Error> {
        Ok(self.writer.settle().await?)
    }

    /// Waits until everything taken is durable, then flushes and closes the store.
    pub async fn close(self) -> Result<(), Error> {
        let App { writer, intake, mut gathering, .. } = self;
        drop(intake);
        let gathered = ended(&mut gathering).await;
        writer.close().await?;
        gathered
    }
}

/// Waits for the intake's end, once.
async fn ended(gathering: &mut Option<JoinHandle<Result<(), ingest::Error>>>) -> Result<(), Error> {
    let Some(handle) = gathering else { return Ok(()) };
    let result = handle.await;
    *gathering = None;
    told(result)
}

/// What a task of the way in ended with, in our words.
fn told(ended: Result<Result<(), ingest::Error>, JoinError>) -> Result<(), Error> {
    match ended {
        Ok(ended) => ended.map_err(|e| Error::run(e.message)),
        Err(e) => Err(Error::run(format!("the way in broke down: {e}"))),
    }
}

/// What a run of the server came to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Summary {
    /// Readings taken.
    pub readings: u64,
    /// Rejected messages, readings and fields in the rejects table.
    pub rejects: u64,
    /// Newest durable position.
    pub position: u64,
}

impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (readings, rejects) = (console::count(self.readings), console::count(self.rejects));
        write!(
            f,
            "{readings} readings taken, {rejects} rejects on record, all durable up to position {}",
            self.position
        )
    }
}
