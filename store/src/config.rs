//! What an operator may tune of the store. Every growing thing has its bound here.

use std::path::PathBuf;
use std::time::Duration;

/// Settings of the store.
#[derive(Clone, Debug)]
pub struct Config {
    /// Folder of the log; always local.
    pub log: PathBuf,
    /// Folder of tables, late files and saved state.
    pub data: PathBuf,
    /// Hot rows of all datasets together, in bytes, before the largest is sealed.
    pub hot_bytes: usize,
    /// Age of the oldest hot row before its dataset is sealed and flushed.
    pub flush_age: Duration,
    /// Bytes of a log segment before a new one is begun.
    pub segment_bytes: u64,
    /// Bytes of appends that may wait for the log; past it [`crate::Writer::append`] answers `Kind::Busy`.
    pub queue_bytes: usize,
    /// Log bytes kept for tails that lag.
    pub tail_bytes: u64,
    /// Bytes a minute the fold may read and write, over all datasets, and as many again compaction.
    pub fold_bytes: u64,
    /// How long files and log entries of a table's older versions stay after they were replaced. Longer than any question runs.
    pub vacuum_after: Duration,
    /// Free bytes of disk below which intake stops (`Kind::Full`).
    pub reserve_bytes: u64,
    /// Decoded columns of files kept in memory, in bytes.
    pub cache_bytes: u64,
    /// Rows of the rejects table; past it the oldest go.
    pub max_rejects: usize,
    /// Bytes of a payload kept with its reject.
    pub reject_bytes: usize,
    /// Recent messages without time remembered for recognising redeliveries.
    pub max_marks: usize,
}

impl Config {
    /// The defaults, for a log and a data folder.
    pub fn new(log: PathBuf, data: PathBuf) -> Config {
        Config {
            log,
            data,
            hot_bytes: 64 << 20,
            flush_age: Duration::from_secs(30),
            segment_bytes: 32 << 20,
            queue_bytes: 64 << 20,
            tail_bytes: 1 << 30,
            fold_bytes: 256 << 20,
            vacuum_after: Duration::from_secs(24 * 3600),
            reserve_bytes: 256 << 20,
            cache_bytes: 64 << 20,
            max_rejects: 10_000,
            reject_bytes: 2048,
            max_marks: 65_536,
        }
    }
}
