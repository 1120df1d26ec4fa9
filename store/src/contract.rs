//! The shape stored data was written with, held against the contract at hand.

use crate::state::{self, read, stored, write};
use crate::{Error, Kind, paths};
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use schemas::Dataset;
use schemas::contract::{check_shape, shape};

/// Refuses a contract that would reinterpret stored data. Where none is stored yet the contract may still change, unless the
/// log holds rows of the dataset: the refusal is given back for that case, and the empty table is removed.
pub(crate) async fn check(objects: &dyn ObjectStore, dataset: &Dataset) -> Result<Option<Error>, Error> {
    let kept = read::<String>(objects, &place(dataset)).await?;
    let faults = match kept.as_deref().map(|kept| check_shape(kept, dataset)) {
        Some(Err(faults)) => faults,
        _ => return keep(objects, dataset, kept).await.map(|()| None),
    };
    let refusal = Error::new(Kind::Mismatch, format!("dataset {}: {}", dataset.id, faults.join("; ")));
    let raw = list(objects, &paths::raw(&dataset.id)).await?;
    let late = list(objects, &paths::late(&dataset.id)).await?;
    let log = paths::commits(&dataset.id);
    let rows = raw.iter().filter(|place| !place.prefix_matches(&log)).chain(&late).next();
    if rows.is_some() || !state::load(objects, dataset).await?.known.sensors.ids.is_empty() {
        return Err(refusal);
    }
    for place in raw {
        objects.delete(&place).await.map_err(|e| stored(&place, e))?;
    }
    Ok(Some(refusal))
}

/// Keeps the contract's shape beside the data, if it is not what is kept already.
pub(crate) async fn keep(objects: &dyn ObjectStore, dataset: &Dataset, kept: Option<String>) -> Result<(), Error> {
    let new = shape(dataset);
    if kept.as_ref() == Some(&new) {
        return Ok(());
    }
    write(objects, &place(dataset), &new).await
}

fn place(dataset: &Dataset) -> Path {
    paths::state(&dataset.id, "contract.json")
}

async fn list(objects: &dyn ObjectStore, folder: &Path) -> Result<Vec<Path>, Error> {
    let found = objects.list(Some(folder)).map_ok(|object| object.location);
    found.try_collect().await.map_err(|e| stored(folder, e))
}
