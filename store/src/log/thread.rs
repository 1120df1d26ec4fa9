//! The log thread: takes what waits, encodes it into one buffer, writes and fsyncs it, publishes, gives the receipts out.

use super::Record;
use super::body::{self, NOTE};
use super::frame::{self, Seed};
use super::newest;
use super::queue::{Shared, Turn, Waiting};
use super::segment::{self, Header, Segment};
use crate::disk::Lock;
use crate::{Error, Kind, Position, Receipt, error};
use std::fs::File;
use std::io;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::oneshot;

/// Receives the records of each group once they are durable.
pub(super) type Durable = Box<dyn FnMut(Vec<Record>) + Send>;

/// Who waits for a receipt, and the position that it will name.
type Receipts = Vec<(oneshot::Sender<Result<Receipt, Error>>, Position)>;

/// The segment that takes records.
struct Open {
    file: File,
    seed: Seed,
    bytes: u64,
}

/// The state of the log thread.
pub(super) struct Thread {
    shared: Arc<Shared>,
    durable: Durable,
    /// The newest durable position.
    last: Position,
    /// The newest position that is noted on disk.
    noted: Position,
    /// The next position; those of failed groups are not used again.
    next: Position,
    /// Nothing while no segment can be made; appends are refused then.
    open: Option<Open>,
    /// A new segment that could not be noted as the newest yet: it is on disk, and has no records.
    made: Option<(File, Segment)>,
    buffer: Vec<u8>,
    /// Whether appends are refused.
    stopped: bool,
    _lock: Lock,
}

impl Thread {
    /// A thread whose first segment stands.
    pub(super) fn new(
        shared: Arc<Shared>,
        durable: Durable,
        lock: Lock,
        (last, next): (Position, Position),
    ) -> Result<Thread, Error> {
        let (open, buffer, stopped) = (None, Vec::new(), false);
        let (noted, made) = (last, None);
        let mut thread = Thread { shared, durable, last, noted, next, open, made, buffer, stopped, _lock: lock };
        thread.begin()?;
        Ok(thread)
    }

    /// Works until the queue is closed and empty.
    pub(super) fn run(mut self) {
        let shared = self.shared.clone();
        let _end = End(&shared);
        loop {
            let unfinished = self.stopped || self.noted < self.last;
            match shared.take(unfinished.then_some(shared.settings.quiet)) {
                Turn::Group(group) => self.group(group),
                Turn::Quiet if self.stopped => drop(self.ready()),
                Turn::Quiet => self.note(),
                Turn::End => break,
            }
        }
        if self.noted < self.last {
            self.note();
        }
    }

    /// Logs a group.
    fn group(&mut self, group: Vec<Waiting>) {
        let bytes = group.iter().map(|waiting| waiting.bytes).sum();
        if let Err((kind, message)) = self.ready() {
            self.shared.done(bytes, self.last);
            return refuse(group.into_iter().map(|waiting| waiting.receipt), kind, &message);
        }
        let (records, receipts) = self.encode(group);
        if let Err(e) = self.write() {
            let (kind, message) = failure(&self.shared, &e);
            self.abandon();
            self.shared.done(bytes, self.last);
            return refuse(receipts.into_iter().map(|(receipt, _)| receipt), kind, &message);
        }
        self.last = receipts.last().map_or(self.last, |&(_, position)| position);
        if !records.is_empty() {
            (self.durable)(records);
        }
        self.shared.done(bytes, self.last);
        for (receipt, position) in receipts {
            // Whoever no longer waits needs no receipt.
            let _ = receipt.send(Ok(Receipt { position }));
        }
    }

    /// Writes and fsyncs an empty record that notes the last group.
    fn note(&mut self) {
        let Some(open) = &self.open else { return };
        self.buffer.clear();
        frame::put(&mut self.buffer, open.bytes, open.seed, (self.last, self.last, NOTE), |_| {});
        if self.write().is_err() {
            // A new segment's header is a note as well.
            self.abandon();
        }
    }

    /// Leaves a segment behind whose last bytes may be on disk or not, and begins a new one, if that works now.
    fn abandon(&mut self) {
        self.open = None;
        // The error stands in the stats; it is tried again in a while.
        let _ = self.ready();
    }

    /// Sees to room on disk and a segment to write to. While there is not both, appends are refused.
    fn ready(&mut self) -> Result<(), (Kind, String)> {
        let ready = self.room().and_then(|()| self.segment());
        if self.stopped || ready.is_err() {
            self.stopped = ready.is_err();
            self.shared.stop(ready.clone().err());
        }
        ready
    }

    /// Sees to a segment that is not full.
    fn segment(&mut self) -> Result<(), (Kind, String)> {
        match &self.open {
            Some(open) if open.bytes < self.shared.settings.segment_bytes => Ok(()),
            _ => self.begin().map_err(|e| (e.kind, e.message)),
        }
    }

    /// Whether there is room on disk.
    fn room(&self) -> Result<(), (Kind, String)> {
        let Shared { settings, folder, .. } = &*self.shared;
        for folder in std::iter::once(folder).chain(&settings.beside) {
            let free = settings.disk.free(folder).map_err(|e| failure(&self.shared, &e))?;
            let reserve = settings.reserve_bytes;
            if free < reserve {
                let folder = folder.display();
                let message = format!("{free} bytes are free for {folder}; intake goes on when there are {reserve}");
                return Err((Kind::Full, message));
            }
        }
        Ok(())
    }

    /// Begins a new segment behind the newest durable position.
    fn begin(&mut self) -> Result<(), Error> {
        self.open = None;
        let (log, shared) = (self.shared.log, self.shared.clone());
        let (disk, folder) = (&*shared.settings.disk, &shared.folder);
        let (file, segment) = match self.made.take() {
            Some(made) => made,
            None => self.make(Header { log, first: self.next, previous: self.last })?,
        };
        // A note that failed may be on disk all the same: its segment stays.
        if let Err(error) = newest::write(disk, folder, log, segment.first) {
            self.made = Some((file, segment));
            return Err(error);
        }
        self.noted = self.last;
        self.open = Some(Open { file, seed: Seed::new(log, segment.first), bytes: segment.bytes });
        self.shared.kept.add(segment);
        Ok(())
    }

    /// Makes the segment of a header.
    fn make(&mut self, header: Header) -> Result<(File, Segment), Error> {
        let Shared { settings, folder, .. } = &*self.shared;
        // A failed attempt may leave its file behind: the next one takes another name.
        self.next = Position(header.first.0 + 1);
        let made = segment::create(&*settings.disk, folder, header);
        let made = made.map_err(|e| Error::io(segment::path(folder, header.first), e))?;
        self.next = header.first;
        Ok(made)
    }

    /// Encodes a group into the buffer and gives each append its position.
    fn encode(&mut self, group: Vec<Waiting>) -> (Vec<Record>, Receipts) {
        self.buffer.clear();
        let mut records = Vec::new();
        let mut receipts = Vec::with_capacity(group.len());
        let mut last = self.last;
        for Waiting { entries, receipt, .. } in group {
            for entry in entries {
                let Some(kind) = body::kind(&entry) else { continue };
                last = self.next;
                self.put(kind, |out| body::put(out, &entry));
                records.push(Record { position: last, entry });
            }
            receipts.push((receipt, last));
        }
        (records, receipts)
    }

    /// Appends a record with data to the buffer, at the next position.
    fn put(&mut self, kind: u8, body: impl FnOnce(&mut Vec<u8>)) {
        let Some(open) = &self.open else { return };
        frame::put(&mut self.buffer, open.bytes, open.seed, (self.next, self.last, kind), body);
        self.next = Position(self.next.0 + 1);
    }

    /// Writes and fsyncs the buffer. Its records carry the newest durable position as their note.
    fn write(&mut self) -> io::Result<()> {
        let Some(open) = &mut self.open else { return Ok(()) };
        if self.buffer.is_empty() {
            return Ok(());
        }
        let disk = &self.shared.settings.disk;
        disk.write(&mut open.file, &self.buffer)?;
        let began = Instant::now();
        disk.sync(&open.file)?;
        self.shared.syncs.count(began.elapsed(), 1);
        open.bytes += self.buffer.len() as u64;
        self.noted = self.last;
        self.shared.kept.grown(open.bytes);
        Ok(())
    }
}

/// Tells all that they get no receipt.
fn refuse(receipts: impl Iterator<Item = oneshot::Sender<Result<Receipt, Error>>>, kind: Kind, message: &str) {
    for receipt in receipts {
        // Whoever no longer waits needs no error.
        let _ = receipt.send(Err(Error::new(kind, message)));
    }
}

/// Kind and words of a failed operation.
fn failure(shared: &Shared, e: &io::Error) -> (Kind, String) {
    (error::kind(e), format!("the log in {} cannot be written: {e}", shared.folder.display()))
}

/// Ends the queue with the thread, however that ends.
struct End<'a>(&'a Shared);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}
