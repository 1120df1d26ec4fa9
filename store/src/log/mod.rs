//! The log: what is appended is durable before its receipt goes out, and comes back in order after a crash.
//!
//! **Folder.** `id` (the random log-id), `lock`, `released` ([`crate::released`]), `newest` ([`newest`]), segments, and what
//! recovery cut ([`cut`]). A segment ([`segment`]) is a header and groups of records ([`frame`]). A record carries a
//! batch, rejects, an erasure, days that go ([`body`]), or only its note: the position known to be fsynced when it was written.
//!
//! **Operation.** One thread ([`thread`]) takes all that waits ([`queue`]), gives positions in the order of the calls, writes
//! them as one group, fsyncs, hands the records to `durable`, then gives the receipts out. Records of the next group note this
//! one; when none comes for `quiet`, an empty record does. A new segment is on disk with its header and folder entry, and noted as
//! the newest, before records go in; the header notes the last position before it.
//!
//! **Invariants**
//! 1. Positions grow by one inside a segment. Between segments they may leave positions out (`floor`, failed groups, cut bytes),
//!    never repeat: the header names its first position and the one it follows, so a gap is told apart from a lost segment.
//! 2. *Noted means durable.* Recovery ([`recover`]) stops (`Kind::Corrupt`) at a bad record if anything readable after it, or a
//!    later segment's header, proves that it had been fsynced. Else it is cut: its receipt may have gone out (the fsync after
//!    which the power failed), so it is kept aside and reported. Bytes after a bad record are tried at every offset, so that
//!    one bad length hides no proof.
//! 3. *A failed write or fsync is never retried on the same pages* (the kernel may have dropped them and call the next fsync
//!    a success). The group's receipts fail, and a new segment follows the last durable position. From then on the
//!    failed bytes are no part of the log: recovery reads a segment only up to where the next one follows. If the process ends
//!    before the new segment stands, they may come back: appended, not acknowledged, which a sender must expect of any failed
//!    append. While no new segment can be made, intake is stopped, and tried again every `quiet`.
//! 4. Recovered records count as durable only when they are: those that nobody noted are written and fsynced again.
//! 5. Tails ([`tail`]) read only what is durable, up to where the next segment follows, as recovery does.
//! 6. Segments go oldest first, one folder fsync each, so what is left has no hole. One that is missing stops the start: those
//!    between by the header of the next, the newest by the note of it.

mod body;
mod column;
mod cut;
mod frame;
pub(crate) mod fuzz;
mod kept;
mod newest;
mod queue;
mod recover;
mod segment;
#[allow(dead_code, reason = "the mirror, live events and edge forwarding will read by it")]
mod tail;
mod thread;
mod walk;
mod wire;

use crate::disk::{self, Disk, Lock};
use crate::durations::Counted;
use crate::going::Going;
use crate::{Append, Config, Erasure, Error, LogId, Position, Receipt};
use queue::Shared;
use recover::Recovery;
use schemas::{Batch, Dataset, Reject};
use segment::Segment;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tail::Tail;
use thread::{Durable, Thread};
use tokio::sync::oneshot;

/// What one record carries.
#[derive(Debug)]
pub(crate) enum Entry {
    /// Readings of one dataset.
    Batch(Batch),
    /// Rejects of one append.
    Rejects(Vec<Reject>),
    /// Readings to be forgotten.
    Erase(Erasure),
    /// Days whose raw rows go.
    Going(Going),
    /// A batch or erasure (met while recovering only) that the contracts at hand cannot read: its dataset or one of its fields is gone.
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
    /// Bytes of log that tails may hold back.
    pub tail_bytes: u64,
    /// Free bytes of disk below which intake stops.
    pub reserve_bytes: u64,
    /// Folders on other disks that must have as much room: what is taken goes there later.
    pub beside: Vec<PathBuf>,
    /// How long nothing must arrive before the last group is noted; also how often a stopped log looks whether it may go on.
    pub quiet: Duration,
    /// What touches the disk.
    pub disk: Arc<dyn Disk>,
}

impl Settings {
    /// The settings of a config, for a log on this disk. The data folder is there.
    pub(crate) fn new(config: &Config, disk: Arc<dyn Disk>) -> Settings {
        let beside = if disk::is_same(&config.log, &config.data) { Vec::new() } else { vec![config.data.clone()] };
        Settings {
            beside,
            segment_bytes: config.segment_bytes,
            queue_bytes: config.queue_bytes,
            group_bytes: 8 << 20,
            tail_bytes: config.tail_bytes,
            reserve_bytes: config.reserve_bytes,
            quiet: Duration::from_secs(1),
            disk,
        }
    }
}

/// An opened log that takes no records yet.
pub(crate) struct Log {
    folder: PathBuf,
    settings: Settings,
    datasets: Vec<Arc<Dataset>>,
    segments: Vec<Segment>,
    id: LogId,
    last: Position,
    next: Position,
    lock: Lock,
}

impl Log {
    /// Opens the folder (a new one gets a random log-id), takes its lock, checks every segment, cuts what may be cut, and
    /// calls `each` with its id and every record in order. An error of `each` ends it.
    pub(crate) fn open(
        folder: &Path,
        settings: Settings,
        datasets: &[Arc<Dataset>],
        each: &mut dyn FnMut(LogId, Record) -> Result<(), Error>,
    ) -> Result<(Log, Recovered), Error> {
        let lock = recover::claim(&*settings.disk, folder)?;
        let id = recover::id(&*settings.disk, folder)?;
        let found = Recovered { id, ..Recovered::default() };
        let mut recovery = Recovery { folder, settings: &settings, datasets, found, next: Position(1) };
        let segments = recovery.run(&mut |record| each(id, record))?;
        let Recovery { found, next, .. } = recovery;
        let (folder, datasets, last) = (folder.to_owned(), datasets.to_vec(), found.last);
        Ok((Log { folder, settings, datasets, segments, id, last, next, lock }, found))
    }

    /// Starts the log thread. The next position is above `floor` (rule 22) and above all of the log's own. `durable` is called on
    /// the log thread, in order, once per fsynced group, before the receipts of that group go out.
    pub(crate) fn start(mut self, floor: Position, durable: Durable) -> Result<Handle, Error> {
        if let Some(empty) = self.segments.pop_if(|newest| newest.first > self.last) {
            // The new segment may need its name.
            let (disk, folder) = (&*self.settings.disk, &self.folder);
            let removed = newest::remove(disk, folder).and_then(|()| disk.remove(&empty.path));
            removed.and_then(|()| disk.sync_folder(folder)).map_err(|e| Error::io(empty.path, e))?;
        }
        let next = self.next.max(Position(floor.0 + 1));
        let shared =
            Arc::new(Shared::new(self.id, self.folder, self.settings, self.datasets, self.segments, self.last));
        let thread = Thread::new(shared.clone(), durable, self.lock, (self.last, next))?;
        let spawned = std::thread::Builder::new().name("log".to_owned()).spawn(move || thread.run());
        shared.set_thread(spawned.map_err(|e| Error::io(&shared.folder, e))?);
        Ok(Handle { keeper: Arc::new(Keeper(shared)) })
    }
}

/// The way to a running log. Cloneable: all clones feed the same thread, which ends when the last clone goes.
#[derive(Clone)]
pub(crate) struct Handle {
    keeper: Arc<Keeper>,
}

/// Closes the log when the last handle goes.
struct Keeper(Arc<Shared>);

impl Drop for Keeper {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Handle {
    /// Queues an append; the order of calls is the order of positions. An append that carries nothing gets the newest position.
    /// `Kind::Busy` when `queue_bytes` wait, `Kind::Full` or `Kind::Io` while the log is stopped, `Kind::Closed` after its
    /// end; a receiver that ends without a word means that the log thread panicked.
    pub(crate) fn append(&self, append: Append) -> Result<oneshot::Receiver<Result<Receipt, Error>>, Error> {
        let batches = append.batches.into_iter().map(Entry::Batch);
        self.log(batches.chain([Entry::Rejects(append.rejects)]).collect())
    }

    /// Queues entries, as `append` does; they are durable together.
    pub(crate) fn log(&self, entries: Vec<Entry>) -> Result<oneshot::Receiver<Result<Receipt, Error>>, Error> {
        self.keeper.0.push(entries)
    }

    /// Removes segments wholly at or below `position`, oldest first, never the newest, nor, up to `tail_bytes` of log, what a
    /// tail has not read. Blocks on the disk.
    pub(crate) fn release(&self, position: Position) -> Result<(), Error> {
        let Shared { kept, settings, folder, .. } = &*self.keeper.0;
        kept.release(&*settings.disk, folder, position)
    }

    /// An ordered reader of the durable records after `cursor`.
    #[allow(dead_code, reason = "as the tail itself")]
    pub(crate) fn tail(&self, cursor: Position) -> Tail {
        Tail::new(self.keeper.0.clone(), cursor)
    }

    /// The disk it is on.
    pub(crate) fn disk(&self) -> &dyn Disk {
        &*self.keeper.0.settings.disk
    }

    /// The segments on disk, oldest first, and how many bytes of each are durable.
    pub(crate) fn segments(&self) -> Vec<(PathBuf, u64)> {
        self.keeper.0.kept.segments()
    }

    /// Figures for status.
    pub(crate) fn stats(&self) -> LogStats {
        self.keeper.0.stats()
    }

    /// Takes no more, writes and syncs what waits, ends the thread and gives the lock back. Blocks; not from the log thread.
    pub(crate) fn close(&self) {
        self.keeper.0.close();
        self.keeper.0.join();
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
    /// Bytes of appends without a receipt.
    pub waiting_bytes: u64,
    /// Fsyncs since the start.
    pub syncs: Counted,
    /// Why nothing is taken now, if so.
    pub stopped: Option<String>,
}

#[cfg(test)]
mod tests;
