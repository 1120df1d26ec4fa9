//! A durable object store on a local folder: what a call has acknowledged survives a power cut.
//!
//! object_store 0.13 never syncs a local file (`facts/reliability-performance.md`, B1). Here a put writes a draft beside
//! its place, syncs it, moves it into place by one system call and syncs the folder, and every folder made on the way.
//! Reads and listings are object_store's own. What they show is on the medium as well: a folder whose sync failed is synced before
//! anything is read again, and what a killed process left unsynced at the next start. Else a commit whose put
//! had failed would be seen to stand, the log would let go of its rows, and a power cut take the commit.

mod upload;

#[cfg(test)]
mod tests;

use crate::disk::Disk;
use crate::{Error, Kind};
use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::local::LocalFileSystem;
use object_store::path::Path as Place;
use object_store::{
    CopyMode, CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMode,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use std::collections::HashSet;
use std::fs;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The durable object store of a local folder on a disk, which is created when it is not there. Remains of writes that a crash
/// interrupted are removed: only the holder of the folder's lock may open it.
pub(crate) fn on(disk: Arc<dyn Disk>, folder: &Path) -> Result<Arc<dyn ObjectStore>, Error> {
    crate::disk::writable(&*disk, folder, "data folder")?;
    sweep(&*disk, folder).map_err(|e| Error::io(folder, e))?;
    let unusable = |e: object_store::Error| Error {
        kind: Kind::Unusable,
        message: format!("data folder {} cannot be used: {e}", folder.display()),
        source: Some(Box::new(e)),
    };
    let inner = LocalFileSystem::new_with_prefix(folder).map_err(unusable)?;
    let root = inner.path_to_filesystem(&Place::from("x")).map_err(unusable)?;
    let root = root.parent().map(Path::to_path_buf).unwrap_or_default();
    let folders =
        Folders { disk, root, drafts: AtomicU64::new(0), synced: Mutex::default(), unsynced: Mutex::default() };
    Ok(Arc::new(Durable { inner, folders: Arc::new(folders) }))
}

/// The store on the disk as it is.
#[cfg(test)]
pub(crate) fn open(folder: &Path) -> Result<Arc<dyn ObjectStore>, Error> {
    on(Arc::new(crate::disk::Real), folder)
}

/// Removes drafts that a crash left, in the folder and below, and syncs the folders.
fn sweep(disk: &dyn Disk, folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if entry.file_type()?.is_dir() {
            sweep(disk, &entry.path())?;
        } else if name.to_string_lossy().rsplit_once('#').is_some_and(|(_, end)| is_number(end)) {
            disk.remove(&entry.path())?;
        }
    }
    // Of the many folders of days and other partitions (`day=…`) none needs it: a file in them counts once a commit names it, and
    // before that is tried, it and its folder are on the medium.
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    if name.contains('=') { Ok(()) } else { disk.sync_folder(folder) }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// Folders remembered as synced; past it they are synced once more.
const MAX_SYNCED: usize = 65_536;

/// The folders below one root.
#[derive(Debug)]
struct Folders {
    disk: Arc<dyn Disk>,
    root: PathBuf,
    /// Number of the next draft.
    drafts: AtomicU64,
    /// Folders whose entry above is known to be on the medium: those met since the process started, as a crash may
    /// have come between making a folder and syncing the one above.
    synced: Mutex<HashSet<PathBuf>>,
    /// Folders whose entries may not be on the medium: their last sync failed.
    unsynced: Mutex<HashSet<PathBuf>>,
}

impl Folders {
    /// Writes `payload` to `path`, whole or not at all, and returns when it is on the medium.
    fn put(&self, path: &Path, payload: &PutPayload, create: bool) -> io::Result<()> {
        let folder = path.parent().unwrap_or(&self.root);
        self.make(folder)?;
        let mut draft = path.as_os_str().to_owned();
        // object_store hides names that end so from listings.
        draft.push(format!("#{}", self.drafts.fetch_add(1, Ordering::Relaxed)));
        let draft = Path::new(&draft);
        let moved = write(&*self.disk, draft, payload).and_then(|()| match create {
            true => self.disk.link(draft, path),
            false => self.disk.rename(draft, path),
        });
        if create || moved.is_err() {
            // After a hard link the draft is a second name; left behind, the next start removes it.
            let _ = self.disk.remove(draft);
        }
        match moved {
            // Whoever is told that it is there may rely on it.
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => self.catch_up().and(Err(e)),
            Err(e) => Err(e),
            Ok(()) => self.sync(folder),
        }
    }

    /// Copies a file whole.
    fn copy(&self, from: &Path, to: &Path, create: bool) -> io::Result<()> {
        self.put(to, &fs::read(from)?.into(), create)
    }

    /// Removes a file, and returns when it will not come back.
    fn remove(&self, path: &Path) -> io::Result<()> {
        match self.disk.remove(path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => self.catch_up().and(Err(e)),
            Err(e) => Err(e),
            Ok(()) => self.sync(path.parent().unwrap_or(&self.root)),
        }
    }

    /// Syncs a folder; when that fails, remembers it.
    fn sync(&self, folder: &Path) -> io::Result<()> {
        let synced = self.disk.sync_folder(folder);
        let mut unsynced = self.unsynced();
        match synced {
            Ok(()) => unsynced.remove(folder),
            Err(_) => unsynced.insert(folder.to_path_buf()),
        };
        synced
    }

    /// Syncs the folders whose last sync failed.
    fn catch_up(&self) -> io::Result<()> {
        let waiting: Vec<PathBuf> = self.unsynced().iter().cloned().collect();
        waiting.iter().try_for_each(|folder| self.sync(folder))
    }

    fn unsynced(&self) -> MutexGuard<'_, HashSet<PathBuf>> {
        self.unsynced.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a folder and those above it, durably.
    fn make(&self, folder: &Path) -> io::Result<()> {
        // Held meanwhile: nobody may find the folder there and go on before its entry is on the medium.
        let mut synced = self.synced.lock().unwrap_or_else(PoisonError::into_inner);
        if synced.len() >= MAX_SYNCED {
            synced.clear();
        }
        make(&*self.disk, folder, &self.root, &mut synced)
    }
}

fn make(disk: &dyn Disk, folder: &Path, root: &Path, synced: &mut HashSet<PathBuf>) -> io::Result<()> {
    let Some(above) = folder.parent().filter(|_| folder != root && !synced.contains(folder)) else { return Ok(()) };
    make(disk, above, root, synced)?;
    match disk.make(folder) {
        Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return Err(e),
        _ => disk.sync_folder(above)?,
    }
    synced.insert(folder.to_path_buf());
    Ok(())
}

/// Writes a file that must not exist, and syncs it.
fn write(disk: &dyn Disk, path: &Path, payload: &PutPayload) -> io::Result<()> {
    let mut file = disk.create(path)?;
    for part in payload {
        disk.write(&mut file, part)?;
    }
    disk.sync(&file)
}

/// The store; see the head of the file.
#[derive(Clone, Debug)]
struct Durable {
    inner: LocalFileSystem,
    folders: Arc<Folders>,
}

impl Durable {
    /// Puts on a blocking thread.
    async fn write(&self, place: &Place, payload: PutPayload, mode: PutMode) -> Result<PutResult> {
        let create = match mode {
            PutMode::Create => true,
            PutMode::Overwrite => false,
            PutMode::Update(_) => {
                return Err(object_store::Error::NotImplemented {
                    operation: "put with PutMode::Update".into(),
                    implementer: self.to_string(),
                });
            }
        };
        let path = self.inner.path_to_filesystem(place)?;
        let folders = Arc::clone(&self.folders);
        blocking(place, move || folders.put(&path, &payload, create)).await?;
        Ok(PutResult { e_tag: None, version: None })
    }

    /// Removes an object.
    async fn remove(&self, place: &Place) -> Result<()> {
        let path = self.inner.path_to_filesystem(place)?;
        let folders = Arc::clone(&self.folders);
        blocking(place, move || folders.remove(&path)).await
    }

    /// Sees to it that what is there is on the medium.
    async fn settled(&self, place: &Place) -> Result<()> {
        if self.folders.unsynced().is_empty() {
            return Ok(());
        }
        let folders = Arc::clone(&self.folders);
        blocking(place, move || folders.catch_up()).await
    }

    /// A listing of what is on the medium, by name, as object storage gives it and Delta's readers ask for it.
    fn listed(&self, found: BoxStream<'static, Result<ObjectMeta>>) -> BoxStream<'static, Result<ObjectMeta>> {
        let store = self.clone();
        let sorted = async move {
            store.settled(&Place::default()).await?;
            let mut found: Vec<ObjectMeta> = found.try_collect().await?;
            found.sort_unstable_by(|a, b| a.location.cmp(&b.location));
            Ok::<_, object_store::Error>(futures::stream::iter(found.into_iter().map(Ok)))
        };
        futures::stream::once(sorted).try_flatten().boxed()
    }
}

/// Runs disk work on a blocking thread; errors name the object.
async fn blocking(place: &Place, work: impl FnOnce() -> io::Result<()> + Send + 'static) -> Result<()> {
    let failed =
        |source: Box<dyn std::error::Error + Send + Sync>| object_store::Error::Generic { store: "disk", source };
    let done = tokio::task::spawn_blocking(work).await.map_err(|e| failed(Box::new(e)))?;
    done.map_err(|e| {
        let path = place.to_string();
        match e.kind() {
            io::ErrorKind::AlreadyExists => object_store::Error::AlreadyExists { path, source: Box::new(e) },
            io::ErrorKind::NotFound => object_store::Error::NotFound { path, source: Box::new(e) },
            _ => failed(Box::new(e)),
        }
    })
}

impl std::fmt::Display for Durable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "durable {}", self.folders.root.display())
    }
}

#[async_trait]
impl ObjectStore for Durable {
    async fn put_opts(&self, location: &Place, payload: PutPayload, opts: PutOptions) -> Result<PutResult> {
        self.write(location, payload, opts.mode).await
    }

    async fn put_multipart_opts(&self, to: &Place, _: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        Ok(Box::new(upload::Upload::new(self.clone(), to.clone())))
    }

    async fn get_opts(&self, location: &Place, options: GetOptions) -> Result<GetResult> {
        self.settled(location).await?;
        self.inner.get_opts(location, options).await
    }

    async fn get_ranges(&self, location: &Place, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.settled(location).await?;
        self.inner.get_ranges(location, ranges).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Place>>) -> BoxStream<'static, Result<Place>> {
        let store = self.clone();
        let remove = move |place: Result<Place>| {
            let store = store.clone();
            async move {
                let place = place?;
                store.remove(&place).await?;
                Ok(place)
            }
        };
        locations.then(remove).boxed()
    }

    fn list(&self, prefix: Option<&Place>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.listed(self.inner.list(prefix))
    }

    fn list_with_offset(&self, prefix: Option<&Place>, offset: &Place) -> BoxStream<'static, Result<ObjectMeta>> {
        self.listed(self.inner.list_with_offset(prefix, offset))
    }

    async fn list_with_delimiter(&self, prefix: Option<&Place>) -> Result<ListResult> {
        self.settled(&Place::default()).await?;
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Place, to: &Place, options: CopyOptions) -> Result<()> {
        let (from, path) = (self.inner.path_to_filesystem(from)?, self.inner.path_to_filesystem(to)?);
        let create = options.mode == CopyMode::Create;
        let folders = Arc::clone(&self.folders);
        blocking(to, move || folders.copy(&from, &path, create)).await
    }
}
