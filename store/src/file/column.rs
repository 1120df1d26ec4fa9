//! One column of values on its way into a file.

use super::layout::{EIGHTEEN_DIGITS, NINE_DIGITS, Shape};
use crate::paths::FileName;
use crate::{Error, Kind};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, Int32Type, Int64Type};
use parquet::errors::Result;
use parquet::file::writer::SerializedColumnWriter;
use schemas::{ABSENT, Dataset, Field};
use std::ops::Range;

/// Definition level per row (1 for a value, 0 for none) and, before each row, how many values came.
#[derive(Debug)]
pub(super) struct Levels {
    levels: Vec<i16>,
}

impl Levels {
    /// Values among the rows.
    fn values(&self, rows: Range<usize>) -> usize {
        self.levels[rows].iter().filter(|level| **level == 1).count()
    }
}

/// The values that are there, and which rows have them; every row without levels.
#[derive(Debug)]
pub(super) enum Column {
    /// Values of at most nine digits.
    Short { values: Vec<i32>, levels: Option<Levels> },
    /// Longer values, and instants.
    Long { values: Vec<i64>, levels: Option<Levels> },
    /// Words.
    Words { values: Vec<ByteArray>, levels: Option<Levels> },
}

/// A value that its column cannot hold.
pub(super) struct Fault(String);

impl Fault {
    pub(super) fn at(self, dataset: &str, name: FileName) -> Error {
        Error::new(Kind::Corrupt, format!("{dataset}/{}: {}", name.path(), self.0))
    }
}

impl Column {
    /// The column of a field; without values one of `rows` nulls.
    pub(super) fn of(field: &Field, values: Option<Vec<i64>>, rows: usize) -> std::result::Result<Column, Fault> {
        let mut values = values.unwrap_or_else(|| vec![ABSENT; rows]);
        let levels = match values.contains(&ABSENT) {
            true => Some(Levels { levels: values.iter().map(|v| i16::from(*v != ABSENT)).collect() }),
            false => None,
        };
        values.retain(|v| *v != ABSENT);
        let greatest = values.iter().map(|v| v.unsigned_abs()).max().unwrap_or(0);
        match Shape::of(field) {
            Shape::Words => {
                let word = |value: &i64| match field.state(*value) {
                    Some(word) => Ok(ByteArray::from(word.as_bytes().to_vec())),
                    None => {
                        Err(Fault(format!("{} is no state of field {}; its contract lists them", value, field.name)))
                    }
                };
                Ok(Column::Words { values: values.iter().map(word).collect::<std::result::Result<_, _>>()?, levels })
            }
            Shape::Nine(_) if greatest <= NINE_DIGITS as u64 => {
                Ok(Column::Short { values: values.iter().map(|v| *v as i32).collect(), levels })
            }
            _ if greatest <= EIGHTEEN_DIGITS as u64 => Ok(Column::Long { values, levels }),
            _ => Err(Fault(format!("field {} has a value of more than 18 digits; narrow its range", field.name))),
        }
    }

    /// The shape it has in the file: wider than its field's when a value of an older, wider range asks for it.
    pub(super) fn shape_of(&self, dataset: &Dataset, name: &str) -> Shape {
        let scale = dataset.field(name).map_or(0, |(_, field)| field.resolution.scale());
        match self {
            Column::Words { .. } => Shape::Words,
            Column::Short { .. } => Shape::Nine(scale),
            Column::Long { .. } => Shape::Eighteen(scale),
        }
    }

    /// Writes the rows of a row group; they follow on those written before.
    pub(super) fn write(&self, chunk: &mut SerializedColumnWriter<'_>, rows: Range<usize>) -> Result<()> {
        match self {
            Column::Short { values, levels } => write::<Int32Type>(chunk, values, levels.as_ref(), rows),
            Column::Long { values, levels } => write::<Int64Type>(chunk, values, levels.as_ref(), rows),
            Column::Words { values, levels } => write::<ByteArrayType>(chunk, values, levels.as_ref(), rows),
        }
    }
}

fn write<T: DataType>(
    chunk: &mut SerializedColumnWriter<'_>,
    values: &[T::T],
    levels: Option<&Levels>,
    rows: Range<usize>,
) -> Result<()> {
    let writer = chunk.typed::<T>();
    match levels {
        // A row without a value takes none from `values`.
        Some(levels) => {
            let before = levels.values(0..rows.start);
            let inside = before..before + levels.values(rows.clone());
            writer.write_batch(&values[inside], Some(&levels.levels[rows]), None)?;
        }
        // The column is optional, time apart: all rows have the level of a value.
        None if writer.get_descriptor().max_def_level() > 0 => {
            let present = vec![1; rows.len()];
            writer.write_batch(&values[rows], Some(&present), None)?;
        }
        None => {
            writer.write_batch(&values[rows], None, None)?;
        }
    }
    Ok(())
}
