//! Files and log entries of older versions go once they have been replaced for long enough. What is left can be read: a version
//! whose entry is still there, by whom ever, has all its files.

use crate::book::Book;
use crate::store::Store;
use crate::table::{Outdated, Table};
use crate::{Error, Kind, state};
use object_store::ObjectStoreExt;
use object_store::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::Mutex;

/// Objects removed in one turn, each with its folder synced.
const OBJECTS: usize = 256;

/// Removes what has been replaced since before `after` ago, of each table of a dataset up to a bound. `now` is in milliseconds
/// since 1970, by the machine's clock, as are the times of files. Gives how many objects went.
pub(crate) async fn vacuum(store: &Store, book: &Book, now: i64, after: Duration) -> Result<usize, Error> {
    let _turn = book.turn.lock().await;
    if store.closed.load(Ordering::Acquire) {
        return Err(Error::new(Kind::Closed, "the store has been closed"));
    }
    let before = now.saturating_sub(i64::try_from(after.as_millis()).unwrap_or(i64::MAX));
    let mut removed = 0;
    for table in std::iter::once(&book.table).chain(&book.tiers) {
        removed += one(store, book, table, before).await?;
    }
    Ok(removed)
}

async fn one(store: &Store, book: &Book, table: &Mutex<Table>, before: i64) -> Result<usize, Error> {
    let look = {
        let mut table = table.lock().await;
        (!table.past().is_read()).then(|| table.find_past())
    };
    if let Some(look) = look {
        let found = look.await?;
        table.lock().await.take_in_past(found);
    }
    let Some(oldest) = table.lock().await.past().at(before) else { return Ok(0) };
    checkpoint(table, oldest).await?;
    let outdated = table.lock().await.outdated(oldest);
    let Some(Outdated { checkpoint, places: entries }) = outdated.await? else { return Ok(0) };
    if let Some(removed) = remove(store, &entries, "vacuum.log").await? {
        return Ok(removed);
    }
    // No version below the checkpoint is listed any more: what it and all after it do not have, nobody finds.
    let names = table.lock().await.past().gone(checkpoint, OBJECTS);
    let places: Vec<Path> = names.iter().map(|name| name.place(&book.dataset.id)).collect();
    remove(store, &places, "vacuum.file").await?;
    table.lock().await.past().removed(&names);
    Ok(entries.len() + names.len())
}

/// Sums the log up at `oldest`, if that lets files go that no checkpoint before does.
async fn checkpoint(table: &Mutex<Table>, oldest: u64) -> Result<(), Error> {
    let work = {
        let mut table = table.lock().await;
        let known = table.newest_checkpoint();
        let needed = oldest > 0 && known.is_none_or(|known| known < oldest);
        (needed && table.past().is_left_between(known.unwrap_or(0), oldest)).then(|| table.checkpoint_of(oldest))
    };
    if let Some(work) = work {
        let version = work.await?;
        table.lock().await.checkpointed(version);
    }
    Ok(())
}

/// Removes objects in order, up to the bound; gives how many, if that was not all.
async fn remove(store: &Store, places: &[Path], point: &str) -> Result<Option<usize>, Error> {
    for place in places.iter().take(OBJECTS) {
        match store.objects.delete(place).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
            Err(e) => return Err(state::stored(place, e)),
        }
        store.points.pass(point)?;
    }
    Ok((places.len() > OBJECTS).then_some(OBJECTS))
}
