//! Partial aggregates of one field: integers that merge exactly in any order, whatever tier they come from.
//!
//! A [`Tally`] turns rows of one sensor, raw ones and windows of tiers, into [`Cell`]s; cells of several sensors, buckets or
//! tiers merge into one; a cell gives the value of each function that is right for its kind.

pub mod angle;
pub mod cumulative;
pub mod cut;
pub mod level;
pub mod numeric;
pub mod quantile;
pub(crate) mod sheet;
mod state;
pub mod tally;
pub mod value;
pub(crate) mod window;

pub use tally::{Frame, Rows, Sort, Tally};

use schemas::ABSENT;

/// The newest value of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Last {
    /// When it was taken.
    pub time: i64,
    /// Place of its sensor in the order of ids.
    pub rank: u32,
    /// The value.
    pub value: i64,
}

impl Last {
    /// The last present value of rows of one sensor.
    fn of(time: &[i64], values: &[i64], rank: u32) -> Option<Last> {
        let row = values.iter().rposition(|&value| value != ABSENT)?;
        Some(Last { time: time[row], rank, value: values[row] })
    }

    /// The newer of two; at the same instant the one of the first sensor by id.
    fn newer(a: Option<Last>, b: Option<Last>) -> Option<Last> {
        match (a, b) {
            (Some(x), Some(y)) if (y.time, x.rank) > (x.time, y.rank) => Some(y),
            (Some(x), _) => Some(x),
            (None, y) => y,
        }
    }
}

/// What a field's readings in a bucket and group come to.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// Readings.
    pub n: i64,
    /// The newest.
    pub last: Option<Last>,
    /// What the field's kind adds up.
    pub sums: Sums,
    /// Counts for quantiles, where they are asked for.
    pub counts: Option<quantile::Counts>,
}

/// What each kind adds up.
#[derive(Clone, Debug, PartialEq)]
pub enum Sums {
    /// Gauges and counts.
    Numeric(numeric::Numeric),
    /// Meters: growth in steps.
    Cumulative(i128),
    /// States: microseconds in each.
    State(Box<[i64]>),
    /// Levels.
    Level(level::Level),
    /// Angles.
    Angle(schemas::circle::Vector),
}

impl Cell {
    /// Adds another cell of the same field. The order of merging does not matter.
    pub fn merge(&mut self, other: &Cell) {
        self.n += other.n;
        self.last = Last::newer(self.last, other.last);
        if let (Some(mine), Some(theirs)) = (&mut self.counts, &other.counts) {
            mine.merge(theirs);
        }
        match (&mut self.sums, &other.sums) {
            (Sums::Numeric(a), Sums::Numeric(b)) => a.merge(b),
            (Sums::Cumulative(a), Sums::Cumulative(b)) => *a += b,
            (Sums::State(a), Sums::State(b)) => a.iter_mut().zip(b.iter()).for_each(|(a, b)| *a += b),
            (Sums::Level(a), Sums::Level(b)) => a.merge(b),
            (Sums::Angle(a), Sums::Angle(b)) => *a += *b,
            (a, b) => debug_assert!(false, "cells of one field are of one kind: {a:?}, {b:?}"),
        }
    }
}

/// Present values.
fn count(values: &[i64]) -> i64 {
    values.iter().map(|&value| i64::from(value != ABSENT)).sum()
}

#[cfg(test)]
mod tests;
