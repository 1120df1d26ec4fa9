//! What waits between the doors and the log: how much, at most how much, and since when.

use schemas::Time;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use tokio::sync::Semaphore;

/// A look at the queue in front of the log. Cloneable; it keeps no intake open.
#[derive(Clone, Debug)]
pub struct Backlog {
    /// Room in bytes, as permits.
    pub(super) room: Arc<Semaphore>,
    /// Bytes there is room for.
    most: usize,
    /// When the oldest message of the append on its way arrived; `i64::MAX` while there is none.
    oldest: Arc<AtomicI64>,
}

impl Backlog {
    /// An empty one with room for so many bytes.
    pub(super) fn new(most: usize) -> Backlog {
        Backlog { room: Arc::new(Semaphore::new(most)), most, oldest: Arc::new(AtomicI64::new(i64::MAX)) }
    }

    /// Bytes of messages that wait for durability.
    pub fn bytes(&self) -> u64 {
        (self.most - self.room.available_permits()) as u64
    }

    /// Bytes there is room for; past it doors hold.
    pub fn most(&self) -> usize {
        self.most
    }

    /// When the oldest message that waits for durability arrived.
    pub fn oldest(&self) -> Option<Time> {
        Some(Time(self.oldest.load(Relaxed))).filter(|time| time.0 != i64::MAX)
    }

    /// An append with this oldest message is on its way; nothing: none is.
    pub(super) fn set_oldest(&self, oldest: Option<Time>) {
        self.oldest.store(oldest.map_or(i64::MAX, |time| time.0), Relaxed);
    }
}
