//! Instants as RFC 3339 in a zone, quickly: the offset is looked up once per stretch between two changes of the clocks,
//! the date once per day.

use schemas::time::{DAY, SECOND};
use schemas::{Time, Zone};

/// Writes instants of one zone.
pub(crate) struct Stamps<'a> {
    zone: &'a Zone,
    /// First and past-the-last instant the offset holds for, in microseconds.
    holds: (i64, i64),
    /// Offset from UTC in microseconds.
    offset: i64,
    /// The offset as written: `+01:00`, `Z`.
    suffix: String,
    /// The last date written: days since 1970 and its text.
    date: (i64, String),
}

impl<'a> Stamps<'a> {
    /// A writer for a zone.
    pub(crate) fn new(zone: &'a Zone) -> Stamps<'a> {
        Stamps { zone, holds: (0, 0), offset: 0, suffix: String::new(), date: (i64::MIN, String::new()) }
    }

    /// Writes an instant: `2026-11-20T09:15:00+01:00`, with as many digits of a fraction as needed.
    pub(crate) fn push(&mut self, time: Time, out: &mut Vec<u8>) {
        if time.0 < self.holds.0 || self.holds.1 <= time.0 {
            let Some(()) = self.look_up(time) else {
                // Outside the calendar's years (-9999 to 9999): no reading lies there.
                out.extend_from_slice(self.zone.format(time).as_bytes());
                return;
            };
        }
        let local = time.0 + self.offset;
        let day = local.div_euclid(DAY);
        if day != self.date.0 {
            self.date = (day, date(day));
        }
        out.extend_from_slice(self.date.1.as_bytes());
        let micros = local.rem_euclid(DAY);
        let seconds = micros / SECOND;
        for (lead, part) in [(b'T', seconds / 3600), (b':', seconds / 60 % 60), (b':', seconds % 60)] {
            out.extend_from_slice(&[lead, b'0' + (part / 10) as u8, b'0' + (part % 10) as u8]);
        }
        let fraction = micros % SECOND;
        if fraction != 0 {
            let digits = format!(".{fraction:06}");
            out.extend_from_slice(digits.trim_end_matches('0').as_bytes());
        }
        out.extend_from_slice(self.suffix.as_bytes());
    }

    /// Takes the stretch around an instant; nothing outside the calendar.
    fn look_up(&mut self, time: Time) -> Option<()> {
        let stamp = jiff::Timestamp::from_microsecond(time.0).ok()?;
        let tz = self.zone.tz();
        let seconds = tz.to_offset(stamp).seconds();
        let until = tz.following(stamp).next().map_or(i64::MAX, |change| change.timestamp().as_microsecond());
        self.holds = (time.0, until.min(jiff::Timestamp::MAX.as_microsecond()).max(time.0 + 1));
        self.offset = i64::from(seconds) * SECOND;
        self.suffix = if *tz == jiff::tz::TimeZone::UTC {
            "Z".to_owned()
        } else {
            let sign = if seconds < 0 { '-' } else { '+' };
            let minutes = seconds.unsigned_abs() / 60;
            format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
        };
        Some(())
    }
}

/// ISO date of a day counted from 1970-01-01, in the proleptic Gregorian calendar.
/// Source: H. Hinnant, "chrono-compatible low-level date algorithms", `civil_from_days`.
fn date(day: i64) -> String {
    let z = day + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day_of_month:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quick_way_writes_what_the_zone_writes() {
        let names =
            ["UTC", "Europe/Prague", "Europe/London", "America/St_Johns", "Asia/Kolkata", "Australia/Lord_Howe"];
        for name in names {
            let Ok(zone) = Zone::parse(name) else { panic!("{name}") };
            let mut stamps = Stamps::new(&zone);
            let mut steps: Vec<i64> = (0..4000).map(|i| 946_684_800 * SECOND + i * 213_287 * SECOND).collect();
            // Around the changes of 2026 and with fractions, forwards and backwards.
            steps.extend((0..2000).rev().map(|i| 1_774_700_000 * SECOND + i * 977 * SECOND / 2 + i));
            steps.extend([0, -1, 1, 951_782_400 * SECOND]);
            for step in steps {
                let mut out = Vec::new();
                stamps.push(Time(step), &mut out);
                assert_eq!(String::from_utf8_lossy(&out), zone.format(Time(step)), "{name}");
            }
        }
    }

    #[test]
    fn the_end_of_time_does_not_panic() {
        let zone = Zone::utc();
        let mut out = Vec::new();
        Stamps::new(&zone).push(Time(i64::MAX), &mut out);
        Stamps::new(&zone).push(Time(i64::MIN), &mut out);
        assert!(!out.is_empty());
    }
}
