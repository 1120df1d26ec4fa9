//! How long something took, counted by bounds: a histogram that many count in and one looks at, without locks.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

/// The first bound in microseconds. Each next one is twice as long.
const FIRST: u64 = 250;
/// How many bounds there are: 250 µs, 500 µs … 32.768 s. What takes longer is counted after them.
const BOUNDS: usize = 18;

/// Durations since the process started. They only grow, so two looks at them tell what happened between.
#[derive(Debug, Default)]
pub struct Durations {
    counts: [AtomicU64; BOUNDS + 1],
    micros: AtomicU64,
}

/// What was counted up to a moment.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Counted {
    /// How often.
    pub count: u64,
    /// How long altogether, in seconds.
    pub seconds: f64,
    /// Each bound in seconds with how often it took no longer than that but longer than the bound before. The last is infinite.
    #[serde(skip)]
    pub buckets: Vec<(f64, u64)>,
}

impl Durations {
    /// Counts what took so long, `times` times.
    pub fn count(&self, took: Duration, times: u64) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        // Bound n is FIRST · 2ⁿ.
        let bucket = (micros.saturating_sub(1) / FIRST).checked_ilog2().map_or(0, |n| n as usize + 1);
        self.counts[bucket.min(BOUNDS)].fetch_add(times, Relaxed);
        self.micros.fetch_add(micros.saturating_mul(times), Relaxed);
    }

    /// What was counted so far.
    pub fn look(&self) -> Counted {
        let bound = |n: usize| if n == BOUNDS { f64::INFINITY } else { (FIRST << n) as f64 / 1e6 };
        let buckets: Vec<(f64, u64)> = (0..=BOUNDS).map(|n| (bound(n), self.counts[n].load(Relaxed))).collect();
        let count = buckets.iter().map(|(_, count)| count).sum();
        Counted { count, seconds: self.micros.load(Relaxed) as f64 / 1e6, buckets }
    }
}

impl Counted {
    /// The mean of what came since an earlier look, in seconds; nothing when nothing came.
    pub fn mean_since(&self, earlier: &Counted) -> Option<f64> {
        let count = self.count.checked_sub(earlier.count).filter(|count| *count > 0)?;
        Some((self.seconds - earlier.seconds) / count as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_duration_is_counted_below_its_bound() {
        for (micros, bound) in [
            (0, 0.000_25),
            (250, 0.000_25),
            (251, 0.000_5),
            (500, 0.000_5),
            (501, 0.001),
            (32_768_000, 32.768),
            (32_768_001, f64::INFINITY),
            (u64::MAX, f64::INFINITY),
        ] {
            let durations = Durations::default();
            durations.count(Duration::from_micros(micros), 1);
            let found: Vec<f64> =
                durations.look().buckets.into_iter().filter(|(_, count)| *count > 0).map(|(bound, _)| bound).collect();
            assert_eq!(found, [bound], "{micros} µs");
        }
    }

    #[test]
    fn two_looks_tell_what_happened_between() {
        let durations = Durations::default();
        durations.count(Duration::from_millis(900), 1);
        let before = durations.look();
        assert_eq!(durations.look().mean_since(&before), None);
        durations.count(Duration::from_millis(2), 3);
        durations.count(Duration::from_millis(6), 1);
        let after = durations.look();
        assert_eq!(after.count, 5);
        assert!(after.mean_since(&before).is_some_and(|mean| (mean - 0.003).abs() < 1e-9), "{after:?}");
    }
}
