//! The one error type of ingest.

/// What sort of failure it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Too much waits; try again shortly.
    Busy,
    /// The intake has ended; nothing more is taken.
    Closed,
    /// A setting cannot be used: an address, a certificate, a source that does not exist.
    Setting,
    /// The store refused for good.
    Store,
}

/// A failure of ingest.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// Its sort.
    pub kind: Kind,
    /// What happened and what would be right.
    pub message: String,
}

impl Error {
    /// An error of a sort.
    pub fn new(kind: Kind, message: impl Into<String>) -> Error {
        Error { kind, message: message.into() }
    }

    /// The intake has ended.
    pub(crate) fn closed() -> Error {
        Error::new(Kind::Closed, "the intake has ended; nothing more is taken")
    }
}
