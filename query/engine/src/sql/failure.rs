//! Failures of questions in SQL, and what the rest of the engine calls them.

use super::message::{Failure, Fault};
use crate::{Error, Kind};

/// What helps a question that is too large for its memory or time.
pub(super) const SMALLER: [&str; 3] =
    ["a shorter span of time", "fewer sensors or columns", "an aggregate over fewer groups"];

impl Failure {
    /// A failure with what would be right.
    pub(super) fn new(fault: Fault, message: impl Into<String>, accepted: &[&str]) -> Failure {
        Failure { fault, message: message.into(), accepted: accepted.iter().map(|&text| text.to_owned()).collect() }
    }

    /// A failure that is not the asker's. What it was stands in the log.
    pub(super) fn internal() -> Failure {
        Failure::new(Fault::Internal, "the question could not be answered; the reason is in the server's log", &[])
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Error {
        let kind = match failure.fault {
            Fault::TooMuch => Kind::TooMuch,
            Fault::Internal => Kind::Internal,
            fault => Kind::Sql(fault),
        };
        Error { kind, parameter: Some("q"), message: failure.message, accepted: failure.accepted }
    }
}
