//! Opening a log: checks every segment, hands out every record, cuts what may be cut. The reasons are in [`super`].

use super::body::{self, Unread};
use super::segment::{self, HEADER, Header, Segment};
use super::walk::{Walked, any_record, walk, was_durable};
use super::{Record, Recovered, Settings, cut, frame, newest};
use crate::disk::{self, Disk, write_atomic};
use crate::{Error, Kind, LogId, Position};
use schemas::Dataset;
use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::io::{Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

/// What an operator can do about damage.
pub(super) const REMEDY: &str = "restore the log folder from a backup, or move it elsewhere and start with an empty one: \
                      what was filed stays, what was only in the log is then lost";

/// Receives each record.
pub(super) type Each<'a> = &'a mut dyn FnMut(Record) -> Result<(), Error>;

/// The log's id; made, durably, for a folder without segments. A folder that has lost all of them is a new log: its positions
/// may come again, and stamps with them, if the old id stayed.
pub(super) fn id(disk: &dyn Disk, folder: &Path) -> Result<LogId, Error> {
    let path = folder.join("id");
    let broken = |why: &str| Err(Error::new(Kind::Corrupt, format!("{}: {why}; {REMEDY}", path.display())));
    let read = |text: &str| u64::from_str_radix(text.trim_end(), 16).map(LogId);
    let not_an_id = "not a log-id of 16 hexadecimal digits";
    match (fs::read_to_string(&path), segment::list(folder)?.is_empty()) {
        (Ok(text), false) => return read(&text).or_else(|_| broken(not_an_id)),
        (Ok(text), true) => read(&text).map_or(Ok(()), |id| newest::check(folder, id, None))?,
        (Err(e), _) if e.kind() != std::io::ErrorKind::NotFound => return Err(Error::io(path, e)),
        (Err(_), false) => return broken("missing, though there are log segments"),
        (Err(_), true) => {}
    }
    // RandomState is seeded by the operating system.
    let id = LogId(RandomState::new().hash_one(std::time::SystemTime::now()));
    write_atomic(disk, &path, format!("{id}\n").as_bytes())?;
    Ok(id)
}

/// A recovery under way.
pub(super) struct Recovery<'a> {
    /// The log's folder.
    pub folder: &'a Path,
    /// Its settings.
    pub settings: &'a Settings,
    /// The datasets there are contracts for.
    pub datasets: &'a [Arc<Dataset>],
    /// What has been found so far.
    pub found: Recovered,
    /// The least position a new record may have.
    pub next: Position,
}

impl Recovery<'_> {
    /// Checks all segments and hands out their records. Gives back the segments that stay.
    pub(super) fn run(&mut self, each: Each<'_>) -> Result<Vec<Segment>, Error> {
        let mut headers = self.headers()?;
        newest::check(self.folder, self.found.id, headers.last().map(|(segment, _)| segment.first))?;
        let Some((first, _)) = headers.first() else {
            self.next = cut::above(self.folder, Position(0), self.next)?;
            return Ok(Vec::new());
        };
        self.found.above = first.previous;
        self.found.last = first.previous;
        let newest = headers.len() - 1;
        for i in 0..newest {
            let (segment, header) = &headers[i];
            self.inner(segment, *header, &headers[i + 1].0, each)?;
        }
        let (segment, header) = &mut headers[newest];
        self.newest(segment, *header, each)?;
        self.next = cut::above(self.folder, segment.first, self.next)?;
        cut::prune(&*self.settings.disk, self.folder)?;
        Ok(headers.into_iter().map(|(segment, _)| segment).collect())
    }

    /// Reads all headers. Segments that were never finished are set aside.
    fn headers(&mut self) -> Result<Vec<(Segment, Header)>, Error> {
        let mut headers: Vec<(Segment, Header)> = Vec::new();
        for &first in segment::list(self.folder)?.iter().rev() {
            let path = segment::path(self.folder, first);
            let (start, bytes) = segment::start(&path).map_err(|e| Error::io(&path, e))?;
            let header = match Header::read(&start).map_err(|format| newer(&path, &format!("format {format}")))? {
                Some(header) => header,
                None => {
                    self.set_aside(&path, first, headers.last().map(|(_, header)| *header))?;
                    continue;
                }
            };
            if header.first != first {
                let why = format!("it says that it begins at position {}", header.first.0);
                return Err(damaged(&path, 0, &why));
            }
            if header.log != self.found.id {
                return Err(damaged(&path, 0, &format!("it belongs to another log, {}", header.log)));
            }
            headers.push((Segment { path, first, previous: header.previous, bytes }, header));
        }
        headers.reverse();
        Ok(headers)
    }

    /// Moves away a segment whose header cannot be read, if nothing of the log is known to be in it.
    fn set_aside(&mut self, path: &Path, first: Position, next: Option<Header>) -> Result<(), Error> {
        let bytes = fs::read(path).map_err(|e| Error::io(path, e))?;
        let noted = newest::read(self.folder, self.found.id)?;
        let needed = match next {
            Some(next) => next.previous >= first,
            None => noted.is_some_and(|noted| noted >= first) || any_record(&bytes, self.found.id, first),
        };
        if needed {
            return Err(damaged(path, 0, "the segment's header cannot be read, though it had been on disk"));
        }
        let aside = path.with_extension("0.cut");
        let disk = &self.settings.disk;
        disk.rename(path, &aside).and_then(|()| disk.sync_folder(self.folder)).map_err(|e| Error::io(path, e))?;
        self.found.cut.push(if bytes.len() <= HEADER {
            format!("{}: an unfinished segment without records, moved to {}", path.display(), aside.display())
        } else {
            cut_message(path, 0, bytes.len(), "nothing in it can be read", &aside)
        });
        Ok(())
    }

    /// A segment that has a later one: all it holds up to where that takes over must be there.
    fn inner(&mut self, segment: &Segment, header: Header, next: &Segment, each: Each<'_>) -> Result<(), Error> {
        let bytes = fs::read(&segment.path).map_err(|e| Error::io(&segment.path, e))?;
        let walked = self.hand_out(segment, &bytes, header, Some(next.previous), each)?;
        if walked.last == next.previous {
            return Ok(());
        }
        if let Some(why) = walked.bad.filter(|_| walked.last < next.previous) {
            return Err(damaged(&segment.path, walked.end, why));
        }
        let why = format!(
            "after position {} the log goes on with {}, which follows position {}: records are missing or there twice",
            walked.last.0,
            next.path.display(),
            next.previous.0
        );
        Err(damaged(&segment.path, walked.end, &why))
    }

    /// The newest segment: a bad end that was never known to be fsynced is cut.
    fn newest(&mut self, segment: &mut Segment, header: Header, each: Each<'_>) -> Result<(), Error> {
        let bytes = fs::read(&segment.path).map_err(|e| Error::io(&segment.path, e))?;
        let walked = self.hand_out(segment, &bytes, header, None, each)?;
        if let Some(why) = walked.bad {
            if was_durable(&bytes, header, walked) {
                return Err(damaged(&segment.path, walked.end, &format!("{why}, though it had been on disk")));
            }
            let aside = segment.path.with_extension(format!("{}.cut", walked.end));
            write_atomic(&*self.settings.disk, &aside, &bytes[walked.end..])?;
            self.found.cut.push(cut_message(&segment.path, walked.end, bytes.len() - walked.end, why, &aside));
        }
        self.settle(segment, &bytes[..walked.end], walked.unsure)?;
        segment.bytes = walked.end as u64;
        self.next = self.next.max(walked.next);
        Ok(())
    }

    /// Decodes and hands out the good records of a segment.
    fn hand_out(
        &mut self,
        segment: &Segment,
        bytes: &[u8],
        header: Header,
        limit: Option<Position>,
        each: Each<'_>,
    ) -> Result<Walked, Error> {
        let walked = walk(bytes, header, limit, &mut |at, frame| {
            each(record(&segment.path, bytes, at, &frame, self.datasets)?)
        })?;
        self.found.last = walked.last;
        Ok(walked)
    }

    /// Makes the newest segment's good bytes durable, and its length theirs. Those nobody noted are written once more: after a
    /// failed fsync of an earlier process they may be in the page cache, counted as clean, and not on disk.
    fn settle(&self, segment: &Segment, good: &[u8], unsure: usize) -> Result<(), Error> {
        let disk = &self.settings.disk;
        let settled = disk.open(&segment.path).and_then(|mut file| {
            disk.set_len(&file, good.len() as u64)?;
            file.seek(SeekFrom::Start(unsure as u64))?;
            disk.write(&mut file, &good[unsure..])?;
            disk.sync(&file)
        });
        settled.map_err(|e| Error::io(&segment.path, e))
    }
}

/// Decodes a record whose crc is right.
pub(super) fn record(
    path: &Path,
    bytes: &[u8],
    at: usize,
    frame: &frame::Frame,
    datasets: &[Arc<Dataset>],
) -> Result<Record, Error> {
    match body::take(frame.kind, &bytes[frame.body.clone()], datasets) {
        Ok(entry) => Ok(Record { position: frame.position, entry }),
        Err(Unread::Malformed(why)) => Err(damaged(path, at, why.0)),
        Err(Unread::Kind(kind)) => Err(newer(path, &format!("a record of kind {kind} at offset {at}"))),
    }
}

/// The error for damage that nothing may be cut for.
pub(super) fn damaged(path: &Path, at: usize, why: &str) -> Error {
    Error::new(Kind::Corrupt, format!("log segment {}, offset {at}: {why}; {REMEDY}", path.display()))
}

/// The error for what a newer version wrote.
fn newer(path: &Path, what: &str) -> Error {
    let path = path.display();
    Error::new(
        Kind::Mismatch,
        format!("log segment {path} has {what}, unknown to this version; use the version that wrote it"),
    )
}

/// What status says of cut bytes.
fn cut_message(path: &Path, at: usize, length: usize, why: &str, aside: &Path) -> String {
    format!(
        "{}, offset {at}: {why}; cut {length} bytes, possibly acknowledged, and kept them in {}",
        path.display(),
        aside.display()
    )
}

/// Makes the folder usable by this process alone.
pub(super) fn claim(disk: &dyn Disk, folder: &Path) -> Result<disk::Lock, Error> {
    disk::writable(disk, folder, "log folder")?;
    disk::Lock::take(folder)
}
