//! Hot rows become sorted, durable files (rules 1 and 5).

use crate::book::Book;
use crate::file::{FileMeta, encode};
use crate::holding::Sealed;
use crate::intake::lock;
use crate::late::{self, Sorted};
use crate::paths::{FileName, Layer};
use crate::run::merge;
use crate::state::stored;
use crate::store::Store;
use crate::{Error, Kind, Run, SensorTable};
use bytes::Bytes;
use object_store::ObjectStoreExt;
use schemas::Dataset;
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
    let (runs, position, log, filed, closed, sensors) = {
        let holding = lock(&book.holding);
        let sealed: &Sealed = &holding.sealed[i];
        let (filed, sensors) = (holding.filed.clone(), holding.known.sensors.clone());
        (sealed.runs.clone(), sealed.position, holding.log, filed, holding.closed, sensors)
    };
    let dataset = book.dataset.clone();
    let (run, fresh, late) = blocking(move || {
        let run = merge(&runs, dataset.fields.len());
        let Sorted { fresh, late } = late::sort(&run, &filed, closed);
        let name = |layer| move |day| FileName { layer, day, last: position, log };
        let make = |layer, days: std::collections::BTreeMap<_, Run>| {
            let days = days.into_iter().map(|(day, run)| encode(&dataset, &run, &sensors, name(layer)(day)));
            days.collect::<Result<Vec<_>, Error>>()
        };
        Ok((run, make(Layer::Raw { seq: 0 }, fresh)?, make(Layer::Late, late)?))
    })
    .await?;
    let mut files = (Vec::new(), Vec::new());
    for (made, to) in [(fresh, &mut files.0), (late, &mut files.1)] {
        for (meta, bytes) in made {
            put(store, &book.dataset, &meta, bytes).await?;
            store.points.pass("seal.file")?;
            to.push(meta);
        }
    }
    book.change(|holding| {
        holding.filed.raise(&run);
        holding.changed();
        let sealed = &mut holding.sealed[i];
        sealed.runs = vec![run];
        sealed.files = Some(files);
    });
    Ok(())
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
    blocking(move || encode(&dataset, &run, &sensors, name)).await
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
