//! Files carried into another folder, durably, with their sizes and checksums.

use super::{MANIFEST, Manifest};
use crate::{Error, Kind, disk};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// Bytes read at once.
const STRETCH: usize = 1 << 20;

/// A file of a backup.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Item {
    /// Below the backup's folder.
    pub(super) path: String,
    pub(super) bytes: u64,
    pub(super) crc32c: u32,
}

/// Fills a folder.
#[derive(Debug, Default)]
pub(super) struct Carrier {
    root: PathBuf,
    items: Vec<Item>,
    linked: u64,
    /// Folders to be synced at the end.
    folders: BTreeSet<PathBuf>,
}

impl Carrier {
    /// Fills this folder.
    pub(super) fn new(root: &Path) -> Carrier {
        Carrier { root: root.to_owned(), ..Carrier::default() }
    }

    /// Files, their bytes, and files linked.
    pub(super) fn count(&self) -> (u64, u64, u64) {
        (self.items.len() as u64, self.items.iter().map(|item| item.bytes).sum(), self.linked)
    }

    /// Takes a file that never changes: by a second name for it where that is possible.
    pub(super) fn link(&mut self, from: &Path, path: &str) -> Result<(), Error> {
        let to = self.place(path)?;
        if fs::hard_link(from, &to).is_err() {
            return self.copy(from, path, None);
        }
        let (bytes, crc32c) = read(&to, u64::MAX, &mut io::sink())?;
        self.linked += 1;
        self.items.push(Item { path: path.to_owned(), bytes, crc32c });
        Ok(())
    }

    /// Copies a file; with `most`, so many bytes of it, which must be there.
    pub(super) fn copy(&mut self, from: &Path, path: &str, most: Option<u64>) -> Result<(), Error> {
        let to = self.place(path)?;
        let mut out = File::options().write(true).create_new(true).open(&to).map_err(|e| Error::io(&to, e))?;
        let (bytes, crc32c) = read(from, most.unwrap_or(u64::MAX), &mut out)?;
        if most.is_some_and(|most| bytes < most) {
            let message = format!("{} ends after {bytes} bytes; it should have more", from.display());
            return Err(Error::new(Kind::Corrupt, message));
        }
        out.sync_all().map_err(|e| Error::io(&to, e))?;
        self.items.push(Item { path: path.to_owned(), bytes, crc32c });
        Ok(())
    }

    /// Copies a file if there is one.
    pub(super) fn copy_if_there(&mut self, from: &Path, path: &str) -> Result<(), Error> {
        if from.exists() { self.copy(from, path, None) } else { Ok(()) }
    }

    /// Copies a folder with all below it but drafts: of what lies directly in it only what `wanted` names.
    pub(super) fn copy_tree(&mut self, from: &Path, path: &str, wanted: &dyn Fn(&str) -> bool) -> Result<(), Error> {
        let entries = match fs::read_dir(from) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries.map_err(|e| Error::io(from, e))?,
        };
        for entry in entries {
            let entry = entry.map_err(|e| Error::io(from, e))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if !wanted(&name) || name.contains('#') || name.ends_with(".draft") {
                continue;
            }
            let (below, path) = (entry.path(), format!("{path}/{name}"));
            match entry.file_type().map_err(|e| Error::io(&below, e))?.is_dir() {
                true => self.copy_tree(&below, &path, &|_| true)?,
                false => self.copy(&below, &path, None)?,
            }
        }
        Ok(())
    }

    /// Copies an item of another folder and holds it to its size and checksum.
    pub(super) fn take(&mut self, from: &Path, item: &Item) -> Result<(), Error> {
        self.copy(&from.join(&item.path), &item.path, None)?;
        match self.items.last() {
            Some(copied) if copied == item => Ok(()),
            _ => Err(Error::new(
                Kind::Corrupt,
                format!("{} of the backup is damaged: its checksum is another", item.path),
            )),
        }
    }

    /// Where a path lies; its folder is made.
    fn place(&mut self, path: &str) -> Result<PathBuf, Error> {
        let to = self.root.join(path);
        if let Some(folder) = to.parent().filter(|folder| !self.folders.contains(*folder)) {
            fs::create_dir_all(folder).map_err(|e| Error::io(folder, e))?;
            let made = folder.ancestors().take_while(|above| above.starts_with(&self.root));
            self.folders.extend(made.map(Path::to_owned));
        }
        Ok(to)
    }

    /// Returns when all is on the medium.
    pub(super) fn sync(&self) -> Result<(), Error> {
        self.folders.iter().rev().try_for_each(|folder| disk::sync_folder(folder))
    }

    /// Syncs, then writes the manifest: a folder that has one is whole.
    pub(super) fn finish(self, manifest: Manifest) -> Result<(), Error> {
        self.sync()?;
        let path = self.root.join(MANIFEST);
        let manifest = Manifest { files: self.items, ..manifest };
        let bytes = serde_json::to_vec_pretty(&manifest).map_err(|e| Error::io(&path, e.into()))?;
        disk::write_atomic(&disk::Real, &path, &bytes)
    }
}

/// Reads up to `most` bytes of a file into `out`; how many there were, and their checksum.
fn read(from: &Path, most: u64, out: &mut dyn Write) -> Result<(u64, u32), Error> {
    let file = File::open(from).map_err(|e| Error::io(from, e))?;
    let (mut file, mut buffer) = (file.take(most), vec![0; STRETCH]);
    let (mut bytes, mut crc) = (0, 0);
    loop {
        let some = file.read(&mut buffer).map_err(|e| Error::io(from, e))?;
        if some == 0 {
            return Ok((bytes, crc));
        }
        out.write_all(&buffer[..some]).map_err(|e| Error::io(from, e))?;
        crc = crc32c::crc32c_append(crc, &buffer[..some]);
        bytes += some as u64;
    }
}
