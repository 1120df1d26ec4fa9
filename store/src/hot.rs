//! Rows that are durable in the log and in no file yet.

use crate::Run;
use crate::run::cut::{Cut, erase};
use crate::run::merge;
use schemas::{Day, Time};
use std::collections::BTreeMap;

/// Hot rows of one dataset: runs in order of arrival, each more than twice as long as the next, so that a snapshot holds
/// log₂(rows) of them at most and a row is moved as often.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hot {
    runs: Vec<Run>,
    /// Erasures since the last sealing. They are done in `runs` and hold for all that lies below.
    pub(crate) cuts: Vec<Cut>,
    /// Rows by day, at most: a key put twice counts twice until its runs meet.
    pub(crate) days: BTreeMap<Day, u64>,
    /// When the oldest of them became hot.
    pub(crate) oldest: Option<Time>,
}

impl Hot {
    /// Takes rows that arrived after all others.
    pub(crate) fn push(&mut self, run: Run, now: Time) {
        if run.is_empty() {
            return;
        }
        self.oldest.get_or_insert(now);
        days(&run).for_each(|(day, rows)| *self.days.entry(day).or_default() += rows);
        let fields = run.columns.len();
        let mut rows = run.len();
        self.runs.push(run);
        let mut from = self.runs.len() - 1;
        while from > 0 && self.runs[from - 1].len() <= 2 * rows {
            from -= 1;
            rows += self.runs[from].len();
        }
        if from + 1 < self.runs.len() {
            let merged = merge(&self.runs[from..], fields);
            self.runs.truncate(from);
            self.runs.push(merged);
        }
    }

    /// Erases what is hot; what lies below waits until it is sealed.
    pub(crate) fn erase(&mut self, cut: Cut, now: Time) {
        self.oldest.get_or_insert(now);
        self.runs.iter_mut().for_each(|run| *run = erase(run, [&cut]));
        self.runs.retain(|run| !run.is_empty());
        self.days.clear();
        for (day, rows) in self.runs.iter().flat_map(days) {
            *self.days.entry(day).or_default() += rows;
        }
        self.cuts.push(cut);
    }

    /// The runs, in ascending precedence.
    pub(crate) fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// Rows; a key in two runs counts twice.
    pub(crate) fn rows(&self) -> usize {
        self.runs.iter().map(Run::len).sum()
    }

    /// Bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.runs.iter().map(Run::bytes).sum::<usize>() + self.cuts.len() * size_of::<Cut>()
    }

    /// Whether there is nothing to be sealed.
    pub(crate) fn is_empty(&self) -> bool {
        self.runs.is_empty() && self.cuts.is_empty()
    }
}

/// UTC days of a run with their rows, sensor by sensor: a day comes once for each sensor.
pub(crate) fn days(run: &Run) -> impl Iterator<Item = (Day, u64)> + '_ {
    run.keys.each().flat_map(|(_, rows)| {
        let mut times = &run.keys.time[rows];
        std::iter::from_fn(move || {
            let day = Time(*times.first()?).day();
            let rows = times.partition_point(|&t| t < day.span().to.0);
            times = &times[rows..];
            Some((day, rows as u64))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::sort_batch;
    use crate::testing::{Dice, batch, dataset};

    #[test]
    fn many_small_groups_stay_few_runs() {
        let d = dataset("d", 1);
        let mut dice = Dice(4);
        let mut hot = Hot::default();
        for i in 0..2000_i64 {
            let value = [(0, i)];
            hot.push(sort_batch(&batch(&d, &[("a", i / 2, &value)]), &[dice.below(3) as u32]), Time(i));
            assert!(hot.runs().len() <= 12, "{} runs", hot.runs().len());
        }
        assert_eq!(hot.oldest, Some(Time(0)));
        assert_eq!(hot.days, BTreeMap::from([(Day(0), 2000)]));
        let all = merge(hot.runs(), 1);
        let value = |time: i64| {
            (0..3)
                .flat_map(|s| {
                    let rows = all.keys.rows(s);
                    all.keys.time[rows.clone()].binary_search(&time).ok().map(|at| all.value(0, rows.start + at))
                })
                .max()
        };
        assert!((0..1000).all(|time| value(time) == Some(2 * time + 1)));
    }
}
