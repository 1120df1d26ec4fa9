//! Records as they lie in a segment: [length u32, crc32c u32, position u64, noted u64, kind u8, body], little-endian.
//!
//! `length` counts the bytes after the crc. The crc covers the log-id, the segment's first position, the record's offset in
//! the segment, its length and all after the crc: bytes that look like a record by design (in a payload) or by accident (an old
//! block, a moved one) are none.

use super::body::NOTE;
use crate::{LogId, Position};
use std::ops::Range;

/// Bytes before the body.
pub(super) const HEAD: usize = 25;

/// What the crc of every record of one segment begins with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seed(u32);

impl Seed {
    /// The seed of a segment.
    pub(super) fn new(log: LogId, first: Position) -> Seed {
        Seed(crc32c::crc32c_append(crc32c::crc32c(&log.0.to_le_bytes()), &first.0.to_le_bytes()))
    }

    /// The crc of the record at `offset`: `rest` is all after the crc.
    fn crc(self, offset: u64, rest: &[u8]) -> u32 {
        let mut place = [0; 12];
        place[..8].copy_from_slice(&offset.to_le_bytes());
        place[8..].copy_from_slice(&(rest.len() as u32).to_le_bytes());
        crc32c::crc32c_append(crc32c::crc32c_append(self.0, &place), rest)
    }
}

/// A record whose crc is right.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    /// Its place; of an empty record the place of the last before it that carries data.
    pub position: Position,
    /// Known to be fsynced when it was written.
    pub noted: Position,
    /// What the body is.
    pub kind: u8,
    /// Where its body is in the bytes given.
    pub body: Range<usize>,
}

/// Appends a record to the group `out` that will be written at `base` of its segment; `body` writes the body.
pub(super) fn put(
    out: &mut Vec<u8>,
    base: u64,
    seed: Seed,
    head: (Position, Position, u8),
    body: impl FnOnce(&mut Vec<u8>),
) {
    let (position, noted, kind) = head;
    let start = out.len();
    out.extend_from_slice(&[0; 8]);
    out.extend_from_slice(&position.0.to_le_bytes());
    out.extend_from_slice(&noted.0.to_le_bytes());
    out.push(kind);
    body(out);
    let crc = seed.crc(base + start as u64, &out[start + 8..]);
    let length = (out.len() - start - 8) as u32;
    out[start..start + 4].copy_from_slice(&length.to_le_bytes());
    out[start + 4..start + 8].copy_from_slice(&crc.to_le_bytes());
}

/// Reads the record at an index of bytes that begin at offset `base` of their segment, or says why there is none.
pub(super) fn read(bytes: &[u8], base: u64, at: usize, seed: Seed) -> Result<Frame, &'static str> {
    let Some(head) = bytes.get(at..at + HEAD) else {
        return Err("the record ends before it should");
    };
    let length = number(&head[..4]) as usize;
    let end = at + 8 + length;
    if length < HEAD - 8 || head[24] == NOTE && length != HEAD - 8 {
        return Err("the record's length is impossible");
    }
    let Some(rest) = bytes.get(at + 8..end) else {
        return Err("the record is longer than what is left of the segment");
    };
    if u64::from(seed.crc(base + at as u64, rest)) != number(&head[4..8]) {
        return Err("the record's checksum does not match");
    }
    let (position, noted) = (Position(number(&head[8..16])), Position(number(&head[16..24])));
    Ok(Frame { position, noted, kind: head[24], body: at + HEAD..end })
}

/// Little-endian number of up to eight bytes.
pub(super) fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte))
}
