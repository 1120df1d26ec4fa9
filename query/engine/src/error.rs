//! The engine's one error type.

use crate::sql::Fault;

/// What sort of failure it was; doors decide by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A parameter's value is not accepted.
    Invalid,
    /// No such dataset, sensor or field in the path.
    NotFound,
    /// It would cost too much; the message names a question that is accepted.
    TooMuch,
    /// Too many questions wait; try again shortly.
    Busy,
    /// A SQL text that cannot be answered, and why.
    Sql(Fault),
    /// The store or the machine failed.
    Internal,
}

/// A refused or failed question.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// Its sort.
    pub kind: Kind,
    /// The parameter concerned, as named in the API: `bucket`, `from`, `fields`.
    pub parameter: Option<&'static str>,
    /// What was wrong, for a person.
    pub message: String,
    /// What is accepted: values or a description; empty when there is nothing to choose from.
    pub accepted: Vec<String>,
}

impl Error {
    /// A parameter's value that is not accepted.
    pub fn invalid(parameter: &'static str, message: impl Into<String>, accepted: impl Into<Vec<String>>) -> Error {
        Error { kind: Kind::Invalid, parameter: Some(parameter), message: message.into(), accepted: accepted.into() }
    }

    /// Something named that does not exist.
    pub fn not_found(parameter: &'static str, message: impl Into<String>, accepted: impl Into<Vec<String>>) -> Error {
        Error { kind: Kind::NotFound, ..Error::invalid(parameter, message, accepted) }
    }

    /// A question that would cost too much.
    pub fn too_much(parameter: &'static str, message: impl Into<String>, accepted: impl Into<Vec<String>>) -> Error {
        Error { kind: Kind::TooMuch, ..Error::invalid(parameter, message, accepted) }
    }

    /// A failure that is not the asker's.
    pub fn internal(message: impl Into<String>) -> Error {
        Error { kind: Kind::Internal, parameter: None, message: message.into(), accepted: Vec::new() }
    }
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Error {
        match error.kind {
            store::Kind::Unknown => Error::not_found("dataset", error.message, Vec::new()),
            store::Kind::Busy => Error { kind: Kind::Busy, ..Error::internal(error.message) },
            _ => Error::internal(error.message),
        }
    }
}
