//! The bytes of a Parquet file as a run.

use super::read::Footer;
use super::{FileMeta, layout};
use crate::{Error, Keys, Run, SensorIx};
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Int32Type, TimestampMicrosecondType};
use parquet::errors::{ParquetError, Result as Parquet};
use parquet::file::reader::ChunkReader;
use schemas::Dataset;
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
    /// The file's sensors in the order of their ids.
    groups: Arc<Vec<Group>>,
}

/// Rows of one sensor.
#[derive(Clone, Copy, Debug)]
struct Group {
    /// Its first row in the file, and the one after its last.
    start: u32,
    end: u32,
    /// Its first row in the keys.
    to: u32,
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
        let mut numbers = Vec::with_capacity(found.ids.len());
        let mut start = 0;
        for (at, (id, &end)) in found.ids.iter().zip(&found.ends).enumerate() {
            groups.push(Group { start, end, to: 0 });
            numbers.push((number(id)?, at));
            start = end;
        }
        numbers.sort_unstable();
        let mut ends = Vec::with_capacity(groups.len());
        let mut row = 0;
        for &(_, at) in &numbers {
            groups[at].to = row;
            row += groups[at].end - groups[at].start;
            ends.push(row);
        }
        let mut time = Spread::new(&groups, found.time.len());
        time.put(&found.time);
        let sensors = numbers.iter().map(|(sensor, _)| *sensor).collect();
        let keys = Arc::new(Keys { sensors, ends, time: time.out });
        Ok(FileKeys { keys, groups: Arc::new(groups) })
    }

    /// Takes a column of the file bit by bit.
    pub(super) fn spread(&self) -> Spread<'_> {
        Spread::new(&self.groups, self.keys.time.len())
    }

    /// Bytes it takes in memory.
    pub(crate) fn bytes(&self) -> usize {
        self.keys.time.len() * 8 + self.groups.len() * 20
    }
}

/// A column on its way from the order of the file to that of the keys.
pub(super) struct Spread<'a> {
    /// Groups still to come.
    groups: &'a [Group],
    /// Row of the file that comes next.
    row: u32,
    out: Vec<i64>,
}

impl<'a> Spread<'a> {
    fn new(groups: &'a [Group], rows: usize) -> Spread<'a> {
        Spread { groups, row: 0, out: vec![0; rows] }
    }

    /// Takes the next rows of the file; those past the last group are dropped.
    pub(super) fn put(&mut self, mut values: &[i64]) {
        while let Some((group, later)) = self.groups.split_first()
            && !values.is_empty()
        {
            let here = values.len().min((group.end - self.row) as usize);
            let to = (group.to + self.row - group.start) as usize;
            self.out[to..to + here].copy_from_slice(&values[..here]);
            values = &values[here..];
            self.row += here as u32;
            if self.row == group.end {
                self.groups = later;
            }
        }
    }

    /// The column, if all its rows have come.
    pub(super) fn whole(self) -> Option<Vec<i64>> {
        self.groups.is_empty().then_some(self.out)
    }
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
