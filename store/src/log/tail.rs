//! Ordered readers of the log: each gives out durable records from disk behind its own cursor. The log is their queue
//! (rule 25): segments that a tail has not read stay up to `tail_bytes`; past that the oldest go and the tail counts its loss.

use super::Record;
use super::body::NOTE;
use super::frame::{self, Seed, number};
use super::queue::Shared;
use super::recover::record;
use super::segment::{HEADER, Segment};
use crate::{Error, Kind, Position};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;

/// Least bytes read at once.
const CHUNK: u64 = 1 << 20;

/// A reader of the log. What it gave out last is held on disk until it is asked again or dropped.
pub(crate) struct Tail {
    shared: Arc<Shared>,
    number: u64,
    /// The last position given out.
    cursor: Position,
    place: Option<Place>,
}

/// Records in order, and what is missing before them.
#[derive(Debug, Default)]
pub(crate) struct Group {
    /// The records; none when nothing new is durable.
    pub records: Vec<Record>,
    /// Positions before them whose segments went unread.
    pub lost: u64,
}

/// Where a tail reads.
struct Place {
    file: File,
    segment: Segment,
    /// Offset of the next record.
    at: u64,
}

impl Tail {
    /// A reader of what comes after `cursor`.
    pub(super) fn new(shared: Arc<Shared>, cursor: Position) -> Tail {
        let number = shared.kept.hold(cursor);
        Tail { shared, number, cursor, place: None }
    }

    /// The next durable records, of a mebibyte or so. Blocks on the disk, never waits for appends.
    pub(crate) fn next_group(&mut self) -> Result<Group, Error> {
        self.shared.kept.held(self.number, self.cursor);
        let mut group = Group::default();
        while group.records.is_empty() {
            let Some((segment, limit)) = self.shared.kept.after(self.cursor) else { break };
            if segment.previous > self.cursor {
                group.lost += segment.previous.0 - self.cursor.0;
                self.cursor = segment.previous;
            }
            let mut place = match self.place.take().filter(|place| place.segment.first == segment.first) {
                Some(place) => Place { segment, ..place },
                None => match File::open(&segment.path) {
                    Ok(file) => Place { file, segment, at: HEADER as u64 },
                    // It went just now; the next look finds what is left.
                    Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
                    Err(e) => return Err(Error::io(segment.path, e)),
                },
            };
            let more = place.at < place.segment.bytes;
            if more {
                self.read(&mut place, limit, &mut group.records)?;
            }
            self.place = Some(place);
            if !more {
                break;
            }
        }
        Ok(group)
    }

    /// Reads the whole records of the next chunk, those above the cursor and not above the limit.
    fn read(&mut self, place: &mut Place, limit: Position, records: &mut Vec<Record>) -> Result<(), Error> {
        let Place { file, segment, at } = place;
        let base = *at;
        let bytes = chunk(file, base, segment.bytes).map_err(|e| Error::io(&segment.path, e))?;
        let seed = Seed::new(self.shared.log, segment.first);
        let mut offset = 0;
        while offset < bytes.len() && (offset == 0 || whole(&bytes[offset..])) {
            let frame = frame::read(&bytes, base, offset, seed).map_err(|why| {
                let (path, at) = (segment.path.display(), base + offset as u64);
                Error::new(Kind::Corrupt, format!("log segment {path}, offset {at}: {why}"))
            })?;
            if frame.kind != NOTE && frame.position > self.cursor && frame.position <= limit {
                records.push(record(&segment.path, &bytes, offset, &frame, &self.shared.datasets)?);
                self.cursor = frame.position;
            }
            offset = frame.body.end;
        }
        *at = base + offset as u64;
        Ok(())
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        self.shared.kept.let_go(self.number);
    }
}

/// Bytes from `at`, up to `end`: about a chunk, but the whole first record.
fn chunk(file: &mut File, at: u64, end: u64) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(at))?;
    let mut bytes = Vec::new();
    file.by_ref().take(CHUNK.min(end - at)).read_to_end(&mut bytes)?;
    let first = bytes.get(..4).map_or(0, |length| 8 + number(length));
    if first > bytes.len() as u64 && at + first <= end {
        file.by_ref().take(first - bytes.len() as u64).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// Whether a whole record's bytes are here.
fn whole(bytes: &[u8]) -> bool {
    bytes.get(..4).is_some_and(|length| 8 + number(length) <= bytes.len() as u64)
}
