//! The log.

use crate::{Append, Config, Error, LogId, Position, Receipt};
use schemas::{Batch, Dataset, Reject};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::disk::{Disk, Real};

/// What one record carries.
#[derive(Debug)]
pub(crate) enum Entry {
    /// Readings of one dataset.
    Batch(Batch),
    /// Rejects of one append.
    Rejects(Vec<Reject>),
    /// A batch (met while recovering only) that the contracts at hand cannot read: its dataset or one of its fields is gone.
    /// An error unless the record is known to be filed.
    Foreign {
        /// The dataset it names.
        dataset: String,
        /// The error to stop with if the record is still needed.
        why: Error,
    },
}

/// A record of the log.
#[derive(Debug)]
pub(crate) struct Record {
    /// Its place.
    pub position: Position,
    /// What it carries.
    pub entry: Entry,
    /// Its bytes in the log.
    pub bytes: usize,
}

/// What [`Log::open`] found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recovered {
    /// The log's id.
    pub id: LogId,
    /// The newest good record; 0 if there is none.
    pub last: Position,
    /// The log holds every record above this one; those at or below it went with their segments.
    pub above: Position,
    /// What was cut, for status: segment, offset, the file it is kept in.
    pub cut: Vec<String>,
}

/// What of the config concerns the log.
#[derive(Clone)]
pub(crate) struct Settings {
    /// Bytes of a segment before a new one is begun.
    pub segment_bytes: u64,
    /// Bytes of appends that may wait.
    pub queue_bytes: usize,
    /// Bytes of appends written and fsynced together.
    pub group_bytes: usize,
    /// Free bytes of disk below which intake stops.
    pub reserve_bytes: u64,
    /// How long nothing must arrive before the last group is noted; also how often a stopped log looks whether it may go on.
    pub quiet: Duration,
    /// What touches the disk.
    pub disk: Arc<dyn Disk>,
}

impl Settings {
    /// The settings of a config.
    pub(crate) fn new(config: &Config) -> Settings {
        Settings {
            segment_bytes: config.segment_bytes,
            queue_bytes: config.queue_bytes,
            group_bytes: 8 << 20,
            reserve_bytes: config.reserve_bytes,
            quiet: Duration::from_secs(1),
            disk: Arc::new(Real),
        }
    }
}

/// An opened log that takes no records yet.
pub(crate) struct Log {}

impl Log {
    /// Opens the folder (a new one gets a random log-id), takes its lock, checks every segment, cuts what may be cut, and
    /// calls `each` with its id and every record in order.
    pub(crate) fn open(
        _folder: &Path,
        _settings: Settings,
        _datasets: &[Arc<Dataset>],
        _each: &mut dyn FnMut(LogId, Record) -> Result<(), Error>,
    ) -> Result<(Log, Recovered), Error> {
        todo!()
    }

    /// Starts the log thread. The next position is above `floor` (rule 22) and above all of the log's own. `durable` is called on
    /// the log thread, in order, once per fsynced group, before the receipts of that group go out.
    pub(crate) fn start(self, _floor: Position, _durable: Box<dyn FnMut(Vec<Record>) + Send>) -> Result<Handle, Error> {
        todo!()
    }
}

/// The way to a running log. Cloneable: all clones feed the same thread.
#[derive(Clone)]
pub(crate) struct Handle {}

impl Handle {
    /// Queues an append; the order of calls is the order of positions. An append that carries nothing gets the newest position.
    pub(crate) fn append(
        &self,
        _append: Append,
    ) -> Result<tokio::sync::oneshot::Receiver<Result<Receipt, Error>>, Error> {
        todo!()
    }

    /// Removes segments wholly at or below `position`, oldest first, never the newest. Blocks on the disk.
    pub(crate) fn release(&self, _position: Position) -> Result<(), Error> {
        todo!()
    }

    /// Figures for status.
    pub(crate) fn stats(&self) -> LogStats {
        todo!()
    }

    /// Takes no more, writes and syncs what waits, ends the thread and gives the lock back. Blocks; not from the log thread.
    pub(crate) fn close(&self) {
        todo!()
    }
}

/// The log at a glance.
#[derive(Clone, Debug, Default)]
pub(crate) struct LogStats {
    /// Bytes on disk.
    pub bytes: u64,
    /// Segments on disk.
    pub segments: u64,
    /// Newest durable position.
    pub last: Position,
    /// Why nothing is taken now, if so.
    pub stopped: Option<String>,
}
