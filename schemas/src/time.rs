//! Instants, days and spans. Time is UTC microseconds everywhere inside Lamppost.

use std::fmt;

/// Microseconds in one UTC day.
pub const DAY: i64 = 86_400_000_000;
/// Microseconds in one hour.
pub const HOUR: i64 = 3_600_000_000;
/// Microseconds in one second.
pub const SECOND: i64 = 1_000_000;

/// An instant: microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Time(pub i64);

impl Time {
    /// 2000-01-01T00:00:00Z: readings before it are rejected as `before_earliest`.
    pub const EARLIEST: Time = Time(946_684_800_000_000);

    /// The UTC day this instant lies in.
    pub fn day(self) -> Day {
        Day(self.0.div_euclid(DAY) as i32)
    }

    /// This instant moved by `micros` microseconds, saturating at the ends of the range.
    pub fn plus(self, micros: i64) -> Time {
        Time(self.0.saturating_add(micros))
    }

    /// The last full UTC hour at or before this instant.
    pub fn hour(self) -> Time {
        Time(self.0.div_euclid(HOUR) * HOUR)
    }
}

impl fmt::Display for Time {
    /// RFC 3339 in UTC with as many fraction digits as needed: `2026-11-20T08:15:00Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(stamp) => write!(f, "{stamp}"),
            Err(_) => write!(f, "{} µs", self.0),
        }
    }
}

/// A UTC day, counted from 1970-01-01. Raw data is partitioned by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Day(pub i32);

impl Day {
    /// The first instant of the day.
    pub fn start(self) -> Time {
        Time(i64::from(self.0) * DAY)
    }

    /// The half-open span of the day.
    pub fn span(self) -> Span {
        Span { from: self.start(), to: Day(self.0 + 1).start() }
    }

    /// The day of an ISO date (`2026-11-20`), or nothing if the text is not one.
    pub fn parse(text: &str) -> Option<Day> {
        let date: jiff::civil::Date = (text.len() == 10).then(|| text.parse().ok())??; // jiff takes more than a date
        let stamp = date.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
        Some(Time(stamp.as_microsecond()).day())
    }
}

impl fmt::Display for Day {
    /// ISO date: `2026-11-20`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.start().0) {
            Ok(stamp) => write!(f, "{}", stamp.to_zoned(jiff::tz::TimeZone::UTC).date()),
            Err(_) => write!(f, "day {}", self.0),
        }
    }
}

/// A half-open span of time, `[from, to)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Span {
    /// First instant inside.
    pub from: Time,
    /// First instant after.
    pub to: Time,
}

impl Span {
    /// Whether no instant lies inside.
    pub fn is_empty(self) -> bool {
        self.to <= self.from
    }

    /// Whether `time` lies inside.
    pub fn holds(self, time: Time) -> bool {
        self.from <= time && time < self.to
    }

    /// The UTC days the span touches, first and last; nothing when it is empty.
    pub fn days(self) -> Option<(Day, Day)> {
        (!self.is_empty()).then(|| (self.from.day(), Time(self.to.0 - 1).day()))
    }
}
