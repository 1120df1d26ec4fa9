//! A run cut by day, or by a limit per sensor.

use super::{Column, Keys, Run, SensorIx};
use schemas::{Day, Time};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// Rows picked from a run, as ranges ascending.
pub(crate) type Picked = Vec<(SensorIx, Range<usize>)>;

/// Cuts each sensor's rows where `limit` says: rows with instants up to its limit, and those after it.
pub(crate) fn at_limits(keys: &Keys, limit: impl Fn(SensorIx) -> i64) -> (Picked, Picked) {
    let (mut up_to, mut after) = (Picked::new(), Picked::new());
    for (sensor, rows) in keys.each() {
        let limit = limit(sensor);
        let cut = rows.start + keys.time[rows.clone()].partition_point(|&t| t <= limit);
        up_to.push((sensor, rows.start..cut));
        after.push((sensor, cut..rows.end));
    }
    (up_to, after)
}

/// Cuts picked rows of a run by UTC day.
pub(crate) fn by_day(run: &Run, picked: &Picked) -> BTreeMap<Day, Run> {
    days(&run.keys, picked).into_iter().map(|(day, picked)| (day, pick(run, &picked))).collect()
}

/// Cuts picked rows by UTC day.
pub(crate) fn days(keys: &Keys, picked: &Picked) -> BTreeMap<Day, Picked> {
    let mut days: BTreeMap<Day, Picked> = BTreeMap::new();
    for (sensor, rows) in picked {
        let mut at = rows.start;
        while at < rows.end {
            let day = Time(keys.time[at]).day();
            let next = day.span().to.0;
            let end = at + keys.time[at..rows.end].partition_point(|&t| t < next);
            days.entry(day).or_default().push((*sensor, at..end));
            at = end;
        }
    }
    days
}

/// The picked rows alone.
pub(crate) fn pick(run: &Run, picked: &Picked) -> Run {
    let mut keys = Keys::default();
    for (sensor, rows) in picked {
        keys.push(*sensor, run.keys.time[rows.clone()].iter().copied());
    }
    let column = |column: &Column| {
        let column = column.as_ref()?;
        let values: Vec<i64> = picked.iter().flat_map(|(_, rows)| column[rows.clone()].iter().copied()).collect();
        values.iter().any(|&v| v != schemas::ABSENT).then(|| Arc::new(values))
    };
    Run { columns: run.columns.iter().map(column).collect(), keys: Arc::new(keys) }
}
