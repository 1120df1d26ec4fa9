//! Walks the records of one segment's bytes: pure functions.

use super::body::NOTE;
use super::frame::{self, Frame, Seed};
use super::segment::{HEADER, Header};
use crate::{Error, LogId, Position};

/// How far a walk came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Walked {
    /// The last good record that carries data; the header's `previous` if there is none.
    pub last: Position,
    /// The position the next record with data must have.
    pub next: Position,
    /// Offset after the last good record.
    pub end: usize,
    /// Offset from which nothing says that the bytes were fsynced.
    pub unsure: usize,
    /// Why the bytes at `end` are no record, if there are any.
    pub bad: Option<&'static str>,
}

/// Calls `each` for the good records that carry data, in order, until the first bad one or, where given, until `limit`: the
/// position at which the next segment takes over. What lies after it belongs to a group that failed.
pub(super) fn walk(
    bytes: &[u8],
    header: Header,
    limit: Option<Position>,
    each: &mut dyn FnMut(usize, Frame) -> Result<(), Error>,
) -> Result<Walked, Error> {
    let seed = Seed::new(header.log, header.first);
    let mut noted = header.previous;
    let mut walked = Walked { last: header.previous, next: header.first, end: HEADER, unsure: HEADER, bad: None };
    while walked.end < bytes.len() && limit.is_none_or(|limit| walked.last < limit) {
        let at = walked.end;
        let frame = match frame::read(bytes, 0, at, seed) {
            Ok(frame) => frame,
            Err(why) => return Ok(Walked { bad: Some(why), ..walked }),
        };
        let expected = if frame.kind == NOTE { walked.last } else { walked.next };
        if frame.position != expected || frame.noted > walked.last {
            return Ok(Walked { bad: Some("the record is not the one that comes next"), ..walked });
        }
        if frame.noted > noted {
            // The first record with a new note begins a group; all groups before it were fsynced.
            (noted, walked.unsure) = (frame.noted, at);
        }
        walked.end = frame.body.end;
        if frame.kind != NOTE {
            (walked.last, walked.next) = (frame.position, Position(frame.position.0 + 1));
            each(at, frame)?;
        }
    }
    Ok(walked)
}

/// Whether something after the bad bytes at `bad.end` proves that they had been fsynced: a record that notes the position they
/// had, or the very record that was to come next (then they were an empty record, and those are fsynced before the next).
/// Tries every offset, since the bad length leads nowhere.
pub(super) fn was_durable(bytes: &[u8], header: Header, bad: Walked) -> bool {
    let seed = Seed::new(header.log, header.first);
    let proof = |frame: Frame| frame.noted >= bad.next || frame.kind != NOTE && frame.position == bad.next;
    (bad.end + 1..bytes.len()).any(|at| frame::read(bytes, 0, at, seed).is_ok_and(proof))
}

/// Whether any record of a segment with an unreadable header can be read: then the header had been fsynced.
pub(super) fn any_record(bytes: &[u8], log: LogId, first: Position) -> bool {
    let seed = Seed::new(log, first);
    (0..bytes.len()).any(|at| frame::read(bytes, 0, at, seed).is_ok())
}
