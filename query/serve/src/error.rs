//! The engine's errors as problems.

use access::{Fault, Kind, Problem};

/// What a caller is told of an engine's error. A failure of the server's own is logged and not described.
pub(crate) fn problem(error: engine::Error) -> Problem {
    let kind = match error.kind {
        engine::Kind::Invalid => Kind::Invalid,
        engine::Kind::NotFound => Kind::NotFound,
        engine::Kind::TooMuch => Kind::TooMuch,
        engine::Kind::Busy => Kind::Busy,
        engine::Kind::Internal => Kind::Internal,
    };
    if kind == Kind::Internal {
        tracing::error!(error = %error.message, "a question failed");
        return Problem::new(kind, "the question could not be answered; the reason is in the server's log");
    }
    match error.parameter {
        None => Problem::new(kind, error.message),
        Some(_) => Problem::faults(vec![fault(error)]).with_kind(kind),
    }
}

/// A parameter the engine refused.
pub(crate) fn fault(error: engine::Error) -> Fault {
    Fault { parameter: error.parameter.unwrap_or_default().to_owned(), detail: error.message, accepted: error.accepted }
}
