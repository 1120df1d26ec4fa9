//! The newest value of each field of each sensor, and its time.

use crate::run::cut::Cut;
use crate::{Run, SensorIx};
use schemas::{ABSENT, Batch, Time};
use std::collections::BTreeMap;

/// Newest values of one dataset, one row per sensor. Survives restarts and raw retention.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Latest {
    /// Fields of the dataset.
    pub fields: usize,
    /// sensor × fields + field: instant of the newest value; `i64::MIN` when there is none.
    pub times: Vec<i64>,
    /// sensor × fields + field: the newest value, or [`ABSENT`].
    pub values: Vec<i64>,
    /// Newest values that erasures took, by sensor and field: the newest left is to be found. With the number of the last
    /// erasure that may have had a part in it.
    pub(crate) owed: BTreeMap<(SensorIx, usize), u64>,
    /// Erasures taken over.
    pub(crate) erasures: u64,
}

impl Latest {
    /// The newest value of a field of a sensor, and when it was taken.
    pub fn get(&self, sensor: SensorIx, field: usize) -> Option<(Time, i64)> {
        let at = sensor as usize * self.fields + field;
        match self.values.get(at) {
            None | Some(&ABSENT) => None,
            Some(&value) => Some((Time(self.times[at]), value)),
        }
    }

    /// Makes room for so many sensors.
    pub(crate) fn grow(&mut self, sensors: usize) {
        self.times.resize(sensors * self.fields, i64::MIN);
        self.values.resize(sensors * self.fields, ABSENT);
    }

    /// Takes over one value. Of two at one instant the one taken over later stands.
    pub(crate) fn set(&mut self, sensor: SensorIx, field: usize, time: i64, value: i64) {
        let at = sensor as usize * self.fields + field;
        if time >= self.times[at] {
            self.times[at] = time;
            self.values[at] = value;
        }
    }

    /// An erasure takes newest values away.
    pub(crate) fn erase(&mut self, cut: &Cut) {
        self.erasures += 1;
        for field in 0..self.fields {
            let at = cut.sensor as usize * self.fields + field;
            if at >= self.values.len() || !cut.fields.is_empty() && !cut.fields.contains(&field) {
                continue;
            }
            let taken = self.values[at] != ABSENT && cut.span.holds(Time(self.times[at]));
            if taken {
                (self.times[at], self.values[at]) = (i64::MIN, ABSENT);
            }
            // Whoever looks for the newest value left may have seen one that is erased now.
            if taken || self.owed.contains_key(&(cut.sensor, field)) {
                self.owed.insert((cut.sensor, field), self.erasures);
            }
        }
    }

    /// The newest value left was found in a state that so many erasures are in; values that came since stand.
    pub(crate) fn found(&mut self, of: (SensorIx, usize), seen: u64, newest: Option<(i64, i64)>) {
        if self.owed.get(&of).is_none_or(|last| *last > seen) {
            return;
        }
        self.owed.remove(&of);
        let at = of.0 as usize * self.fields + of.1;
        if let Some((time, value)) = newest.filter(|(time, _)| *time > self.times[at]) {
            (self.times[at], self.values[at]) = (time, value);
        }
    }

    /// Takes over the newest values of a batch that arrived after everything before. `numbers` and `spans` are the number
    /// and the first and last instant of each of its sensors.
    pub(crate) fn take(&mut self, batch: &Batch, numbers: &[SensorIx], spans: &[(i64, i64)]) {
        // The newest row of each sensor as a rule tells all; of those where it does not, row after row.
        let mut newest = vec![usize::MAX; numbers.len()];
        for (row, (&sensor, &time)) in batch.sensor.iter().zip(&batch.time).enumerate() {
            if time == spans[sensor as usize].1 {
                newest[sensor as usize] = row;
            }
        }
        let tells_all = |row: usize| batch.columns.iter().all(|column| column[row] != ABSENT);
        let mut rows: Vec<usize> = newest.iter().copied().filter(|&row| row != usize::MAX).collect();
        rows.sort_unstable();
        if !rows.iter().all(|&row| tells_all(row)) {
            rows = (0..batch.time.len()).collect();
        }
        for row in rows {
            let (sensor, time) = (numbers[batch.sensor[row] as usize], batch.time[row]);
            for (field, column) in batch.columns.iter().enumerate().filter(|(_, column)| column[row] != ABSENT) {
                self.set(sensor, field, time, column[row]);
            }
        }
    }

    /// Takes over the newest values of a run that arrived after everything before.
    pub(crate) fn apply(&mut self, run: &Run) {
        for (field, column) in run.columns.iter().enumerate() {
            let Some(column) = column else { continue };
            for (sensor, rows) in run.keys.each() {
                if let Some(row) = rows.rev().find(|&row| column[row] != ABSENT) {
                    self.set(sensor, field, run.keys.time[row], column[row]);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{batch, dataset};

    #[test]
    fn each_field_keeps_its_own_newest_value() {
        let d = dataset("d", 2);
        let mut latest = Latest { fields: 2, ..Latest::default() };
        latest.grow(1);
        let mut put = |rows: &[crate::testing::Row<'_>]| {
            let ends = rows.iter().map(|row| row.1);
            latest.take(&batch(&d, rows), &[0], &[(ends.clone().min().unwrap(), ends.max().unwrap())]);
        };
        put(&[("a", 5, &[(0, 50), (1, 51)]), ("a", 7, &[(0, 70)])]);
        put(&[("a", 6, &[(0, 60), (1, 61)]), ("a", 7, &[(0, 71)])]);
        put(&[("a", 7, &[])]);
        assert_eq!(latest.get(0, 0), Some((Time(7), 71)), "of two at one instant the later arrival stands");
        assert_eq!(latest.get(0, 1), Some((Time(6), 61)), "a reading without the field changes nothing");
        assert_eq!(latest.get(1, 0), None);
    }
}
