//! What the store asks of a local disk: bytes that are there after a power cut, room, and one process per folder.

use crate::{Error, Kind};
use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The operations of the log that can fail, so that a test can make them.
pub(crate) trait Disk: Send + Sync {
    /// Creates a file that must not exist.
    fn create(&self, path: &Path) -> io::Result<File> {
        File::options().read(true).write(true).create_new(true).open(path)
    }

    /// Writes all bytes at the file's cursor.
    fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        file.write_all(bytes)
    }

    /// Returns when the file's bytes and length are on the medium.
    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_data()
    }

    /// Returns when the folder's entries are on the medium.
    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()
    }

    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    /// Bytes this process may still write.
    fn free(&self, folder: &Path) -> io::Result<u64> {
        let stat = rustix::fs::statvfs(folder)?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }
}

/// The disk as it is.
pub(crate) struct Real;

impl Disk for Real {}

/// Returns when the folder's entries (files made, renamed, removed) are on the medium.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), Error> {
    Real.sync_folder(folder).map_err(|e| Error::io(folder, e))
}

/// Free bytes on the disk of a folder.
pub(crate) fn free_bytes(folder: &Path) -> Result<u64, Error> {
    Real.free(folder).map_err(|e| Error::io(folder, e))
}

/// Whether two folders are on one disk. When that cannot be told, no.
pub(crate) fn is_same(one: &Path, other: &Path) -> bool {
    let device = |folder: &Path| fs::metadata(folder).map(|found| found.dev());
    matches!((device(one), device(other)), (Ok(one), Ok(other)) if one == other)
}

/// Writes a small file so that after a power cut it is there whole, in its old or its new state.
/// One writer at a time per path.
pub(crate) fn write_atomic(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let mut draft = path.as_os_str().to_owned();
    draft.push(".draft");
    let draft = Path::new(&draft);
    let written = File::create(draft).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.and_then(|()| fs::rename(draft, path)).map_err(|e| Error::io(path, e))?;
    path.parent().map_or(Ok(()), sync_folder)
}

/// Makes the folder if need be, durably, and checks that files can be made in it. `what` names it for people: "log folder".
pub(crate) fn writable(folder: &Path, what: &str) -> Result<(), Error> {
    let probe = folder.join(".probe");
    create(folder).and_then(|()| fs::write(&probe, b"")).and_then(|()| fs::remove_file(&probe)).map_err(|e| Error {
        kind: Kind::Unusable,
        message: format!("{what} {} cannot be written: {e}; make it writable or name another one", folder.display()),
        source: Some(Box::new(e)),
    })
}

/// Makes a folder and those above it, and syncs each folder that got a new entry.
fn create(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let above = match folder.parent() {
        Some(above) if above.as_os_str().is_empty() => Path::new("."),
        Some(above) => above,
        None => return Err(io::ErrorKind::NotFound.into()),
    };
    create(above)?;
    match fs::create_dir(folder) {
        Err(e) if e.kind() != io::ErrorKind::AlreadyExists => Err(e),
        _ => Real.sync_folder(above),
    }
}

/// The right to use a folder alone; given back when dropped or when the process ends.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of a writable folder. `Kind::Locked` when another holds it, naming its process.
    pub(crate) fn take(folder: &Path) -> Result<Lock, Error> {
        let path = folder.join("lock");
        let mut file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|e| Error::io(&path, e))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(locked(folder, &mut file)),
            Err(TryLockError::Error(e)) => return Err(Error::io(&path, e)),
        }
        let pid = std::process::id().to_string();
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| file.write_all(pid.as_bytes()))
            .map_err(|e| Error::io(&path, e))?;
        Ok(Lock { _file: file })
    }
}

/// The error for a folder that another holds.
fn locked(folder: &Path, file: &mut File) -> Error {
    let mut pid = String::new();
    let holder = match file.read_to_string(&mut pid) {
        Ok(_) if !pid.trim().is_empty() => format!("process {}", pid.trim()),
        _ => "another process".to_owned(),
    };
    let folder = folder.display();
    Error::new(Kind::Locked, format!("{folder} is in use by {holder}; stop it, or name another folder"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_file_is_replaced_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        for text in ["the first, longer text", "the second"] {
            write_atomic(&path, text.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "a draft was left behind");
    }

    #[test]
    fn a_folder_is_made_with_those_above_it() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("a/b/c");
        writable(&deep, "data folder").unwrap();
        writable(&deep, "data folder").unwrap();
        assert_eq!(fs::read_dir(&deep).unwrap().count(), 0);
        assert!(free_bytes(&deep).unwrap() > 0);
        assert!(is_same(&deep, folder.path()));
        assert!(!is_same(&deep, Path::new("/proc")));
    }

    #[test]
    fn an_unwritable_folder_is_one_clear_line() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        for path in [&file, &file.join("below")] {
            let error = writable(path, "data folder").unwrap_err();
            assert_eq!(error.kind, Kind::Unusable);
            let named = format!("data folder {} cannot be written", path.display());
            assert!(error.message.starts_with(&named) && !error.message.contains('\n'), "{error}");
        }
    }

    #[test]
    fn a_lock_is_held_until_dropped() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("lock"), "99999999 left by a process long gone").unwrap();
        let lock = Lock::take(folder.path()).unwrap();
        let error = Lock::take(folder.path()).unwrap_err();
        assert_eq!(error.kind, Kind::Locked);
        let holder = format!("{} is in use by process {};", folder.path().display(), std::process::id());
        assert!(error.message.starts_with(&holder), "{error}");
        drop(lock);
        Lock::take(folder.path()).unwrap();
    }
}
