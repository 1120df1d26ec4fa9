//! Tiers: what readings come to by window, kept in tables of their own.
//!
//! A window's row holds integers only ([`columns`]), so that rows of several windows, sensors and tiers merge exactly in any
//! order. **The law: a tier's row equals the aggregate of its raw rows, bit for bit.**

mod close;
pub mod columns;
mod file;
mod frozen;
pub(crate) mod kernel;
pub(crate) mod partial;
mod refresh;
pub mod rollup;
pub mod values;

pub(crate) use close::{Pace, close, is_due};
pub use kernel::growth;
pub(crate) use refresh::refresh;

use schemas::time::HOUR;
use schemas::{Bucket, Day, Keep, Keeps, Span, Time, Zone};

/// A tier of a dataset, the finest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// Windows of 15 minutes from the full UTC hour; a partition is a week.
    Quarter,
    /// Windows of a UTC hour; a partition is a month.
    Hour,
    /// Civil days of the dataset's zone; a partition is the UTC year in which they begin.
    Day,
}

impl Tier {
    /// All of them, the finest first.
    pub const ALL: [Tier; 3] = [Tier::Quarter, Tier::Hour, Tier::Day];

    /// Its word in contracts, folders, API and SQL: `15m`.
    pub fn name(self) -> &'static str {
        match self {
            Tier::Quarter => "15m",
            Tier::Hour => "1h",
            Tier::Day => "1d",
        }
    }

    /// The tier of a name.
    pub fn parse(name: &str) -> Option<Tier> {
        Tier::ALL.into_iter().find(|tier| tier.name() == name)
    }

    /// The width of its windows.
    pub fn bucket(self) -> Bucket {
        match self {
            Tier::Quarter => Bucket::Duration(HOUR / 4),
            Tier::Hour => Bucket::Duration(HOUR),
            Tier::Day => Bucket::Day,
        }
    }

    /// The window an instant lies in; `zone` is the dataset's.
    pub fn window(self, time: Time, zone: &Zone) -> Span {
        self.bucket().span(time, zone)
    }

    /// How long it is kept.
    pub fn keep(self, keeps: &Keeps) -> Keep {
        match self {
            Tier::Quarter => keeps.quarter,
            Tier::Hour => keeps.hour,
            Tier::Day => keeps.day,
        }
    }

    /// Column by which its table is partitioned; its values are first days.
    pub(crate) fn column(self) -> &'static str {
        match self {
            Tier::Quarter => "week",
            Tier::Hour => "month",
            Tier::Day => "year",
        }
    }

    /// The first day of the partition of a window that begins at an instant.
    pub(crate) fn partition(self, start: Time) -> Day {
        let utc = Zone::utc();
        let bucket = match self {
            Tier::Quarter => Bucket::Week,
            Tier::Hour => Bucket::Month,
            Tier::Day => Bucket::Year,
        };
        bucket.span(start, &utc).from.day()
    }

    /// The instants at which windows of a partition begin, by its first day.
    pub(crate) fn partition_span(self, first: Day) -> Span {
        let bucket = match self {
            Tier::Quarter => Bucket::Week,
            Tier::Hour => Bucket::Month,
            Tier::Day => Bucket::Year,
        };
        bucket.span(first.start(), &Zone::utc())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_lies_in_the_partition_in_which_it_begins() {
        let at = |text: &str| Time(text.parse::<jiff::Timestamp>().unwrap().as_microsecond());
        let prague = Zone::parse("Europe/Prague").unwrap();
        for (tier, time, start, partition) in [
            (Tier::Quarter, "2026-11-20T08:29:00Z", "2026-11-20T08:15:00Z", "2026-11-16"),
            (Tier::Hour, "2026-11-20T08:29:00Z", "2026-11-20T08:00:00Z", "2026-11-01"),
            (Tier::Day, "2026-01-01T08:29:00Z", "2025-12-31T23:00:00Z", "2025-01-01"),
        ] {
            let window = tier.window(at(time), &prague);
            assert_eq!(window.from, at(start));
            let first = tier.partition(window.from);
            assert_eq!(first.to_string(), partition);
            assert!(tier.partition_span(first).holds(window.from));
            assert_eq!(Tier::parse(tier.name()), Some(tier));
        }
    }
}
