//! Sorted rows in memory: the one shape of hot rows, decoded files and merged answers.

pub(crate) mod cut;
pub mod merge;
pub mod overlay;
pub(crate) mod segment;
pub mod sort;
pub mod split;

#[cfg(test)]
mod tests;

pub use merge::merge;
pub use sort::sort_batch;

use std::sync::Arc;

/// Number of a sensor in its dataset's [`crate::SensorTable`]; stable while the process lives.
pub type SensorIx = u32;

/// The keys of a run: sensors ascending by number, and for each its times ascending, no key twice.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Keys {
    /// Distinct sensors, ascending.
    pub sensors: Vec<SensorIx>,
    /// For each sensor the row after its last.
    pub ends: Vec<u32>,
    /// Row: instant in UTC microseconds.
    pub time: Vec<i64>,
}

impl Keys {
    /// Rows of a sensor.
    pub fn rows(&self, sensor: SensorIx) -> std::ops::Range<usize> {
        match self.sensors.binary_search(&sensor) {
            Ok(i) => self.rows_at(i),
            Err(_) => 0..0,
        }
    }

    /// Rows of the i-th sensor of the run.
    pub fn rows_at(&self, i: usize) -> std::ops::Range<usize> {
        let start = if i == 0 { 0 } else { self.ends[i - 1] as usize };
        start..self.ends[i] as usize
    }

    /// Each sensor with its rows, ascending.
    pub fn each(&self) -> impl Iterator<Item = (SensorIx, std::ops::Range<usize>)> + '_ {
        self.sensors.iter().enumerate().map(|(i, &sensor)| (sensor, self.rows_at(i)))
    }

    /// Appends times, greater than those before, of the last sensor or of one greater than all before.
    pub(crate) fn push(&mut self, sensor: SensorIx, times: impl IntoIterator<Item = i64>) {
        let before = self.time.len();
        self.time.extend(times);
        let end = self.time.len() as u32;
        match self.ends.last_mut() {
            Some(last) if self.sensors.last() == Some(&sensor) => *last = end,
            _ if self.time.len() == before => {}
            _ => {
                self.sensors.push(sensor);
                self.ends.push(end);
            }
        }
    }
}

/// Values of a field by row, or nothing when no row has any.
pub type Column = Option<Arc<Vec<i64>>>;

/// Sorted rows with unique keys and a column per field of the dataset.
#[derive(Clone, Debug, Default)]
pub struct Run {
    /// Its keys.
    pub keys: Arc<Keys>,
    /// Per field of the dataset: values ([`schemas::ABSENT`] for none), or nothing when no row has the field or it was not asked for.
    pub columns: Vec<Column>,
}

impl Run {
    /// Rows.
    pub fn len(&self) -> usize {
        self.keys.time.len()
    }

    /// Whether it has no rows.
    pub fn is_empty(&self) -> bool {
        self.keys.time.is_empty()
    }

    /// Memory of its rows, in bytes.
    pub fn bytes(&self) -> usize {
        let columns = self.columns.iter().flatten().count();
        self.len() * 8 * (1 + columns) + self.keys.sensors.len() * 8
    }

    /// Value of a field in a row, or [`schemas::ABSENT`].
    pub fn value(&self, field: usize, row: usize) -> i64 {
        self.columns[field].as_ref().map_or(schemas::ABSENT, |column| column[row])
    }
}
