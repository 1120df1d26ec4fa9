//! A durable object store on a local folder: what a call has acknowledged survives a power cut.
//!
//! object_store 0.13 never syncs a local file (`facts/reliability-performance.md`, B1). Here a put writes a draft beside
//! its place, syncs it, moves it into place by one system call and syncs the folder, and every folder made on the way.
//! Reads and listings are object_store's own.

mod upload;

#[cfg(test)]
mod tests;

use crate::{Error, Kind};
use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::local::LocalFileSystem;
use object_store::path::Path as Place;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMode,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The durable object store of a local folder, which is created when it is not there. Remains of writes that a crash
/// interrupted are removed: only the holder of the folder's lock may open it.
pub(crate) fn open(folder: &Path) -> Result<Arc<dyn ObjectStore>, Error> {
    crate::disk::writable(folder, "data folder")?;
    sweep(folder).map_err(|e| Error::io(folder, e))?;
    let unusable = |e: object_store::Error| Error {
        kind: Kind::Unusable,
        message: format!("data folder {} cannot be used: {e}", folder.display()),
        source: Some(Box::new(e)),
    };
    let inner = LocalFileSystem::new_with_prefix(folder).map_err(unusable)?;
    let root = inner.path_to_filesystem(&Place::from("x")).map_err(unusable)?;
    let root = root.parent().map(Path::to_path_buf).unwrap_or_default();
    let disk = Disk { root, drafts: AtomicU64::new(0), synced: Mutex::default() };
    Ok(Arc::new(Durable { inner, disk: Arc::new(disk) }))
}

/// Removes drafts that a crash left, in the folder and below.
fn sweep(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if entry.file_type()?.is_dir() {
            sweep(&entry.path())?;
        } else if name.to_string_lossy().rsplit_once('#').is_some_and(|(_, end)| is_number(end)) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// Folders remembered as synced; past it they are synced once more.
const MAX_SYNCED: usize = 65_536;

/// Writes below one root.
#[derive(Debug)]
struct Disk {
    root: PathBuf,
    /// Number of the next draft.
    drafts: AtomicU64,
    /// Folders whose entry above is known to be on the medium: those met since the process started, as a crash may
    /// have come between making a folder and syncing the one above.
    synced: Mutex<HashSet<PathBuf>>,
}

impl Disk {
    /// Writes `payload` to `path`, whole or not at all, and returns when it is on the medium.
    fn put(&self, path: &Path, payload: &PutPayload, create: bool) -> io::Result<()> {
        let folder = path.parent().unwrap_or(&self.root);
        self.make(folder)?;
        let mut draft = path.as_os_str().to_owned();
        // object_store hides names that end so from listings.
        draft.push(format!("#{}", self.drafts.fetch_add(1, Ordering::Relaxed)));
        let draft = Path::new(&draft);
        let moved = write(draft, payload).and_then(|()| match create {
            true => fs::hard_link(draft, path),
            false => fs::rename(draft, path),
        });
        if create || moved.is_err() {
            // After a hard link the draft is a second name; left behind, the next start removes it.
            let _ = fs::remove_file(draft);
        }
        moved?;
        sync(folder)
    }

    /// Makes a folder and those above it, durably.
    fn make(&self, folder: &Path) -> io::Result<()> {
        // Held meanwhile: nobody may find the folder there and go on before its entry is on the medium.
        let mut synced = self.synced.lock().unwrap_or_else(PoisonError::into_inner);
        if synced.len() >= MAX_SYNCED {
            synced.clear();
        }
        make(folder, &self.root, &mut synced)
    }
}

fn make(folder: &Path, root: &Path, synced: &mut HashSet<PathBuf>) -> io::Result<()> {
    let Some(above) = folder.parent().filter(|_| folder != root && !synced.contains(folder)) else { return Ok(()) };
    make(above, root, synced)?;
    match fs::create_dir(folder) {
        Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return Err(e),
        _ => sync(above)?,
    }
    synced.insert(folder.to_path_buf());
    Ok(())
}

/// Writes a file that must not exist, and syncs it.
fn write(path: &Path, payload: &PutPayload) -> io::Result<()> {
    let mut file = File::options().write(true).create_new(true).open(path)?;
    for part in payload {
        file.write_all(part)?;
    }
    file.sync_all()
}

fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// The store; see the head of the file.
#[derive(Clone, Debug)]
struct Durable {
    inner: LocalFileSystem,
    disk: Arc<Disk>,
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
        let disk = Arc::clone(&self.disk);
        blocking(place, move || disk.put(&path, &payload, create)).await?;
        Ok(PutResult { e_tag: None, version: None })
    }

    /// Syncs the folder an object lies in.
    async fn sync_around(&self, place: &Place) -> Result<()> {
        let path = self.inner.path_to_filesystem(place)?;
        let folder = path.parent().map(Path::to_path_buf).unwrap_or_default();
        blocking(place, move || sync(&folder)).await
    }
}

/// A listing by name, as object storage gives it and Delta's readers ask for it.
fn sorted(found: BoxStream<'static, Result<ObjectMeta>>) -> BoxStream<'static, Result<ObjectMeta>> {
    let sorted = async move {
        let mut found: Vec<ObjectMeta> = found.try_collect().await?;
        found.sort_unstable_by(|a, b| a.location.cmp(&b.location));
        Ok::<_, object_store::Error>(futures::stream::iter(found.into_iter().map(Ok)))
    };
    futures::stream::once(sorted).try_flatten().boxed()
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
        write!(f, "durable {}", self.disk.root.display())
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
        self.inner.get_opts(location, options).await
    }

    async fn get_ranges(&self, location: &Place, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.inner.get_ranges(location, ranges).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Place>>) -> BoxStream<'static, Result<Place>> {
        let store = self.clone();
        let sync = move |gone: Result<Place>| {
            let store = store.clone();
            async move {
                let place = gone?;
                store.sync_around(&place).await?;
                Ok(place)
            }
        };
        self.inner.delete_stream(locations).then(sync).boxed()
    }

    fn list(&self, prefix: Option<&Place>) -> BoxStream<'static, Result<ObjectMeta>> {
        sorted(self.inner.list(prefix))
    }

    fn list_with_offset(&self, prefix: Option<&Place>, offset: &Place) -> BoxStream<'static, Result<ObjectMeta>> {
        sorted(self.inner.list_with_offset(prefix, offset))
    }

    async fn list_with_delimiter(&self, prefix: Option<&Place>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Place, to: &Place, options: CopyOptions) -> Result<()> {
        let path = self.inner.path_to_filesystem(to)?;
        let disk = Arc::clone(&self.disk);
        blocking(to, move || disk.make(path.parent().unwrap_or(&disk.root))).await?;
        self.inner.copy_opts(from, to, options).await?;
        self.sync_around(to).await
    }
}
