//! What recovery cut from the log: files `<first position of the segment>.<offset>.cut`, for a person; never read again.

use super::frame;
use super::segment::first;
use crate::disk::Disk;
use crate::{Error, Position};
use std::fs;
use std::path::{Path, PathBuf};

/// Cut files that are kept. Each is of one start after a crash, and at most a group long; who has not looked at the oldest of so
/// many will not. The newest are needed: positions in them are not given again ([`above`]).
pub(super) const KEPT: usize = 16;

/// A cut file.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Cut {
    /// First position of the segment it was cut from.
    first: Position,
    offset: u64,
    bytes: u64,
    path: PathBuf,
}

/// The cut files of a folder, oldest first.
fn list(folder: &Path) -> Result<Vec<Cut>, Error> {
    let mut cuts = Vec::new();
    for entry in fs::read_dir(folder).map_err(|e| Error::io(folder, e))? {
        let entry = entry.map_err(|e| Error::io(folder, e))?;
        let path = entry.path();
        let offset = |path: &Path| path.file_stem()?.to_str()?.split_once('.')?.1.parse().ok();
        if path.extension().is_some_and(|extension| extension == "cut")
            && let (Some(first), Some(offset)) = (first(&path, ""), offset(&path))
        {
            let bytes = entry.metadata().map_err(|e| Error::io(&path, e))?.len();
            cuts.push(Cut { first, offset, bytes, path });
        }
    }
    cuts.sort_unstable();
    Ok(cuts)
}

/// The least position, `next` or above, that no record cut since the segment at `newest` began may have had: answers made from
/// such records may be out in the world. Looks at the files: a start that cut may have ended before a new segment stood.
pub(super) fn above(folder: &Path, newest: Position, next: Position) -> Result<Position, Error> {
    let mut next = next;
    for cut in list(folder)?.into_iter().filter(|cut| cut.first >= newest) {
        let records = cut.bytes.div_ceil(frame::HEAD as u64);
        next = Position(next.max(cut.first).0.saturating_add(records));
    }
    Ok(next)
}

/// Removes all but the newest. The folder is not synced: what comes back goes at the next start, as does what cannot be removed.
pub(super) fn prune(disk: &dyn Disk, folder: &Path) -> Result<(), Error> {
    let mut cuts = list(folder)?;
    cuts.truncate(cuts.len().saturating_sub(KEPT));
    for Cut { path, .. } in cuts {
        let file = path.display();
        match disk.remove(&path) {
            Ok(()) => tracing::info!(%file, "removed: {KEPT} newer files cut from the log are kept"),
            Err(error) => tracing::warn!(%file, %error, "cut from the log long ago, cannot be removed"),
        }
    }
    Ok(())
}
