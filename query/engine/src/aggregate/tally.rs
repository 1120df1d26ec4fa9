//! The cells of one field of one sensor, from raw rows and windows of tiers in the order of time.

use super::cut::{Buckets, Key, Part, Segment};
use super::quantile::{Counting, Counts};
use super::window::{Strip, cells};
use super::{Cell, Last, Sums, angle, count, cumulative, level, numeric, state};
use schemas::{Kind, Resolution};
use std::ops::Range;

/// How the time of one sensor is cut.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// Spans in which the sensor belongs to a group.
    pub segments: &'a [Segment],
    /// The buckets.
    pub buckets: &'a Buckets,
    /// Place of the sensor in the order of ids.
    pub rank: u32,
    /// Instant of the question: no state stands past it.
    pub now: i64,
}

impl Frame<'_> {
    /// Where an instant is added up.
    pub(super) fn key(&self, time: i64) -> Option<Key> {
        let segment = self.segments.iter().find(|segment| segment.from <= time && time < segment.to)?;
        let inside = self.buckets.from() <= time && time < self.buckets.to();
        inside.then(|| Key { bucket: self.buckets.of(time) as u32, group: segment.group })
    }
}

/// Raw rows of one field, all later than what was added before.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    /// Instants, ascending; they may begin before the first bucket.
    pub time: &'a [i64],
    /// Values, or [`schemas::ABSENT`].
    pub values: &'a [i64],
    /// Rows of each piece.
    pub parts: &'a [Part],
}

/// What is added up.
#[derive(Clone, Copy, Debug)]
pub struct Sort<'a> {
    /// The field's kind.
    pub kind: &'a Kind,
    /// Its resolution.
    pub resolution: Resolution,
    /// What is counted for quantiles, if any are asked for.
    pub counting: Option<Counting>,
}

/// Cells so far.
#[derive(Debug)]
pub struct Tally<'a> {
    sort: Sort<'a>,
    frame: Frame<'a>,
    cells: Vec<(Key, Cell)>,
    /// The newest reading of a meter so far.
    meter: Option<(i64, i64)>,
    /// How a state stands.
    state: state::Standing,
}

impl<'a> Tally<'a> {
    /// None yet; `before` is the newest reading of a meter before all that is added.
    pub fn new(sort: Sort<'a>, frame: Frame<'a>, before: Option<(i64, i64)>) -> Tally<'a> {
        Tally { sort, frame, cells: Vec::new(), meter: before, state: state::Standing::default() }
    }

    /// Adds raw rows.
    pub fn rows(&mut self, rows: Rows<'_>) {
        let Sort { kind, resolution, counting } = self.sort;
        let counts = |values: &[i64]| counting.map(|counting| Counts::of(values, counting));
        match kind {
            Kind::Gauge | Kind::Count => {
                self.sliced(rows, |range| {
                    let values = &rows.values[range];
                    (Sums::Numeric(numeric::Numeric::of(values)), counts(values))
                });
            }
            Kind::Level => self.sliced(rows, |range| {
                let values = &rows.values[range];
                (Sums::Level(level::Level::of(values, resolution)), counts(values))
            }),
            Kind::Angle => self.sliced(rows, |range| (Sums::Angle(angle::sum(&rows.values[range], resolution)), None)),
            Kind::Cumulative => {
                let before = self.meter;
                self.sliced(rows, |range| (Sums::Cumulative(cumulative::increase(rows, range, before)), None));
                self.meter = cumulative::newest(rows, rows.time.len(), before);
            }
            Kind::State { values, hold } => {
                self.state.rows(rows, &self.frame, (values.len(), *hold), &mut self.cells);
            }
        }
    }

    /// Adds windows of a field, all later than what was added before: a strip per file, and its windows by piece.
    pub(crate) fn windows(&mut self, field: usize, strips: &[Strip<'_>], parts: &[Vec<Part>]) {
        match self.sort.kind {
            Kind::Cumulative => cumulative::windows(field, strips, &self.frame, &mut self.meter, &mut self.cells),
            Kind::State { values, hold } => {
                self.state.windows(field, strips, &self.frame, (values.len(), *hold), &mut self.cells);
            }
            kind => {
                for (strip, parts) in strips.iter().zip(parts) {
                    self.cells.extend(cells(kind, strip, parts, strip.columns(field), self.frame.rank));
                }
            }
        }
    }

    /// A cell per part with a reading of the field.
    fn sliced(&mut self, rows: Rows<'_>, of: impl Fn(Range<usize>) -> (Sums, Option<Counts>)) {
        self.cells.reserve(rows.parts.len());
        for part in rows.parts {
            let values = &rows.values[part.rows.clone()];
            let n = count(values);
            if n > 0 {
                let last = Last::of(&rows.time[part.rows.clone()], values, self.frame.rank);
                let (sums, counts) = of(part.rows.clone());
                self.cells.push((part.key, Cell { n, last, sums, counts }));
            }
        }
    }

    /// The cells, by ascending key, no key twice.
    pub fn close(mut self) -> Vec<(Key, Cell)> {
        if let Kind::State { values, .. } = self.sort.kind {
            self.state.close(&self.frame, values.len(), &mut self.cells);
        }
        let mut cells = self.cells;
        if !cells.is_sorted_by(|a, b| a.0 < b.0) {
            // A bucket read from several places, or a sensor that left a group and came back within it.
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
}

/// Rows of strips in the order of time, as (place of the strip, row of its file).
pub(super) fn in_order(strips: &[Strip<'_>]) -> Vec<(usize, usize)> {
    let rows = strips.iter().enumerate().flat_map(|(at, strip)| strip.rows.clone().map(move |row| (at, row)));
    let mut rows: Vec<(usize, usize)> = rows.collect();
    rows.sort_by_key(|&(at, row)| strips[at].rollup.keys.time[row]);
    rows
}
