//! Which encoding makes a column smallest: a stretch of it is encoded each way.
//!
//! No encoding is best for every quantity (`facts/delta-datafusion.md`): byte-stream-split won for three of four traffic
//! fields, delta for air quality, a dictionary for values that repeat.

use super::column::{Column, Stored};
use super::layout;
use parquet::basic::{Compression, Encoding, Repetition, Type as Physical, ZstdLevel};
use parquet::data_type::{DataType, Int32Type, Int64Type};
use parquet::errors::Result;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;
use std::collections::HashSet;
use std::hash::Hash;
use std::sync::Arc;

/// Values that are tried at most.
const SAMPLE: usize = 32_768;
/// Distinct values in the sample beyond which a dictionary is not tried: it would outgrow its page in the whole column.
const DISTINCT: usize = 4096;

/// The best encoding of a column, or none for a dictionary.
pub(super) fn best(column: &Column) -> Result<Option<Encoding>> {
    match &column.values {
        Stored::Short(values) => smallest::<Int32Type>(stretch(values)),
        Stored::Long(values) => smallest::<Int64Type>(stretch(values)),
        Stored::Wide(_) => Ok(Some(Encoding::PLAIN)),
        Stored::Bytes(_) if column.shape == layout::Shape::Bytes => Ok(Some(Encoding::PLAIN)),
        Stored::Bytes(_) => Ok(None),
    }
}

/// The middle of a column: rows are sorted by sensor, and any stretch holds some sensors whole.
fn stretch<T>(values: &[T]) -> &[T] {
    let start = values.len().saturating_sub(SAMPLE) / 2;
    &values[start..values.len().min(start + SAMPLE)]
}

fn smallest<T: DataType>(sample: &[T::T]) -> Result<Option<Encoding>>
where
    T::T: Copy + Eq + Hash,
{
    let mut best = (size::<T>(sample, Some(Encoding::DELTA_BINARY_PACKED))?, Some(Encoding::DELTA_BINARY_PACKED));
    let distinct: HashSet<T::T, foldhash::fast::FixedState> = sample.iter().copied().collect();
    let dictionary = (distinct.len() <= DISTINCT).then_some(None);
    for encoding in [Some(Encoding::BYTE_STREAM_SPLIT)].into_iter().chain(dictionary) {
        let bytes = size::<T>(sample, encoding)?;
        if bytes < best.0 {
            best = (bytes, encoding);
        }
    }
    Ok(best.1)
}

/// Bytes of a file of just these values.
fn size<T: DataType>(values: &[T::T], encoding: Option<Encoding>) -> Result<usize> {
    let physical: Physical = T::get_physical_type();
    let column = Type::primitive_type_builder("v", physical).with_repetition(Repetition::REQUIRED).build()?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .set_statistics_enabled(EnabledStatistics::None)
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
    group.close()?;
    Ok(writer.into_inner()?.len())
}
