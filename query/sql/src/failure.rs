//! What went wrong, in the words of whoever asked: DataFusion's errors without its own names.

use crate::guard::{self, Places};
use datafusion::arrow::error::ArrowError;
use datafusion::common::{DataFusionError, SchemaError};
use engine::sql::{Failure, Fault};

/// Names inside that stand for types of PostgreSQL; the longer first where one begins another.
const TYPES: [(&str, &str); 24] = [
    ("Utf8View", "text"),
    ("LargeUtf8", "text"),
    ("Utf8", "text"),
    ("UInt64", "bigint"),
    ("UInt32", "bigint"),
    ("UInt16", "integer"),
    ("UInt8", "smallint"),
    ("Int64", "bigint"),
    ("Int32", "integer"),
    ("Int16", "smallint"),
    ("Int8", "smallint"),
    ("Float64", "double precision"),
    ("Float32", "real"),
    ("Float16", "real"),
    ("Decimal128", "numeric"),
    ("Decimal256", "numeric"),
    ("Boolean", "boolean"),
    ("Date32", "date"),
    ("Timestamp(µs, \"UTC\")", "timestamptz"),
    ("Timestamp(ns, \"UTC\")", "timestamptz"),
    ("Timestamp(µs)", "timestamp"),
    ("Timestamp(ns)", "timestamp"),
    ("Interval(MonthDayNano)", "interval"),
    ("Interval(DayTime)", "interval"),
];
/// What is said inside of mistakes that have a better name: part of it, and what to say.
const KNOWN: [(&str, Fault, &str, &str); 6] = [
    ("divide by zero", Fault::Division, "a division by zero", "a divisor such as nullif(x, 0)"),
    ("division by zero", Fault::Division, "a division by zero", "a divisor such as nullif(x, 0)"),
    ("regex parse error", Fault::Value, "a regular expression that is none", "one like '^floor-[0-9]+$'"),
    (
        "expression did not compile",
        Fault::Value,
        "a regular expression that is none, or too large",
        "one like '^floor-[0-9]+$'",
    ),
    ("logical expression exists", Fault::Refused, "EXISTS is answered in WHERE only", "EXISTS in WHERE, or a join"),
    (
        "logical expression insubquery",
        Fault::Refused,
        "IN (SELECT …) is answered in WHERE only",
        "IN (SELECT …) in WHERE, or a join",
    ),
];
/// Bytes of a message from inside.
const LONGEST: usize = 400;

/// A failure.
pub(crate) fn failed<'a>(
    fault: Fault,
    message: impl Into<String>,
    accepted: impl IntoIterator<Item = &'a str>,
) -> Failure {
    Failure { fault, message: message.into(), accepted: accepted.into_iter().map(str::to_owned).collect() }
}

/// The failure of a question that made the program fail.
pub(crate) fn broken() -> Failure {
    failed(
        Fault::Internal,
        "the question met a fault of the program; its log tells which",
        ["the question put another way"],
    )
}

/// An answer larger than it may be.
pub(crate) fn too_large(most: u64, what: &str) -> Failure {
    let message = format!("the answer has more than {most} {what}");
    failed(Fault::TooMuch, message, ["LIMIT, an aggregate with GROUP BY, or a shorter span of \"time\""])
}

/// A failure on its way through DataFusion.
#[derive(Debug)]
struct Carried(Failure);

impl std::fmt::Display for Carried {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Carried {}

/// A failure as an error that comes out of a plan as it went in.
pub(crate) fn carried(failure: Failure) -> DataFusionError {
    DataFusionError::External(Box::new(Carried(failure)))
}

/// What DataFusion says, as the failure of a question whose names stand at `places`.
pub(crate) fn of(error: DataFusionError, places: &Places) -> Failure {
    match error {
        DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => of(*inner, places),
        DataFusionError::Collection(mut errors) if !errors.is_empty() => of(errors.remove(0), places),
        DataFusionError::Shared(inner) => match std::sync::Arc::try_unwrap(inner) {
            Ok(inner) => of(inner, places),
            Err(shared) => of_text(Fault::Mismatch, &shared.to_string()),
        },
        DataFusionError::External(inner) => match inner.downcast::<Carried>() {
            Ok(carried) => carried.0,
            Err(other) => of_text(Fault::Internal, &other.to_string()),
        },
        DataFusionError::SchemaError(schema, _) => of_schema(*schema, places),
        DataFusionError::ArrowError(arrow, _) => of_arrow(*arrow, places),
        DataFusionError::ResourcesExhausted(_) => failed(
            Fault::Memory,
            "the question needs more memory than it may have",
            ["a shorter span of \"time\", fewer groups or columns, ORDER BY with a LIMIT"],
        ),
        DataFusionError::Plan(told) | DataFusionError::NotImplemented(told) => of_text(Fault::Mismatch, &told),
        DataFusionError::Execution(told) => of_text(Fault::Value, &told),
        other => of_text(Fault::Internal, &other.strip_backtrace()),
    }
}

fn of_schema(error: SchemaError, places: &Places) -> Failure {
    match error {
        SchemaError::FieldNotFound { field, valid_fields } => {
            guard::no_column(&field.name, places, valid_fields.iter().map(|known| known.name.as_str()))
        }
        SchemaError::AmbiguousReference { field } => failed(
            Fault::Mismatch,
            format!("the column \"{}\"{} is in more than one table", field.name, places.of(&field.name)),
            [format!("the table before it, as in table.{}", field.name).as_str()],
        ),
        SchemaError::DuplicateQualifiedField { name, .. } | SchemaError::DuplicateUnqualifiedField { name } => failed(
            Fault::Mismatch,
            format!("two columns are named \"{name}\""),
            ["another name for one of them, by AS"],
        ),
    }
}

fn of_arrow(error: ArrowError, places: &Places) -> Failure {
    match error {
        ArrowError::DivideByZero => of_text(Fault::Division, "division by zero"),
        ArrowError::ArithmeticOverflow(told)
        | ArrowError::CastError(told)
        | ArrowError::ParseError(told)
        | ArrowError::InvalidArgumentError(told)
        | ArrowError::ComputeError(told) => of_text(Fault::Value, &told),
        ArrowError::ExternalError(inner) => match inner.downcast::<DataFusionError>() {
            Ok(inner) => of(*inner, places),
            Err(other) => of_text(Fault::Internal, &other.to_string()),
        },
        ArrowError::MemoryError(_) => of(DataFusionError::ResourcesExhausted(String::new()), places),
        other => of_text(Fault::Internal, &other.to_string()),
    }
}

/// What is said in words only, of that sort if they are not known.
fn of_text(fault: Fault, told: &str) -> Failure {
    let lower = told.to_lowercase();
    if let Some((_, fault, message, accepted)) = KNOWN.iter().find(|(part, ..)| lower.contains(part)) {
        return failed(*fault, *message, [*accepted]);
    }
    let accepted = if fault == Fault::Internal { &["the question put another way"][..] } else { &[] };
    failed(fault, plain(told), accepted.iter().copied())
}

/// A message without names and layers of the program, on one line.
fn plain(told: &str) -> String {
    let mut text = told.to_owned();
    if let Some(at) = text.find("No function matches the given name and argument types") {
        text = text.split_off(at);
    }
    for cut in ["You might need to add", "Candidate functions", "This issue was likely caused by", "\n"] {
        text.truncate(text.find(cut).unwrap_or(text.len()));
    }
    for lead in [
        "Error during planning: ",
        "Execution error: ",
        "Internal error: ",
        "Invalid argument error: ",
        "Compute error: ",
        "Arrow error: ",
        "Optimizer rule ",
        "type_coercion",
        "caused by",
    ] {
        text = text.replace(lead, "");
    }
    for (inside, outside) in TYPES {
        text = text.replace(inside, outside);
    }
    let mut end = text.len().min(LONGEST);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].trim().trim_end_matches('.').to_owned()
}
