//! Segments: files `<first position, 20 digits>.log` that begin with a header:
//! [magic 8 bytes, format u32, log-id u64, first position u64, previous position u64, crc32c u32 over all before], little-endian.
//!
//! `previous` is the last position of the log before this segment. It was fsynced before the header was written, so a header
//! is also a note; and a gap between `previous` and `first` is one that was left on purpose.

use super::frame::number;
use crate::disk::Disk;
use crate::{Error, Kind, LogId, Position};
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// What a segment begins with.
const MAGIC: [u8; 8] = *b"lamplog\n";
/// The format this version writes.
const FORMAT: u32 = 1;
/// Bytes of a header.
pub(super) const HEADER: usize = 40;

/// A header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// The log it belongs to.
    pub log: LogId,
    /// Position of its first record.
    pub first: Position,
    /// The last position before it that is part of the log.
    pub previous: Position,
}

impl Header {
    /// Its bytes.
    pub(super) fn bytes(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&FORMAT.to_le_bytes());
        for value in [self.log.0, self.first.0, self.previous.0] {
            bytes.extend_from_slice(&value.to_le_bytes());
        }
        bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_le_bytes());
        bytes
    }

    /// Reads a header; nothing if the bytes are none. The error is the number of a format this version cannot read.
    pub(super) fn read(bytes: &[u8]) -> Result<Option<Header>, u64> {
        let Some(bytes) = bytes.get(..HEADER) else {
            return Ok(None);
        };
        let crc = u64::from(crc32c::crc32c(&bytes[..HEADER - 4]));
        if bytes[..8] != MAGIC || number(&bytes[HEADER - 4..]) != crc {
            return Ok(None);
        }
        if number(&bytes[8..12]) != u64::from(FORMAT) {
            return Err(number(&bytes[8..12]));
        }
        let (first, previous) = (Position(number(&bytes[20..28])), Position(number(&bytes[28..36])));
        Ok((previous < first).then_some(Header { log: LogId(number(&bytes[12..20])), first, previous }))
    }
}

/// A segment on disk.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    /// Its file.
    pub path: PathBuf,
    /// Position of its first record, as its name says.
    pub first: Position,
    /// The last position before it.
    pub previous: Position,
    /// Its bytes.
    pub bytes: u64,
}

/// The file of a segment.
pub(super) fn path(folder: &Path, first: Position) -> PathBuf {
    folder.join(format!("{:020}.log", first.0))
}

/// Makes a segment with its header; when it returns, file and folder entry are on the medium.
/// After an error nothing of it is left, as far as the disk allows.
pub(super) fn create(disk: &dyn Disk, folder: &Path, header: Header) -> io::Result<(fs::File, Segment)> {
    let path = path(folder, header.first);
    let made = disk.create(&path).and_then(|mut file| {
        disk.write(&mut file, &header.bytes())?;
        disk.sync(&file)?;
        disk.sync_folder(folder)?;
        Ok(file)
    });
    match made {
        Ok(file) => {
            let Header { first, previous, .. } = header;
            Ok((file, Segment { path, first, previous, bytes: HEADER as u64 }))
        }
        Err(e) => {
            // What stays behind is a segment without records; recovery knows such.
            let _ = disk.remove(&path);
            Err(e)
        }
    }
}

/// The bytes a segment's header would be in, fewer if the file is shorter, and the file's length.
pub(super) fn start(path: &Path) -> io::Result<(Vec<u8>, u64)> {
    let file = fs::File::open(path)?;
    let length = file.metadata()?.len();
    let mut start = Vec::with_capacity(HEADER);
    file.take(HEADER as u64).read_to_end(&mut start)?;
    Ok((start, length))
}

/// First positions of the segments in a folder, by their names, ascending.
pub(super) fn list(folder: &Path) -> Result<Vec<Position>, Error> {
    let mut firsts = Vec::new();
    for entry in fs::read_dir(folder).map_err(|e| Error::io(folder, e))? {
        let path = entry.map_err(|e| Error::io(folder, e))?.path();
        if path.extension().is_some_and(|extension| extension == "log") {
            firsts.push(first(&path, ".log").ok_or_else(|| {
                let message = format!("{}: not the name of a log segment; move the file elsewhere", path.display());
                Error::new(Kind::Corrupt, message)
            })?);
        }
    }
    firsts.sort_unstable();
    Ok(firsts)
}

/// The 20 digits that a file's name begins with, before `rest` if that is given.
pub(super) fn first(path: &Path, rest: &str) -> Option<Position> {
    let (digits, after) = path.file_name()?.to_str()?.split_at_checked(20)?;
    let fits = rest.is_empty() || after == rest;
    digits.parse().ok().filter(|_| fits && digits.bytes().all(|digit| digit.is_ascii_digit())).map(Position)
}
