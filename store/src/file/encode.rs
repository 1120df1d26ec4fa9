//! Sorted rows as the bytes of a Parquet file.

use super::column::{Column, Fault};
use super::groups::{Groups, Source};
use super::layout::{self, Layout};
use super::trial::{self, Effort, Plan, Way};
use super::{FileMeta, chunk, index, note};
use crate::paths::FileName;
use crate::run::split::Picked;
use crate::{Error, Keys, Kind, Rollup, Run, SensorTable, Tier};
use bytes::Bytes;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::{KeyValue, SortingColumn};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{ColumnPath, SchemaDescriptor, TypePtr};
use schemas::{ABSENT, Dataset};
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
    let groups = Groups::of(run.keys.each(), sensors)?;
    let column = |ix: usize| run.columns.get(ix)?.as_ref().map(|values| Source::Longs(values));
    file((dataset, &Layout::of(dataset, None)), &run.keys, &column, &groups, name, how)
}

/// The Parquet file of rows picked from a run, of one day, and its figures, as [`encode()`]; for files that soon become part of
/// others.
pub(crate) fn encode_picked(
    dataset: &Dataset,
    (run, picked): (&Run, &Picked),
    sensors: &SensorTable,
    name: FileName,
) -> Result<(FileMeta, Bytes), Error> {
    let groups = Groups::of(picked.iter().cloned(), sensors)?;
    let column = |ix: usize| run.columns.get(ix)?.as_ref().map(|values| Source::Longs(values));
    file((dataset, &Layout::of(dataset, None)), &run.keys, &column, &groups, name, (Effort::Quick, None))
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
    let groups = Groups::of(rollup.keys.each(), sensors)?;
    let column = |ix: usize| rollup.columns.get(ix)?.as_ref().map(|values| Source::Values(values));
    file((dataset, &Layout::of(dataset, Some(tier))), &rollup.keys, &column, &groups, name, (effort, None))
}

fn file<'a>(
    (dataset, layout): (&Dataset, &Layout),
    keys: &Keys,
    column: &dyn Fn(usize) -> Option<Source<'a>>,
    groups: &Groups<'_>,
    name: FileName,
    (effort, text): (Effort, Option<&str>),
) -> Result<(FileMeta, Bytes), Error> {
    // One column after another: all at once would take the memory of the rows once more.
    let make = |ix: usize| match ix.checked_sub(1) {
        None => Ok(Column::times(groups, &keys.time)),
        Some(ix) => {
            let spec = &layout.columns[ix];
            Column::of(spec, &dataset.fields[spec.field], column(ix), groups)
        }
    };
    let shape = |ix: usize| match ix.checked_sub(1) {
        None => Ok(Some(layout::Shape::Instant)),
        Some(ix) => Column::shape_of(&layout.columns[ix], column(ix), groups),
    };
    let integers = |ix: usize| -> Next<'_> {
        let source = match ix.checked_sub(1) {
            None => Some(Source::Longs(&keys.time)),
            Some(ix) => column(ix),
        };
        let counts = ix.checked_sub(1).is_some_and(|ix| layout.columns[ix].shape == layout::Shape::Count);
        let mut cursor = source.map(|source| groups.cursor(source));
        Box::new(move |rows, out| {
            let from = out.len();
            match &mut cursor {
                Some(cursor) => cursor.next(rows, out),
                None => out.resize(from + rows, ABSENT),
            }
            if counts {
                out[from..].iter_mut().filter(|value| **value == ABSENT).for_each(|value| *value = 0);
            }
        })
    };
    let names: Vec<&str> = std::iter::once(layout::TIME).chain(layout.columns.iter().map(|spec| &*spec.name)).collect();
    let bytes = write(groups, &names, (&shape, &make, &integers), effort, text).map_err(|trouble| match trouble {
        Trouble::Fault(fault) => fault.at(&dataset.id, name),
        Trouble::Parquet(e) => Error {
            kind: Kind::Io,
            message: format!("{}/{}: cannot be encoded: {e}", dataset.id, name.path()),
            source: Some(Box::new(e)),
        },
    })?;
    let (min_time, max_time) = groups.bounds(&keys.time);
    let (min_sensor, max_sensor) = groups.ends();
    let rows = groups.rows as u64;
    Ok((FileMeta { name, bytes: bytes.len() as u64, rows, min_time, max_time, min_sensor, max_sensor }, bytes))
}

/// Makes a column of a file; the first is the instants.
type Maker<'a> = &'a dyn Fn(usize) -> Result<Column, Fault>;
/// Tells the shape of a column of integers.
type Shaper<'a> = &'a dyn Fn(usize) -> Result<Option<layout::Shape>, Fault>;

/// Appends the next rows of a column of integers, in the order of the file.
type Next<'a> = Box<dyn FnMut(usize, &mut Vec<i64>) + 'a>;
/// Begins to read a column of integers.
type Reader<'a> = &'a dyn Fn(usize) -> Next<'a>;

/// Why a file cannot be made.
enum Trouble {
    Fault(Fault),
    Parquet(parquet::errors::ParquetError),
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Trouble {
        Trouble::Fault(fault)
    }
}

impl From<parquet::errors::ParquetError> for Trouble {
    fn from(error: parquet::errors::ParquetError) -> Trouble {
        Trouble::Parquet(error)
    }
}

fn write(
    groups: &Groups<'_>,
    names: &[&str],
    (shape, make, integers): (Shaper<'_>, Maker<'_>, Reader<'_>),
    effort: Effort,
    text: Option<&str>,
) -> Result<Bytes, Trouble> {
    let mut types = vec![layout::sensor()?, layout::time()?];
    let mut plans = Vec::new();
    for (ix, name) in names.iter().enumerate() {
        // What needs no trial is not made for it either.
        let known = if effort == Effort::Quick { shape(ix)? } else { None };
        let (shape, plan) = match known {
            Some(shape) => (shape, trial::packed()?),
            None => {
                let column = make(ix)?;
                (column.shape, trial::best(&column, effort)?)
            }
        };
        plans.push((ColumnPath::from(*name), plan));
        if *name != layout::TIME {
            types.push(shape.column(name)?);
        }
    }
    let schema: TypePtr = layout::schema(types)?;
    let properties = properties(&plans, index::entry(groups.each()))?;
    let mut writer = SerializedFileWriter::new(Vec::new(), schema.clone(), Arc::new(properties))?;
    let descriptor = SchemaDescriptor::new(schema);
    let mut press = chunk::Press::default();
    let mut nexts: Vec<Next<'_>> = (0..names.len()).map(|ix| integers(ix)).collect();
    for pages in row_groups(&groups.pages(PAGE_ROWS)) {
        let mut group = writer.next_row_group()?;
        let (ids, parts) = groups.ids(pages);
        let (bytes, close) = chunk::write_ids(&descriptor.column(0), &mut press, trial::zstd(1)?, &ids, &parts)?;
        group.append_column(&bytes, close)?;
        for (ix, (_, plan)) in plans.iter().enumerate() {
            if plan.way == Way::Packed {
                let place = &descriptor.column(ix + 1);
                let rows = pages.iter().map(Range::len);
                let (bytes, close) = chunk::write(place, &mut press, plan.zstd, rows, &mut *nexts[ix])?;
                group.append_column(&bytes, close)?;
                continue;
            }
            let column = make(ix)?;
            let Some(mut chunk) = group.next_column()? else { break };
            column.write(&mut chunk, pages)?;
            chunk.close()?;
        }
        group.close()?;
    }
    text.into_iter().for_each(|text| writer.append_key_value_metadata(note::entry(text)));
    Ok(writer.into_inner().map(Bytes::from)?)
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
