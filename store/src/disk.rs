//! What the store asks of a local disk: bytes that are there after a power cut, room, and one process per folder.

use crate::{Error, Kind};
use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// All that changes the folders of log and data, and the room they have: a test can make each operation fail, or record them and
/// undo what no sync has made to last. Locks and the probe of [`writable`] are no part of it, since nothing rests on them.
pub(crate) trait Disk: std::fmt::Debug + Send + Sync {
    /// Creates a file that must not exist.
    fn create(&self, path: &Path) -> io::Result<File> {
        File::options().read(true).write(true).create_new(true).open(path)
    }

    /// Opens a file that exists, for writing.
    fn open(&self, path: &Path) -> io::Result<File> {
        File::options().read(true).write(true).open(path)
    }

    /// Writes all bytes at the file's cursor.
    fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        file.write_all(bytes)
    }

    /// Cuts a file, or lengthens it by zeros.
    fn set_len(&self, file: &File, bytes: u64) -> io::Result<()> {
        file.set_len(bytes)
    }

    /// Returns when the file's bytes and length are on the medium. A file it failed for is never synced again: the kernel may have
    /// dropped what could not be written, and call the next sync a success.
    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_data()
    }

    /// Returns when the folder's entries (files made, renamed, removed) are on the medium. It may be tried again: entries go
    /// through the file system's journal, which takes nothing more once it could not be written.
    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()
    }

    /// Makes a folder.
    fn make(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir(folder)
    }

    /// Gives a file another name in its folder, in place of the file that has it.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    /// Gives a file a second name in its folder, which must be free.
    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::hard_link(from, to)
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
#[derive(Debug)]
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
pub(crate) fn write_atomic(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> Result<(), Error> {
    replace(disk, path, bytes).map_err(|e| Error::io(path, e))
}

/// As [`write_atomic`] does.
fn replace(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut draft = path.as_os_str().to_owned();
    draft.push(".draft");
    let draft = Path::new(&draft);
    let mut file = match disk.create(draft) {
        // Left behind by an earlier attempt, whose sync may have failed: this one takes another file.
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => disk.remove(draft).and_then(|()| disk.create(draft))?,
        file => file?,
    };
    disk.write(&mut file, bytes)?;
    disk.sync(&file)?;
    disk.rename(draft, path)?;
    path.parent().map_or(Ok(()), |folder| disk.sync_folder(folder))
}

/// Makes the folder if need be, durably, and checks that files can be made in it. `what` names it for people: "log folder".
pub(crate) fn writable(disk: &dyn Disk, folder: &Path, what: &str) -> Result<(), Error> {
    let probe = folder.join(".probe");
    create(disk, folder).and_then(|()| fs::write(&probe, b"")).and_then(|()| fs::remove_file(&probe)).map_err(|e| {
        Error {
            kind: Kind::Unusable,
            message: format!(
                "{what} {} cannot be written: {e}; make it writable or name another one",
                folder.display()
            ),
            source: Some(Box::new(e)),
        }
    })
}

/// Makes a folder and those above it, and syncs each folder that got a new entry.
fn create(disk: &dyn Disk, folder: &Path) -> io::Result<()> {
    let above = match folder.parent() {
        Some(above) if above.as_os_str().is_empty() => Path::new("."),
        Some(above) => above,
        None if folder.is_dir() => return Ok(()),
        None => return Err(io::ErrorKind::NotFound.into()),
    };
    if folder.is_dir() {
        // A start that was killed may have made it, and its entry not be on the medium. Where it may not be looked at, it was
        // not this program that made it.
        let _ = disk.sync_folder(above);
        return if folder == Path::new(".") { Ok(()) } else { create(disk, above) };
    }
    create(disk, above)?;
    match disk.make(folder) {
        Err(e) if e.kind() != io::ErrorKind::AlreadyExists => Err(e),
        _ => disk.sync_folder(above),
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
            write_atomic(&Real, &path, text.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "a draft was left behind");
    }

    #[test]
    fn a_folder_is_made_with_those_above_it() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("a/b/c");
        writable(&Real, &deep, "data folder").unwrap();
        writable(&Real, &deep, "data folder").unwrap();
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
            let error = writable(&Real, path, "data folder").unwrap_err();
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
