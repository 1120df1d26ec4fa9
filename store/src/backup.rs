//! Backup: a consistent copy of tables, late files, saved state and log, taken while the store runs; and the way back.
//!
//! A backup is a folder: `data/` and `log/` as the store has them, and `backup.json`, written last, with the size and checksum of every
//! file. Each dataset's turn of maintenance is held while its files are copied, and no log segment goes meanwhile; intake and flush go
//! on. Of each table exactly the entries and files of one version are copied; the log is copied last, so that it holds all that
//! was filed since.

mod carry;
mod restore;

pub use restore::{Restored, restore};

use crate::book::Book;
use crate::intake::lock;
use crate::store::Store;
use crate::{Error, Kind, LogId, Position};
use carry::{Carrier, Item};
use object_store::path::Path as Place;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

/// The format of backups this program writes.
const FORMAT: u32 = 1;
/// Name of the manifest.
const MANIFEST: &str = "backup.json";

/// What a backup says of itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Manifest {
    format: u32,
    /// The version of Lamppost that took it.
    lamppost: String,
    /// Every record up to here is in it.
    position: Position,
    log: LogId,
    datasets: Vec<String>,
    files: Vec<Item>,
}

/// What a backup came to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Backup {
    /// Every record up to here is in it.
    pub position: Position,
    /// Its files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Files that share their bytes on disk with the store's own, by hard links.
    pub linked: u64,
}

/// Takes a backup into a folder that is empty or not there yet.
pub(crate) async fn backup(store: &Store, to: &Path) -> Result<Backup, Error> {
    let config = &store.config;
    let to = prepare(to, &[&config.data, &config.log])?;
    // No log segment goes before all is copied.
    let _saving = store.saving.lock().await;
    let mut carrier = Carrier::new(&to);
    for book in &store.intake.books {
        if store.closed.load(Ordering::Acquire) {
            return Err(Error::new(Kind::Closed, "the store has been closed"));
        }
        dataset(store, book, &mut carrier).await?;
        store.points.pass("backup.dataset")?;
    }
    let known: Vec<String> = store.datasets.iter().map(|dataset| dataset.id.to_string()).collect();
    let data = config.data.clone();
    // What belongs to no dataset at hand: rejects, the format, datasets whose contract is out.
    let others = move |name: &str| name != "lock" && !known.iter().any(|id| id == name);
    let mut carrier = work(carrier, move |carrier| carrier.copy_tree(&data, "data", &others)).await?;
    let position = store.log.stats().last;
    let (log, segments) = (config.log.clone(), store.log.segments());
    carrier = work(carrier, move |carrier| {
        for name in ["id", "released"] {
            carrier.copy_if_there(&log.join(name), &format!("log/{name}"))?;
        }
        for (path, bytes) in segments {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            carrier.copy(&path, &format!("log/{name}"), Some(bytes))?;
        }
        Ok(())
    })
    .await?;
    store.points.pass("backup.log")?;
    let datasets = store.datasets.iter().map(|dataset| dataset.id.to_string()).collect();
    let lamppost = env!("CARGO_PKG_VERSION").to_owned();
    let manifest = Manifest { format: FORMAT, lamppost, position, log: store.log_id, datasets, files: Vec::new() };
    let (mut answer, carrier) = (Backup { position, ..Backup::default() }, carrier);
    (answer.files, answer.bytes, answer.linked) = carrier.count();
    crate::seal::blocking(move || carrier.finish(manifest)).await?;
    Ok(answer)
}

/// Copies one dataset.
async fn dataset(store: &Store, book: &Book, carrier: &mut Carrier) -> Result<(), Error> {
    let _turn = book.turn.lock().await;
    let id = book.dataset.id.to_string();
    let data = store.config.data.clone();
    let (places, _late) = {
        // Tables, late files and saved state of one moment: no flush comes between.
        let _flushing = book.flushing.lock().await;
        let mut places = Vec::new();
        for table in std::iter::once(&book.table).chain(&book.tiers) {
            places.extend(table.lock().await.places());
        }
        let late: Vec<_> = {
            let holding = lock(&book.holding);
            holding.shelf.late.values().chain(holding.shelf.stale.values()).flatten().cloned().collect()
        };
        places.extend(late.iter().map(|file| file.meta.name.place(&id)));
        let (state, prefix) = (data.join(&id).join("state"), format!("data/{id}/state"));
        let own = std::mem::take(carrier);
        *carrier = work(own, move |carrier| carrier.copy_tree(&state, &prefix, &|_| true)).await?;
        // As long as they are held here, folded late files stay on disk.
        (places, late)
    };
    let own = std::mem::take(carrier);
    *carrier = work(own, move |carrier| places.iter().try_for_each(|place| link(carrier, &data, place))).await?;
    Ok(())
}

/// Takes a file that never changes.
fn link(carrier: &mut Carrier, data: &Path, place: &Place) -> Result<(), Error> {
    carrier.link(&data.join(place.as_ref()), &format!("data/{place}"))
}

/// Copies on a blocking thread.
async fn work(
    mut carrier: Carrier,
    work: impl FnOnce(&mut Carrier) -> Result<(), Error> + Send + 'static,
) -> Result<Carrier, Error> {
    crate::seal::blocking(move || work(&mut carrier).map(|()| carrier)).await
}

/// Makes the target folder, which must be empty and apart from the store's own. Gives its full path.
fn prepare(to: &Path, own: &[&Path]) -> Result<PathBuf, Error> {
    let refuse = |why: &str| Err(Error::new(Kind::Unusable, format!("the folder {} {why}", to.display())));
    if !to.is_absolute() {
        return refuse("is not named by its full path; begin it with /");
    }
    crate::disk::writable(&crate::disk::Real, to, "backup folder")?;
    let full = to.canonicalize().map_err(|e| Error::io(to, e))?;
    for own in own {
        let own = own.canonicalize().map_err(|e| Error::io(*own, e))?;
        if full.starts_with(&own) || own.starts_with(&full) {
            return refuse(&format!("lies within {} or around it; name one apart", own.display()));
        }
    }
    if std::fs::read_dir(&full).map_err(|e| Error::io(to, e))?.next().is_some() {
        return refuse("is not empty; name a new one");
    }
    Ok(full)
}
