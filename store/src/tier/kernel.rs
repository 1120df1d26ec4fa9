//! From raw rows to rows of a tier (rules 11, 27 and 28): plain functions.

use super::Tier;
use super::columns::{Column, Part, columns};
use super::rollup::Rollup;
use super::values::Values;
use crate::file::layout::Shape;
use crate::run::split::Picked;
use crate::{Keys, Run, SensorIx};
use schemas::circle::Vector;
use schemas::energy::energy;
use schemas::sketch::Sketch;
use schemas::time::HOUR;
use schemas::{ABSENT, Dataset, Field, Kind, Span};
use std::ops::Range;
use std::sync::Arc;

/// Width of the finest tier's windows in microseconds.
const QUARTER: i64 = HOUR / 4;

/// Rows of one sensor in one window.
struct Piece {
    /// First instant after the window.
    end: i64,
    rows: Range<usize>,
}

/// What the rows of a run come to in windows: `windows` gives those of a sensor, ascending and apart. A window without a value
/// of any field has no row. The run holds all rows of the sensors in these windows.
pub(crate) fn rollup<'a>(dataset: &Dataset, tier: Tier, run: &Run, windows: impl Fn(SensorIx) -> &'a [Span]) -> Rollup {
    let (mut keys, mut pieces) = (Keys::default(), Vec::new());
    for (sensor, rows) in run.keys.each() {
        let times = &run.keys.time[rows.clone()];
        let mut at = 0;
        for window in windows(sensor) {
            at += times[at..].partition_point(|&time| time < window.from.0);
            let until = at + times[at..].partition_point(|&time| time < window.to.0);
            let own = rows.start + at..rows.start + until;
            at = until;
            if has_value(run, own.clone()) {
                keys.push(sensor, [window.from.0]);
                pieces.push(Piece { end: window.to.0, rows: own });
            }
        }
    }
    computed(dataset, &columns(dataset, tier), run, keys, &pieces)
}

/// What picked rows of a run come to by quarter hour, in the columns of the 1d tier; nothing where quarter hours have fewer
/// than `dense` rows on the average. As [`rollup`].
pub(crate) fn quarters(dataset: &Dataset, run: &Run, picked: &Picked, dense: usize) -> Option<Rollup> {
    let (mut keys, mut pieces) = (Keys::default(), Vec::<Piece>::new());
    let mut all = 0;
    for (sensor, rows) in picked {
        all += rows.len();
        let mut at = rows.start;
        while at < rows.end {
            let start = run.keys.time[at] - run.keys.time[at].rem_euclid(QUARTER);
            let end = start + QUARTER;
            let until = at + run.keys.time[at..rows.end].iter().take_while(|&&time| time < end).count();
            if has_value(run, at..until) {
                keys.push(*sensor, [start]);
                pieces.push(Piece { end, rows: at..until });
            }
            at = until;
        }
    }
    (pieces.len() * dense <= all).then(|| computed(dataset, &columns(dataset, Tier::Day), run, keys, &pieces))
}

/// Columns of pieces of a run.
fn computed(dataset: &Dataset, all: &[Column], run: &Run, keys: Keys, pieces: &[Piece]) -> Rollup {
    let mut made = Rollup { keys: Arc::new(keys), columns: Vec::new() };
    let mut absent = Vec::new();
    for (ix, field) in dataset.fields.iter().enumerate() {
        let values = match &run.columns[ix] {
            Some(values) => &values[..],
            None => {
                absent.resize(run.len(), ABSENT);
                &absent[..]
            }
        };
        let own = all.iter().filter(|column| column.field == ix);
        made.columns.extend(of_field(field, own, &Rows { time: &run.keys.time, values, pieces }));
    }
    made
}

/// Whether some row has a value.
fn has_value(run: &Run, rows: Range<usize>) -> bool {
    run.columns.iter().flatten().any(|column| column[rows.clone()].iter().any(|&value| value != ABSENT))
}

/// Count, sum, least and greatest value of each piece, in one pass over the values.
#[derive(Default)]
struct Sums {
    n: Vec<i64>,
    sum: Vec<i128>,
    min: Vec<i64>,
    max: Vec<i64>,
}

impl Sums {
    fn of(rows: &Rows<'_>) -> Sums {
        let mut sums = Sums::default();
        for piece in rows.pieces {
            let (mut n, mut sum, mut min, mut max) = (0, 0_i128, i64::MAX, i64::MIN);
            for &value in &rows.values[piece.rows.clone()] {
                let there = value != ABSENT;
                n += i64::from(there);
                sum += if there { i128::from(value) } else { 0 };
                min = min.min(if there { value } else { i64::MAX });
                // ABSENT is the least integer.
                max = max.max(value);
            }
            sums.n.push(n);
            sums.sum.push(if n > 0 { sum } else { i128::MIN });
            sums.min.push(if n > 0 { min } else { ABSENT });
            sums.max.push(max);
        }
        sums
    }
}

/// A field's rows, cut into pieces.
struct Rows<'a> {
    time: &'a [i64],
    values: &'a [i64],
    pieces: &'a [Piece],
}

impl Rows<'_> {
    /// A value per piece.
    fn each<T>(&self, of: impl Fn(&Piece, &[i64]) -> T) -> Vec<T> {
        self.pieces.iter().map(|piece| of(piece, &self.values[piece.rows.clone()])).collect()
    }

    /// The first or last present row of each piece: what `of` makes of it, absent without one.
    fn end(&self, last: bool, of: impl Fn(usize) -> i64) -> Vec<i64> {
        self.each(|piece, values| {
            let present = |value: &i64| *value != ABSENT;
            let row = if last { values.iter().rposition(present) } else { values.iter().position(present) };
            row.map_or(ABSENT, |row| of(piece.rows.start + row))
        })
    }

    /// An exact sum per piece, absent where no value is.
    fn sum(&self, of: impl Fn(i64) -> i128) -> Vec<i128> {
        self.each(|_, values| {
            let mut present = values.iter().filter(|&&value| value != ABSENT).peekable();
            if present.peek().is_none() { i128::MIN } else { present.map(|&value| of(value)).sum() }
        })
    }
}

/// The columns of a field, in their order.
fn of_field<'a>(field: &Field, columns: impl Iterator<Item = &'a Column>, rows: &Rows<'_>) -> Vec<Option<Arc<Values>>> {
    if !rows.values.iter().any(|&value| value != ABSENT) {
        // Readings are counted also where there are none.
        let none = |column: &Column| (column.part == Part::N).then(|| Arc::new(Values::Same(0, rows.pieces.len())));
        return columns.map(none).collect();
    }
    // Directions come from a long computation: once for both their columns.
    let directions = matches!(field.kind, Kind::Angle).then(|| directions(field, rows));
    let mut sums = Sums::of(rows);
    let mut part = |part: Part| match part {
        Part::N => Values::of(std::mem::take(&mut sums.n)),
        Part::Sum => narrowed(field, std::mem::take(&mut sums.sum)),
        Part::Min => Values::of(std::mem::take(&mut sums.min)),
        Part::Max => Values::of(std::mem::take(&mut sums.max)),
        part => of_part(field, part, rows, directions.as_deref()),
    };
    columns.map(|column| Some(Arc::new(part(column.part)))).collect()
}

fn of_part(field: &Field, part: Part, rows: &Rows<'_>, directions: Option<&[Option<Vector>]>) -> Values {
    let direction = |of: fn(&Vector) -> i128| {
        Values::Wide(directions.unwrap_or_default().iter().map(|d| d.as_ref().map_or(i128::MIN, of)).collect())
    };
    match part {
        Part::First => Values::of(rows.end(false, |row| rows.values[row])),
        Part::FirstAt => Values::of(rows.end(false, |row| rows.time[row])),
        Part::Last => Values::of(rows.end(true, |row| rows.values[row])),
        Part::LastAt => Values::of(rows.end(true, |row| rows.time[row])),
        Part::Increase => narrowed(field, rows.each(|_, values| increase(values))),
        Part::Micros(word) => Values::of(rows.each(|piece, _| micros(field, word as i64, piece, rows))),
        Part::Energy => Values::Wide(rows.sum(|value| energy(value, field.resolution))),
        Part::Sin => direction(|direction| direction.sin),
        Part::Cos => direction(|direction| direction.cos),
        Part::Sketch => sketches(rows),
        // Those of [`Sums`].
        Part::N | Part::Sum | Part::Min | Part::Max => Values::Same(ABSENT, rows.pieces.len()),
    }
}

/// Sums in the form their column has.
fn narrowed(field: &Field, sums: Vec<i128>) -> Values {
    match Shape::of(field) {
        Shape::Nine(_) => Values::of(sums.into_iter().map(|sum| sum.try_into().unwrap_or(ABSENT)).collect()),
        _ => Values::Wide(sums),
    }
}

fn directions(field: &Field, rows: &Rows<'_>) -> Vec<Option<Vector>> {
    rows.each(|_, values| {
        let mut present = values.iter().filter(|&&value| value != ABSENT).peekable();
        present.peek()?;
        let mut sum = Vector::default();
        present.for_each(|&value| sum += Vector::of(value, field.resolution));
        Some(sum)
    })
}

/// Growth from the first value to the last.
fn increase(values: &[i64]) -> i128 {
    let mut present = values.iter().copied().filter(|value| *value != ABSENT);
    let Some(mut before) = present.next() else { return i128::MIN };
    let mut sum = 0;
    for value in present {
        sum += growth(before, value);
        before = value;
    }
    sum
}

/// Growth of a meter from one reading to the next; a smaller one means it began again at zero.
pub fn growth(old: i64, new: i64) -> i128 {
    if new >= old { i128::from(new) - i128::from(old) } else { i128::from(new.max(0)) }
}

/// Time that readings of a state stand within their window: each to the next, `hold` at most, the last to the window's end.
fn micros(field: &Field, state: i64, piece: &Piece, rows: &Rows<'_>) -> i64 {
    let Kind::State { hold, .. } = &field.kind else { return ABSENT };
    let mut present = piece.rows.clone().filter(|&row| rows.values[row] != ABSENT).peekable();
    if present.peek().is_none() {
        return ABSENT;
    }
    let mut sum = 0;
    while let Some(row) = present.next() {
        if rows.values[row] == state {
            let until = present.peek().map_or(piece.end, |&next| rows.time[next]);
            sum += (until - rows.time[row]).min(*hold);
        }
    }
    sum
}

fn sketches(rows: &Rows<'_>) -> Values {
    let (mut ends, mut bytes) = (Vec::with_capacity(rows.pieces.len()), Vec::new());
    for piece in rows.pieces {
        bytes.extend(Sketch::of(&rows.values[piece.rows.clone()]).encode());
        ends.push(bytes.len() as u32);
    }
    Values::Bytes { ends, bytes }
}

#[cfg(test)]
mod tests;
