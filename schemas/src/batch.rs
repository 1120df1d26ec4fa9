//! Normalized readings of one dataset, in columns, in the order they arrived.

use crate::{Dataset, Note, Time};
use std::sync::Arc;

/// Stands for "no value" in a value column. No field's range reaches it.
pub const ABSENT: i64 = i64::MIN;

/// A batch: what ingest hands to the store and what one record of the log carries.
///
/// All columns have the same length. A row's key is (dataset, sensor, time); the same key may occur in several rows,
/// where the later row wins field by field.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The dataset, whose field order the columns follow.
    pub dataset: Arc<Dataset>,
    /// The distinct sensors of the batch.
    pub sensors: Vec<Arc<str>>,
    /// Row: index into `sensors`.
    pub sensor: Vec<u32>,
    /// Row: instant of the reading in UTC microseconds.
    pub time: Vec<i64>,
    /// One column per field of the dataset: integers of the field's resolution, or [`ABSENT`].
    pub columns: Vec<Vec<i64>>,
    /// What payloads said of their sensors.
    pub notes: Vec<Note>,
    /// Recent messages of sources without time (`time = arrival`), for recognising redeliveries.
    pub marks: Vec<Mark>,
}

impl Batch {
    /// An empty batch of `dataset`.
    pub fn new(dataset: Arc<Dataset>) -> Batch {
        let columns = vec![Vec::new(); dataset.fields.len()];
        Batch {
            dataset,
            sensors: Vec::new(),
            sensor: Vec::new(),
            time: Vec::new(),
            columns,
            notes: Vec::new(),
            marks: Vec::new(),
        }
    }

    /// Rows.
    pub fn len(&self) -> usize {
        self.time.len()
    }

    /// Whether it has neither rows nor notes.
    pub fn is_empty(&self) -> bool {
        self.time.is_empty() && self.notes.is_empty()
    }
}

/// A message without time of its own, and the time its arrival was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Mark {
    /// Hash of topic and payload.
    pub hash: u64,
    /// The time its readings got.
    pub time: Time,
}
