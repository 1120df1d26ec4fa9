//! What a door counts of those who come to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts of one door since the start. All clones count together.
#[derive(Clone, Debug, Default)]
pub struct Counts(Arc<Numbers>);

#[derive(Debug, Default)]
struct Numbers {
    open: AtomicU64,
    accepted: AtomicU64,
    handshakes: AtomicU64,
    refused: [AtomicU64; Refused::ALL.len()],
}

/// Why a connection was closed by the door and not by what was said on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Its address has as many as it may.
    Address,
    /// The door takes connections from trusted proxies only.
    Stranger,
    /// It kept the door waiting longest when a seat was needed.
    Idle,
}

impl Refused {
    /// All reasons.
    pub const ALL: [Refused; 3] = [Refused::Address, Refused::Stranger, Refused::Idle];

    /// Its word in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Refused::Address => "address",
            Refused::Stranger => "stranger",
            Refused::Idle => "idle",
        }
    }
}

/// The counts as they stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Connections open now.
    pub open: u64,
    /// Connections that got a seat.
    pub accepted: u64,
    /// TLS handshakes that failed or took too long.
    pub handshakes: u64,
    /// Connections closed by the door, in the order of [`Refused::ALL`].
    pub refused: [u64; Refused::ALL.len()],
}

impl Counts {
    /// The counts now.
    pub fn now(&self) -> Counted {
        let read = |number: &AtomicU64| number.load(Ordering::Relaxed);
        Counted {
            open: read(&self.0.open),
            accepted: read(&self.0.accepted),
            handshakes: read(&self.0.handshakes),
            refused: self.0.refused.each_ref().map(read),
        }
    }

    pub(crate) fn opened(&self) {
        self.0.accepted.fetch_add(1, Ordering::Relaxed);
        self.0.open.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn closed(&self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }

    pub(crate) fn refused(&self, why: Refused) {
        self.0.refused[why as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn handshake_failed(&self) {
        self.0.handshakes.fetch_add(1, Ordering::Relaxed);
    }
}
