//! Gauges and counts: exact sums, least and greatest, and the means of sensors.

use schemas::ABSENT;
use schemas::decimal::divide;

/// Digits that a mean has past its field's resolution.
pub const MEAN_DIGITS: u32 = 4;

/// What gauges and counts add up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Numeric {
    /// Sum of the values.
    pub sum: i128,
    /// Least value.
    pub min: i64,
    /// Greatest value.
    pub max: i64,
    /// Sum over sensors of each one's mean, in 10^-4 steps.
    pub means: i128,
    /// Sensors in `means`.
    pub sensors: i64,
}

impl Numeric {
    /// Of values of which at least one is present.
    pub fn of(values: &[i64]) -> Numeric {
        // Halves of the values are added up apart: neither overflows below 2^31 rows, and the loop stays simple.
        let (mut high, mut low, mut min, mut max) = (0_i64, 0_i64, i64::MAX, ABSENT);
        for &value in values {
            let present = value != ABSENT;
            let addend = if present { value } else { 0 };
            high += addend >> 32;
            low += addend & 0xffff_ffff;
            min = min.min(if present { value } else { i64::MAX });
            max = max.max(value);
        }
        let sum = (i128::from(high) << 32) + i128::from(low);
        Numeric { sum, min, max, means: 0, sensors: 0 }
    }

    /// Notes that this is all of one sensor's `n` readings of a bucket and group.
    pub fn close_sensor(&mut self, n: i64) {
        self.means = mean(self.sum, n);
        self.sensors = 1;
    }

    /// Adds another.
    pub fn merge(&mut self, other: &Numeric) {
        self.sum += other.sum;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.means += other.means;
        self.sensors += other.sensors;
    }
}

/// `sum / n` in 10^-4 steps, rounded half away from zero.
pub fn mean(sum: i128, n: i64) -> i128 {
    divide(sum * 10_i128.pow(MEAN_DIGITS), i128::from(n))
}
