//! Figures for operators and metrics.

use crate::durations::Counted;
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
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Status {
    /// The log's id.
    pub log: LogId,
    /// Newest durable position.
    pub position: Position,
    /// Bytes of log on disk.
    pub log_bytes: u64,
    /// Segments on disk.
    pub log_segments: u64,
    /// Bytes of appends that are not durable yet.
    pub log_waiting_bytes: u64,
    /// Fsyncs of the log.
    pub log_syncs: Counted,
    /// Free bytes on the data disk.
    pub free_bytes: u64,
    /// Free bytes on the log's disk, if that is another one.
    pub log_free_bytes: Option<u64>,
    /// Free bytes below which intake stops.
    pub reserve_bytes: u64,
    /// What recovery cut from the log at start and kept aside, for a person; empty after a clean start.
    pub recovered: Vec<String>,
    /// Why intake is stopped now, if it is.
    pub stopped: Option<String>,
    /// Tasks of maintenance.
    pub tasks: Vec<TaskStatus>,
    /// Each dataset.
    pub datasets: Vec<DatasetStatus>,
}

impl Status {
    /// Bytes that can still be written before intake stops.
    pub fn room(&self) -> u64 {
        self.free_bytes.min(self.log_free_bytes.unwrap_or(u64::MAX)).saturating_sub(self.reserve_bytes)
    }
}

/// A task of maintenance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Hot rows become files of the table.
    Flush,
    /// Late rows are merged into the files they touch.
    Fold,
    /// Windows whose time is over are committed to their tiers.
    Close,
    /// Tier rows that late rows touch are computed anew.
    Refresh,
    /// The table's log is summed up.
    Checkpoint,
    /// Small files become large ones.
    Compact,
    /// What older versions had goes.
    Vacuum,
    /// What has been kept for long enough is dropped.
    Retain,
}

impl Task {
    /// Its word in status and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Task::Flush => "flush",
            Task::Fold => "fold",
            Task::Close => "close",
            Task::Refresh => "refresh",
            Task::Checkpoint => "checkpoint",
            Task::Compact => "compact",
            Task::Vacuum => "vacuum",
            Task::Retain => "retain",
        }
    }
}

/// One task of maintenance over all datasets, since the process started.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct TaskStatus {
    /// The task.
    pub task: Task,
    /// How long its turns took.
    pub took: Counted,
    /// How many of them failed.
    pub failed: u64,
}

/// One turn of a task.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Turn {
    /// The task.
    pub task: Task,
    /// Seconds since it began, or, when it is over, since it ended.
    pub seconds: f64,
}

/// A tier of a dataset at a glance.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct TierStatus {
    /// Its word: `15m`.
    pub tier: String,
    /// Files in its table's newest version.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Their rows.
    pub rows: u64,
    /// Windows that begin before it are committed, in microseconds since 1970; nothing while none are.
    pub closed: Option<Time>,
    /// Windows that begin before it were dropped.
    pub floor: Option<Time>,
}

/// One dataset at a glance.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct DatasetStatus {
    /// Its id.
    pub id: String,
    /// Sensors known.
    pub sensors: u64,
    /// Time of the newest reading, in microseconds since 1970.
    pub newest: Option<Time>,
    /// Rows logged since the process started.
    pub rows: u64,
    /// Hot rows.
    pub hot_rows: u64,
    /// Their bytes.
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
    /// Days that wait to be folded.
    pub late_days: u64,
    /// Days whose tier rows wait to be computed anew.
    pub stale_days: u64,
    /// Days marked to go whose raw rows are still there.
    pub going_days: u64,
    /// Days whose raw rows were dropped.
    pub gone_days: u64,
    /// Files of older versions that wait to be removed, of all its tables.
    pub replaced_files: u64,
    /// Its tiers, the finest first.
    pub tiers: Vec<TierStatus>,
    /// Position the raw table has reached.
    pub flushed: Position,
    /// Newest version of the raw table.
    pub version: u64,
    /// What maintenance does with it now.
    pub working: Vec<Turn>,
    /// What maintenance did with it last, and how long ago.
    pub done: Vec<Turn>,
    /// The last maintenance error, if the last turn failed.
    pub trouble: Option<String>,
}
