//! Erasing in windows that cannot be computed anew, since raw readings of theirs are gone: values leave the rows (rule 15).

use super::Tier;
use super::columns::{Part, columns};
use crate::run::cut::Cut;
use crate::{Rollup, SensorIx, Values};
use schemas::{ABSENT, Dataset, Span, Time};
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

/// An erasure in terms of a tier: the windows it touches are those that begin within.
pub(super) fn of_tier(cut: &Cut, dataset: &Dataset, tier: Tier) -> Cut {
    let from = tier.window(cut.span.from, &dataset.zone).from;
    Cut { span: Span { from, to: cut.span.to }, ..cut.clone() }
}

/// Rows of a rollup without what is erased in those that begin at frozen instants. `cuts` as [`of_tier`] gives them.
pub(super) fn erase(
    dataset: &Dataset,
    tier: Tier,
    rollup: &Rollup,
    cuts: &[Cut],
    is_frozen: &dyn Fn(Time) -> bool,
) -> Rollup {
    let all = columns(dataset, tier);
    let mut left = rollup.clone();
    let mut gone: BTreeSet<(SensorIx, i64)> = BTreeSet::new();
    for cut in cuts {
        let rows: Vec<usize> = cut.rows(&rollup.keys).filter(|&row| is_frozen(Time(rollup.keys.time[row]))).collect();
        if rows.is_empty() {
            continue;
        }
        for (number, column) in all.iter().enumerate().filter(|(_, column)| cut.fields.contains(&column.field)) {
            let nothing = if column.part == Part::N { 0 } else { ABSENT };
            if let Some(values) = &mut left.columns[number] {
                *values = Arc::new(without(values, &rows, nothing));
            }
        }
        let counts = || all.iter().enumerate().filter(|(_, column)| column.part == Part::N);
        let n = |number: usize, row: usize| left.columns[number].as_ref().map_or(0, |values| values.long(row));
        let is_empty = |row: usize| cut.fields.is_empty() || counts().all(|(number, _)| n(number, row) <= 0);
        gone.extend(rows.into_iter().filter(|&row| is_empty(row)).map(|row| (cut.sensor, rollup.keys.time[row])));
    }
    Rollup::join(&[left], &|_, sensor, start| !gone.contains(&(sensor, start)))
}

/// Values with `nothing` in some rows, ascending.
fn without(values: &Values, rows: &[usize], nothing: i64) -> Values {
    let none = Values::Same(nothing, values.len());
    let mut stretches: Vec<(&Values, Range<usize>)> = Vec::new();
    let mut next = 0;
    for &row in rows {
        stretches.push((values, next..row));
        stretches.push((&none, row..row + 1));
        next = row + 1;
    }
    stretches.push((values, next..values.len()));
    Values::gather(&stretches)
}
