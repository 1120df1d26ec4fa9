//! Hot rows become sorted, durable files (rules 1 and 5).

use crate::book::Book;
use crate::file::{Effort, FileMeta, encode, encode_picked};
use crate::holding::Sealed;
use crate::intake::lock;
use crate::late::{self, Closed, Filed, Sorted, erased};
use crate::paths::{FileName, Layer};
use crate::run::cut::Cut;
use crate::run::merge;
use crate::run::segment::Segment;
use crate::state::stored;
use crate::store::Store;
use crate::tier::partial;
use crate::{Error, Kind, LogId, Position, Rollup, Run, SensorTable};
use bytes::Bytes;
use object_store::ObjectStoreExt;
use schemas::{Dataset, Day};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Takes a dataset's hot rows and writes the files of everything taken so far, oldest first. What fails stays readable in
/// memory and is written by the next call.
pub(crate) async fn seal(store: &Store, book: &Book) -> Result<(), Error> {
    let applied = store.intake.applied();
    book.change(|holding| holding.seal(applied));
    loop {
        let next = lock(&book.holding).sealed.iter().position(|s| s.files.is_none());
        match next {
            Some(i) => write(store, book, i).await?,
            None => return Ok(()),
        }
    }
}

/// Writes the files of the i-th part that waits. Only the flushing turn gets here, so the parts before stay as they are.
async fn write(store: &Store, book: &Book, i: usize) -> Result<(), Error> {
    let work = {
        let holding = lock(&book.holding);
        let sealed: &Sealed = &holding.sealed[i];
        Work {
            dataset: book.dataset.clone(),
            sensors: holding.known.sensors.clone(),
            rows: sealed.rows.clone(),
            position: sealed.position,
            log: holding.log,
            filed: holding.filed.clone(),
            closed: holding.closed,
            cuts: sealed.cuts.clone(),
            days: if sealed.cuts.is_empty() { BTreeSet::new() } else { holding.days_below(i) },
            gone: holding.shelf.gone.clone(),
        }
    };
    let Made { run, fresh, late } = blocking(move || work.make()).await?;
    let mut files = (Vec::new(), Vec::new());
    let mut partials = Vec::new();
    for (meta, bytes, partial) in fresh {
        put(store, &book.dataset, &meta, bytes).await?;
        store.points.pass("seal.file")?;
        partials.extend(partial.map(|partial| (meta.clone(), partial)));
        files.0.push(meta);
    }
    for (meta, bytes, cuts) in late {
        put(store, &book.dataset, &meta, bytes).await?;
        store.points.pass("seal.file")?;
        files.1.push((meta, cuts));
    }
    book.change(|holding| {
        holding.filed.raise(&run);
        files.1.iter().for_each(|(_, cuts)| holding.filed.raise_cuts(cuts));
        holding.changed();
        let most = usize::try_from(store.config.cache_bytes / 4).unwrap_or(usize::MAX);
        partials.into_iter().for_each(|(meta, partial)| holding.partials.add(&meta, partial, most));
        let sealed = &mut holding.sealed[i];
        sealed.rows = Some(Segment::sorted(run));
        sealed.files = Some(files);
    });
    Ok(())
}

/// A sealed part, and all that its files depend on.
struct Work {
    dataset: Arc<Dataset>,
    sensors: Arc<SensorTable>,
    rows: Option<Arc<Segment>>,
    position: Position,
    log: LogId,
    filed: Filed,
    closed: Closed,
    cuts: Vec<Cut>,
    /// Days with rows below it.
    days: BTreeSet<Day>,
    /// Days whose raw rows are gone.
    gone: Arc<BTreeSet<Day>>,
}

/// A sealed part, as one run and as files.
struct Made {
    run: Run,
    fresh: Vec<(FileMeta, Bytes, Option<Rollup>)>,
    late: Vec<(FileMeta, Bytes, Vec<Cut>)>,
}

impl Work {
    /// Merges, sorts and encodes.
    fn make(self) -> Result<Made, Error> {
        let Work { dataset, sensors, position, log, .. } = &self;
        let run = self.rows.as_ref().map_or_else(|| Ok(merge(&[], dataset.fields.len())), |rows| rows.run())?;
        let Sorted { fresh, mut late } = late::sort(&run, &self.filed, self.closed);
        let mut cuts = erased::sort(&self.cuts, &self.filed, self.closed, (&self.days, &self.gone));
        let name = |layer, day| FileName { layer, day, last: *position, log: *log };
        let fresh = fresh.into_iter().map(|(day, picked)| {
            let name = name(Layer::Raw { seq: 0 }, day);
            let (meta, bytes) = encode_picked(dataset, (&run, &picked), sensors, name)?;
            Ok((meta, bytes, partial::of(dataset, &run, &picked)))
        });
        let fresh = fresh.collect::<Result<_, Error>>()?;
        cuts.keys().for_each(|day| {
            late.entry(*day).or_insert_with(|| merge(&[], dataset.fields.len()));
        });
        let late = late.into_iter().map(|(day, run)| {
            let cuts = cuts.remove(&day).unwrap_or_default();
            let (meta, bytes) = erased::write(dataset, (&run, &cuts), sensors, name(Layer::Late, day))?;
            Ok((meta, bytes, cuts))
        });
        let late = late.collect::<Result<_, Error>>()?;
        Ok(Made { run, fresh, late })
    }
}

/// Writes a file, durably.
pub(crate) async fn put(store: &Store, dataset: &Dataset, meta: &FileMeta, bytes: Bytes) -> Result<(), Error> {
    let place = meta.name.place(&dataset.id);
    store.objects.put(&place, bytes.into()).await.map_err(|e| stored(&place, e))?;
    Ok(())
}

/// Encodes a run off the runtime's own threads.
pub(crate) async fn encoded(
    dataset: &Arc<Dataset>,
    run: Run,
    sensors: Arc<SensorTable>,
    name: FileName,
) -> Result<(FileMeta, Bytes), Error> {
    let dataset = dataset.clone();
    blocking(move || encode(&dataset, &run, &sensors, name, Effort::Small)).await
}

/// Does CPU work on a blocking thread; a panic there is an error here.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(answer) => answer,
        Err(e) => {
            Err(Error { kind: Kind::Io, message: format!("the store's work failed: {e}"), source: Some(Box::new(e)) })
        }
    }
}
