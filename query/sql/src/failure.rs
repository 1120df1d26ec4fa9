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
            Err(shared) => failed(Fault::Mismatch, plain(&shared.to_string()), []),
        },
        DataFusionError::External(inner) => match inner.downcast::<Carried>() {
            Ok(carried) => carried.0,
            Err(other) => failed(Fault::Internal, plain(&other.to_string()), []),
        },
        DataFusionError::SchemaError(schema, _) => of_schema(*schema, places),
        DataFusionError::ArrowError(arrow, _) => of_arrow(*arrow, places),
        DataFusionError::ResourcesExhausted(_) => failed(
            Fault::Memory,
            "the question needs more memory than it may have",
            ["a shorter span of \"time\", fewer groups or columns, ORDER BY with a LIMIT"],
        ),
        DataFusionError::Plan(told) | DataFusionError::NotImplemented(told) => {
            failed(Fault::Mismatch, plain(&told), [])
        }
        DataFusionError::Execution(told) => of_text(&told),
        other => failed(Fault::Internal, plain(&other.strip_backtrace()), ["the question put another way"]),
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
        ArrowError::DivideByZero => failed(Fault::Division, "a division by zero", ["a divisor such as nullif(x, 0)"]),
        ArrowError::ArithmeticOverflow(told)
        | ArrowError::CastError(told)
        | ArrowError::ParseError(told)
        | ArrowError::InvalidArgumentError(told)
        | ArrowError::ComputeError(told) => failed(Fault::Value, plain(&told), []),
        ArrowError::ExternalError(inner) => match inner.downcast::<DataFusionError>() {
            Ok(inner) => of(*inner, places),
            Err(other) => failed(Fault::Internal, plain(&other.to_string()), []),
        },
        ArrowError::MemoryError(_) => of(DataFusionError::ResourcesExhausted(String::new()), places),
        other => failed(Fault::Internal, plain(&other.to_string()), []),
    }
}

/// What running says in words only.
fn of_text(told: &str) -> Failure {
    if told.to_lowercase().contains("divide by zero") || told.to_lowercase().contains("division by zero") {
        return failed(Fault::Division, "a division by zero", ["a divisor such as nullif(x, 0)"]);
    }
    failed(Fault::Value, plain(told), [])
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
