//! A dataset as it is found on disk at start, before the log is replayed (rules 6, 7, 9, 22).

use crate::book::{Book, filed};
use crate::cache::Cache;
use crate::file::Numbering;
use crate::holding::{Holding, Known};
use crate::late::erased::{self, Told};
use crate::paths::{self, FileName};
use crate::shelf::{Bin, LateFile, Shelf, is_folded};
use crate::stamps::Stamps;
use crate::state::{self, Positions, stored};
use crate::table::Table;
use crate::{Error, Kind, Position, Stamp, Tier, flush};
use futures::TryStreamExt;
use object_store::{ObjectStore, ObjectStoreExt};
use schemas::{Dataset, Time};
use std::sync::{Arc, Mutex};

/// What opening a dataset needs.
#[derive(Clone)]
pub(crate) struct Ground {
    pub(crate) objects: Arc<dyn ObjectStore>,
    pub(crate) cache: Cache,
    pub(crate) bin: Bin,
    pub(crate) now: Time,
}

/// Opens a dataset: removes what a crash left behind, reads saved state, and completes it from files it has not seen.
pub(crate) async fn open(ground: &Ground, dataset: Arc<Dataset>) -> Result<Book, Error> {
    let objects = &*ground.objects;
    let table = Table::open_or_create(ground.objects.clone(), dataset.clone(), None).await?;
    for name in table.orphans().await? {
        remove(objects, &dataset, &name).await?;
    }
    let mut found = state::load(objects, &dataset).await?;
    let (late, stale) = late_files(objects, &dataset, &table, &mut found.known).await?;
    let mut shelf = Shelf::default();
    shelf.take_over(&table);
    let mut tiers = Vec::with_capacity(Tier::ALL.len());
    for tier in Tier::ALL {
        let table = Table::open_or_create(ground.objects.clone(), dataset.clone(), Some(tier)).await?;
        for name in table.orphans().await? {
            remove(objects, &dataset, &name).await?;
        }
        shelf.take_over_tier(tier, &table);
        tiers.push(table);
    }
    for (meta, cuts) in &late {
        shelf.add_late(LateFile::new(meta.clone(), &dataset.id, ground.bin.clone()).erasing(cuts.clone()));
        found.filed.raise_cuts(cuts);
    }
    for (meta, cuts) in stale {
        let file = Arc::new(LateFile::new(meta, &dataset.id, ground.bin.clone()).erasing(cuts));
        shelf.stale.entry(file.meta.name.day).or_default().push(file);
    }
    let files = table.files().values().map(|meta| (meta.clone(), Vec::new())).chain(late);
    let mut unseen: Vec<_> = files.filter(|(meta, _)| !seen(&found.positions, &meta.name)).collect();
    // Files in ascending precedence: of two values at one instant the one taken over later stands.
    unseen.sort_by_key(|(meta, _)| (matches!(meta.name.layer, paths::Layer::Late), meta.name.last));
    let (cache, bin) = (ground.cache.clone(), ground.bin.clone());
    let mut holding = Holding::new(dataset.clone(), found.known, found.filed, shelf, cache, bin);
    for tier in Tier::ALL {
        let closed = holding.shelf.tier(tier).closed;
        holding.closed.raise(closed);
    }
    if !dataset.sensors.is_empty() {
        Arc::make_mut(&mut holding.known.registry).list(&dataset.sensors, ground.now);
    }
    let mut holding = catch_up(ground, holding, &unseen).await?;
    if !unseen.is_empty() {
        let stamps = Arc::make_mut(&mut holding.known.stamps);
        restamp(stamps, &table, &found.positions, &unseen).await?;
    }
    let Ok(tiers) = <[Table; 3]>::try_from(tiers) else { return Err(Error::new(Kind::Io, "a tier is missing")) };
    Ok(Book::new(holding, table, tiers, found.positions))
}

/// Whether saved state has seen a file's rows.
fn seen(positions: &Positions, name: &FileName) -> bool {
    positions.get(&name.log).is_some_and(|position| name.last <= *position)
}

/// The late files in force, and those that a fold has taken into files and that the tiers may lack (rules 9 and 10). Those
/// above raw's position of their log were never committed, and the log, if it is there, makes them again: they are removed
/// (rule 6).
async fn late_files(
    objects: &dyn ObjectStore,
    dataset: &Dataset,
    table: &Table,
    known: &mut Known,
) -> Result<(Vec<Told>, Vec<Told>), Error> {
    let filed = filed(table);
    let folder = paths::late(&dataset.id);
    let listed: Vec<_> = objects.list(Some(&folder)).try_collect().await.map_err(|e| stored(&folder, e))?;
    let (mut late, mut stale) = (Vec::new(), Vec::new());
    for object in listed {
        let relative = object.location.as_ref().strip_prefix(&*dataset.id).and_then(|p| p.strip_prefix('/'));
        let Some(name) = relative.and_then(FileName::parse) else { continue };
        if !seen(&filed, &name) {
            remove(objects, dataset, &name).await?;
            continue;
        }
        let bytes = objects.get(&object.location).await.map_err(|e| stored(&object.location, e))?;
        let bytes = bytes.bytes().await.map_err(|e| stored(&object.location, e))?;
        let told = erased::read(dataset, name, &bytes, &mut |id| known.number(id))?;
        if is_folded(table, &name) { stale.push(told) } else { late.push(told) }
    }
    Ok((late, stale))
}

/// Removes a file, durably.
async fn remove(objects: &dyn ObjectStore, dataset: &Dataset, name: &FileName) -> Result<(), Error> {
    let place = name.place(&dataset.id);
    match objects.delete(&place).await {
        Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
        Err(e) => Err(stored(&place, e)),
    }
}

/// Reads files that saved state has not seen: newest filed instants (rule 7), newest values, stamps and sensors come from
/// them. What payloads said of places and attributes is in the log alone.
async fn catch_up(ground: &Ground, holding: Holding, unseen: &[Told]) -> Result<Holding, Error> {
    let dataset = holding.dataset.clone();
    let fields: Vec<usize> = (0..dataset.fields.len()).collect();
    let shared = Arc::new(Mutex::new(holding));
    let number: Numbering = {
        let shared = shared.clone();
        Arc::new(move |id| Ok(crate::intake::lock(&shared).number(&id.into())))
    };
    for (meta, cuts) in unseen {
        if !cuts.is_empty() {
            let mut holding = crate::intake::lock(&shared);
            cuts.iter().for_each(|cut| Arc::make_mut(&mut holding.known.latest).erase(cut));
        }
        if meta.rows == 0 {
            continue;
        }
        let run = ground.cache.load(&dataset, meta, &fields, None, &number).await?;
        let mut holding = crate::intake::lock(&shared);
        holding.filed.raise(&run);
        holding.learn(&run);
    }
    drop(number);
    let whole = Arc::into_inner(shared).map(|m| m.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner));
    whole.ok_or_else(|| Error::new(Kind::Io, "a reader of files outlived its work"))
}

/// Stamps of the days that commits changed which saved state has not seen (rule 22). Where the commit is gone from the log,
/// a file's name is as good: it is at or above every change in the file.
async fn restamp(stamps: &mut Stamps, table: &Table, known: &Positions, unseen: &[Told]) -> Result<(), Error> {
    let mut told = Stamps::default();
    let mut visit = |_, info| {
        let Ok(flush::Info { log, position, stamps }) = serde_json::from_value(info) else { return true };
        let new = known.get(&log).is_none_or(|known| position > *known);
        stamps.into_iter().filter(|_| new).for_each(|(day, stamp)| told.touch(day, stamp));
        new
    };
    table.infos(&mut visit).await?;
    for FileName { day, last, log, .. } in unseen.iter().map(|(meta, _)| meta.name) {
        if told.over(day.span()) == Stamp::default() {
            stamps.touch(day, Stamp { position: last, log });
        }
    }
    told.iter().for_each(|(day, stamp)| stamps.touch(day, stamp));
    Ok(())
}

/// The greatest position that a dataset's files, stamps and state know (rule 22).
pub(crate) fn greatest(book: &Book) -> Position {
    let holding = crate::intake::lock(&book.holding);
    let files = holding.shelf.files.values().flatten().map(|meta| meta.name.last);
    let late = holding.shelf.late.values().flatten().map(|late| late.meta.name.last);
    let most = files.chain(late).max().unwrap_or_default();
    most.max(holding.known.stamps.newest().position).max(book.greatest())
}
