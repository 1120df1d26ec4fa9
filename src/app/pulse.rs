//! The pace of things: counters looked at now and then, in a ring that does not grow, so that rates can be told.

use schemas::Time;
use schemas::time::SECOND;
use std::collections::VecDeque;
use store::Counted;

/// Between looks at the counters, and how many are kept: a minute.
const MINUTE: (i64, usize) = (5 * SECOND, 12);
/// Between looks at the free room, and how many are kept: an hour.
const HOUR: (i64, usize) = (60 * SECOND, 60);
/// Seconds of free room looked at before anything is said of its future.
const WHILE: f64 = 600.0;

/// What has been counted since the start, by the order of datasets and doors.
#[derive(Clone, Debug, Default)]
pub(super) struct Counters {
    /// Readings of each dataset.
    pub(super) readings: Vec<u64>,
    /// Messages of each door.
    pub(super) messages: Vec<u64>,
    /// Acknowledgements of each door.
    pub(super) acks: Vec<Counted>,
    /// Fsyncs of the log.
    pub(super) syncs: Counted,
}

/// The last minute of counters and the last hour of free room.
#[derive(Debug, Default)]
pub(super) struct Pulse {
    counters: Ring<Counters>,
    free: Ring<u64>,
}

impl Pulse {
    /// Takes a look into account. To be called every few seconds; earlier calls do nothing.
    pub(super) fn beat(&mut self, now: Time, counters: Counters, free: u64) {
        self.counters.keep(now, MINUTE, counters);
        self.free.keep(now, HOUR, free);
    }

    /// The counters a minute ago, or as long as there are any, and how many seconds ago that is.
    pub(super) fn earlier(&self, now: Time) -> Option<(f64, &Counters)> {
        self.counters.oldest(now)
    }

    /// Seconds until so many free bytes are used up at the pace of the last hour; nothing when they are not, or when it is
    /// too early to tell.
    pub(super) fn full_in(&self, now: Time, free: u64) -> Option<f64> {
        let (seconds, before) = self.free.oldest(now).filter(|(seconds, _)| *seconds >= WHILE)?;
        let used = before.checked_sub(free).filter(|used| *used > 0)?;
        Some(free as f64 * seconds / used as f64)
    }
}

/// The rate of a counter, a second.
pub(super) fn rate(seconds: f64, before: u64, now: u64) -> f64 {
    now.saturating_sub(before) as f64 / seconds
}

/// Looks with their times, oldest first.
#[derive(Debug)]
struct Ring<T>(VecDeque<(Time, T)>);

impl<T> Default for Ring<T> {
    fn default() -> Ring<T> {
        Ring(VecDeque::new())
    }
}

impl<T> Ring<T> {
    /// Keeps a look, at most one in `every` microseconds and `most` altogether.
    fn keep(&mut self, now: Time, (every, most): (i64, usize), look: T) {
        // A clock that was set back makes all before it worthless.
        if self.0.back().is_some_and(|(last, _)| now < *last) {
            self.0.clear();
        }
        if self.0.back().is_some_and(|(last, _)| now.0 - last.0 < every) {
            return;
        }
        if self.0.len() == most {
            self.0.pop_front();
        }
        self.0.push_back((now, look));
    }

    /// The oldest look and its age in seconds, if that is a second at least.
    fn oldest(&self, now: Time) -> Option<(f64, &T)> {
        let (time, look) = self.0.front()?;
        let seconds = (now.0 - time.0) as f64 / SECOND as f64;
        (seconds >= 1.0).then_some((seconds, look))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Time {
        Time(seconds * SECOND)
    }

    #[test]
    fn the_ring_keeps_a_minute_and_no_more() {
        let mut pulse = Pulse::default();
        assert!(pulse.earlier(at(0)).is_none());
        for second in 0..1000 {
            pulse.beat(at(second), Counters { readings: vec![second as u64 * 3], ..Counters::default() }, 0);
        }
        let Some((seconds, before)) = pulse.earlier(at(1000)) else { panic!("a minute of looks") };
        assert!((55.0..=65.0).contains(&seconds), "{seconds}");
        assert_eq!(rate(seconds, before.readings[0], 3000), 3.0);
        assert!(pulse.counters.0.len() <= MINUTE.1 && pulse.free.0.len() <= HOUR.1);
    }

    #[test]
    fn a_clock_that_is_set_back_begins_anew() {
        let mut pulse = Pulse::default();
        pulse.beat(at(100), Counters::default(), 0);
        pulse.beat(at(50), Counters::default(), 0);
        assert_eq!(pulse.earlier(at(52)).map(|(seconds, _)| seconds), Some(2.0));
    }

    #[test]
    fn the_end_of_the_room_is_told_when_it_can_be() {
        let mut pulse = Pulse::default();
        for minute in 0..30_i64 {
            pulse.beat(at(60 * minute), Counters::default(), 100_000 - minute as u64 * 60);
        }
        assert_eq!(pulse.full_in(at(1800), 98_200), Some(98_200.0), "a byte a second");
        assert_eq!(pulse.full_in(at(1800), 200_000), None, "there is more than before");
        let mut young = Pulse::default();
        young.beat(at(0), Counters::default(), 100_000);
        assert_eq!(young.full_in(at(300), 50_000), None, "too early to tell");
    }
}
