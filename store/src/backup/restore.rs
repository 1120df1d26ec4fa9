//! The way back: a backup becomes the folders of a store.

use super::carry::Carrier;
use super::{FORMAT, MANIFEST, Manifest};
use crate::format::{self, Format};
use crate::{Error, Kind, Position, disk};
use std::fs;
use std::path::{Component, Path};

/// Positions left out after a restore: more than any store gives from a backup to the day it is needed, so that no stamp of the
/// one store ever means another content in the other.
const LEFT_OUT: u64 = 1 << 40;

/// What a restore came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Restored {
    /// Every record up to here is there again.
    pub position: Position,
    /// Files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Datasets there are.
    pub datasets: Vec<String>,
}

/// Restores a backup into the folders of data and log, which must be empty or not there yet. Every file is held to its size and
/// checksum. What it leaves behind when it fails does not open.
pub fn restore(from: &Path, data: &Path, log: &Path) -> Result<Restored, Error> {
    let manifest = read(from)?;
    for (folder, what) in [(data, "data folder"), (log, "log folder")] {
        disk::writable(&disk::Real, folder, what)?;
        if fs::read_dir(folder).map_err(|e| Error::io(folder, e))?.next().is_some() {
            let message =
                format!("the {what} {} is not empty; name another, or move what it holds away", folder.display());
            return Err(Error::new(Kind::Unusable, message));
        }
    }
    let place = data.join(format::PLACE);
    let mark = |restoring| {
        let above = Position(manifest.position.0 + LEFT_OUT);
        let format = Format { format: format::FORMAT, above, restoring };
        let bytes = serde_json::to_vec(&format).map_err(|e| Error::io(&place, e.into()))?;
        disk::write_atomic(&disk::Real, &place, &bytes)
    };
    let above = place.parent().unwrap_or(data);
    fs::create_dir_all(above).map_err(|e| Error::io(above, e))?;
    mark(true)?;
    let (mut files, mut bytes) = (0, 0);
    for (folder, part) in [(data, "data"), (log, "log")] {
        let mut carrier = Carrier::new(folder);
        for item in &manifest.files {
            let Some(path) = item.path.strip_prefix(part).and_then(|path| path.strip_prefix('/')) else { continue };
            if path == format::PLACE {
                continue;
            }
            let item = super::Item { path: path.to_owned(), ..item.clone() };
            carrier.take(&from.join(part), &item)?;
            (files, bytes) = (files + 1, bytes + item.bytes);
        }
        carrier.sync()?;
    }
    disk::sync_folder(data)?;
    mark(false)?;
    Ok(Restored { position: manifest.position, files, bytes, datasets: manifest.datasets })
}

/// Reads the manifest and checks that it is one of ours.
fn read(from: &Path) -> Result<Manifest, Error> {
    let path = from.join(MANIFEST);
    let bytes = fs::read(&path).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => {
            let message = format!("{} is no whole backup: it has no {MANIFEST}", from.display());
            Error::new(Kind::Unusable, message)
        }
        _ => Error::io(&path, e),
    })?;
    let damaged = |why: String| Error::new(Kind::Corrupt, format!("{}: {why}", path.display()));
    let manifest: Manifest = serde_json::from_slice(&bytes).map_err(|e| damaged(e.to_string()))?;
    if manifest.format != FORMAT {
        return Err(damaged(format!("format {}; this program knows {FORMAT}", manifest.format)));
    }
    let plain = |path: &str| {
        let parts = Path::new(path).components();
        (path.starts_with("data/") || path.starts_with("log/"))
            && parts.into_iter().all(|p| matches!(p, Component::Normal(_)))
    };
    match manifest.files.iter().find(|item| !plain(&item.path)) {
        Some(item) => Err(damaged(format!("{:?} lies outside of data and log", item.path))),
        None => Ok(manifest),
    }
}
