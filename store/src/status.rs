//! Figures for operators and metrics.

use crate::{LogId, Position};
use schemas::{Reject, Time};

/// One row of the rejects table.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct RejectRow {
    /// The first of its kind; its `time` is when it was first seen.
    pub first: Reject,
    /// When it was last seen.
    pub last_seen: Time,
    /// How often.
    pub count: u64,
}

/// The store at a glance.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct Status {
    /// The log's id.
    pub log: LogId,
    /// Newest durable position.
    pub position: Position,
    /// Bytes of log on disk.
    pub log_bytes: u64,
    /// Segments on disk.
    pub log_segments: u64,
    /// Free bytes on the data disk.
    pub free_bytes: u64,
    /// What recovery cut from the log at start and kept aside, for a person; empty after a clean start.
    pub recovered: Vec<String>,
    /// Why intake is stopped now, if it is.
    pub stopped: Option<String>,
    /// Each dataset.
    pub datasets: Vec<DatasetStatus>,
}

/// One dataset at a glance.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct DatasetStatus {
    /// Its id.
    pub id: String,
    /// Sensors known.
    pub sensors: u64,
    /// Rows logged since the process started.
    pub rows: u64,
    /// Hot rows and their bytes.
    pub hot_rows: u64,
    /// Bytes of hot rows.
    pub hot_bytes: u64,
    /// Sealed files that wait to be written or committed.
    pub sealed_files: u64,
    /// Files in the raw table's newest version.
    pub files: u64,
    /// Their bytes.
    pub file_bytes: u64,
    /// Their rows.
    pub file_rows: u64,
    /// Late files that wait to be folded.
    pub late_files: u64,
    /// Rows in them.
    pub late_rows: u64,
    /// Position the raw table has reached.
    pub flushed: Position,
    /// Newest version of the raw table.
    pub version: u64,
    /// The last maintenance error, if the last turn failed.
    pub trouble: Option<String>,
}
