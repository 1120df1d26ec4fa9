//! Several runs made one.

use super::overlay::Plan;
use super::{Column, Keys, Run};
use std::cmp::Ordering;
use std::sync::Arc;

/// Merges runs in ascending precedence: a later run's value wins where it has one. All have a column slot per field of
/// `fields`. Neighbours are merged first, so each row moves log₂(runs) times.
pub fn merge(runs: &[Run], fields: usize) -> Run {
    match runs {
        [] => Run { keys: Arc::default(), columns: vec![None; fields] },
        [one] => one.clone(),
        _ => {
            let (lower, upper) = runs.split_at(runs.len() / 2);
            two(&merge(lower, fields), &merge(upper, fields))
        }
    }
}

/// Lays `upper` over `lower`.
fn two(lower: &Run, upper: &Run) -> Run {
    if lower.is_empty() {
        return upper.clone();
    }
    if upper.is_empty() {
        return lower.clone();
    }
    let (l, u) = (&*lower.keys, &*upper.keys);
    let mut plan = Plan::default();
    let mut keys = Keys::default();
    let (mut i, mut j) = (0, 0);
    while i < l.sensors.len() || j < u.sensors.len() {
        let order = match (l.sensors.get(i), u.sensors.get(j)) {
            (Some(a), Some(b)) => a.cmp(b),
            (Some(_), None) => Ordering::Less,
            _ => Ordering::Greater,
        };
        keys.sensors.push(if order == Ordering::Greater { u.sensors[j] } else { l.sensors[i] });
        match order {
            Ordering::Less => plan.lower(l.rows_at(i)),
            Ordering::Greater => plan.upper(u.rows_at(j)),
            Ordering::Equal => plan.times(&l.time, l.rows_at(i), &u.time, u.rows_at(j)),
        }
        i += usize::from(order != Ordering::Greater);
        j += usize::from(order != Ordering::Less);
        keys.ends.push(plan.rows() as u32);
    }
    keys.time = plan.time(&l.time, &u.time);
    let column = |(l, u): (&Column, &Column)| {
        plan.column(l.as_deref().map(Vec::as_slice), u.as_deref().map(Vec::as_slice)).map(Arc::new)
    };
    let columns = lower.columns.iter().zip(&upper.columns).map(column).collect();
    Run { keys: Arc::new(keys), columns }
}
