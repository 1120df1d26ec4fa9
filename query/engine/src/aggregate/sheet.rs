//! Sums of a gauge or count over windows of many sensors, column by column: what a cell per window would be too slow for.

use super::cut::Part as Rows;
use super::numeric::Numeric;
use super::tally::Frame;
use super::window::{self, Strip};
use super::{Cell, Sums};
use crate::tiers::Windows;
use schemas::ABSENT;
use std::ops::Range;
use store::Values;
use store::tier::columns::Part;

/// Sums by place: bucket × groups + group.
#[derive(Clone, Debug)]
pub(crate) struct Sheet {
    groups: usize,
    n: Vec<i64>,
    /// Readings of one sensor, where its share in coverage is asked for.
    own: Option<Vec<i64>>,
    /// Sums of values of 32 bits: fewer than 2^32 of them do not overflow 64.
    short: Vec<i64>,
    /// Sums of all others.
    long: Vec<i128>,
    min: Vec<i64>,
    max: Vec<i64>,
}

impl Sheet {
    /// Nothing in so many buckets of so many groups; `apart`: readings are counted by sensor, too.
    pub(crate) fn new(buckets: usize, groups: usize, apart: bool) -> Sheet {
        let places = buckets * groups;
        Sheet {
            groups,
            n: vec![0; places],
            own: apart.then(|| vec![0; places]),
            short: vec![0; places],
            long: vec![0; places],
            min: vec![i64::MAX; places],
            max: vec![ABSENT; places],
        }
    }

    /// Adds windows of a field of one sensor.
    pub(crate) fn add(&mut self, strip: &Strip<'_>, field: usize, frame: &Frame<'_>) {
        let mut strip = strip.clone();
        while let Some((first, windows)) = self.straight(&strip, frame) {
            let end = strip.rows.start + windows;
            self.add_each(&Strip { rows: strip.rows.start..end, ..strip.clone() }, field, first);
            strip.rows.start = end;
        }
        if !strip.rows.is_empty() {
            frame.buckets.parts(strip.time(), frame.segments).iter().for_each(|p| self.add_all(&strip, field, p));
        }
    }

    /// The place of the first window, and how many follow without a gap, where each window is a bucket, all in one group.
    fn straight(&self, strip: &Strip<'_>, frame: &Frame<'_>) -> Option<(usize, usize)> {
        let (time, Windows::Width(width)) = (strip.time(), strip.windows) else { return None };
        let (first, [segment]) = (*time.first()?, frame.segments) else { return None };
        let windows = unbroken(time, *width);
        let last = time[windows - 1];
        let inside = first >= frame.buckets.from().max(segment.from) && last < frame.buckets.to().min(segment.to);
        let even = frame.buckets.width() == Some(*width);
        (even && inside).then(|| (frame.buckets.of(first) * self.groups + segment.group as usize, windows))
    }

    /// Adds each window to a place of its own.
    fn add_each(&mut self, strip: &Strip<'_>, field: usize, first: usize) {
        let (columns, rows, step) = (strip.columns(field), strip.rows.clone(), self.groups);
        let Some(n) = columns.get(Part::N) else { return };
        for counts in [Some(&mut self.n), self.own.as_mut()].into_iter().flatten() {
            add(&mut counts[first..], step, n, rows.clone(), |sum, value| *sum += value);
        }
        match columns.get(Part::Sum) {
            None => {}
            Some(sums @ (Values::Short(_) | Values::Same(..))) => {
                add(&mut self.short[first..], step, sums, rows.clone(), |sum, value| *sum += value);
            }
            Some(sums) => {
                for (place, row) in self.long[first..].iter_mut().step_by(step).zip(rows.clone()) {
                    *place += sums.wide(row).unwrap_or(0);
                }
            }
        }
        if let Some(values) = columns.get(Part::Min) {
            add(&mut self.min[first..], step, values, rows.clone(), |min, value| *min = value.min(*min));
        }
        if let Some(values) = columns.get(Part::Max) {
            add(&mut self.max[first..], step, values, rows, |max, value| *max = value.max(*max));
        }
    }

    /// Adds all windows of a part to its place.
    fn add_all(&mut self, strip: &Strip<'_>, field: usize, part: &Rows) {
        let columns = strip.columns(field);
        let place = part.key.bucket as usize * self.groups + part.key.group as usize;
        let rows = strip.rows.start + part.rows.start..strip.rows.start + part.rows.end;
        self.n[place] += columns.n(rows.clone());
        self.count(place, columns.n(rows.clone()));
        self.long[place] += columns.get(Part::Sum).map_or(0, |values| window::sum(values, rows.clone()));
        let (least, greatest) = (columns.get(Part::Min), columns.get(Part::Max));
        self.min[place] = self.min[place].min(window::least(least, rows.clone()));
        self.max[place] = self.max[place].max(window::greatest(greatest, rows));
    }

    /// Counts readings of the sensor that were read elsewhere.
    pub(crate) fn count(&mut self, place: usize, n: i64) {
        self.own.iter_mut().for_each(|own| own[place] += n);
    }

    /// Tells how many readings the sensor has in each place where it has any, and goes on to the next one.
    pub(crate) fn next_sensor(&mut self, mut tell: impl FnMut(usize, i64)) {
        for (place, n) in self.own.iter_mut().flatten().enumerate().filter(|(_, n)| **n > 0) {
            tell(place, std::mem::take(n));
        }
    }

    /// The cell of a place; nothing where no readings are.
    pub(crate) fn cell(&self, place: usize) -> Option<Cell> {
        let sum = i128::from(self.short[place]) + self.long[place];
        let numeric = Numeric { sum, min: self.min[place], max: self.max[place], means: 0, sensors: 0 };
        let n = self.n[place];
        (n > 0).then_some(Cell { n, last: None, sums: Sums::Numeric(numeric), counts: None })
    }
}

/// How many instants, of at least one, follow each other by exactly `width`: after a gap all are further from the first.
fn unbroken(time: &[i64], width: i64) -> usize {
    let (mut low, mut high) = (1, time.len());
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        match time[middle - 1] - time[0] == (middle as i64 - 1) * width {
            true => low = middle,
            false => high = middle - 1,
        }
    }
    low
}

/// Joins the present values of some rows to places so many apart.
fn add(places: &mut [i64], step: usize, values: &Values, rows: Range<usize>, join: impl Fn(&mut i64, i64)) {
    match values {
        Values::Same(ABSENT, _) => {}
        Values::Same(value, _) => {
            places.iter_mut().step_by(step).take(rows.len()).for_each(|place| join(place, *value));
        }
        Values::Short(values) if step == 1 => places.iter_mut().zip(&values[rows]).for_each(|(place, &value)| {
            if value != i32::MIN {
                join(place, i64::from(value));
            }
        }),
        _ => {
            for (place, row) in places.iter_mut().step_by(step).zip(rows) {
                let value = values.long(row);
                if value != ABSENT {
                    join(place, value);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_taken_up_to_the_next_gap() {
        for (time, expect) in [
            (vec![5], 1),
            (vec![5, 15], 2),
            (vec![5, 16], 1),
            (vec![0, 10, 20, 30, 50, 60], 4),
            (vec![0, 20, 30, 40], 1),
            ((0..1000).map(|i| i * 10 + i64::from(i > 700)).collect(), 701),
        ] {
            assert_eq!(unbroken(&time, 10), expect, "{time:?}");
        }
    }
}
