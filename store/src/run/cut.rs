//! Cutting erased rows and values out of runs (rule 14).

use super::split::{Picked, pick};
use super::{Keys, Run, SensorIx, merge};
use schemas::{ABSENT, Span};
use std::ops::Range;
use std::sync::Arc;

/// What an erasure takes out of the rows below it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Cut {
    /// Of this sensor.
    pub(crate) sensor: SensorIx,
    /// The rows with these instants.
    pub(crate) span: Span,
    /// Only the values of these fields, and rows that have no value left; none stands for whole rows.
    pub(crate) fields: Arc<[usize]>,
}

impl Cut {
    /// The part of it that lies in a span; nothing if that is empty.
    pub(crate) fn within(&self, span: Span) -> Option<Cut> {
        let span = Span { from: self.span.from.max(span.from), to: self.span.to.min(span.to) };
        (!span.is_empty()).then(|| Cut { span, ..self.clone() })
    }

    /// The rows it concerns.
    pub(crate) fn rows(&self, keys: &Keys) -> Range<usize> {
        let rows = keys.rows(self.sensor);
        let at = |instant: i64| rows.start + keys.time[rows.clone()].partition_point(|&time| time < instant);
        at(self.span.from.0)..at(self.span.to.0).max(at(self.span.from.0))
    }
}

/// What is left of a run.
pub(crate) fn erase<'a>(run: &Run, cuts: impl IntoIterator<Item = &'a Cut>) -> Run {
    let mut columns = run.columns.clone();
    // Rows that go, and rows that go unless they have a value left.
    let (mut gone, mut doubtful) = (Vec::new(), Vec::new());
    for cut in cuts {
        let rows = cut.rows(&run.keys);
        if rows.is_empty() {
            continue;
        }
        if cut.fields.is_empty() {
            gone.push(rows);
            continue;
        }
        for &field in cut.fields.iter() {
            if let Some(column) = columns.get_mut(field).and_then(Option::as_mut) {
                Arc::make_mut(column)[rows.clone()].fill(ABSENT);
            }
        }
        doubtful.push(rows);
    }
    if gone.is_empty() && doubtful.is_empty() {
        return run.clone();
    }
    let mut stays = vec![true; run.len()];
    gone.into_iter().for_each(|rows| stays[rows].fill(false));
    for row in doubtful.into_iter().flatten() {
        stays[row] &= columns.iter().flatten().any(|column| column[row] != ABSENT);
    }
    let mut picked = Picked::new();
    for (sensor, rows) in run.keys.each() {
        for row in rows.filter(|&row| stays[row]) {
            match picked.last_mut() {
                Some((last, range)) if *last == sensor && range.end == row => range.end += 1,
                _ => picked.push((sensor, row..row + 1)),
            }
        }
    }
    pick(&Run { keys: run.keys.clone(), columns }, &picked)
}

/// Merges runs in ascending precedence, as [`merge()`] does. Each cut takes out of the runs before its place.
pub(crate) fn merge_cut(runs: &[Run], cuts: &[(usize, Cut)], fields: usize) -> Run {
    let mut places: Vec<usize> = cuts.iter().map(|(place, _)| *place).collect();
    places.sort_unstable();
    places.dedup();
    let mut below: Vec<Run> = Vec::new();
    let mut from = 0;
    for place in places {
        below.extend_from_slice(&runs[from..place]);
        from = place;
        let here = cuts.iter().filter(|(at, _)| *at == place).map(|(_, cut)| cut);
        below = vec![erase(&merge(&below, fields), here)];
    }
    below.extend_from_slice(&runs[from..]);
    merge(&below, fields)
}
