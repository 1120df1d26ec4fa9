//! One column of values on its way into a file.

use super::groups::{Groups, Source};
use super::layout::{EIGHTEEN_DIGITS, NINE_DIGITS, Shape, Spec};
use crate::paths::FileName;
use crate::{Error, Kind};
use bytes::Bytes;
use parquet::data_type::{
    ByteArray, ByteArrayType, DataType, FixedLenByteArray, FixedLenByteArrayType, Int32Type, Int64Type,
};
use parquet::errors::Result;
use parquet::file::writer::SerializedColumnWriter;
use schemas::{ABSENT, Field};
use std::ops::Range;

/// Greatest absolute value of 38 decimal digits.
const THIRTY_EIGHT_DIGITS: u128 = 10_u128.pow(38) - 1;

/// A column in the order of its file.
#[derive(Debug)]
pub(super) struct Column {
    /// The shape it has in the file: wider than its field's when a value of an older, wider range asks for it.
    pub(super) shape: Shape,
    /// The values that are there.
    pub(super) values: Stored,
    /// Which rows have one; all of them without levels.
    levels: Option<Levels>,
}

/// Values as Parquet takes them.
#[derive(Debug)]
pub(super) enum Stored {
    /// Values, counts and instants; the shape says how long they are in the file.
    Longs(Vec<i64>),
    /// Sums of any length.
    Wide(Vec<FixedLenByteArray>),
    /// Words, or bytes.
    Bytes(Vec<ByteArray>),
}

/// Definition level per row: 1 for a value, 0 for none.
#[derive(Debug)]
struct Levels(Vec<i16>);

impl Levels {
    /// Values among the rows.
    fn values(&self, rows: Range<usize>) -> usize {
        self.0[rows].iter().filter(|level| **level == 1).count()
    }

    /// Nothing when all rows have a value.
    fn of(there: impl Iterator<Item = bool> + Clone) -> Option<Levels> {
        there.clone().any(|there| !there).then(|| Levels(there.map(i16::from).collect()))
    }
}

/// A value that its column cannot hold.
pub(super) struct Fault(String);

impl Fault {
    pub(super) fn at(self, dataset: &str, name: FileName) -> Error {
        Error::new(Kind::Corrupt, format!("{dataset}/{}: {}", name.path(), self.0))
    }
}

impl Column {
    /// The column of instants.
    pub(super) fn times(groups: &Groups<'_>, times: &[i64]) -> Column {
        Column { shape: Shape::Instant, values: Stored::Longs(groups.longs(Source::Longs(times))), levels: None }
    }

    /// A column of a field; without values one of nulls, or zeros where it counts.
    pub(super) fn of(
        spec: &Spec,
        field: &Field,
        values: Option<Source<'_>>,
        groups: &Groups<'_>,
    ) -> std::result::Result<Column, Fault> {
        let Some(source) = values else {
            return longs(spec, field, vec![ABSENT; groups.rows]);
        };
        match spec.shape {
            Shape::Wide(_) => wides(spec, &groups.wides(source)),
            Shape::Bytes => Ok(blobs(&groups.blobs(source))),
            _ => longs(spec, field, groups.longs(source)),
        }
    }

    /// The shape that [`Column::of`] finds, without making the column; nothing for columns of other things than integers.
    pub(super) fn shape_of(
        spec: &Spec,
        values: Option<Source<'_>>,
        groups: &Groups<'_>,
    ) -> std::result::Result<Option<Shape>, Fault> {
        match spec.shape {
            Shape::Words | Shape::Wide(_) | Shape::Bytes => Ok(None),
            _ => fitting(spec, values.map_or(0, |values| groups.greatest(values))).map(Some),
        }
    }

    /// Writes the pages of a row group; they follow on those written before.
    pub(super) fn write(&self, chunk: &mut SerializedColumnWriter<'_>, pages: &[Range<usize>]) -> Result<()> {
        let levels = self.levels.as_ref();
        match &self.values {
            Stored::Longs(values) if self.shape.is_short() => {
                write::<Int32Type>(chunk, &shortened(values), levels, pages)
            }
            Stored::Longs(values) => write::<Int64Type>(chunk, values, levels, pages),
            Stored::Wide(values) => write::<FixedLenByteArrayType>(chunk, values, levels, pages),
            Stored::Bytes(values) => write::<ByteArrayType>(chunk, values, levels, pages),
        }
    }
}

fn longs(spec: &Spec, field: &Field, mut values: Vec<i64>) -> std::result::Result<Column, Fault> {
    if spec.shape == Shape::Count {
        values.iter_mut().filter(|value| **value == ABSENT).for_each(|value| *value = 0);
    }
    let levels = Levels::of(values.iter().map(|value| *value != ABSENT));
    if levels.is_some() {
        values.retain(|value| *value != ABSENT);
    }
    let greatest = values.iter().map(|v| v.unsigned_abs()).max().unwrap_or(0);
    let shape = fitting(spec, greatest)?;
    let values = match shape {
        Shape::Words => {
            let word = |value: &i64| match field.state(*value) {
                Some(word) => Ok(ByteArray::from(word.as_bytes().to_vec())),
                None => Err(Fault(format!("{} is no state of field {}; its contract lists them", value, field.name))),
            };
            Stored::Bytes(values.iter().map(word).collect::<std::result::Result<_, _>>()?)
        }
        // Without a value.
        Shape::Wide(_) => Stored::Wide(Vec::new()),
        Shape::Bytes => Stored::Bytes(Vec::new()),
        _ => Stored::Longs(values),
    };
    Ok(Column { shape, values, levels })
}

/// The shape of a column whose greatest value is this: wider than the contract's for values of an older, wider range.
fn fitting(spec: &Spec, greatest: u64) -> std::result::Result<Shape, Fault> {
    match spec.shape {
        Shape::Nine(_) if greatest <= NINE_DIGITS as u64 => Ok(spec.shape),
        Shape::Nine(scale) | Shape::Eighteen(scale) if greatest <= EIGHTEEN_DIGITS as u64 => Ok(Shape::Eighteen(scale)),
        Shape::Nine(_) | Shape::Eighteen(_) => {
            Err(Fault(format!("column {} has a value of more than 18 digits; narrow its range", spec.name)))
        }
        Shape::Count if greatest > i32::MAX as u64 => Ok(Shape::Long),
        other => Ok(other),
    }
}

/// Values that are known to be short.
pub(super) fn shortened(values: &[i64]) -> Vec<i32> {
    values.iter().map(|value| *value as i32).collect()
}

fn wides(spec: &Spec, values: &[Option<i128>]) -> std::result::Result<Column, Fault> {
    if values.iter().flatten().any(|value| value.unsigned_abs() > THIRTY_EIGHT_DIGITS) {
        return Err(Fault(format!("column {} has a value of more than 38 digits; narrow its range", spec.name)));
    }
    let levels = Levels::of(values.iter().map(Option::is_some));
    // One allocation for all.
    let all = Bytes::from(values.iter().flatten().flat_map(|value| value.to_be_bytes()).collect::<Vec<u8>>());
    let one = |at| FixedLenByteArray::from(ByteArray::from(all.slice(at..at + 16)));
    let values = Stored::Wide((0..all.len()).step_by(16).map(one).collect());
    Ok(Column { shape: spec.shape, values, levels })
}

/// Empty ones are null.
fn blobs(values: &[&[u8]]) -> Column {
    let levels = Levels::of(values.iter().map(|value| !value.is_empty()));
    let some = values.iter().filter(|value| !value.is_empty());
    let values = Stored::Bytes(some.map(|value| ByteArray::from(value.to_vec())).collect());
    Column { shape: Shape::Bytes, values, levels }
}

fn write<T: DataType>(
    chunk: &mut SerializedColumnWriter<'_>,
    values: &[T::T],
    levels: Option<&Levels>,
    pages: &[Range<usize>],
) -> Result<()> {
    let writer = chunk.typed::<T>();
    let Some(first) = pages.first() else { return Ok(()) };
    // A row without a value takes none from `values`.
    let mut before = levels.map_or(first.start, |levels| levels.values(0..first.start));
    for rows in pages {
        let here = levels.map_or(rows.len(), |levels| levels.values(rows.clone()));
        let values = &values[before..before + here];
        before += here;
        match levels {
            Some(levels) => writer.write_batch(values, Some(&levels.0[rows.clone()]), None)?,
            // The column is optional, time apart: all rows have the level of a value.
            None if writer.get_descriptor().max_def_level() > 0 => {
                writer.write_batch(values, Some(&vec![1; rows.len()]), None)?
            }
            None => writer.write_batch(values, None, None)?,
        };
    }
    Ok(())
}
