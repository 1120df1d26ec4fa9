//! Days whose raw rows are about to go, or have gone: no row is taken into a window that touches them (rules 16 and 17).

use crate::Tier;
use crate::intake::lock;
use schemas::time::DAY;
use schemas::{Dataset, Day, Span, Time};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};

/// What a record of the log says: these days go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Going {
    /// The dataset.
    pub(crate) dataset: Arc<str>,
    /// The days.
    pub(crate) days: Vec<Day>,
}

/// All windows, of any tier, that touch a day: from the first's start to the last's end.
pub(crate) fn windows(dataset: &Dataset, day: Day) -> Span {
    let last = Time(day.span().to.0 - 1);
    let ends = Tier::ALL.map(|tier| (tier.window(day.start(), &dataset.zone), tier.window(last, &dataset.zone)));
    let from = ends.iter().map(|(first, _)| first.from).min().unwrap_or(day.start());
    let to = ends.iter().map(|(_, last)| last.to).max().unwrap_or(last);
    Span { from, to }
}

/// The days of one dataset that take no rows.
#[derive(Debug)]
pub(crate) struct Refused {
    days: Mutex<BTreeSet<Day>>,
    /// No window that begins then or later touches one of them: what nearly every reading is asked about takes no lock.
    until: AtomicI64,
}

impl Default for Refused {
    fn default() -> Refused {
        Refused { days: Mutex::default(), until: AtomicI64::new(i64::MIN) }
    }
}

impl Refused {
    /// These are the days from now on.
    pub(crate) fn set(&self, days: BTreeSet<Day>) {
        let mut known = lock(&self.days);
        // A window that begins on the day ends on the next one.
        let until = days.last().map_or(i64::MIN, |last| last.span().to.0 + 2 * DAY);
        *known = days;
        self.until.store(until, Ordering::Release);
    }

    /// Whether an instant lies in a window of any tier that touches one of the days.
    pub(crate) fn holds(&self, dataset: &Dataset, time: Time) -> bool {
        if time.0 >= self.until.load(Ordering::Acquire) {
            return false;
        }
        let days = lock(&self.days);
        let touches = |span: Span| span.days().is_some_and(|(first, last)| days.range(first..=last).next().is_some());
        Tier::ALL.into_iter().any(|tier| touches(tier.window(time, &dataset.zone)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::of_kinds;
    use schemas::time::HOUR;

    #[test]
    fn rule_17_too_old_is_what_shares_a_window_with_a_day_that_is_gone() {
        // The civil day in Prague begins an hour before the UTC day in winter.
        let prague = of_kinds("Europe/Prague");
        let refused = Refused::default();
        let day = Day::parse("2026-01-10").unwrap();
        assert!(!refused.holds(&prague, day.start()), "a day is gone only if retention dropped it");
        refused.set(BTreeSet::from([day]));
        let span = windows(&prague, day);
        assert_eq!(span, Span { from: day.start().plus(-HOUR), to: day.span().to.plus(23 * HOUR) });
        for (time, old) in [
            (span.from.plus(-1), false),
            (span.from, true),
            (day.start(), true),
            (day.span().to.plus(23 * HOUR - 1), true),
            (span.to, false),
            (day.start().plus(-40 * DAY), false),
        ] {
            assert_eq!(refused.holds(&prague, time), old, "{time}");
        }
        let utc = of_kinds("UTC");
        assert_eq!(windows(&utc, day), day.span());
        assert!(!refused.holds(&utc, day.span().to) && refused.holds(&utc, Time(day.span().to.0 - 1)));
    }
}
