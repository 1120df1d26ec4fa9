//! The columns of a file: sensor, time, then one per field of the dataset, or several in a tier's.
//!
//! Numbers are DECIMAL over INT32 (9 digits) or INT64 (18 digits), states are words; no ARROW:schema, so that every reader
//! sees the same types (`facts/delta-datafusion.md`). The footer tells which rows are whose (`index.rs`), and pages end where
//! a sensor does, so that a few sensors are read alone.

use crate::tier::columns::Part;
use crate::tier::{Tier, columns};
use parquet::basic::{ConvertedType, LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::errors::Result;
use parquet::schema::types::{Type, TypePtr};
use schemas::{Dataset, Field, Kind};
use std::sync::Arc;

/// Column of sensor ids.
pub(crate) const SENSOR: &str = "sensor";
/// Column of instants.
pub(crate) const TIME: &str = "time";
/// Greatest absolute value of 9 decimal digits.
pub(crate) const NINE_DIGITS: i64 = 999_999_999;
/// Greatest absolute value of 18 decimal digits.
pub(crate) const EIGHTEEN_DIGITS: i64 = 999_999_999_999_999_999;

/// How the values of a field are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Words.
    Words,
    /// DECIMAL(9, scale) over INT32.
    Nine(u8),
    /// DECIMAL(18, scale) over INT64.
    Eighteen(u8),
    /// DECIMAL(38, scale) over 16 bytes.
    Wide(u8),
    /// A whole number over INT32.
    Count,
    /// A whole number over INT64.
    Long,
    /// An instant in microseconds, UTC, over INT64.
    Instant,
    /// Bytes.
    Bytes,
}

/// A column of a file after sensor and time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spec {
    /// Its name.
    pub(crate) name: Arc<str>,
    /// How its values are kept.
    pub(crate) shape: Shape,
    /// Index of its field in the dataset; of words it says which.
    pub(crate) field: usize,
}

/// The columns of a file after sensor and time, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    /// Each of them.
    pub(crate) columns: Vec<Spec>,
}

impl Layout {
    /// The columns of a table of a dataset.
    pub(crate) fn of(dataset: &Dataset, tier: Option<Tier>) -> Layout {
        let raw = || {
            dataset.fields.iter().zip(0..).map(|(f, field)| Spec { name: f.name.clone(), shape: Shape::of(f), field })
        };
        let Some(tier) = tier else { return Layout { columns: raw().collect() } };
        let spec = |column: columns::Column| {
            let shape = Shape::of_part(&dataset.fields[column.field], column.part);
            Spec { name: column.name, shape, field: column.field }
        };
        Layout { columns: columns::columns(dataset, tier).into_iter().map(spec).collect() }
    }
}

impl Shape {
    /// The shape that holds all values in the field's range.
    pub(crate) fn of(field: &Field) -> Shape {
        let (low, high) = field.range;
        let scale = field.resolution.scale();
        match field.kind {
            Kind::State { .. } => Shape::Words,
            _ if low >= -NINE_DIGITS && high <= NINE_DIGITS => Shape::Nine(scale),
            _ => Shape::Eighteen(scale),
        }
    }

    /// The shape of a tier's column of a field. Sums have room for 10⁹ readings in a window.
    fn of_part(field: &Field, part: Part) -> Shape {
        let scale = field.resolution.scale();
        match (part, Shape::of(field)) {
            (Part::N, _) => Shape::Count,
            (Part::FirstAt | Part::LastAt, _) => Shape::Instant,
            (Part::Micros(_), _) => Shape::Long,
            (Part::Energy | Part::Sin | Part::Cos, _) => Shape::Wide(0),
            (Part::Sketch, _) => Shape::Bytes,
            (Part::Sum | Part::Increase, Shape::Nine(_)) => Shape::Eighteen(scale),
            (Part::Sum | Part::Increase, _) => Shape::Wide(scale),
            (Part::Min | Part::Max | Part::First | Part::Last, shape) => shape,
        }
    }

    /// Digits after the point of a decimal.
    pub(super) fn scale(self) -> Option<i8> {
        match self {
            Shape::Nine(scale) | Shape::Eighteen(scale) | Shape::Wide(scale) => Some(scale as i8),
            _ => None,
        }
    }

    /// Whether values take 32 bits.
    pub(super) fn is_short(self) -> bool {
        matches!(self, Shape::Nine(_) | Shape::Count)
    }

    /// Its type in a Delta schema.
    pub(crate) fn delta(self) -> String {
        match self {
            Shape::Words => "string".to_owned(),
            Shape::Nine(scale) => format!("decimal(9,{scale})"),
            Shape::Eighteen(scale) => format!("decimal(18,{scale})"),
            Shape::Wide(scale) => format!("decimal(38,{scale})"),
            Shape::Count => "integer".to_owned(),
            Shape::Long => "long".to_owned(),
            Shape::Instant => "timestamp".to_owned(),
            Shape::Bytes => "binary".to_owned(),
        }
    }

    /// The Parquet column of that shape.
    pub(crate) fn column(self, name: &str) -> Result<Type> {
        let decimal = |physical, precision, scale: u8| {
            let scale = i32::from(scale);
            Type::primitive_type_builder(name, physical)
                .with_converted_type(ConvertedType::DECIMAL)
                .with_logical_type(Some(LogicalType::decimal(scale, precision)))
                .with_precision(precision)
                .with_scale(scale)
        };
        let column = match self {
            Shape::Words => text(name),
            Shape::Nine(scale) => decimal(Physical::INT32, 9, scale),
            Shape::Eighteen(scale) => decimal(Physical::INT64, 18, scale),
            Shape::Wide(scale) => decimal(Physical::FIXED_LEN_BYTE_ARRAY, 38, scale).with_length(16),
            Shape::Count => Type::primitive_type_builder(name, Physical::INT32),
            Shape::Long => Type::primitive_type_builder(name, Physical::INT64),
            Shape::Instant => Type::primitive_type_builder(name, Physical::INT64)
                .with_logical_type(Some(LogicalType::timestamp(true, TimeUnit::MICROS))),
            Shape::Bytes => Type::primitive_type_builder(name, Physical::BYTE_ARRAY),
        };
        column.with_repetition(Repetition::OPTIONAL).build()
    }
}

/// The Parquet column of instants.
pub(crate) fn time() -> Result<Type> {
    Type::primitive_type_builder(TIME, Physical::INT64)
        .with_logical_type(Some(LogicalType::timestamp(true, TimeUnit::MICROS)))
        .with_repetition(Repetition::REQUIRED)
        .build()
}

/// The Parquet column of sensor ids.
pub(crate) fn sensor() -> Result<Type> {
    text(SENSOR).with_repetition(Repetition::REQUIRED).build()
}

fn text(name: &str) -> parquet::schema::types::PrimitiveTypeBuilder<'_> {
    Type::primitive_type_builder(name, Physical::BYTE_ARRAY)
        .with_converted_type(ConvertedType::UTF8)
        .with_logical_type(Some(LogicalType::String))
}

/// The schema of a file with these columns.
pub(crate) fn schema(columns: Vec<Type>) -> Result<TypePtr> {
    let columns = columns.into_iter().map(Arc::new).collect();
    Ok(Arc::new(Type::group_type_builder("run").with_fields(columns).build()?))
}
