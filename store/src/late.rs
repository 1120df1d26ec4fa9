//! Fresh or late: decided once, at sealing (rules 1, 4 and 5).

pub(crate) mod erased;

use crate::Run;
use crate::run::SensorIx;
use crate::run::cut::Cut;
use crate::run::split::{Picked, at_limits, by_day, days};
use schemas::{Day, Time};
use std::collections::BTreeMap;

/// Up to where tiers have committed their windows, or are about to: the greatest over them. Never goes back, whatever a
/// clock does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Closed(Time);

impl Closed {
    /// Nothing is closed.
    pub(crate) const NOTHING: Closed = Closed(Time(i64::MIN));

    /// The instant; rows before it are late.
    pub(crate) fn instant(self) -> Time {
        self.0
    }

    /// Windows up to `instant` are committed, or will be.
    pub(crate) fn raise(&mut self, instant: Time) {
        self.0 = self.0.max(instant);
    }
}

/// The newest instant filed of each sensor, by number: in a sealed file, a committed file or a late file in force.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Filed(Vec<i64>);

impl Filed {
    /// From instants by sensor number, `i64::MIN` for none.
    pub(crate) fn new(instants: Vec<i64>) -> Filed {
        Filed(instants)
    }

    /// The newest instant filed of a sensor; `i64::MIN` when there is none.
    pub(crate) fn of(&self, sensor: SensorIx) -> i64 {
        self.0.get(sensor as usize).copied().unwrap_or(i64::MIN)
    }

    /// The newest instant filed of all sensors; `i64::MIN` when there is none.
    pub(crate) fn newest(&self) -> i64 {
        self.0.iter().copied().max().unwrap_or(i64::MIN)
    }

    /// The last instant that is late for a sensor.
    pub(crate) fn limit(&self, sensor: SensorIx, closed: Closed) -> i64 {
        self.of(sensor).max(closed.0.0.saturating_sub(1))
    }

    /// The ends of erasures are filed now (rule 7).
    pub(crate) fn raise_cuts(&mut self, cuts: &[Cut]) {
        cuts.iter().for_each(|cut| self.put(cut.sensor, cut.span.to.0 - 1));
    }

    fn put(&mut self, sensor: SensorIx, instant: i64) {
        let at = sensor as usize;
        if self.0.len() <= at {
            self.0.resize(at + 1, i64::MIN);
        }
        self.0[at] = self.0[at].max(instant);
    }

    /// The rows of a run are filed now.
    pub(crate) fn raise(&mut self, run: &Run) {
        for (sensor, rows) in run.keys.each() {
            self.put(sensor, run.keys.time[rows.end - 1]);
        }
    }
}

/// Rows to be sealed, by day.
#[derive(Debug, Default)]
pub(crate) struct Sorted {
    /// Newer than everything filed for their sensor and not before the closed instant.
    pub(crate) fresh: BTreeMap<Day, Picked>,
    /// All others.
    pub(crate) late: BTreeMap<Day, Run>,
}

/// Tells fresh rows from late ones.
pub(crate) fn sort(run: &Run, filed: &Filed, closed: Closed) -> Sorted {
    let (late, fresh) = at_limits(&run.keys, |sensor| filed.limit(sensor, closed));
    Sorted { fresh: days(&run.keys, &fresh), late: by_day(run, &late) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::sort_batch;
    use crate::testing::{batch, dataset};

    fn times(days: &BTreeMap<Day, Run>) -> Vec<i64> {
        days.values().flat_map(|run| run.keys.time.clone()).collect()
    }

    fn picked(days: &BTreeMap<Day, Picked>, run: &Run) -> Vec<i64> {
        days.values().flatten().flat_map(|(_, rows)| run.keys.time[rows.clone()].to_vec()).collect()
    }

    #[test]
    fn rule_1_an_instant_that_is_filed_is_late() {
        let d = dataset("d", 1);
        let run = |rows| sort_batch(&batch(&d, rows), &[0]);
        let mut filed = Filed::default();
        let first = run(&[("y", 16, &[(0, 2)])]);
        assert_eq!(picked(&sort(&first, &filed, Closed::NOTHING).fresh, &first), [16]);
        filed.raise(&first);
        let second = run(&[("y", 15, &[]), ("y", 16, &[(0, 1)]), ("y", 17, &[])]);
        let sorted = sort(&second, &filed, Closed::NOTHING);
        assert_eq!((times(&sorted.late), picked(&sorted.fresh, &second)), (vec![15, 16], vec![17]));
        filed.raise(&run(&[("y", 3, &[])]));
        assert_eq!(filed.of(0), 16, "the newest filed instant never goes back");
        assert_eq!(filed.of(7), i64::MIN);
    }

    #[test]
    fn rule_4_the_closed_instant_never_goes_back_and_rows_before_it_are_late() {
        let d = dataset("d", 1);
        let mut closed = Closed::NOTHING;
        closed.raise(Time(20));
        closed.raise(Time(10));
        let run = sort_batch(&batch(&d, &[("y", 19, &[]), ("y", 20, &[])]), &[0]);
        let sorted = sort(&run, &Filed::default(), closed);
        assert_eq!((times(&sorted.late), picked(&sorted.fresh, &run)), (vec![19], vec![20]));
    }
}
