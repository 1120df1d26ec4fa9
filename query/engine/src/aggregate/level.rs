//! Decibels: sums of energies.

use schemas::energy::energy;
use schemas::{ABSENT, Resolution};

/// What levels add up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    /// Sum of energies, in the units of [`schemas::energy`].
    pub energy: i128,
    /// Least value.
    pub min: i64,
    /// Greatest value.
    pub max: i64,
}

impl Level {
    /// Of values of which at least one is present.
    pub fn of(values: &[i64], resolution: Resolution) -> Level {
        let mut level = Level { energy: 0, min: i64::MAX, max: ABSENT };
        for &value in values.iter().filter(|&&value| value != ABSENT) {
            level.energy += energy(value, resolution);
            level.min = level.min.min(value);
            level.max = level.max.max(value);
        }
        level
    }

    /// Adds another.
    pub fn merge(&mut self, other: &Level) {
        self.energy += other.energy;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }
}
