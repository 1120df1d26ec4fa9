//! Rows that are durable in the log and in no file yet.

use crate::run::cut::{Cut, erase};
use crate::run::segment::Segment;
use crate::run::sort::Arrived;
use crate::{Run, SensorIx};
use schemas::{Batch, Day, Time};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Batches of at least so many rows stay in memory as they came; smaller ones are put together.
const LARGE: usize = 1024;
/// Rows of small batches that are put together.
const TOGETHER: usize = 8192;

/// Hot rows of one dataset, as they arrived. Nothing is sorted before a reader asks, or before they are sealed. Segments that
/// snapshots have seen are each more than twice as long as the next, so that a snapshot holds log₂(rows) of them at most.
#[derive(Debug, Default)]
pub(crate) struct Hot {
    segments: Vec<Arc<Segment>>,
    /// What came since the last snapshot.
    open: Vec<Arc<Arrived>>,
    rows: usize,
    bytes: usize,
    /// Erasures since the last sealing. They are done in the rows and hold for all that lies below.
    pub(crate) cuts: Vec<Cut>,
    /// Rows by day, at most: a key put twice counts twice.
    pub(crate) days: BTreeMap<Day, u64>,
    /// When the oldest of them became hot.
    pub(crate) oldest: Option<Time>,
}

impl Hot {
    /// Takes rows that arrived after all others. `numbers` are those of the batch's sensors, `days` its rows by day.
    pub(crate) fn push(&mut self, batch: Batch, numbers: &[SensorIx], days: &[(Day, u64)], now: Time) {
        if batch.time.is_empty() {
            return;
        }
        self.oldest.get_or_insert(now);
        days.iter().for_each(|(day, rows)| *self.days.entry(*day).or_default() += rows);
        self.rows += batch.len();
        if batch.len() >= LARGE {
            let rows = Arrived::of(batch, numbers);
            self.bytes += rows.bytes();
            return self.open.push(Arc::new(rows));
        }
        let has_room = |last: &&mut Arrived| last.len() + batch.len() <= TOGETHER;
        match self.open.last_mut().and_then(Arc::get_mut).filter(has_room) {
            Some(last) => {
                let before = last.bytes();
                last.add(&batch, numbers);
                self.bytes += last.bytes() - before;
            }
            None => {
                let mut rows = Arrived::default();
                rows.add(&batch, numbers);
                self.bytes += rows.bytes();
                self.open.push(Arc::new(rows));
            }
        }
    }

    /// Erases what is hot; what lies below waits until it is sealed.
    pub(crate) fn erase(&mut self, cut: Cut, fields: usize, now: Time) {
        self.oldest.get_or_insert(now);
        // A segment that cannot be sorted is never sealed either.
        let erased = |segment: Arc<Segment>| segment.run().map_or(segment, |run| Segment::sorted(erase(&run, [&cut])));
        self.segments = self.segments(fields).into_iter().map(erased).filter(|segment| segment.rows > 0).collect();
        self.rows = self.segments.iter().map(|segment| segment.rows).sum();
        self.bytes = self.segments.iter().map(|segment| segment.bytes).sum();
        self.days.clear();
        for run in self.segments.iter().filter_map(|segment| segment.run().ok()) {
            days(&run).for_each(|(day, rows)| *self.days.entry(day).or_default() += rows);
        }
        self.cuts.push(cut);
    }

    /// All rows, in ascending precedence.
    pub(crate) fn segments(&mut self, fields: usize) -> Vec<Arc<Segment>> {
        if !self.open.is_empty() {
            let newest = Segment::loose(std::mem::take(&mut self.open), fields);
            let mut rows = newest.rows;
            self.segments.push(newest);
            let mut from = self.segments.len() - 1;
            while from > 0 && self.segments[from - 1].rows <= 2 * rows {
                from -= 1;
                rows += self.segments[from].rows;
            }
            if from + 1 < self.segments.len() {
                let together = self.segments.split_off(from);
                self.segments.push(Segment::several(together, fields));
            }
        }
        self.segments.clone()
    }

    /// Takes all rows out as one segment; nothing when there are none.
    pub(crate) fn take(&mut self, fields: usize) -> Option<Arc<Segment>> {
        self.segments(fields);
        let mut segments = std::mem::take(&mut self.segments);
        (self.rows, self.bytes) = (0, 0);
        if segments.len() > 1 { Some(Segment::several(segments, fields)) } else { segments.pop() }
    }

    /// Rows; a key put twice counts twice.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes + self.cuts.len() * size_of::<Cut>()
    }

    /// Whether there is nothing to be sealed.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows == 0 && self.cuts.is_empty()
    }
}

/// UTC days of instants in any order, with their rows: a day may come more than once.
pub(crate) fn days_of(times: &[i64]) -> Vec<(Day, u64)> {
    let mut days: Vec<(Day, u64)> = Vec::new();
    let mut span = Day(0).span();
    for &time in times {
        match days.last_mut() {
            Some((_, rows)) if span.from.0 <= time && time < span.to.0 => *rows += 1,
            _ => {
                let day = Time(time).day();
                span = day.span();
                days.push((day, 1));
            }
        }
    }
    days
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
    use crate::run::merge;
    use crate::testing::{Dice, batch, dataset};

    fn merged(hot: &mut Hot) -> Run {
        let runs: Vec<Run> = hot.segments(1).iter().map(|segment| segment.run().unwrap()).collect();
        merge(&runs, 1)
    }

    /// Pushes a value of a sensor at an instant.
    fn put(hot: &mut Hot, sensor: u32, time: i64, value: i64) {
        let d = dataset("d", 1);
        let batch = batch(&d, &[("a", time, &[(0, value)])]);
        let days = days_of(&batch.time);
        hot.push(batch, &[sensor], &days, Time(value));
    }

    #[test]
    fn many_small_groups_stay_few_segments() {
        let mut dice = Dice(4);
        let mut hot = Hot::default();
        for i in 0..2000_i64 {
            put(&mut hot, dice.below(3) as u32, i / 2, i);
            // Some snapshots are read, some are not, some are held.
            if dice.below(3) == 0 {
                let seen = hot.segments(1);
                assert!(seen.len() <= 12, "{} segments", seen.len());
                if dice.below(2) == 0 {
                    seen.iter().for_each(|segment| drop(segment.run().unwrap()));
                }
            }
        }
        assert_eq!(hot.oldest, Some(Time(0)));
        assert_eq!(hot.days, BTreeMap::from([(Day(0), 2000)]));
        assert_eq!(hot.rows(), 2000);
        let all = merged(&mut hot);
        let value = |time: i64| {
            (0..3)
                .flat_map(|s| {
                    let rows = all.keys.rows(s);
                    all.keys.time[rows.clone()].binary_search(&time).ok().map(|at| all.value(0, rows.start + at))
                })
                .max()
        };
        assert!((0..1000).all(|time| value(time) == Some(2 * time + 1)));
        let taken = hot.take(1).unwrap().run().unwrap();
        assert_eq!((&taken.keys, &taken.columns), (&all.keys, &all.columns));
        assert!(hot.is_empty() && hot.bytes() == 0);
    }

    #[test]
    fn what_a_snapshot_saw_stays_as_it_was() {
        let mut hot = Hot::default();
        put(&mut hot, 0, 5, 1);
        let seen = hot.segments(1);
        put(&mut hot, 0, 5, 2);
        put(&mut hot, 1, 5, 3);
        let later = hot.segments(1);
        // The later one is asked first, and takes what it can.
        let newest = merge(&later.iter().map(|s| s.run().unwrap()).collect::<Vec<_>>(), 1);
        let first: Vec<Run> = seen.iter().map(|segment| segment.run().unwrap()).collect();
        assert_eq!((first.len(), first[0].len(), first[0].value(0, 0)), (1, 1, 1));
        assert_eq!((newest.len(), newest.value(0, 0), newest.value(0, 1)), (2, 2, 3));
    }
}
