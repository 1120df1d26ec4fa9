//! The queue between those who append and the log thread, and what both know of the log.

use super::kept::Kept;
use super::segment::Segment;
use super::{Entry, LogStats, Settings};
use crate::{Durations, Error, Kind, LogId, Position, Receipt};
use schemas::{Batch, Dataset};
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::oneshot;

/// Most bytes of one append; a record's length has 32 bits.
const MOST: usize = 1 << 30;

/// An append that waits.
pub(super) struct Waiting {
    /// What to log.
    pub entries: Vec<Entry>,
    /// Its bytes in memory.
    pub bytes: usize,
    /// Who waits for it.
    pub receipt: oneshot::Sender<Result<Receipt, Error>>,
}

/// What waits, and whether more is taken.
#[derive(Default)]
struct Queue {
    waiting: VecDeque<Waiting>,
    /// Bytes of appends without a receipt: those waiting and those being written.
    bytes: usize,
    closed: bool,
    stopped: Option<(Kind, String)>,
    last: Position,
}

/// What the log thread and the handles share.
pub(super) struct Shared {
    queue: Mutex<Queue>,
    ready: Condvar,
    thread: Mutex<Option<JoinHandle<()>>>,
    pub log: LogId,
    /// How long fsyncs took.
    pub syncs: Durations,
    pub kept: Kept,
    pub settings: Settings,
    pub folder: PathBuf,
    pub datasets: Vec<Arc<Dataset>>,
}

/// What the log thread is to do next.
pub(super) enum Turn {
    /// Write these together.
    Group(Vec<Waiting>),
    /// Nothing came for a while.
    Quiet,
    /// All is written and no more will come.
    End,
}

/// A panic of another thread leaves nothing half done under these locks.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    /// The shared part of a log whose newest durable position is `last`.
    pub(super) fn new(
        log: LogId,
        folder: PathBuf,
        settings: Settings,
        datasets: Vec<Arc<Dataset>>,
        segments: Vec<Segment>,
        last: Position,
    ) -> Shared {
        Shared {
            queue: Mutex::new(Queue { last, ..Queue::default() }),
            ready: Condvar::new(),
            thread: Mutex::new(None),
            log,
            syncs: Durations::default(),
            kept: Kept::new(segments, settings.tail_bytes),
            settings,
            folder,
            datasets,
        }
    }

    /// Queues an append, or refuses it.
    pub(super) fn push(&self, entries: Vec<Entry>) -> Result<oneshot::Receiver<Result<Receipt, Error>>, Error> {
        for entry in &entries {
            if let Entry::Batch(batch) = entry {
                check(batch, &self.datasets)?;
            }
        }
        let bytes = entries.iter().map(size).sum::<usize>() + 64;
        if bytes > MOST {
            return Err(Error::new(
                Kind::Io,
                format!("an append of {bytes} bytes; the log takes {MOST} at once, split it"),
            ));
        }
        let mut queue = lock(&self.queue);
        if queue.closed {
            return Err(Error::new(Kind::Closed, "the log is closed"));
        }
        if let Some((kind, message)) = &queue.stopped {
            return Err(Error::new(*kind, message.clone()));
        }
        // An append larger than the whole queue is taken when it is alone, or it would be refused for ever.
        if queue.bytes > 0 && queue.bytes + bytes > self.settings.queue_bytes {
            let message = format!("{} bytes wait for the log; try again shortly", queue.bytes);
            return Err(Error::new(Kind::Busy, message));
        }
        let (receipt, receiver) = oneshot::channel();
        queue.bytes += bytes;
        queue.waiting.push_back(Waiting { entries, bytes, receipt });
        drop(queue);
        self.ready.notify_one();
        Ok(receiver)
    }

    /// Waits for work: what is queued, up to about `group_bytes`. With `patience`, no longer than that.
    pub(super) fn take(&self, patience: Option<Duration>) -> Turn {
        let idle = |queue: &mut Queue| queue.waiting.is_empty() && !queue.closed;
        let queue = lock(&self.queue);
        let mut queue = match patience {
            None => self.ready.wait_while(queue, idle).unwrap_or_else(PoisonError::into_inner),
            Some(patience) => {
                self.ready.wait_timeout_while(queue, patience, idle).unwrap_or_else(PoisonError::into_inner).0
            }
        };
        if queue.waiting.is_empty() {
            return if queue.closed { Turn::End } else { Turn::Quiet };
        }
        let mut bytes = 0;
        let fits = |waiting: &&Waiting| {
            bytes += waiting.bytes;
            bytes <= self.settings.group_bytes
        };
        let count = queue.waiting.iter().take_while(fits).count().max(1);
        Turn::Group(queue.waiting.drain(..count).collect())
    }

    /// The group's appends no longer wait; `last` is the newest durable position.
    pub(super) fn done(&self, bytes: usize, last: Position) {
        let mut queue = lock(&self.queue);
        queue.bytes -= bytes;
        queue.last = last;
    }

    /// Refuses appends with this error from now on, or takes them again.
    pub(super) fn stop(&self, why: Option<(Kind, String)>) {
        lock(&self.queue).stopped = why;
    }

    /// Takes no more appends; what waits is still written.
    pub(super) fn close(&self) {
        lock(&self.queue).closed = true;
        self.ready.notify_all();
    }

    /// The log thread has ended: nothing that waits will be written. Its receivers learn it by their sender's end.
    pub(super) fn end(&self) {
        let mut queue = lock(&self.queue);
        queue.closed = true;
        queue.waiting.clear();
    }

    /// Remembers the log thread.
    pub(super) fn set_thread(&self, thread: JoinHandle<()>) {
        *lock(&self.thread) = Some(thread);
    }

    /// Waits for the log thread's end.
    pub(super) fn join(&self) {
        // The lock is held meanwhile: whoever closes a second time waits as well.
        let mut thread = lock(&self.thread);
        if thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the log thread panicked");
        }
    }

    /// Figures.
    pub(super) fn stats(&self) -> LogStats {
        let (bytes, segments) = self.kept.size();
        let queue = lock(&self.queue);
        let stopped = queue.stopped.as_ref().map(|(_, why)| why.clone());
        let (last, waiting_bytes) = (queue.last, queue.bytes as u64);
        LogStats { bytes, segments, last, waiting_bytes, syncs: self.syncs.look(), stopped }
    }
}

/// Refuses a batch that could not be read again.
fn check(batch: &Batch, datasets: &[Arc<Dataset>]) -> Result<(), Error> {
    let id = &batch.dataset.id;
    if !datasets.iter().any(|dataset| Arc::ptr_eq(dataset, &batch.dataset) || dataset.id == *id) {
        return Err(Error::new(Kind::Unknown, format!("the store was opened without the dataset {id}")));
    }
    let rows = batch.len();
    let whole = batch.sensor.len() == rows
        && batch.columns.len() == batch.dataset.fields.len()
        && batch.columns.iter().all(|column| column.len() == rows)
        && batch.sensor.iter().all(|&sensor| (sensor as usize) < batch.sensors.len())
        && batch.time.iter().all(|&time| time != schemas::ABSENT);
    if whole { Ok(()) } else { Err(Error::new(Kind::Io, format!("a batch of {id} whose columns do not fit together"))) }
}

/// About the bytes an entry takes in memory.
fn size(entry: &Entry) -> usize {
    match entry {
        Entry::Batch(batch) => {
            let texts = batch.sensors.iter().map(|sensor| sensor.len() + 32).sum::<usize>();
            let row = size_of::<u32>() + size_of::<i64>() * (1 + batch.columns.len());
            texts + batch.len() * row + batch.notes.len() * 256 + batch.marks.len() * 16 + 128
        }
        Entry::Rejects(rejects) => {
            let one = |reject: &schemas::Reject| reject.payload.len() + reject.detail.len() + reject.topic.len() + 160;
            rejects.iter().map(one).sum()
        }
        Entry::Erase(erasure) => 256 + 64 * erasure.fields.len(),
        Entry::Going(going) => 64 + 8 * going.days.len(),
        Entry::Foreign { .. } => 0,
    }
}
