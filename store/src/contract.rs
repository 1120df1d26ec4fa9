//! The shape stored data was written with, held against the contract at hand.

use crate::state::{self, read, stored, write};
use crate::{Error, Kind, Tier, paths};
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use schemas::Dataset;
use schemas::contract::{check_shape, shape};

/// Refuses a contract that would reinterpret stored data. Where none is stored yet the contract may still change, unless the
/// log holds rows of the dataset: the refusal is given back for that case, and the empty tables are removed.
pub(crate) async fn check(objects: &dyn ObjectStore, dataset: &Dataset) -> Result<Option<Error>, Error> {
    let kept = read::<String>(objects, &place(dataset)).await?;
    let faults = match kept.as_deref().map(|kept| check_shape(kept, dataset)) {
        Some(Err(faults)) => faults,
        _ => return keep(objects, dataset, kept).await.map(|()| None),
    };
    let refusal = Error::new(Kind::Mismatch, format!("dataset {}: {}", dataset.id, faults.join("; ")));
    let mut tables = Vec::new();
    let mut files = list(objects, &paths::late(&dataset.id)).await?;
    for tier in [None].into_iter().chain(Tier::ALL.map(Some)) {
        let log = paths::commits(&dataset.id, tier);
        for place in list(objects, &paths::table(&dataset.id, tier)).await? {
            let of = if place.prefix_matches(&log) { &mut tables } else { &mut files };
            of.push(place);
        }
    }
    let rows = files.first();
    if rows.is_some() || !state::load(objects, dataset).await?.known.sensors.ids.is_empty() {
        return Err(refusal);
    }
    for place in tables {
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
