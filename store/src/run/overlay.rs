//! Laying rows over rows: by key, and within a key field by field.

use super::{Keys, Run, SensorIx};
use schemas::ABSENT;
use std::ops::Range;
use std::sync::Arc;

/// Rows borrowed from somewhere: times, and per column the values or nothing.
#[derive(Clone, Debug)]
pub(crate) struct View<'a> {
    /// Instants.
    pub(crate) time: &'a [i64],
    /// Values of each column.
    pub(crate) columns: Vec<Option<&'a [i64]>>,
}

impl<'a> View<'a> {
    /// Some rows of a run.
    #[cfg(test)]
    pub(crate) fn of(run: &'a Run, rows: Range<usize>) -> View<'a> {
        let columns = run.columns.iter().map(|c| c.as_ref().map(|c| &c[rows.clone()])).collect();
        View { time: &run.keys.time[rows], columns }
    }

    /// The rows as a run of one sensor.
    pub(crate) fn run(&self, sensor: SensorIx) -> Run {
        let mut keys = Keys::default();
        keys.push(sensor, self.time.iter().copied());
        let column = |column: &Option<&[i64]>| column.map(|values| Arc::new(values.to_vec()));
        Run { keys: Arc::new(keys), columns: self.columns.iter().map(column).collect() }
    }
}

/// Rows made by laying one view over another.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rows {
    /// Instants.
    pub(crate) time: Vec<i64>,
    /// Values of each column.
    pub(crate) columns: Vec<Option<Vec<i64>>>,
}

impl Rows {
    /// All of them, borrowed.
    pub(crate) fn view(&self) -> View<'_> {
        View { time: &self.time, columns: self.columns.iter().map(|c| c.as_deref()).collect() }
    }
}

/// Where the next rows of an overlay come from.
#[derive(Clone, Debug)]
enum Step {
    /// Rows only the lower has.
    Lower(Range<u32>),
    /// Rows only the upper has.
    Upper(Range<u32>),
    /// Rows both have, each beginning at its index, so many of them.
    Both(u32, u32, u32),
}

/// The order in which rows of a lower and an upper layer make the overlay. It depends on keys alone, so that columns are
/// filled one after another.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    steps: Vec<Step>,
    rows: usize,
}

impl Plan {
    /// Rows planned so far.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// The next rows come from the lower layer.
    pub(crate) fn lower(&mut self, rows: Range<usize>) {
        self.rows += rows.len();
        match self.steps.last_mut() {
            Some(Step::Lower(last)) if last.end as usize == rows.start => last.end = rows.end as u32,
            _ if rows.is_empty() => {}
            _ => self.steps.push(Step::Lower(rows.start as u32..rows.end as u32)),
        }
    }

    /// The next rows come from the upper layer.
    pub(crate) fn upper(&mut self, rows: Range<usize>) {
        self.rows += rows.len();
        match self.steps.last_mut() {
            Some(Step::Upper(last)) if last.end as usize == rows.start => last.end = rows.end as u32,
            _ if rows.is_empty() => {}
            _ => self.steps.push(Step::Upper(rows.start as u32..rows.end as u32)),
        }
    }

    fn both(&mut self, lower: usize, upper: usize) {
        self.rows += 1;
        match self.steps.last_mut() {
            Some(Step::Both(l, u, n)) if (*l + *n) as usize == lower && (*u + *n) as usize == upper => *n += 1,
            _ => self.steps.push(Step::Both(lower as u32, upper as u32, 1)),
        }
    }

    /// The next rows are those of one sensor in both layers, merged by time. The ranges are rows of `lower` and `upper`.
    pub(crate) fn times(&mut self, lower: &[i64], l: Range<usize>, upper: &[i64], u: Range<usize>) {
        let (mut a, mut b) = (l.start, u.start);
        while a < l.end && b < u.end {
            let next = upper[b];
            let below = a + lower[a..l.end].partition_point(|&t| t < next);
            self.lower(a..below);
            a = below;
            if a == l.end {
                break;
            }
            if lower[a] == next {
                self.both(a, b);
                (a, b) = (a + 1, b + 1);
            } else {
                let above = b + upper[b..u.end].partition_point(|&t| t < lower[a]);
                self.upper(b..above);
                b = above;
            }
        }
        self.lower(a..l.end);
        self.upper(b..u.end);
    }

    /// The overlay's instants.
    pub(crate) fn time(&self, lower: &[i64], upper: &[i64]) -> Vec<i64> {
        let mut out = Vec::with_capacity(self.rows);
        for step in &self.steps {
            match step {
                Step::Lower(rows) => out.extend_from_slice(&lower[span(rows)]),
                Step::Upper(rows) => out.extend_from_slice(&upper[span(rows)]),
                Step::Both(_, u, n) => out.extend_from_slice(&upper[*u as usize..(*u + *n) as usize]),
            }
        }
        out
    }

    /// One column of the overlay: the upper's value where it has one, else the lower's.
    pub(crate) fn column(&self, lower: Option<&[i64]>, upper: Option<&[i64]>) -> Option<Vec<i64>> {
        if lower.is_none() && upper.is_none() {
            return None;
        }
        let mut out = Vec::with_capacity(self.rows);
        let take = |out: &mut Vec<i64>, from: Option<&[i64]>, rows: &Range<u32>| match from {
            Some(values) => out.extend_from_slice(&values[span(rows)]),
            None => out.resize(out.len() + rows.len(), ABSENT),
        };
        for step in &self.steps {
            match step {
                Step::Lower(rows) => take(&mut out, lower, rows),
                Step::Upper(rows) => take(&mut out, upper, rows),
                Step::Both(l, u, n) => match (lower, upper) {
                    (Some(low), Some(up)) => {
                        let (low, up) = (&low[span(&(*l..*l + *n))], &up[span(&(*u..*u + *n))]);
                        out.extend(low.iter().zip(up).map(|(&l, &u)| if u == ABSENT { l } else { u }));
                    }
                    (Some(_), None) => take(&mut out, lower, &(*l..*l + *n)),
                    _ => take(&mut out, upper, &(*u..*u + *n)),
                },
            }
        }
        Some(out)
    }
}

fn span(rows: &Range<u32>) -> Range<usize> {
    rows.start as usize..rows.end as usize
}

/// Rows of one sensor: `upper` over `lower`.
pub(crate) fn overlay(lower: &View<'_>, upper: &View<'_>) -> Rows {
    let mut plan = Plan::default();
    plan.times(lower.time, 0..lower.time.len(), upper.time, 0..upper.time.len());
    let columns = lower.columns.iter().zip(&upper.columns).map(|(l, u)| plan.column(*l, *u)).collect();
    Rows { time: plan.time(lower.time, upper.time), columns }
}

/// Rows of one sensor from several layers in ascending precedence, neighbours first: each row moves log₂(layers) times.
pub(crate) fn overlay_all(layers: &[View<'_>]) -> Rows {
    match layers {
        [] => Rows::default(),
        [one] => {
            Rows { time: one.time.to_vec(), columns: one.columns.iter().map(|c| c.map(<[i64]>::to_vec)).collect() }
        }
        [lower, upper] => overlay(lower, upper),
        _ => {
            let (lower, upper) = layers.split_at(layers.len() / 2);
            overlay(&overlay_all(lower).view(), &overlay_all(upper).view())
        }
    }
}
