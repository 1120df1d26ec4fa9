//! Rows of a tier in memory.

use super::values::Values;
use crate::{Keys, SensorIx};
use std::ops::Range;
use std::sync::Arc;

/// Sorted rows of a tier: keys (sensor, start of the window), no key twice, and columns by number.
#[derive(Clone, Debug, Default)]
pub struct Rollup {
    /// Its keys.
    pub keys: Arc<Keys>,
    /// Per column of the tier its values, or nothing when it was not asked for or no row has any.
    pub columns: Vec<Option<Arc<Values>>>,
}

impl Rollup {
    /// Rows.
    pub fn len(&self) -> usize {
        self.keys.time.len()
    }

    /// Whether it has no rows.
    pub fn is_empty(&self) -> bool {
        self.keys.time.is_empty()
    }

    /// Memory of its rows, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.len() * 8 + self.columns.iter().flatten().map(|values| values.bytes()).sum::<usize>()
    }

    /// Puts rollups of disjoint keys together, leaving out the rows that `keep` refuses: (which rollup, sensor, start).
    /// All have the same number of columns.
    pub(crate) fn join(rollups: &[Rollup], keep: &dyn Fn(usize, SensorIx, i64) -> bool) -> Rollup {
        let columns = rollups.first().map_or(0, |rollup| rollup.columns.len());
        let mut sensors: Vec<SensorIx> = rollups.iter().flat_map(|r| r.keys.sensors.iter().copied()).collect();
        sensors.sort_unstable();
        sensors.dedup();
        let mut keys = Keys::default();
        let mut stretches: Vec<(usize, Range<usize>)> = Vec::new();
        for sensor in sensors {
            let mut rows: Vec<(i64, usize, usize)> = Vec::new();
            for (at, rollup) in rollups.iter().enumerate() {
                let own = rollup.keys.rows(sensor);
                let kept = own.filter(|&row| keep(at, sensor, rollup.keys.time[row]));
                rows.extend(kept.map(|row| (rollup.keys.time[row], at, row)));
            }
            rows.sort_unstable();
            keys.push(sensor, rows.iter().map(|(time, ..)| *time));
            for (_, at, row) in rows {
                match stretches.last_mut() {
                    Some((last, range)) if *last == at && range.end == row => range.end += 1,
                    _ => stretches.push((at, row..row + 1)),
                }
            }
        }
        let column = |number: usize| {
            let absent: Vec<Values> =
                rollups.iter().map(|rollup| Values::Same(schemas::ABSENT, rollup.len())).collect();
            let some = rollups.iter().any(|rollup| rollup.columns[number].is_some());
            let of = |at: usize| rollups[at].columns[number].as_deref().unwrap_or(&absent[at]);
            let all: Vec<_> = stretches.iter().map(|(at, rows)| (of(*at), rows.clone())).collect();
            some.then(|| Arc::new(Values::gather(&all)))
        };
        Rollup { columns: (0..columns).map(column).collect(), keys: Arc::new(keys) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rollups_are_joined_by_key_and_rows_left_out() {
        let keys = |rows: &[(u32, &[i64])]| {
            let mut keys = Keys::default();
            rows.iter().for_each(|(sensor, times)| keys.push(*sensor, times.iter().copied()));
            Arc::new(keys)
        };
        let long = |values: &[i64]| Some(Arc::new(Values::of(values.to_vec())));
        let one = Rollup { keys: keys(&[(1, &[0, 10]), (3, &[5])]), columns: vec![long(&[1, 2, 3]), None] };
        let two = Rollup { keys: keys(&[(1, &[5, 15]), (2, &[0])]), columns: vec![long(&[4, 5, 6]), long(&[7, 8, 9])] };
        let joined = Rollup::join(&[one, two], &|at, sensor, start| (at, sensor, start) != (0, 1, 10));
        assert_eq!(joined.keys, keys(&[(1, &[0, 5, 15]), (2, &[0]), (3, &[5])]));
        let column = |n: usize| (0..5).map(|row| joined.columns[n].as_ref().unwrap().long(row)).collect::<Vec<_>>();
        assert_eq!(column(0), [1, 4, 5, 6, 3]);
        assert_eq!(column(1), [schemas::ABSENT, 7, 8, 9, schemas::ABSENT]);
    }
}
