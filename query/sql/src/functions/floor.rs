//! Instants cut down to the start of their bucket, in UTC or in a zone.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use schemas::Zone;
use schemas::time::{DAY, SECOND};

/// The first Monday of the year 2000, where Timescale's buckets are aligned; every midnight of UTC fits as well.
const MONDAY: i64 = 10_959 * DAY;

/// The width of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Width {
    /// So many microseconds.
    Micros(i64),
    /// So many months.
    Months(i32),
}

impl Width {
    /// The width of one of PostgreSQL's words for `date_trunc`.
    pub(crate) fn of_word(word: &str) -> Option<Width> {
        Some(match word.to_ascii_lowercase().as_str() {
            "microsecond" | "microseconds" => Width::Micros(1),
            "millisecond" | "milliseconds" => Width::Micros(SECOND / 1000),
            "second" => Width::Micros(SECOND),
            "minute" => Width::Micros(60 * SECOND),
            "hour" => Width::Micros(3600 * SECOND),
            "day" => Width::Micros(DAY),
            "week" => Width::Micros(7 * DAY),
            "month" => Width::Months(1),
            "quarter" => Width::Months(3),
            "year" => Width::Months(12),
            "decade" => Width::Months(120),
            _ => return None,
        })
    }

    /// The start of the bucket of a civil time, both in microseconds as if the zone were UTC.
    fn start(self, local: i64) -> i64 {
        match self {
            Width::Micros(width) => local.saturating_sub((local.saturating_sub(MONDAY)).rem_euclid(width)),
            Width::Months(months) => {
                let date = date(local);
                let month = i32::from(date.year()) * 12 + i32::from(date.month()) - 1;
                let first = month.div_euclid(months) * months;
                let year = i16::try_from(first.div_euclid(12)).unwrap_or(i16::MIN);
                let first = Date::new(year, first.rem_euclid(12) as i8 + 1, 1).unwrap_or(Date::MIN);
                i64::from((first - Date::constant(1970, 1, 1)).get_days()) * DAY
            }
        }
    }
}

/// The date of a civil time.
fn date(local: i64) -> Date {
    let stamp = Timestamp::from_microsecond(local).unwrap_or(if local < 0 { Timestamp::MIN } else { Timestamp::MAX });
    jiff::tz::TimeZone::UTC.to_datetime(stamp).date()
}

/// Cuts instants down, remembering what it found out: most follow one another.
pub(crate) struct Floor {
    width: Width,
    zone: Option<Zone>,
    /// The stretch between two changes of the clocks that it is in, and the zone's offset there.
    stretch: Stretch,
}

/// A stretch in which a zone's offset from UTC stays the same; all in microseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stretch {
    from: i64,
    to: i64,
    offset: i64,
}

impl Stretch {
    /// The stretch of a zone that an instant lies in.
    pub(crate) fn around(zone: &Zone, time: i64) -> Stretch {
        let Ok(stamp) = Timestamp::from_microsecond(time) else { return Stretch { from: time, to: time, offset: 0 } };
        let tz = zone.tz();
        let micros = |change: jiff::tz::TimeZoneTransition<'_>| change.timestamp().as_microsecond();
        // "Preceding" is strictly so; an instant at a change belongs to what follows.
        let next = stamp.checked_add(SignedDuration::from_micros(1)).unwrap_or(stamp);
        Stretch {
            from: tz.preceding(next).next().map_or(i64::MIN, micros),
            to: tz.following(stamp).next().map_or(i64::MAX, micros),
            offset: i64::from(tz.to_offset(stamp).seconds()) * SECOND,
        }
    }

    /// Whether an instant lies in it.
    pub(crate) fn holds(&self, time: i64) -> bool {
        self.from <= time && time < self.to
    }

    /// Its offset.
    pub(crate) fn offset(&self) -> i64 {
        self.offset
    }
}

impl Floor {
    /// Buckets of that width, in a zone or in UTC.
    pub(crate) fn new(width: Width, zone: Option<Zone>) -> Floor {
        Floor { width, zone, stretch: Stretch { from: 0, to: 0, offset: 0 } }
    }

    /// The start of the bucket an instant lies in.
    pub(crate) fn start(&mut self, time: i64) -> i64 {
        let Some(zone) = &self.zone else { return self.width.start(time) };
        if !self.stretch.holds(time) {
            self.stretch = Stretch::around(zone, time);
        }
        let local = self.width.start(time + self.stretch.offset);
        let start = local - self.stretch.offset;
        // Where the clocks have changed since the bucket began, its start is read by the clock of then.
        if start >= self.stretch.from { start } else { instant(zone, local) }
    }
}

/// The instant of a civil time: of two the earlier, and past a gap as far as the gap is wide.
pub(crate) fn instant(zone: &Zone, local: i64) -> i64 {
    let civil = Timestamp::from_microsecond(local).map(|stamp| jiff::tz::TimeZone::UTC.to_datetime(stamp));
    let found = civil.and_then(|civil| zone.tz().to_timestamp(civil));
    found.map_or(local, |stamp| stamp.as_microsecond())
}

#[cfg(test)]
mod tests;
