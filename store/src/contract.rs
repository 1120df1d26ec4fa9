//! The shape stored data was written with, held against the contract at hand.

use crate::state::{read, write};
use crate::{Error, Kind, paths};
use object_store::ObjectStore;
use schemas::Dataset;
use schemas::contract::{check_shape, shape};

/// Refuses a contract that would reinterpret stored data; else keeps its shape beside the data.
pub(crate) async fn check(objects: &dyn ObjectStore, dataset: &Dataset) -> Result<(), Error> {
    let place = paths::state(&dataset.id, "contract.json");
    let new = shape(dataset);
    if let Some(stored) = read::<String>(objects, &place).await? {
        if stored == new {
            return Ok(());
        }
        if let Err(faults) = check_shape(&stored, dataset) {
            let message = format!("dataset {}: {}", dataset.id, faults.join("; "));
            return Err(Error::new(Kind::Mismatch, message));
        }
    }
    write(objects, &place, &new).await
}
