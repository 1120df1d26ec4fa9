//! Partial aggregates of one field: integers that merge exactly in any order, whatever tier they come from.
//!
//! A kernel turns rows of one sensor into [`Cell`]s; cells of several sensors, buckets or tiers merge into one; a cell gives
//! the value of each function that is right for its kind. A tier is another source of cells.

pub mod angle;
pub mod cumulative;
pub mod cut;
pub mod level;
pub mod numeric;
pub mod state;
pub mod value;

use cut::{Buckets, Key, Part, Segment};
use schemas::{ABSENT, Kind, Resolution};

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

/// One sensor's rows of one field, and how its time is cut.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    /// Instants, ascending; they may begin before the first bucket.
    pub time: &'a [i64],
    /// Values, or [`ABSENT`].
    pub values: &'a [i64],
    /// Rows of each piece.
    pub parts: &'a [Part],
    /// Spans in which the sensor belongs to a group.
    pub segments: &'a [Segment],
    /// The buckets.
    pub buckets: &'a Buckets,
    /// Place of the sensor in the order of ids.
    pub rank: u32,
    /// The newest reading of the field before the rows, where its kind needs it: when, what.
    pub before: Option<(i64, i64)>,
    /// Instant of the question: no state stands past it.
    pub now: i64,
}

/// The cells of one field of one sensor, by ascending key, no key twice.
pub fn cells(kind: &Kind, resolution: Resolution, rows: Rows<'_>) -> Vec<(Key, Cell)> {
    let mut cells = match kind {
        Kind::Gauge | Kind::Count => sliced(rows, |_, values| Sums::Numeric(numeric::Numeric::of(values))),
        Kind::Level => sliced(rows, |_, values| Sums::Level(level::Level::of(values, resolution))),
        Kind::Angle => sliced(rows, |_, values| Sums::Angle(angle::sum(values, resolution))),
        Kind::Cumulative => sliced(rows, |part, _| Sums::Cumulative(cumulative::increase(rows, part))),
        Kind::State { values, hold } => state::cells(rows, values.len(), *hold),
    };
    if !cells.is_sorted_by(|a, b| a.0 < b.0) {
        // A sensor that left a group and came back within a bucket.
        cells.sort_by_key(|(key, _)| *key);
        cells.dedup_by(|later, first| {
            let same = later.0 == first.0;
            if same {
                first.1.merge(&later.1);
            }
            same
        });
    }
    cells
}

/// A cell per part with a reading of the field.
fn sliced(rows: Rows<'_>, sums: impl Fn(&Part, &[i64]) -> Sums) -> Vec<(Key, Cell)> {
    let mut cells = Vec::with_capacity(rows.parts.len());
    for part in rows.parts {
        let values = &rows.values[part.rows.clone()];
        let n = count(values);
        if n > 0 {
            let last = Last::of(&rows.time[part.rows.clone()], values, rows.rank);
            cells.push((part.key, Cell { n, last, sums: sums(part, values) }));
        }
    }
    cells
}

/// Present values.
fn count(values: &[i64]) -> i64 {
    values.iter().map(|&value| i64::from(value != ABSENT)).sum()
}

#[cfg(test)]
mod tests;
