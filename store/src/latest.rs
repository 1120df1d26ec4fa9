//! The newest value of each field of each sensor, and its time.

use crate::SensorIx;
use schemas::{ABSENT, Time};

/// Newest values of one dataset, one row per sensor. Survives restarts and raw retention.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Latest {
    /// Fields of the dataset.
    pub fields: usize,
    /// sensor × fields + field: instant of the newest value; `i64::MIN` when there is none.
    pub times: Vec<i64>,
    /// sensor × fields + field: the newest value, or [`ABSENT`].
    pub values: Vec<i64>,
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
}
