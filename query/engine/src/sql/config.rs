//! What an operator may tune of SQL. Every growing thing has its bound here.

use std::time::Duration;

/// Settings of the pool of SQL workers.
#[derive(Clone, Debug)]
pub struct Config {
    /// Worker processes; each answers one question at a time.
    pub workers: usize,
    /// Questions that may wait for a worker; past it the answer is [`crate::Kind::Busy`].
    pub waiting: usize,
    /// Seconds a question may take once it has a worker. It waits half as long again for one, so that whoever is next gets the
    /// place of a question that takes all its time; then it is told to come again.
    pub seconds: u64,
    /// How long a worker is kept unused.
    pub idle: Duration,
    /// Bytes a worker may have; past it the kernel gives it no more.
    pub memory: u64,
    /// Rows of one answer.
    pub rows: u64,
    /// Bytes of one answer.
    pub bytes: u64,
    /// Stored rows one question may read.
    pub scan_rows: u64,
}

impl Default for Config {
    fn default() -> Config {
        let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
        Config {
            workers: (cores / 2).max(1),
            waiting: 16,
            seconds: 10,
            idle: Duration::from_secs(300),
            memory: 512 << 20,
            rows: 100_000,
            bytes: 32 << 20,
            scan_rows: 200_000_000,
        }
    }
}
