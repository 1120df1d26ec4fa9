//! How a column becomes smallest: a stretch of it is written each way.
//!
//! No way is best for every quantity (`facts/delta-datafusion.md`): byte-stream-split won for counts, differences
//! ([`super::packed`] or as the Parquet crate writes them) for what changes slowly, a dictionary for values that repeat.

use super::column::{Column, Stored, shortened};
use super::encode::PAGE_ROWS;
use super::{chunk, layout};
use parquet::basic::{Compression, Encoding, Repetition, Type as Physical, ZstdLevel};
use parquet::data_type::{DataType, Int32Type, Int64Type};
use parquet::errors::Result;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;
use std::collections::HashSet;
use std::hash::Hash;
use std::sync::Arc;

/// How much work a file is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effort {
    /// For files that soon become part of others: what acks wait behind.
    Quick,
    /// For files that stay.
    Small,
}

/// How a column is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// By the Parquet crate, with a dictionary.
    Dictionary,
    /// By the Parquet crate, in an encoding.
    Plain(Encoding),
    /// As [`super::packed`].
    Packed,
}

/// A way, and how hard zstd works on it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Plan {
    pub(super) way: Way,
    pub(super) zstd: Compression,
}

/// Values that are tried at most.
const SAMPLE: usize = 4 * PAGE_ROWS;
/// Distinct values in the sample beyond which a dictionary is not tried: it would outgrow its page in the whole column.
const DISTINCT: usize = 4096;

impl Effort {
    /// Levels of zstd that are tried. Beyond 9 it takes far longer and gains little.
    fn levels(self) -> &'static [i32] {
        match self {
            Effort::Quick => &[1],
            Effort::Small => &[1, 3, 9],
        }
    }
}

/// The plan for integers in files that soon become part of others: never far behind the best, and written directly.
pub(super) fn packed() -> Result<Plan> {
    Ok(Plan { way: Way::Packed, zstd: zstd(1)? })
}

/// The best plan for a column.
pub(super) fn best(column: &Column, effort: Effort) -> Result<Plan> {
    let fixed = |way| Ok(Plan { way, zstd: zstd(effort.levels().last().copied().unwrap_or(1).min(3))? });
    match &column.values {
        Stored::Longs(_) if effort == Effort::Quick => packed(),
        Stored::Longs(values) if column.shape.is_short() => smallest::<Int32Type>(&shortened(stretch(values)), effort),
        Stored::Longs(values) => smallest::<Int64Type>(stretch(values), effort),
        Stored::Wide(_) => fixed(Way::Plain(Encoding::PLAIN)),
        Stored::Bytes(_) if column.shape == layout::Shape::Bytes => fixed(Way::Plain(Encoding::PLAIN)),
        Stored::Bytes(_) => fixed(Way::Dictionary),
    }
}

/// The middle of a column: rows are sorted by sensor, and any stretch holds some sensors whole.
fn stretch<T>(values: &[T]) -> &[T] {
    let start = values.len().saturating_sub(SAMPLE) / 2;
    &values[start..values.len().min(start + SAMPLE)]
}

fn smallest<T: DataType>(sample: &[T::T], effort: Effort) -> Result<Plan>
where
    T::T: Copy + Eq + Hash + Into<i64>,
{
    let longs: Vec<i64> = sample.iter().map(|&value| value.into()).collect();
    let distinct: HashSet<T::T, foldhash::fast::FixedState> = sample.iter().copied().take(SAMPLE).collect();
    let mut ways =
        vec![Way::Plain(Encoding::DELTA_BINARY_PACKED), Way::Plain(Encoding::BYTE_STREAM_SPLIT), Way::Packed];
    ways.extend((distinct.len() <= DISTINCT).then_some(Way::Dictionary));
    let mut best: Option<(usize, Plan)> = None;
    for &level in effort.levels() {
        for &way in &ways {
            let zstd = zstd(level)?;
            let bytes = match way {
                Way::Packed => chunk::size(&longs, PAGE_ROWS, zstd)?,
                Way::Plain(encoding) => size::<T>(sample, Some(encoding), zstd)?,
                Way::Dictionary => size::<T>(sample, None, zstd)?,
            };
            if best.is_none_or(|(least, _)| bytes < least) {
                best = Some((bytes, Plan { way, zstd }));
            }
        }
    }
    best.map_or_else(packed, |(_, plan)| Ok(plan))
}

/// zstd at a level.
pub(super) fn zstd(level: i32) -> Result<Compression> {
    Ok(Compression::ZSTD(ZstdLevel::try_new(level)?))
}

/// Bytes of the pages of just these values.
fn size<T: DataType>(values: &[T::T], encoding: Option<Encoding>, zstd: Compression) -> Result<usize> {
    let physical: Physical = T::get_physical_type();
    let column = Type::primitive_type_builder("v", physical).with_repetition(Repetition::REQUIRED).build()?;
    let properties = WriterProperties::builder()
        .set_compression(zstd)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_data_page_row_count_limit(1)
        .set_write_batch_size(PAGE_ROWS)
        .set_dictionary_enabled(encoding.is_none());
    let properties = match encoding {
        Some(encoding) => properties.set_encoding(encoding),
        None => properties,
    };
    let mut writer =
        SerializedFileWriter::new(Vec::new(), layout::schema(vec![column])?, Arc::new(properties.build()))?;
    let mut group = writer.next_row_group()?;
    if let Some(mut chunk) = group.next_column()? {
        chunk.typed::<T>().write_batch(values, None, None)?;
        chunk.close()?;
    }
    let written = group.close()?;
    Ok(written.compressed_size() as usize)
}
