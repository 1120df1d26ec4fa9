//! The audit log: acts that took something away, in a file that only grows. Each line is one act as JSON.

use crate::state::{stored, unreadable};
use crate::{Erasure, Error, LogId, Position};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use serde::{Deserialize, Serialize};

/// An act, for people and programs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Act {
    /// When it was asked for (RFC 3339).
    pub time: String,
    /// By whom.
    pub who: String,
    /// The dataset.
    pub dataset: String,
    /// The sensor.
    pub sensor: String,
    /// First instant erased.
    pub from: String,
    /// First instant after.
    pub to: String,
    /// The fields erased; none stands for whole readings.
    pub fields: Vec<String>,
    /// Readings it was said to concern.
    pub rows: u64,
    /// The log its record was in.
    pub log: LogId,
    /// Its record's position there.
    pub position: Position,
}

impl Act {
    /// The act of a record.
    pub(crate) fn new(erasure: &Erasure, log: LogId, position: Position) -> Act {
        Act {
            time: erasure.at.to_string(),
            who: erasure.who.to_string(),
            dataset: erasure.dataset.to_string(),
            sensor: erasure.sensor.to_string(),
            from: erasure.span.from.to_string(),
            to: erasure.span.to.to_string(),
            fields: erasure.fields.iter().map(|field| field.to_string()).collect(),
            rows: erasure.rows,
            log,
            position,
        }
    }

    /// Whether both tell of one record.
    fn is(&self, other: &Act) -> bool {
        (self.log, self.position) == (other.log, other.position)
    }
}

/// Beside the datasets: none has such a name.
fn place() -> Path {
    Path::from("_store/audit.jsonl")
}

/// All acts, oldest first.
pub(crate) async fn read(objects: &dyn ObjectStore) -> Result<Vec<Act>, Error> {
    let place = place();
    let answer = match objects.get(&place).await {
        Err(object_store::Error::NotFound { .. }) => return Ok(Vec::new()),
        answer => answer.map_err(|e| stored(&place, e))?,
    };
    let bytes = answer.bytes().await.map_err(|e| stored(&place, e))?;
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_slice(line).map_err(|e| unreadable(&place, &e.to_string()))).collect()
}

/// Acts that are known, and those of others that are not.
pub(crate) fn with(mut known: Vec<Act>, others: &[Act]) -> Vec<Act> {
    for act in others {
        if !known.iter().any(|known| known.is(act)) {
            known.push(act.clone());
        }
    }
    known
}

/// Adds acts, durably and all or nothing; those that are there are not added again.
pub(crate) async fn add(objects: &dyn ObjectStore, acts: &[Act]) -> Result<(), Error> {
    if acts.is_empty() {
        return Ok(());
    }
    let known = read(objects).await?;
    let before = known.len();
    let all = with(known, acts);
    if all.len() == before {
        return Ok(());
    }
    let place = place();
    let lines = all.iter().map(serde_json::to_string).collect::<Result<Vec<_>, _>>();
    let text = lines.map_err(|e| unreadable(&place, &e.to_string()))?.join("\n") + "\n";
    objects.put(&place, text.into_bytes().into()).await.map_err(|e| stored(&place, e))?;
    Ok(())
}
