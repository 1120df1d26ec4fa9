//! The store's one error type.

use std::path::PathBuf;

/// What sort of failure it was; doors decide by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Too much waits; try again shortly.
    Busy,
    /// The disk is (nearly) full; intake has stopped.
    Full,
    /// Another process holds the folder.
    Locked,
    /// A folder cannot be read or written.
    Unusable,
    /// Stored bytes are not what was written; the place is named.
    Corrupt,
    /// A contract would reinterpret stored data.
    Mismatch,
    /// No such dataset.
    Unknown,
    /// The store has been closed.
    Closed,
    /// Anything else of the machine: I/O, object store.
    Io,
}

/// A failure of the store.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// Its sort.
    pub kind: Kind,
    /// What happened, where, and what to do.
    pub message: String,
    /// What lay below, for the log.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error without a cause below.
    pub fn new(kind: Kind, message: impl Into<String>) -> Error {
        Error { kind, message: message.into(), source: None }
    }

    /// An I/O error at a path.
    pub fn io(path: impl Into<PathBuf>, source: std::io::Error) -> Error {
        let path = path.into();
        let message = format!("{}: {source}", path.display());
        Error { kind: kind(&source), message, source: Some(Box::new(source)) }
    }

    /// An error of the object store of the data folder.
    pub(crate) fn store(place: &object_store::path::Path, source: object_store::Error) -> Error {
        Error { kind: below(&source), message: format!("{place}: {source}"), source: Some(Box::new(source)) }
    }
}

/// The sort of an error of the object store: that of the I/O error below it.
pub(crate) fn below(error: &object_store::Error) -> Kind {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(cause) = next {
        if let Some(Kind::Full) = cause.downcast_ref().map(kind) {
            return Kind::Full;
        }
        next = cause.source();
    }
    Kind::Io
}

/// The sort of an I/O error.
pub(crate) fn kind(e: &std::io::Error) -> Kind {
    match e.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Kind::Full,
        _ => Kind::Io,
    }
}
