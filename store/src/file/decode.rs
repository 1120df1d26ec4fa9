//! A file that was opened: its footer and its sensors, and from them keys and columns in memory.

use super::index::Sensors;
use super::layout::{self, Spec};
use super::order::{Group, Order};
use super::read::Footer;
use super::{FileMeta, index, values};
use crate::tier::values::Values;
use crate::{Error, Keys, SensorIx};
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Int32Type, TimestampMicrosecondType};
use parquet::arrow::arrow_reader::ParquetRecordBatchReader;
use parquet::errors::{ParquetError, Result as Parquet};
use parquet::file::reader::ChunkReader;
use schemas::{ABSENT, Dataset};
use std::ops::Range;
use std::sync::Arc;

/// Gives the number of a sensor id; an error refuses the file (a sensor that should be known is not).
pub(crate) type Numbering = Arc<dyn Fn(&str) -> Result<SensorIx, Error> + Send + Sync>;

/// Sensors are read alone when all rows are at least so many times theirs.
const FEW: u64 = 8;

/// A file's footer, and which rows are whose.
#[derive(Clone, Debug)]
pub(crate) struct Opened {
    footer: Footer,
    /// Its sensors in the order of their ids.
    groups: Vec<Group>,
    /// Places in `groups` by ascending number of the sensor.
    by_number: Vec<u32>,
}

impl Opened {
    /// Opens a file; `bytes` hold [`Footer::openers`]. Checks that sensors are sorted, and that there are as many rows as the
    /// manifest says. `Kind::Corrupt`, naming the file, when the bytes are not such a file.
    /// CPU work, like all here: call it on a blocking thread.
    pub(crate) fn read<R: ChunkReader + Clone + 'static>(
        footer: Footer,
        bytes: &R,
        number: &Numbering,
    ) -> Result<Opened, Error> {
        let footer = footer.with_pages(bytes)?;
        let sensors = match index::read(footer.entries()).map_err(|fault| footer.corrupt(fault))? {
            Some(sensors) => sensors,
            None => footer.guard(|| Sensors::read(footer.batches(bytes, &[layout::SENSOR], None)?))?,
        };
        sensors.check(&footer.meta).map_err(|fault| footer.corrupt(fault))?;
        let mut start = 0;
        let mut groups = Vec::with_capacity(sensors.ids.len());
        for (id, &end) in sensors.ids.iter().zip(&sensors.ends) {
            groups.push(Group { sensor: number(id)?, start, end });
            start = end;
        }
        let mut by_number: Vec<u32> = (0..groups.len() as u32).collect();
        by_number.sort_unstable_by_key(|&at| groups[at as usize].sensor);
        Ok(Opened { footer, groups, by_number })
    }

    /// All rows.
    pub(crate) fn order(&self) -> Order {
        Order::of(&self.groups)
    }

    /// The rows of some sensors, if they are few among all.
    pub(crate) fn few(&self, sensors: &[SensorIx]) -> Option<Order> {
        let find = |sensor: &SensorIx| {
            let place = self.by_number.binary_search_by_key(sensor, |&at| self.groups[at as usize].sensor);
            place.ok().map(|place| self.by_number[place] as usize)
        };
        let mut places: Vec<usize> = sensors.iter().filter_map(find).collect();
        places.sort_unstable();
        places.dedup();
        let groups: Vec<Group> = places.iter().map(|&at| self.groups[at]).collect();
        let rows: u64 = groups.iter().map(|group| u64::from(group.end - group.start)).sum();
        (rows * FEW <= self.footer.meta.rows).then(|| Order::of_some(&groups))
    }

    /// Where the bytes of rows lie, row group by row group: of some columns, and of the keys if `keys`.
    pub(crate) fn ranges(&self, columns: &[&Spec], keys: bool, order: &Order) -> Vec<Range<u64>> {
        let keys = Some(layout::TIME).filter(|_| keys);
        let names = keys.into_iter().chain(columns.iter().map(|spec| &*spec.name));
        match &order.picked {
            None => self.footer.ranges(names),
            Some(rows) => self.footer.pages(names, rows),
        }
    }

    /// The keys of rows. Checks that times are sorted, unique, and within what the manifest says.
    pub(crate) fn keys<R: ChunkReader + Clone + 'static>(&self, bytes: &R, order: &Order) -> Result<Keys, Error> {
        let mut time = Vec::new();
        self.footer.guard(|| {
            for batch in self.footer.batches(bytes, &[layout::TIME], order.picked.as_deref())? {
                take_times(&batch?, &mut time)?;
            }
            Ok(())
        })?;
        check_times(&time, order, &self.footer.meta).map_err(|fault| self.footer.corrupt(fault))?;
        Ok(Keys { sensors: order.sensors.clone(), ends: order.ends.clone(), time: order.place(time) })
    }

    /// Columns of raw rows. A column that the file does not have yet, or has no value of, is `None`.
    pub(crate) fn longs<R: ChunkReader + Clone + 'static>(
        &self,
        bytes: &R,
        order: &Order,
        dataset: &Dataset,
        columns: &[&Spec],
    ) -> Result<Vec<Option<Arc<Vec<i64>>>>, Error> {
        let read = values::read(&self.footer, bytes, order, dataset, columns)?;
        let widen = |value: i32| if value == i32::MIN { ABSENT } else { i64::from(value) };
        let long = |values: Values| match values {
            Values::Short(values) => order.mapped(&values, widen),
            Values::Long(values) => order.place(values),
            other => order.place((0..other.len()).map(|row| other.long(row)).collect()),
        };
        Ok(read.into_iter().map(|values| values.map(|values| Arc::new(long(values)))).collect())
    }

    /// Columns of a tier's rows, as [`Opened::longs`].
    pub(crate) fn values<R: ChunkReader + Clone + 'static>(
        &self,
        bytes: &R,
        order: &Order,
        dataset: &Dataset,
        columns: &[&Spec],
    ) -> Result<Vec<Option<Arc<Values>>>, Error> {
        let read = values::read(&self.footer, bytes, order, dataset, columns)?;
        Ok(read.into_iter().map(|values| values.map(|values| Arc::new(order.arrange(values.smallest())))).collect())
    }

    /// Bytes it takes in memory.
    pub(crate) fn bytes(&self) -> usize {
        self.footer.bytes() + self.groups.len() * (size_of::<Group>() + 4)
    }
}

fn take_times(batch: &RecordBatch, time: &mut Vec<i64>) -> Parquet<()> {
    let column = batch.column_by_name(layout::TIME).and_then(|c| c.as_primitive_opt::<TimestampMicrosecondType>());
    let column = column.ok_or_else(|| lacks(layout::TIME))?;
    if column.null_count() > 0 {
        return Err(ParquetError::General("a key is null".into()));
    }
    time.extend_from_slice(column.values());
    Ok(())
}

fn lacks(name: &str) -> ParquetError {
    ParquetError::General(format!("column {name} is missing or of another type"))
}

fn check_times(time: &[i64], order: &Order, meta: &FileMeta) -> Result<(), String> {
    if time.len() != order.rows {
        return Err(format!("it has {} times for {} rows", time.len(), order.rows));
    }
    for rows in order.stretches() {
        let own = &time[rows];
        if !own.is_sorted_by(|a, b| a < b) {
            return Err("its times are not in order".to_owned());
        }
        if own.first().is_some_and(|t| *t < meta.min_time) || own.last().is_some_and(|t| *t > meta.max_time) {
            return Err("it has times outside those listed".to_owned());
        }
    }
    Ok(())
}

impl Sensors {
    /// From the column of sensors: files of older builds have no index.
    fn read(batches: ParquetRecordBatchReader) -> Parquet<Sensors> {
        let mut found = Sensors::default();
        let mut rows = 0;
        for batch in batches {
            found.take(&batch?, &mut rows)?;
        }
        // A file of erasures alone has no rows.
        found.ends.extend((rows > 0).then_some(rows));
        Ok(found)
    }

    fn take(&mut self, batch: &RecordBatch, rows: &mut u32) -> Parquet<()> {
        let ids = batch.column_by_name(layout::SENSOR).and_then(|c| c.as_dictionary_opt::<Int32Type>());
        let ids = ids.ok_or_else(|| lacks(layout::SENSOR))?;
        let words = ids.values().as_string_opt::<i32>().ok_or_else(|| lacks(layout::SENSOR))?;
        if ids.null_count() > 0 {
            return Err(ParquetError::General("a key is null".into()));
        }
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
                    self.ends.push(*rows + row as u32);
                }
                self.ids.push(id.to_owned());
            }
        }
        *rows += ids.len() as u32;
        Ok(())
    }

    /// Says what is wrong with the sensors.
    fn check(&self, meta: &FileMeta) -> Result<(), String> {
        let rows = self.ends.last().copied().unwrap_or(0);
        if u64::from(rows) != meta.rows || self.ids.len() != self.ends.len() {
            return Err(format!("it has {rows} rows, {} are listed", meta.rows));
        }
        match self.ids.is_sorted_by(|a, b| a < b) && self.ends.is_sorted_by(|a, b| a < b) {
            true => Ok(()),
            false => Err("its sensors are not in order".to_owned()),
        }
    }
}
