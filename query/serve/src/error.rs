//! The engine's errors as problems.

use access::{Fault, Kind, Problem};

/// What a caller is told of an engine's error. A failure of the server's own is logged and not described.
pub(crate) fn problem(error: engine::Error) -> Problem {
    let kind = match error.kind {
        engine::Kind::Invalid => Kind::Invalid,
        engine::Kind::NotFound => Kind::NotFound,
        engine::Kind::TooMuch => Kind::TooMuch,
        engine::Kind::Busy => Kind::Busy,
        engine::Kind::Sql(fault) => sql(fault),
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

/// The kind of a question in SQL that cannot be answered.
fn sql(fault: engine::sql::Fault) -> Kind {
    use engine::sql::Fault;
    match fault {
        Fault::Syntax => Kind::Syntax,
        Fault::NoTable => Kind::Table,
        Fault::NoColumn => Kind::Column,
        Fault::NoFunction => Kind::Function,
        Fault::Refused => Kind::Statement,
        Fault::Mismatch => Kind::Types,
        Fault::TooMuch => Kind::TooMuch,
        Fault::Memory => Kind::Memory,
        Fault::Timeout => Kind::Timeout,
        Fault::Division => Kind::Division,
        Fault::Value => Kind::Value,
        Fault::Internal => Kind::Internal,
    }
}

/// A parameter the engine refused.
pub(crate) fn fault(error: engine::Error) -> Fault {
    Fault { parameter: error.parameter.unwrap_or_default().to_owned(), detail: error.message, accepted: error.accepted }
}
