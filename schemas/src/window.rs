//! Buckets of time: durations aligned to the epoch, and civil days, weeks, months and years of a zone.

use crate::{Span, Time, Zone};

/// The width of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Bucket {
    /// So many microseconds, a whole number of seconds, aligned to the epoch: `15m`, `24h`.
    Duration(i64),
    /// A civil day (`day`, alias `1d`).
    Day,
    /// A civil week from Monday.
    Week,
    /// A civil month.
    Month,
    /// A civil year.
    Year,
}

impl Bucket {
    /// Parses `1s`, `90s`, `15m`, `24h`, `7h`, `day`, `1d`, `week`, `month`, `year`. `auto` is the engine's business.
    /// The error says what is accepted. The longest duration is 366 days in hours.
    pub fn parse(_text: &str) -> Result<Bucket, String> {
        todo!()
    }

    /// The bucket `time` lies in. `zone` matters for civil buckets only.
    pub fn span(self, _time: Time, _zone: &Zone) -> Span {
        todo!()
    }

    /// `span` widened to whole buckets.
    pub fn widen(self, _span: Span, _zone: &Zone) -> Span {
        todo!()
    }

    /// The starts of all buckets in a widened span, and its end as last element: n buckets give n + 1 edges.
    /// Nothing if there would be more than `most` buckets.
    pub fn edges(self, _span: Span, _zone: &Zone, _most: usize) -> Option<Vec<Time>> {
        todo!()
    }
}

impl std::fmt::Display for Bucket {
    /// As parsed: `15m`, `day`.
    fn fmt(&self, _f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        todo!()
    }
}

/// Parses a duration: `1s`, `15m`, `1h`, `90d`, `2y` (a year is 365 days), in microseconds. The error says what is accepted.
pub fn parse_duration(_text: &str) -> Result<i64, String> {
    todo!()
}
