//! What an operator may tune of the engine. Every growing thing has its bound here.

/// Settings of the engine.
#[derive(Clone, Debug)]
pub struct Config {
    /// Threads that answer questions.
    pub threads: usize,
    /// Questions that may wait for a thread; past it the answer is [`crate::Kind::Busy`].
    pub max_waiting: usize,
    /// Bytes of rendered answers kept; with 0 none are.
    pub cache_bytes: u64,
    /// Rows of one answer of aggregates.
    pub max_rows: usize,
    /// Values of one answer of aggregates: rows times columns.
    pub max_cells: usize,
    /// Buckets of one question.
    pub max_buckets: usize,
    /// Stored rows one question may read.
    pub max_cost_rows: u64,
    /// Readings of one page when the question names no limit.
    pub default_readings: usize,
    /// Readings of one page at most.
    pub max_readings: usize,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            threads: 2,
            max_waiting: 256,
            cache_bytes: 64 << 20,
            max_rows: 500_000,
            max_cells: 8_000_000,
            max_buckets: 50_000,
            max_cost_rows: 50_000_000,
            default_readings: 1_000,
            max_readings: 10_000,
        }
    }
}
