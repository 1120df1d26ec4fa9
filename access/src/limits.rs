//! Bounds on what one listener takes from its callers.

use std::time::Duration;

/// Limits of an HTTP listener.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at once; past it new ones wait in the kernel's queue.
    pub connections: usize,
    /// How long a connection may take to send a whole request head, idle time before it included.
    pub header: Duration,
    /// Bytes of a request head.
    pub header_bytes: usize,
    /// How long a request may take until its response begins.
    pub request: Duration,
    /// Bytes of a request body.
    pub body_bytes: usize,
    /// How long a caller may take no byte of what is sent to it.
    pub stall: Duration,
    /// How long requests under way may go on once the server stops.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            connections: 1024,
            header: Duration::from_secs(20),
            header_bytes: 16 << 10,
            request: Duration::from_secs(30),
            body_bytes: 1 << 20,
            stall: Duration::from_secs(30),
            drain: Duration::from_secs(5),
        }
    }
}
