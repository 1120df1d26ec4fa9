//! The columns of a file: sensor, time, then one per field of the dataset.
//!
//! Numbers are DECIMAL over INT32 (9 digits) or INT64 (18 digits), states are words; no ARROW:schema, so that every reader
//! sees the same types (`facts/delta-datafusion.md`).

use parquet::basic::{ConvertedType, LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::errors::Result;
use parquet::schema::types::{Type, TypePtr};
use schemas::{Field, Kind};
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
