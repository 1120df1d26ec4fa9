//! The segments on disk, and who still needs them.

use super::queue::lock;
use super::segment::Segment;
use crate::disk::Disk;
use crate::{Error, Position};
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::path::Path;
use std::sync::Mutex;

/// The segments on disk.
pub(super) struct Kept {
    /// Oldest first. The log thread adds at the end, [`Kept::release`] takes from the front.
    segments: Mutex<VecDeque<Segment>>,
    /// Held while segments are removed.
    releasing: Mutex<()>,
    /// Each tail's cursor: it needs what comes after. One entry per open tail.
    tails: Mutex<BTreeMap<u64, Position>>,
    /// Bytes of log that tails may hold back.
    tail_bytes: u64,
}

impl Kept {
    /// These segments, and no tail.
    pub(super) fn new(segments: Vec<Segment>, tail_bytes: u64) -> Kept {
        let (segments, releasing) = (Mutex::new(segments.into()), Mutex::new(()));
        Kept { segments, releasing, tails: Mutex::default(), tail_bytes }
    }

    /// A new newest segment.
    pub(super) fn add(&self, segment: Segment) {
        lock(&self.segments).push_back(segment);
    }

    /// The newest segment has so many durable bytes.
    pub(super) fn grown(&self, bytes: u64) {
        if let Some(segment) = lock(&self.segments).back_mut() {
            segment.bytes = bytes;
        }
    }

    /// Durable bytes, and segments.
    pub(super) fn size(&self) -> (u64, u64) {
        let segments = lock(&self.segments);
        (segments.iter().map(|segment| segment.bytes).sum(), segments.len() as u64)
    }

    /// Their paths, oldest first, and how many bytes of each are durable.
    pub(super) fn segments(&self) -> Vec<(std::path::PathBuf, u64)> {
        lock(&self.segments).iter().map(|segment| (segment.path.clone(), segment.bytes)).collect()
    }

    /// Removes segments wholly at or below `position` that no tail needs, or that are past what tails may hold back.
    /// The folder is synced after each, so that a power cut cannot leave a hole.
    pub(super) fn release(&self, disk: &dyn Disk, folder: &Path, position: Position) -> Result<(), Error> {
        let _turn = lock(&self.releasing);
        while let Some(segment) = self.removable(position) {
            match disk.remove(&segment.path) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(Error::io(segment.path, e)),
                _ => disk.sync_folder(folder).map_err(|e| Error::io(folder, e))?,
            }
            lock(&self.segments).pop_front();
        }
        Ok(())
    }

    /// The oldest segment, if it may go.
    fn removable(&self, position: Position) -> Option<Segment> {
        let (bytes, _) = self.size();
        let read = lock(&self.tails).values().min().copied();
        let segments = lock(&self.segments);
        let (oldest, end) = (segments.front()?, segments.get(1)?.previous);
        let unread = bytes <= self.tail_bytes && read.is_some_and(|read| read < end);
        (end <= position && !unread).then(|| oldest.clone())
    }

    /// The segment that has the record after `cursor`, or else the oldest there is; with the position up to which it counts.
    pub(super) fn after(&self, cursor: Position) -> Option<(Segment, Position)> {
        let segments = lock(&self.segments);
        let i = segments.partition_point(|segment| segment.previous <= cursor).saturating_sub(1);
        let limit = segments.get(i + 1).map_or(Position(u64::MAX), |next| next.previous);
        Some((segments.get(i)?.clone(), limit))
    }

    /// A new tail behind `cursor`; its number.
    pub(super) fn hold(&self, cursor: Position) -> u64 {
        let mut tails = lock(&self.tails);
        let number = tails.last_key_value().map_or(0, |(number, _)| number + 1);
        tails.insert(number, cursor);
        number
    }

    /// A tail has read up to `cursor`.
    pub(super) fn held(&self, tail: u64, cursor: Position) {
        lock(&self.tails).insert(tail, cursor);
    }

    /// A tail is gone.
    pub(super) fn let_go(&self, tail: u64) {
        lock(&self.tails).remove(&tail);
    }
}
