//! Sorted rows as the bytes of a Parquet file.

use super::column::{Column, Fault};
use super::groups::{Groups, Source};
use super::layout::{self, Layout};
use super::trial::{self, Effort, Plan, Way};
use super::{FileMeta, chunk, index, note};
use crate::paths::FileName;
use crate::{Error, Keys, Kind, Rollup, Run, SensorTable, Tier};
use bytes::Bytes;
use parquet::basic::{Compression, ZstdLevel};
use parquet::data_type::ByteArray;
use parquet::file::metadata::{KeyValue, SortingColumn};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::{ColumnPath, SchemaDescriptor, TypePtr};
use schemas::Dataset;
use std::ops::Range;
use std::sync::Arc;

/// Rows of a row group at most.
const GROUP_ROWS: usize = 1 << 20;
/// Rows of a page at least: few enough that one sensor's day is read quickly, as many as compress well.
pub(super) const PAGE_ROWS: usize = 8192;
/// Rows handed to the writer at once at most: all of a page.
const BATCH_ROWS: usize = 1 << 30;
/// Bytes of distinct sensor ids or words in a row group before plain text takes over: never in practice, as reading
/// leans on the dictionary.
const DICTIONARY_BYTES: usize = 64 << 20;

/// The Parquet file of a run, and its figures. The run has at least one row, all within the day of `name`.
///
/// Rows are sorted by (sensor id as bytes, time); the columns are those of [`layout`]. A field without a value in the run is a
/// column of nulls. CPU work: call it on a blocking thread.
pub(crate) fn encode(
    dataset: &Dataset,
    run: &Run,
    sensors: &SensorTable,
    name: FileName,
    effort: Effort,
) -> Result<(FileMeta, Bytes), Error> {
    encode_noted(dataset, run, sensors, name, (effort, None))
}

/// As [`encode()`], with a text in the footer.
pub(crate) fn encode_noted(
    dataset: &Dataset,
    run: &Run,
    sensors: &SensorTable,
    name: FileName,
    how: (Effort, Option<&str>),
) -> Result<(FileMeta, Bytes), Error> {
    let day = name.day.span();
    debug_assert!(run.keys.time.iter().all(|&t| day.from.0 <= t && t < day.to.0), "rows outside the day of {name:?}");
    let column = |ix: usize| run.columns.get(ix)?.as_ref().map(|values| Source::Longs(values));
    file((dataset, &Layout::of(dataset, None)), &run.keys, &column, sensors, name, how)
}

/// The Parquet file of rows of a tier, and its figures. There is at least one row; `name.day` is the first of their partition.
///
/// As [`encode`]; counts of readings are never null.
pub(crate) fn encode_tier(
    dataset: &Dataset,
    tier: Tier,
    rollup: &Rollup,
    sensors: &SensorTable,
    name: FileName,
    effort: Effort,
) -> Result<(FileMeta, Bytes), Error> {
    let column = |ix: usize| rollup.columns.get(ix)?.as_ref().map(|values| Source::Values(values));
    file((dataset, &Layout::of(dataset, Some(tier))), &rollup.keys, &column, sensors, name, (effort, None))
}

fn file<'a>(
    (dataset, layout): (&Dataset, &Layout),
    keys: &Keys,
    column: &dyn Fn(usize) -> Option<Source<'a>>,
    sensors: &SensorTable,
    name: FileName,
    (effort, text): (Effort, Option<&str>),
) -> Result<(FileMeta, Bytes), Error> {
    let groups = Groups::of(keys, sensors)?;
    let mut columns = vec![(layout::TIME, Column::times(&groups, &keys.time))];
    for (ix, spec) in layout.columns.iter().enumerate() {
        let made = Column::of(spec, &dataset.fields[spec.field], column(ix), &groups);
        columns.push((&spec.name, made.map_err(|fault: Fault| fault.at(&dataset.id, name))?));
    }
    let broken = |e: parquet::errors::ParquetError| Error {
        kind: Kind::Io,
        message: format!("{}/{}: cannot be encoded: {e}", dataset.id, name.path()),
        source: Some(Box::new(e)),
    };
    let bytes = write(&groups, &columns, effort, text).map_err(broken)?;
    let (min_time, max_time) = keys.time.iter().fold((i64::MAX, i64::MIN), |(low, high), &t| (low.min(t), high.max(t)));
    let (min_sensor, max_sensor) = groups.ends();
    let rows = groups.rows as u64;
    Ok((FileMeta { name, bytes: bytes.len() as u64, rows, min_time, max_time, min_sensor, max_sensor }, bytes))
}

fn write(
    groups: &Groups<'_>,
    columns: &[(&str, Column)],
    effort: Effort,
    text: Option<&str>,
) -> parquet::errors::Result<Bytes> {
    let mut types = vec![layout::sensor()?, layout::time()?];
    let mut plans = Vec::new();
    for (name, column) in columns {
        plans.push((ColumnPath::from(*name), trial::best(column, effort)?));
        if *name != layout::TIME {
            types.push(column.shape.column(name)?);
        }
    }
    let schema: TypePtr = layout::schema(types)?;
    let properties = properties(&plans, index::entry(groups.each()))?;
    let mut writer = SerializedFileWriter::new(Vec::new(), schema.clone(), Arc::new(properties))?;
    let descriptor = SchemaDescriptor::new(schema);
    for pages in row_groups(&groups.pages(PAGE_ROWS)) {
        let mut group = writer.next_row_group()?;
        write_ids(&mut group, groups, pages)?;
        for (place, ((_, column), (_, plan))) in columns.iter().zip(&plans).enumerate() {
            if plan.way == Way::Packed {
                let (bytes, close) = chunk::write(&descriptor.column(place + 1), plan.zstd, column.integers(pages))?;
                group.append_column(&bytes, close)?;
                continue;
            }
            let Some(mut chunk) = group.next_column()? else { break };
            column.write(&mut chunk, pages)?;
            chunk.close()?;
        }
        group.close()?;
    }
    text.into_iter().for_each(|text| writer.append_key_value_metadata(note::entry(text)));
    writer.into_inner().map(Bytes::from)
}

/// Pages by row group.
fn row_groups(mut pages: &[Range<usize>]) -> Vec<&[Range<usize>]> {
    let mut groups = Vec::new();
    while let Some(first) = pages.first() {
        let fits = pages.iter().take_while(|page| page.end - first.start <= GROUP_ROWS).count();
        let (group, rest) = pages.split_at(fits.max(1));
        groups.push(group);
        pages = rest;
    }
    groups
}

fn write_ids(
    group: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
    groups: &Groups<'_>,
    pages: &[Range<usize>],
) -> parquet::errors::Result<()> {
    let Some(mut chunk) = group.next_column()? else { return Ok(()) };
    let (Some(first), Some(last)) = (pages.first(), pages.last()) else { return chunk.close() };
    let mut ids = groups.ids(first.start, last.end - first.start);
    for page in pages {
        let some: Vec<ByteArray> = ids.by_ref().take(page.len()).collect();
        chunk.typed::<parquet::data_type::ByteArrayType>().write_batch(&some, None, None)?;
    }
    chunk.close()
}

/// What a file is written with: statistics that are never cut short, of keys by page, and each column's plan. A page ends
/// with what is handed over at once.
fn properties(plans: &[(ColumnPath, Plan)], index: KeyValue) -> parquet::errors::Result<WriterProperties> {
    let ascending = |column_idx| SortingColumn { column_idx, descending: false, nulls_first: false };
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_statistics_truncate_length(None)
        .set_column_index_truncate_length(None)
        .set_dictionary_page_size_limit(DICTIONARY_BYTES)
        .set_write_batch_size(BATCH_ROWS)
        .set_data_page_row_count_limit(1)
        .set_key_value_metadata(Some(vec![index]))
        .set_sorting_columns(Some(vec![ascending(0), ascending(1)]));
    for (column, plan) in plans {
        properties = properties.set_column_compression(column.clone(), plan.zstd);
        if column.string() != layout::TIME {
            properties = properties.set_column_statistics_enabled(column.clone(), EnabledStatistics::Chunk);
        }
        let dictionary = plan.way == Way::Dictionary;
        properties = properties.set_column_dictionary_enabled(column.clone(), dictionary);
        if let Way::Plain(encoding) = plan.way {
            properties = properties.set_column_encoding(column.clone(), encoding);
        }
    }
    Ok(properties.build())
}
