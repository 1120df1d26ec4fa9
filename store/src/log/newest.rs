//! The note `newest` in the log folder: `<log-id> <first position of the newest segment> <crc32c of both>`, in hexadecimal digits.
//!
//! Nothing after the newest segment could tell that it is gone, or its header. The note does: it is written, durably, after the
//! segment's header and before its first record. A log without one (of an older version, or from a backup) opens all the same.

use super::recover::{REMEDY, damaged};
use super::segment;
use crate::disk::{Disk, write_atomic};
use crate::{Error, Kind, LogId, Position};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

fn path(folder: &Path) -> PathBuf {
    folder.join("newest")
}

/// Notes that the segment beginning at `first` is there.
pub(super) fn write(disk: &dyn Disk, folder: &Path, log: LogId, first: Position) -> Result<(), Error> {
    write_atomic(disk, &path(folder), text(log, first).as_bytes())
}

/// Takes the note back, durably, before the newest segment goes.
pub(super) fn remove(disk: &dyn Disk, folder: &Path) -> io::Result<()> {
    match disk.remove(&path(folder)) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => disk.sync_folder(folder),
    }
}

/// The segment that must be there, if any is noted. A note of another log says nothing of this one.
pub(super) fn read(folder: &Path, log: LogId) -> Result<Option<Position>, Error> {
    let path = path(folder);
    let found = match fs::read_to_string(&path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) if e.kind() == io::ErrorKind::InvalidData => String::new(),
        found => found.map_err(|e| Error::io(&path, e))?,
    };
    let mut numbers = found.split_ascii_whitespace().map_while(|word| u64::from_str_radix(word, 16).ok());
    match (numbers.next(), numbers.next()) {
        (Some(own), Some(first)) if found == text(LogId(own), Position(first)) => {
            Ok((own == log.0).then_some(Position(first)))
        }
        _ => {
            let message = format!(
                "{}, offset 0: the note of the newest log segment is damaged; remove that file if all segments are known to be \
                 there, else {REMEDY}",
                path.display()
            );
            Err(Error::new(Kind::Corrupt, message))
        }
    }
}

/// Refuses a log whose newest segment, of which `newest` is the first position, is older than the note says.
pub(super) fn check(folder: &Path, log: LogId, newest: Option<Position>) -> Result<(), Error> {
    match read(folder, log)? {
        Some(first) if newest.is_none_or(|newest| newest < first) => {
            Err(damaged(&segment::path(folder, first), 0, "the newest segment is gone"))
        }
        _ => Ok(()),
    }
}

/// What the note says.
fn text(log: LogId, first: Position) -> String {
    let words = format!("{log} {:016x}", first.0);
    format!("{words} {:08x}\n", crc32c::crc32c(words.as_bytes()))
}
