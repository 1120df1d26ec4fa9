//! What an operator may tune of the way in. Every queue and memory has its bound here.

use std::time::Duration;

/// Bounds of decoding and of the queue in front of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Bytes of a payload that is decoded; a larger one is rejected as `too_large`.
    pub max_message: usize,
    /// Bytes of a payload kept with its reject.
    pub reject_bytes: usize,
    /// Bytes of messages that doors may have waiting for durability, all together. Past it doors hold.
    pub queue_bytes: usize,
    /// Bytes of messages, and of the rejects they give rise to, that one append gathers at most.
    pub gather_bytes: usize,
    /// How long an append waits at most for as many submissions as were in the one before it.
    pub gather_wait: Duration,
    /// Topics whose sources are remembered.
    pub max_topics: usize,
    /// How long a store that takes nothing is waited for once all doors have closed.
    pub farewell: Duration,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            max_message: 256 << 10,
            reject_bytes: 2048,
            queue_bytes: 64 << 20,
            gather_bytes: 8 << 20,
            gather_wait: Duration::from_millis(1),
            max_topics: 65_536,
            farewell: Duration::from_secs(10),
        }
    }
}
