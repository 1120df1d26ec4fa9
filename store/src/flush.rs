//! One commit adds sealed files and moves raw's position (rules 12, 20, 22).

use crate::book::Book;
use crate::holding::Known;
use crate::intake::lock;
use crate::late::Filed;
use crate::shelf::LateFile;
use crate::store::Store;
use crate::table::{App, Commit, Table};
use crate::{Error, LogId, Position, Stamp, book, seal, state};
use schemas::Day;
use std::sync::Arc;

/// A flush's commit that has not been seen to stand. It is repeated as it is until it does.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    commit: Commit,
    /// Where it moves raw's position.
    position: Position,
    /// So many sealed parts, the oldest, are in it.
    parts: usize,
    /// What was known at its position.
    known: Known,
    /// The newest filed instants once it stands.
    filed: Filed,
}

/// What a flush's commit says of itself (rule 22).
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Info {
    /// The log.
    pub(crate) log: LogId,
    /// Where raw's position is now.
    pub(crate) position: Position,
    /// Stamps of the days it changed.
    pub(crate) stamps: Vec<(Day, Stamp)>,
}

/// Seals what is hot, commits all that is sealed and saves state. Commits a new position even with no new file, unless
/// nothing at all was logged since the last.
pub(crate) async fn flush(store: &Store, book: &Book) -> Result<(), Error> {
    let mut attempt = book.flushing.lock().await;
    if attempt.is_some() {
        commit(store, book, &mut attempt).await?;
    }
    seal::seal(store, book).await?;
    *attempt = plan(store, book);
    if attempt.is_some() {
        commit(store, book, &mut attempt).await?;
    }
    save(store, book).await
}

/// Seals without committing.
#[cfg(test)]
pub(crate) async fn seal_only(store: &Store, book: &Book) -> Result<(), Error> {
    let _turn = book.flushing.lock().await;
    seal::seal(store, book).await
}

/// The commit of all sealed parts; without any, of the position alone, if it has moved.
fn plan(store: &Store, book: &Book) -> Option<Attempt> {
    let applied = store.intake.applied();
    let holding = lock(&book.holding);
    let (position, known) = match holding.sealed.last() {
        Some(last) => (last.position, last.known.clone()),
        // Rows have come in since: they go with the next flush, and so does the position.
        None if !holding.hot.is_empty() => return None,
        None => (applied.max(holding.position), holding.known.clone()),
    };
    // After a crash between commit and saving, what is known is saved without another commit.
    if position <= holding.flushed && holding.saved >= holding.flushed {
        return None;
    }
    let stamps = known.stamps.after(holding.flushed).collect();
    let fresh = holding.sealed.iter().filter_map(|s| s.files.as_ref()).flat_map(|(fresh, _)| fresh);
    let commit = Commit {
        adds: fresh.cloned().collect(),
        removes: Vec::new(),
        transactions: vec![(App::Raw(holding.log), position)],
        info: serde_json::json!(Info { log: holding.log, position, stamps }),
        data_change: true,
    };
    Some(Attempt { commit, position, parts: holding.sealed.len(), known, filed: holding.filed.clone() })
}

/// Commits an attempt and publishes what it changed.
async fn commit(store: &Store, book: &Book, waiting: &mut Option<Attempt>) -> Result<(), Error> {
    let Some(attempt) = waiting.as_ref() else { return Ok(()) };
    {
        let mut table = book.table.lock().await;
        let version = if stands(&table, attempt) { table.version() } else { table.commit(&attempt.commit).await? };
        store.points.pass("flush.commit")?;
        book.change(|holding| {
            let shelf = Arc::make_mut(&mut holding.shelf);
            shelf.take_over(&table);
            for (_, late) in holding.sealed.drain(..attempt.parts).filter_map(|s| s.files) {
                for (meta, cuts) in late {
                    shelf.add_late(LateFile::new(meta, &book.dataset.id, holding.bin.clone()).erasing(cuts));
                }
            }
            holding.flushed = attempt.position;
            holding.unsaved = Some((attempt.known.clone(), attempt.filed.clone()));
            holding.version = version;
            holding.changed();
        });
    }
    *waiting = None;
    Ok(())
}

/// Whether an attempt is known to stand: a fold that came next may have found out. Only flushes move raw's position, one
/// at a time, so nothing else brings it there; the attempt's files may have been folded since.
fn stands(table: &Table, attempt: &Attempt) -> bool {
    let reached = |(app, to): &(App, Position)| table.transactions().get(app).is_some_and(|reached| reached >= to);
    attempt.commit.transactions.iter().all(reached)
}

/// Saves state as of the last flush, if it is not.
async fn save(store: &Store, book: &Book) -> Result<(), Error> {
    let waiting = lock(&book.holding).unsaved.clone();
    let Some((known, filed)) = waiting else { return Ok(()) };
    let positions = book::filed(&*book.table.lock().await);
    state::save(&*store.objects, &book.dataset, &known, &filed, positions).await?;
    store.points.pass("flush.state")?;
    let mut holding = lock(&book.holding);
    holding.unsaved = None;
    holding.saved = holding.flushed;
    Ok(())
}
