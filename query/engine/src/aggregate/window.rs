//! Windows of tiers as parts of cells: what gauges, counts, levels and angles come to.

use super::cut::{Key, Part as Rows};
use super::level::Level;
use super::numeric::Numeric;
use super::quantile::Counts;
use super::{Cell, Last, Sums};
use crate::tiers::{Wanted, Windows};
use schemas::circle::Vector;
use schemas::{ABSENT, Kind};
use std::ops::Range;
use store::tier::columns::Part;
use store::{Rollup, Tier, Values};

/// Neighbouring windows of one sensor in one file of a tier.
#[derive(Clone, Debug)]
pub(crate) struct Strip<'a> {
    /// The file's rows.
    pub rollup: &'a Rollup,
    /// Those meant.
    pub rows: Range<usize>,
    /// The tier.
    pub tier: Tier,
    /// Which columns were loaded.
    pub wanted: &'a Wanted,
    /// Where windows begin and end.
    pub windows: &'a Windows,
}

/// The columns of one field of a strip.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Columns<'a> {
    rollup: &'a Rollup,
    known: &'a [(usize, Part, usize)],
}

impl<'a> Strip<'a> {
    /// Where the windows begin.
    pub(crate) fn time(&self) -> &'a [i64] {
        &self.rollup.keys.time[self.rows.clone()]
    }

    /// The columns of a field; row 0 is the file's first.
    pub(crate) fn columns(&self, field: usize) -> Columns<'a> {
        Columns { rollup: self.rollup, known: self.wanted.of_field(self.tier, field) }
    }
}

impl<'a> Columns<'a> {
    /// A column; nothing where no row has any value of it, or it was not asked for.
    pub(crate) fn get(&self, part: Part) -> Option<&'a Values> {
        let (.., number) = self.known.iter().find(|(_, known, _)| *known == part)?;
        self.rollup.columns.get(*number)?.as_deref()
    }

    /// An integer, or [`ABSENT`].
    pub(crate) fn long(&self, part: Part, row: usize) -> i64 {
        self.get(part).map_or(ABSENT, |values| values.long(row))
    }

    /// Readings in some windows.
    pub(crate) fn n(&self, rows: Range<usize>) -> i64 {
        self.get(Part::N).map_or(0, |values| sum(values, rows) as i64)
    }
}

/// The cells of windows of a field whose windows do not touch each other.
pub(super) fn cells(
    kind: &Kind,
    strip: &Strip<'_>,
    parts: &[Rows],
    columns: Columns<'_>,
    rank: u32,
) -> impl Iterator<Item = (Key, Cell)> {
    parts.iter().filter_map(move |part| {
        let rows = strip.rows.start + part.rows.start..strip.rows.start + part.rows.end;
        let n = columns.n(rows.clone());
        if n == 0 {
            return None;
        }
        let total = |part| columns.get(part).map_or(0, |values| sum(values, rows.clone()));
        let (min, max) = (least(columns.get(Part::Min), rows.clone()), greatest(columns.get(Part::Max), rows.clone()));
        let sums = match kind {
            Kind::Level => Sums::Level(Level { energy: total(Part::Energy), min, max }),
            Kind::Angle => Sums::Angle(Vector { sin: total(Part::Sin), cos: total(Part::Cos) }),
            _ => Sums::Numeric(Numeric { sum: total(Part::Sum), min, max, means: 0, sensors: 0 }),
        };
        let counts = columns.get(Part::Sketch).map(|sketches| Counts::of_sketches(sketches, rows.clone()));
        Some((part.key, Cell { n, last: last(columns, rows, rank), sums, counts }))
    })
}

/// The newest value of some windows, where the tier holds it.
fn last(columns: Columns<'_>, rows: Range<usize>, rank: u32) -> Option<Last> {
    let (value, time) = (columns.get(Part::Last)?, columns.get(Part::LastAt)?);
    let row = rows.rev().find(|&row| time.long(row) != ABSENT)?;
    Some(Last { time: time.long(row), rank, value: value.long(row) })
}

/// The exact sum of the values present.
pub(crate) fn sum(values: &Values, rows: Range<usize>) -> i128 {
    match values {
        Values::Same(ABSENT, _) => 0,
        Values::Same(value, _) => i128::from(*value) * rows.len() as i128,
        // Below 2^32 rows of 32 bits do not overflow 64.
        Values::Short(values) => {
            values[rows].iter().map(|&value| if value == i32::MIN { 0 } else { i64::from(value) }).sum::<i64>().into()
        }
        _ => rows.filter_map(|row| values.wide(row)).sum(),
    }
}

pub(super) fn least(values: Option<&Values>, rows: Range<usize>) -> i64 {
    let values = values.into_iter().flat_map(|values| rows.clone().map(|row| values.long(row)));
    values.filter(|&value| value != ABSENT).min().unwrap_or(i64::MAX)
}

/// ABSENT is the least integer.
pub(super) fn greatest(values: Option<&Values>, rows: Range<usize>) -> i64 {
    values.into_iter().flat_map(|values| rows.clone().map(|row| values.long(row))).max().unwrap_or(ABSENT)
}

/// The first window that has readings of a field and no sketch of them: it was committed before sketches were asked for.
pub(crate) fn without_sketch(strip: &Strip<'_>, field: usize) -> Vec<i64> {
    let columns = strip.columns(field);
    let lacks = |row: &usize| {
        columns.n(*row..*row + 1) > 0 && columns.get(Part::Sketch).is_none_or(|sketches| sketches.blob(*row).is_empty())
    };
    strip.rows.clone().filter(lacks).map(|row| strip.rollup.keys.time[row]).collect()
}
