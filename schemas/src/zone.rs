//! Time zones: civil time to instants and back, from the IANA data bundled in the binary.

use crate::source::Fold;
use crate::{Time, near};
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, TimeZone};

/// An IANA time zone.
#[derive(Clone, Debug, PartialEq)]
pub struct Zone(TimeZone);

impl Zone {
    /// UTC.
    pub fn utc() -> Zone {
        Zone(TimeZone::UTC)
    }

    /// Looks an IANA name up (`Europe/Prague`, in any capitals); the error says what is accepted.
    pub fn parse(name: &str) -> Result<Zone, String> {
        let found = TimeZone::get(name).ok().filter(|zone| !zone.is_unknown() && zone.iana_name().is_some());
        found.map(Zone).ok_or_else(|| remedy(name))
    }

    /// Its IANA name.
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// jiff's own zone.
    pub fn tz(&self) -> &TimeZone {
        &self.0
    }

    /// The instant of a civil date and time: the earlier or later of two as `fold` says, nothing if the zone skips it.
    pub fn instant(&self, civil: DateTime, fold: Fold) -> Option<Time> {
        let offset = match (self.0.to_ambiguous_timestamp(civil).offset(), fold) {
            (AmbiguousOffset::Unambiguous { offset }, _) => offset,
            (AmbiguousOffset::Fold { before, .. }, Fold::Earlier) => before,
            (AmbiguousOffset::Fold { after, .. }, Fold::Later) => after,
            (AmbiguousOffset::Gap { .. }, _) => return None,
        };
        Some(Time(offset.to_timestamp(civil).ok()?.as_microsecond()))
    }

    /// The civil date at an instant.
    pub fn date(&self, time: Time) -> Date {
        self.0.to_datetime(stamp(time)).date()
    }

    /// The first instant of a civil date: of two midnights the earlier; where the zone skips midnight, the jump.
    pub fn midnight(&self, date: Date) -> Time {
        let civil = date.at(0, 0, 0, 0);
        if let Some(time) = self.instant(civil, Fold::Earlier) {
            return time;
        }
        let AmbiguousOffset::Gap { after, .. } = self.0.to_ambiguous_timestamp(civil).offset() else {
            return Time(clamped(civil)); // outside of the calendar's range
        };
        // Read with the offset after the gap, the skipped midnight lies before the jump: the next transition is it.
        let before = after.to_timestamp(civil).unwrap_or(Timestamp::MIN);
        match self.0.following(before).next() {
            Some(jump) => Time(jump.timestamp().as_microsecond()),
            None => Time(before.as_microsecond()),
        }
    }

    /// RFC 3339 with the zone's offset at that instant: `2026-11-20T09:15:00+01:00`; `Z` for UTC.
    pub fn format(&self, time: Time) -> String {
        let stamp = stamp(time);
        if self.0 == TimeZone::UTC {
            stamp.to_string()
        } else {
            stamp.display_with_offset(self.0.to_offset(stamp)).to_string()
        }
    }
}

/// jiff's instant; those it cannot express are its first and last.
fn stamp(time: Time) -> Timestamp {
    let end = if time.0 < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::from_microsecond(time.0).unwrap_or(end)
}

/// The first or last instant, whichever a civil time beyond them is nearer to.
fn clamped(civil: DateTime) -> i64 {
    if civil.year() < 0 { Timestamp::MIN.as_microsecond() } else { Timestamp::MAX.as_microsecond() }
}

/// What to write instead of a name that is none.
fn remedy(name: &str) -> String {
    if name.starts_with(['+', '-']) || name.contains(':') {
        return "write an IANA name such as \"Europe/Prague\": an offset does not know about summer time".into();
    }
    let known: Vec<String> = jiff::tz::db().available().map(|known| known.to_string()).collect();
    let city = known.iter().find(|known| known.rsplit('/').next().is_some_and(|city| city.eq_ignore_ascii_case(name)));
    match city.map(String::as_str).or_else(|| near::nearest(name, known.iter().map(String::as_str))) {
        Some(near) => format!("write \"{near}\" or another IANA name"),
        None => "write an IANA name such as \"Europe/Prague\"".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(name: &str) -> Zone {
        Zone::parse(name).expect("zone")
    }

    fn check_instant(name: &str, civil: &str, fold: Fold, expect: Option<&str>) {
        let found = zone(name).instant(civil.parse().expect("civil"), fold).map(|time| time.to_string());
        assert_eq!(found.as_deref(), expect, "{civil} in {name}");
    }

    #[test]
    fn names_are_iana_names() {
        assert_eq!(zone("Europe/Prague").name(), "Europe/Prague");
        assert_eq!(zone("europe/prague").name(), "Europe/Prague");
        assert_eq!(zone("UTC"), Zone::utc());
        for (wrong, says) in [
            ("+02:00", "offset"),
            ("UTC+1", "IANA"),
            ("Prague", "\"Europe/Prague\""),
            ("Europe/Prag", "\"Europe/Prague\""),
            ("Etc/Unknown", "IANA"),
            ("", "IANA"),
        ] {
            let error = Zone::parse(wrong).expect_err(wrong);
            assert!(error.contains(says), "{wrong}: {error}");
        }
    }

    #[test]
    fn local_times_occur_once_twice_or_never() {
        use Fold::{Earlier, Later};
        check_instant("Europe/Prague", "2026-07-01T12:00", Earlier, Some("2026-07-01T10:00:00Z"));
        check_instant("Europe/Prague", "2026-10-25T02:30", Earlier, Some("2026-10-25T00:30:00Z"));
        check_instant("Europe/Prague", "2026-10-25T02:30", Later, Some("2026-10-25T01:30:00Z"));
        check_instant("Europe/Prague", "2026-03-29T02:30", Earlier, None);
        check_instant("Europe/Prague", "2026-03-29T02:30", Later, None);
        check_instant("Australia/Lord_Howe", "2026-04-05T01:45", Earlier, Some("2026-04-04T14:45:00Z"));
        check_instant("Australia/Lord_Howe", "2026-04-05T01:45", Later, Some("2026-04-04T15:15:00Z"));
        check_instant("Asia/Kathmandu", "2026-01-01T05:45", Earlier, Some("2026-01-01T00:00:00Z"));
    }

    #[test]
    fn days_begin_where_midnight_is_skipped() {
        for (name, date, expect) in [
            ("Europe/Prague", "2026-11-20", "2026-11-19T23:00:00Z"),
            ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z"),
            ("Asia/Beirut", "2024-03-31", "2024-03-30T22:00:00Z"),
            ("America/Havana", "2024-11-03", "2024-11-03T04:00:00Z"),
            ("Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00Z"),
            ("Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00Z"),
            ("America/Toronto", "1919-03-31", "1919-03-31T04:30:00Z"), // from 23:30 to 00:30
        ] {
            let found = zone(name).midnight(date.parse().expect("date"));
            assert_eq!(found.to_string(), expect, "{date} in {name}");
        }
    }

    #[test]
    fn stamps_carry_the_offset_in_force() {
        let summer: Timestamp = "2026-07-01T10:00:00.5Z".parse().expect("stamp");
        let time = Time(summer.as_microsecond());
        assert_eq!(zone("Europe/Prague").format(time), "2026-07-01T12:00:00.5+02:00");
        assert_eq!(zone("Asia/Kathmandu").format(time), "2026-07-01T15:45:00.5+05:45");
        assert_eq!(Zone::utc().format(time), "2026-07-01T10:00:00.5Z");
    }

    #[test]
    fn ends_of_time_do_not_break_it() {
        let prague = zone("Europe/Prague");
        for time in [Time(i64::MIN), Time(i64::MAX)] {
            let date = prague.date(time);
            prague.midnight(date);
            assert!(!prague.format(time).is_empty());
        }
    }
}
