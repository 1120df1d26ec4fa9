//! Bounds on what an HTTP door takes from a caller who is in.

use std::time::Duration;

/// Limits of an HTTP door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long a connection may stay open without the first byte of another request.
    pub idle: Duration,
    /// How long a request head may take from its first byte to its last.
    pub head: Duration,
    /// Bytes of a request head.
    pub head_bytes: usize,
    /// How long a body may be silent before it is whole.
    pub pause: Duration,
    /// How long a body may take as a whole.
    pub body: Duration,
    /// Bytes of a body, both as it is sent and as it is inflated.
    pub body_bytes: usize,
    /// How long a request may take from the end of its head until its response begins.
    pub request: Duration,
    /// How long a caller may take no byte of what is sent to it.
    pub stall: Duration,
    /// How long requests under way may go on once the server stops.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            idle: Duration::from_secs(60),
            head: Duration::from_secs(15),
            head_bytes: 16 << 10,
            pause: Duration::from_secs(10),
            body: Duration::from_secs(20),
            body_bytes: 1 << 20,
            request: Duration::from_secs(30),
            stall: Duration::from_secs(30),
            drain: Duration::from_secs(5),
        }
    }
}
