//! A run as the bytes of a Parquet file.

use super::{FileMeta, column::Column, layout, trial};
use crate::paths::FileName;
use crate::{Error, Kind, Run, SensorTable};
use bytes::Bytes;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::data_type::ByteArray;
use parquet::file::metadata::SortingColumn;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::{ColumnPath, TypePtr};
use schemas::Dataset;
use std::ops::Range;
use std::sync::Arc;

/// Rows of a row group at most.
const GROUP_ROWS: usize = 1 << 20;
/// Rows of the sensor column handed over at once.
const SENSOR_ROWS: usize = 8192;
/// Bytes of distinct sensor ids or words in a row group before plain text takes over: never in practice, as reading
/// leans on the dictionary.
const DICTIONARY_BYTES: usize = 64 << 20;

/// The Parquet file of a run, and its figures. The run has at least one row, all within the day of `name`.
///
/// Rows are sorted by (sensor id as bytes, time). Columns: `sensor` (string), `time` (timestamp, µs, UTC), one DECIMAL per
/// field, states as words. A field without a value in the run is a column of nulls. CPU work: call it on a blocking thread.
pub(crate) fn encode(
    dataset: &Dataset,
    run: &Run,
    sensors: &SensorTable,
    name: FileName,
) -> Result<(FileMeta, Bytes), Error> {
    let groups = Groups::of(run, sensors)?;
    let mut columns = vec![Column::Long { values: groups.gather(&run.keys.time), levels: None }];
    for (ix, field) in dataset.fields.iter().enumerate() {
        let values = run.columns.get(ix).and_then(Option::as_ref).map(|values| groups.gather(values));
        let rows = groups.rows;
        columns.push(Column::of(field, values, rows).map_err(|fault| fault.at(&dataset.id, name))?);
    }
    let broken = |e: parquet::errors::ParquetError| Error {
        kind: Kind::Io,
        message: format!("{}/{}: cannot be encoded: {e}", dataset.id, name.path()),
        source: Some(Box::new(e)),
    };
    let bytes = write(dataset, &groups, &columns).map_err(broken)?;
    let day = name.day.span();
    let time = &run.keys.time;
    let (min_time, max_time) = time.iter().fold((i64::MAX, i64::MIN), |(low, high), &t| (low.min(t), high.max(t)));
    debug_assert!(day.from.0 <= min_time && max_time < day.to.0, "rows outside the day of {}", name.path());
    let (min_sensor, max_sensor) = groups.ends();
    let rows = groups.rows as u64;
    Ok((FileMeta { name, bytes: bytes.len() as u64, rows, min_time, max_time, min_sensor, max_sensor }, bytes))
}

/// Rows of a run by sensor, in file order.
struct Groups<'a> {
    /// Sensor id and its rows in the run, ascending by id.
    groups: Vec<(&'a Arc<str>, Range<usize>)>,
    /// Rows of all.
    rows: usize,
}

impl<'a> Groups<'a> {
    fn of(run: &Run, sensors: &'a SensorTable) -> Result<Groups<'a>, Error> {
        let keys = &run.keys;
        let mut groups = Vec::with_capacity(keys.sensors.len());
        for (i, &sensor) in keys.sensors.iter().enumerate() {
            let Some(id) = sensors.ids.get(sensor as usize) else {
                return Err(Error::new(
                    Kind::Corrupt,
                    format!("sensor number {sensor} has no id; it must be given one first"),
                ));
            };
            groups.push((id, keys.rows_at(i)));
        }
        groups.sort_unstable_by_key(|(id, _)| *id);
        let rows = keys.time.len();
        if rows == 0 {
            return Err(Error::new(Kind::Corrupt, "a run without rows has no file; leave it out"));
        }
        Ok(Groups { groups, rows })
    }

    /// A column of the run in file order.
    fn gather(&self, values: &[i64]) -> Vec<i64> {
        let mut gathered = Vec::with_capacity(values.len());
        for (_, rows) in &self.groups {
            gathered.extend_from_slice(&values[rows.clone()]);
        }
        gathered
    }

    /// Least and greatest sensor id.
    fn ends(&self) -> (String, String) {
        let id = |group: Option<&(&Arc<str>, Range<usize>)>| group.map(|(id, _)| id.to_string()).unwrap_or_default();
        (id(self.groups.first()), id(self.groups.last()))
    }

    /// Sensor ids of the rows from `skip` on, repeated row by row.
    fn ids(&self, skip: usize, take: usize) -> impl Iterator<Item = ByteArray> + '_ {
        let mut start = 0;
        let span = skip..skip + take;
        self.groups.iter().flat_map(move |(id, rows)| {
            let group = start..start + rows.len();
            start = group.end;
            let inside = group.end.min(span.end).saturating_sub(group.start.max(span.start));
            let id = ByteArray::from(id.as_bytes().to_vec());
            std::iter::repeat_n(id, inside)
        })
    }
}

fn write(dataset: &Dataset, groups: &Groups<'_>, columns: &[Column]) -> parquet::errors::Result<Bytes> {
    let mut types = vec![layout::sensor()?, layout::time()?];
    let mut encodings = Vec::new();
    for (name, column) in names(dataset).zip(columns) {
        encodings.push((ColumnPath::from(name), trial::best(column)?));
        if name != layout::TIME {
            types.push(column.shape_of(dataset, name).column(name)?);
        }
    }
    let schema: TypePtr = layout::schema(types)?;
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties(encodings)?))?;
    for start in (0..groups.rows).step_by(GROUP_ROWS) {
        let rows = start..groups.rows.min(start + GROUP_ROWS);
        let mut group = writer.next_row_group()?;
        write_ids(&mut group, groups, rows.clone())?;
        for column in columns {
            let Some(mut chunk) = group.next_column()? else { break };
            column.write(&mut chunk, rows.clone())?;
            chunk.close()?;
        }
        group.close()?;
    }
    writer.into_inner().map(Bytes::from)
}

/// Names of the columns after the sensor's.
fn names(dataset: &Dataset) -> impl Iterator<Item = &str> {
    std::iter::once(layout::TIME).chain(dataset.fields.iter().map(|field| &*field.name))
}

fn write_ids(
    group: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
    groups: &Groups<'_>,
    rows: Range<usize>,
) -> parquet::errors::Result<()> {
    let Some(mut chunk) = group.next_column()? else { return Ok(()) };
    let mut ids = groups.ids(rows.start, rows.len());
    loop {
        let some: Vec<ByteArray> = ids.by_ref().take(SENSOR_ROWS).collect();
        if some.is_empty() {
            return chunk.close();
        }
        chunk.typed::<parquet::data_type::ByteArrayType>().write_batch(&some, None, None)?;
    }
}

/// What a file is written with: zstd(1), statistics that are never cut short, page index, and each column's encoding.
fn properties(encodings: Vec<(ColumnPath, Option<Encoding>)>) -> parquet::errors::Result<WriterProperties> {
    let ascending = |column_idx| SortingColumn { column_idx, descending: false, nulls_first: false };
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_statistics_truncate_length(None)
        .set_column_index_truncate_length(None)
        .set_dictionary_page_size_limit(DICTIONARY_BYTES)
        .set_sorting_columns(Some(vec![ascending(0), ascending(1)]));
    for (column, encoding) in encodings {
        properties = match encoding {
            Some(encoding) => {
                properties.set_column_dictionary_enabled(column.clone(), false).set_column_encoding(column, encoding)
            }
            None => properties.set_column_dictionary_enabled(column, true),
        };
    }
    Ok(properties.build())
}
