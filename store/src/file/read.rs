//! The footer of a file, and its columns as Arrow batches whose numbers are plain integers.

use super::{FileMeta, index, layout};
use crate::paths::FileName;
use crate::{Error, Kind};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder, RowSelection,
    RowSelector,
};
use parquet::basic::Type as Physical;
use parquet::errors::{ParquetError, Result as Parquet};
use parquet::file::metadata::{KeyValue, PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader};
use parquet::file::reader::ChunkReader;
use parquet::file::statistics::Statistics;
use schemas::Dataset;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// What a file says of itself; enough to find and decode its columns.
#[derive(Clone, Debug)]
pub(crate) struct Footer {
    /// What the manifest says of it.
    pub(crate) meta: FileMeta,
    /// Its path, with the dataset, for messages.
    path: Arc<str>,
    arrow: ArrowReaderMetadata,
}

impl Footer {
    /// Reads the footer; only the end of the file need be there.
    pub(crate) fn read<R: ChunkReader>(dataset: &Dataset, meta: &FileMeta, bytes: &R) -> Result<Footer, Error> {
        Footer::parse(&dataset.id, meta.clone(), bytes)
    }

    fn parse<R: ChunkReader>(dataset: &str, meta: FileMeta, bytes: &R) -> Result<Footer, Error> {
        let path: Arc<str> = format!("{dataset}/{}", meta.name.path()).into();
        let arrow = guard(&path, || {
            let plain = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
            hinted(&ArrowReaderMetadata::load(bytes, plain)?)
        })?;
        Ok(Footer { meta, path, arrow })
    }

    /// The same with the places of its pages, which `bytes` hold.
    pub(super) fn with_pages<R: ChunkReader>(self, bytes: &R) -> Result<Footer, Error> {
        let arrow = guard(&self.path, || {
            let known = ParquetMetaData::clone(self.parquet());
            let mut reader = ParquetMetaDataReader::new_with_metadata(known)
                .with_column_index_policy(PageIndexPolicy::Skip)
                .with_offset_index_policy(PageIndexPolicy::Optional);
            reader.read_page_indexes(bytes)?;
            let plain = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
            hinted(&ArrowReaderMetadata::try_new(Arc::new(reader.finish()?), plain)?)
        })?;
        Ok(Footer { arrow, ..self })
    }

    /// Whether the file has a column of that name with a value in it.
    pub(super) fn has(&self, column: &str) -> bool {
        let Ok(leaf) = self.arrow.schema().index_of(column) else { return false };
        let nulls = |group: &parquet::file::metadata::RowGroupMetaData| {
            group.column(leaf).statistics().and_then(Statistics::null_count_opt) == Some(group.num_rows() as u64)
        };
        !self.parquet().row_groups().iter().all(nulls)
    }

    /// Byte ranges of some columns, row group by row group.
    pub(crate) fn ranges<'a>(&self, columns: impl Iterator<Item = &'a str>) -> Vec<Range<u64>> {
        let leaves: Vec<usize> = columns.filter_map(|name| self.arrow.schema().index_of(name).ok()).collect();
        let groups = self.parquet().row_groups();
        let range = |(start, length)| start..start + length;
        groups.iter().flat_map(|group| leaves.iter().map(|leaf| range(group.column(*leaf).byte_range()))).collect()
    }

    /// Byte ranges of the pages of some columns that hold the given rows, row group by row group.
    pub(super) fn pages<'a>(&self, columns: impl Iterator<Item = &'a str>, rows: &[Range<usize>]) -> Vec<Range<u64>> {
        let leaves: Vec<usize> = columns.filter_map(|name| self.arrow.schema().index_of(name).ok()).collect();
        let mut ranges = Vec::new();
        for (group, selection) in self.selections(rows) {
            for &leaf in &leaves {
                let (start, length) = self.parquet().row_group(group).column(leaf).byte_range();
                let pages = self.parquet().offset_index().and_then(|index| index.get(group)?.get(leaf));
                match pages.map(|pages| pages.page_locations().as_slice()) {
                    Some(pages @ [first, ..]) => {
                        // Before the first page lies the dictionary, if there is one.
                        ranges.extend(Some(start..first.offset as u64).filter(|dictionary| !dictionary.is_empty()));
                        ranges.extend(selection.scan_ranges(pages));
                    }
                    _ => ranges.push(start..start + length),
                }
            }
        }
        ranges
    }

    /// The row groups that hold any of the given rows, and which of theirs they are.
    fn selections(&self, rows: &[Range<usize>]) -> Vec<(usize, RowSelection)> {
        let groups = self.parquet().row_groups();
        let all = groups.iter().map(|group| group.num_rows() as usize).sum();
        let mut rest = RowSelection::from_consecutive_ranges(rows.iter().cloned(), all);
        let selections = groups.iter().map(|group| rest.split_off(group.num_rows() as usize));
        selections.enumerate().filter(|(_, selection)| selection.selects_any()).collect()
    }

    /// Byte ranges needed to tell the file's sensors and the places of its pages.
    pub(crate) fn openers(&self) -> Vec<Range<u64>> {
        let columns = || self.parquet().row_groups().iter().flat_map(|group| group.columns());
        let start = columns().filter_map(|column| column.offset_index_offset()).min();
        let end = columns().filter_map(|c| Some(c.offset_index_offset()? + i64::from(c.offset_index_length()?))).max();
        let places = start.zip(end).map(|(start, end)| start as u64..end as u64);
        let sensors = if index::is_in(self.entries()) { None } else { Some(layout::SENSOR) };
        places.into_iter().chain(self.ranges(sensors.into_iter())).collect()
    }

    /// What stands in the footer besides.
    pub(super) fn entries(&self) -> Option<&Vec<KeyValue>> {
        self.parquet().file_metadata().key_value_metadata()
    }

    /// Bytes at the end of a file that its footer takes, by the file's last bytes; nothing if they are no Parquet file's.
    /// Source: <https://github.com/apache/parquet-format#file-format>.
    pub(crate) fn length(tail: &[u8]) -> Option<u64> {
        let (length, magic) = tail.last_chunk::<8>()?.split_at(4);
        let length = u32::from_le_bytes(length.try_into().ok()?);
        (magic == b"PAR1").then_some(u64::from(length) + 8)
    }

    /// Bytes it takes in memory.
    pub(crate) fn bytes(&self) -> usize {
        self.parquet().memory_size()
    }

    fn parquet(&self) -> &ParquetMetaData {
        self.arrow.metadata()
    }

    /// Rows of some columns, all or picked ones: one batch, unless text has to be cut. `bytes` need hold only those.
    pub(super) fn batches<R: ChunkReader + Clone + 'static>(
        &self,
        bytes: &R,
        columns: &[&str],
        picked: Option<&[Range<usize>]>,
    ) -> Parquet<ParquetRecordBatchReader> {
        let leaves = columns.iter().filter_map(|name| self.arrow.schema().index_of(name).ok());
        let mask = ProjectionMask::leaves(self.arrow.parquet_schema(), leaves);
        let builder =
            ParquetRecordBatchReaderBuilder::new_with_metadata(bytes.clone(), self.arrow.clone()).with_projection(mask);
        let Some(picked) = picked else {
            return builder.with_batch_size(usize::try_from(self.meta.rows).unwrap_or(usize::MAX).max(1)).build();
        };
        let (groups, selections): (Vec<usize>, Vec<RowSelection>) = self.selections(picked).into_iter().unzip();
        let selection: Vec<RowSelector> = selections.into_iter().flat_map(Vec::<RowSelector>::from).collect();
        builder
            .with_batch_size(picked.iter().map(Range::len).sum::<usize>().max(1))
            .with_row_groups(groups)
            .with_row_selection(selection.into())
            .build()
    }

    /// Runs decoding; an error or a panic of the Parquet reader becomes `Kind::Corrupt` naming the file.
    pub(super) fn guard<T>(&self, work: impl FnOnce() -> Parquet<T>) -> Result<T, Error> {
        guard(&self.path, work)
    }

    /// An error about the file's bytes.
    pub(super) fn corrupt(&self, fault: impl std::fmt::Display) -> Error {
        corrupt(&self.path, fault)
    }
}

/// The footer with the types that columns are read as.
fn hinted(plain: &ArrowReaderMetadata) -> Parquet<ArrowReaderMetadata> {
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true).with_schema(integers(plain));
    ArrowReaderMetadata::try_new(Arc::clone(plain.metadata()), options)
}

/// The file's columns with decimals as integers of their own width (Decimal32 over INT32, Decimal64 over INT64: the
/// integers themselves) and text as dictionary.
fn integers(file: &ArrowReaderMetadata) -> SchemaRef {
    let columns = file.parquet_schema().columns();
    let hint = |(field, column): (&Arc<Field>, &parquet::schema::types::ColumnDescPtr)| {
        let kind = match (field.data_type(), column.physical_type()) {
            (DataType::Decimal128(precision, scale), Physical::INT32) => DataType::Decimal32(*precision, *scale),
            (DataType::Decimal128(precision, scale), Physical::INT64) => DataType::Decimal64(*precision, *scale),
            (DataType::Utf8, _) => DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
            (other, _) => other.clone(),
        };
        Field::new(field.name(), kind, field.is_nullable())
    };
    Arc::new(Schema::new(file.schema().fields().iter().zip(columns).map(hint).collect::<Vec<_>>()))
}

/// The Parquet reader may panic on damaged bytes (`facts/reliability-performance.md`, B6).
pub(super) fn guard<T>(path: &str, work: impl FnOnce() -> Parquet<T>) -> Result<T, Error> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(fault)) => Err(corrupt(path, fault)),
        Err(_) => Err(corrupt(path, "its bytes make no sense")),
    }
}

fn corrupt(path: &str, fault: impl std::fmt::Display) -> Error {
    Error::new(Kind::Corrupt, format!("{path} is damaged: {fault}; put the file back from a backup"))
}

/// The figures of a file from its footer: for files that no manifest lists (late ones).
pub(crate) fn inspect(dataset: &str, name: FileName, bytes: &bytes::Bytes) -> Result<FileMeta, Error> {
    let blank = FileMeta {
        name,
        bytes: bytes.len() as u64,
        rows: 0,
        min_time: i64::MAX,
        max_time: i64::MIN,
        min_sensor: String::new(),
        max_sensor: String::new(),
    };
    let footer = Footer::parse(dataset, blank.clone(), bytes)?;
    let mut meta = blank;
    for group in footer.parquet().row_groups() {
        meta.rows += group.num_rows() as u64;
        let time = bounds(group, &footer, layout::TIME, |stats| match stats {
            Statistics::Int64(stats) => Some((*stats.min_opt()?, *stats.max_opt()?)),
            _ => None,
        })?;
        let text = |bytes: &[u8]| std::str::from_utf8(bytes).ok().map(str::to_owned);
        let sensor = bounds(group, &footer, layout::SENSOR, |stats| {
            Some((text(stats.min_bytes_opt()?)?, text(stats.max_bytes_opt()?)?))
        })?;
        meta.min_time = meta.min_time.min(time.0);
        meta.max_time = meta.max_time.max(time.1);
        if meta.min_sensor.is_empty() {
            meta.min_sensor = sensor.0;
        }
        meta.max_sensor = sensor.1;
    }
    match meta.rows {
        0 => Err(footer.corrupt(ParquetError::General("it has no rows".into()))),
        _ => Ok(meta),
    }
}

/// Least and greatest of a column in a row group.
fn bounds<T>(
    group: &parquet::file::metadata::RowGroupMetaData,
    footer: &Footer,
    column: &str,
    of: impl FnOnce(&Statistics) -> Option<T>,
) -> Result<T, Error> {
    let leaf = footer.arrow.schema().index_of(column).map_err(|e| footer.corrupt(e))?;
    let found = group.column(leaf).statistics().and_then(of);
    found.ok_or_else(|| footer.corrupt(format!("column {column} has no bounds")))
}
