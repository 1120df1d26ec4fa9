//! The bytes of a Parquet file as a run.

use super::read::Footer;
use super::{FileMeta, layout};
use crate::{Error, Keys, Run, SensorIx};
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Int32Type, TimestampMicrosecondType};
use parquet::errors::{ParquetError, Result as Parquet};
use parquet::file::reader::ChunkReader;
use schemas::Dataset;
use std::ops::Range;
use std::sync::Arc;

/// Gives the number of a sensor id; an error refuses the file (a sensor that should be known is not).
pub(crate) type Numbering = Arc<dyn Fn(&str) -> Result<SensorIx, Error> + Send + Sync>;

/// The run in a file: keys, and the columns asked for (indexes into the dataset's fields). Fields that the file does not
/// have yet, or has no value of, are `None`. `Kind::Corrupt`, naming the file, when the bytes are not such a file.
/// CPU work: call it on a blocking thread.
#[cfg_attr(not(test), expect(dead_code, reason = "the cache reads column by column; tests read whole files"))]
pub(crate) fn decode<R: ChunkReader + Clone + 'static>(
    dataset: &Dataset,
    meta: &FileMeta,
    bytes: &R,
    fields: &[usize],
    number: &Numbering,
) -> Result<Run, Error> {
    let footer = Footer::read(dataset, meta, bytes)?;
    let keys = FileKeys::read(&footer, bytes, number)?;
    let mut columns = vec![None; dataset.fields.len()];
    for (field, column) in super::values::read(&footer, bytes, &keys, dataset, fields)? {
        columns[field] = column;
    }
    Ok(Run { keys: keys.keys, columns })
}

/// The keys of a file, and where its rows lie in them.
#[derive(Clone, Debug)]
pub(crate) struct FileKeys {
    /// In the order of sensor numbers.
    pub(crate) keys: Arc<Keys>,
    /// Rows in the file of each sensor of `keys`: the file is in the order of sensor ids.
    order: Arc<Vec<Range<u32>>>,
}

impl FileKeys {
    /// Reads the keys and checks that they are sorted, unique, and as many as the manifest says.
    pub(crate) fn read<R: ChunkReader + Clone + 'static>(
        footer: &Footer,
        bytes: &R,
        number: &Numbering,
    ) -> Result<FileKeys, Error> {
        let meta = &footer.meta;
        let mut found = Found::default();
        footer.guard(|| {
            for batch in footer.batches(bytes, &[layout::SENSOR, layout::TIME])? {
                found.take(&batch?)?;
            }
            Ok(())
        })?;
        found.check(meta).map_err(|fault| footer.corrupt(fault))?;
        let mut groups = Vec::with_capacity(found.ids.len());
        let mut start = 0;
        for (id, end) in found.ids.iter().zip(found.ends) {
            groups.push((number(id)?, start..end));
            start = end;
        }
        groups.sort_unstable_by_key(|(sensor, _)| *sensor);
        let order: Vec<Range<u32>> = groups.iter().map(|(_, rows)| rows.clone()).collect();
        let mut ends = Vec::with_capacity(order.len());
        let mut end = 0;
        for rows in &order {
            end += rows.len() as u32;
            ends.push(end);
        }
        let sensors = groups.iter().map(|(sensor, _)| *sensor).collect();
        let time = arrange(&found.time, &order);
        Ok(FileKeys { keys: Arc::new(Keys { sensors, ends, time }), order: Arc::new(order) })
    }

    /// A column of the file in the order of the keys.
    pub(super) fn arrange(&self, column: &[i64]) -> Vec<i64> {
        arrange(column, &self.order)
    }

    /// Bytes it takes in memory.
    pub(crate) fn bytes(&self) -> usize {
        self.keys.time.len() * 8 + self.order.len() * 16
    }
}

fn arrange(column: &[i64], order: &[Range<u32>]) -> Vec<i64> {
    let mut arranged = Vec::with_capacity(column.len());
    for rows in order {
        arranged.extend_from_slice(&column[rows.start as usize..rows.end as usize]);
    }
    arranged
}

/// Keys in file order, as they are read.
#[derive(Default)]
struct Found {
    ids: Vec<String>,
    ends: Vec<u32>,
    time: Vec<i64>,
}

impl Found {
    fn take(&mut self, batch: &RecordBatch) -> Parquet<()> {
        let lacks = |name: &str| ParquetError::General(format!("column {name} is missing or of another type"));
        let ids = batch.column_by_name(layout::SENSOR).and_then(|c| c.as_dictionary_opt::<Int32Type>());
        let ids = ids.ok_or_else(|| lacks(layout::SENSOR))?;
        let words = ids.values().as_string_opt::<i32>().ok_or_else(|| lacks(layout::SENSOR))?;
        let time = batch.column_by_name(layout::TIME).and_then(|c| c.as_primitive_opt::<TimestampMicrosecondType>());
        let time = time.ok_or_else(|| lacks(layout::TIME))?;
        if ids.null_count() + time.null_count() > 0 {
            return Err(ParquetError::General("a key is null".into()));
        }
        let base = self.time.len() as u32;
        self.time.extend_from_slice(time.values());
        let mut last = None;
        for (row, &key) in ids.keys().values().iter().enumerate() {
            if last == Some(key) {
                continue;
            }
            last = Some(key);
            let id = words.value(key as usize);
            // Each batch may bring its own dictionary: only the text says whether a new sensor begins.
            if self.ids.last().is_none_or(|known| known != id) {
                if !self.ids.is_empty() {
                    self.ends.push(base + row as u32);
                }
                self.ids.push(id.to_owned());
            }
        }
        Ok(())
    }

    /// Closes the last group, and says what is wrong with the keys.
    fn check(&mut self, meta: &FileMeta) -> Result<(), String> {
        self.ends.push(self.time.len() as u32);
        if self.time.len() as u64 != meta.rows {
            return Err(format!("it has {} rows, {} are listed", self.time.len(), meta.rows));
        }
        if !self.ids.is_sorted_by(|a, b| a < b) {
            return Err("its sensors are not in order".to_owned());
        }
        let mut start = 0;
        for &end in &self.ends {
            if !self.time[start..end as usize].is_sorted_by(|a, b| a < b) {
                return Err("its times are not in order".to_owned());
            }
            start = end as usize;
        }
        if self.time.iter().any(|t| *t < meta.min_time || *t > meta.max_time) {
            return Err("it has times outside those listed".to_owned());
        }
        Ok(())
    }
}
