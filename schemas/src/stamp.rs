//! Reading a time from its text, as a contract's `time` says.

use crate::source::{EpochUnit, Fold, TimeFormat};
use crate::{Decimal, Reason, Time, Zone};
use jiff::civil::DateTime;
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::Offset;

/// Why a text is no time: the reason, and what was wrong and would be right.
pub type Refusal = (Reason, String);

impl TimeFormat {
    /// The instant `text` means. Parts of a microsecond are cut towards the past.
    pub fn read(&self, text: &str) -> Result<Time, Refusal> {
        match self {
            TimeFormat::Rfc3339 => rfc3339(text),
            TimeFormat::Epoch(unit) => epoch(text, *unit),
            TimeFormat::Pattern { pattern, zone, fold } => by_pattern(text, pattern, zone.as_ref(), *fold),
        }
    }
}

fn invalid(text: &str, remedy: &str) -> Refusal {
    let shown: String = text.chars().take(80).collect();
    (Reason::InvalidTime, format!("\"{shown}\" is not a time as the contract says; {remedy}"))
}

/// RFC 3339, with `+0100`, a space for the `T` and small letters taken too. A leap second is the second before it.
fn rfc3339(text: &str) -> Result<Time, Refusal> {
    let wrong = || invalid(text, "send RFC 3339 such as 2026-11-20T08:15:00Z, or change the source's time format");
    let bytes = text.as_bytes();
    let shape = bytes.len() >= 19
        && bytes[4] == b'-'
        && bytes[7] == b'-'
        && matches!(bytes[10], b'T' | b't' | b' ')
        && bytes[13] == b':'
        && bytes[16] == b':';
    if !shape {
        return Err(wrong());
    }
    let part = |from: usize, to: usize| number(&bytes[from..to]).ok_or_else(wrong);
    let (nanos, rest) = fraction(&bytes[19..]).ok_or_else(wrong)?;
    let second = match part(17, 19)? {
        60 => 59,
        second => second,
    };
    let civil = DateTime::new(
        part(0, 4)? as i16,
        part(5, 7)? as i8,
        part(8, 10)? as i8,
        part(11, 13)? as i8,
        part(14, 16)? as i8,
        second as i8,
        nanos,
    )
    .map_err(|_| wrong())?;
    if rest.is_empty() {
        return Err(invalid(
            text,
            "give it an offset (Z or +01:00), or declare a strptime pattern with zone in the contract",
        ));
    }
    let offset = offset_seconds(rest).ok_or_else(wrong)?;
    let utc = Offset::UTC.to_timestamp(civil).map_err(|_| wrong())?;
    Ok(Time(utc.as_microsecond()).plus(-i64::from(offset) * crate::time::SECOND))
}

/// A number of ASCII digits only.
fn number(digits: &[u8]) -> Option<i32> {
    digits.iter().try_fold(0, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + i32::from(byte - b'0')))
}

/// Nanoseconds of `.123456789` cut to microseconds, none without a point, and what follows.
fn fraction(text: &[u8]) -> Option<(i32, &[u8])> {
    let Some(digits) = text.strip_prefix(b".") else { return Some((0, text)) };
    let count = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if count == 0 {
        return None;
    }
    let micros = (0..6).fold(0, |sum, i| sum * 10 + if i < count { i32::from(digits[i] - b'0') } else { 0 });
    Some((micros * 1000, &digits[count..]))
}

/// Seconds east of UTC of `Z`, `+01:00`, `+0100` or `+01`.
fn offset_seconds(text: &[u8]) -> Option<i32> {
    let sign = match text {
        b"Z" | b"z" => return Some(0),
        [b'+', ..] => 1,
        [b'-', ..] => -1,
        _ => return None,
    };
    let (hours, minutes) = match &text[1..] {
        [hours @ .., b':', a, b] if hours.len() == 2 => (number(hours)?, number(&[*a, *b])?),
        [a, b, c, d] => (number(&[*a, *b])?, number(&[*c, *d])?),
        [a, b] => (number(&[*a, *b])?, 0),
        _ => return None,
    };
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

/// A number of units since 1970, exact from its decimal text.
fn epoch(text: &str, unit: EpochUnit) -> Result<Time, Refusal> {
    let (name, shift) = match unit {
        EpochUnit::Second => ("seconds", 6),
        EpochUnit::Milli => ("milliseconds", 3),
        EpochUnit::Micro => ("microseconds", 0),
        EpochUnit::Nano => ("nanoseconds", -3),
    };
    let micros = Decimal::parse(text.as_bytes()).and_then(|number| {
        let digits = shift - number.scale;
        let power = 10_i128.checked_pow(digits.unsigned_abs());
        let micros = match power {
            Some(power) if digits >= 0 => number.mantissa.checked_mul(power)?,
            Some(power) => number.mantissa.div_euclid(power),
            None => return None,
        };
        i64::try_from(micros).ok()
    });
    micros.map(Time).ok_or_else(|| invalid(text, &format!("send {name} since 1970-01-01T00:00:00Z as a number")))
}

/// A strptime pattern, in `zone` unless the text itself says its offset.
fn by_pattern(text: &str, pattern: &str, zone: Option<&Zone>, fold: Fold) -> Result<Time, Refusal> {
    let wrong = || invalid(text, &format!("send it as {pattern}, or change the source's time format"));
    let broken = BrokenDownTime::parse(pattern, text).map_err(|_| wrong())?;
    let Some(zone) = zone else {
        let stamp = broken.to_timestamp().map_err(|_| wrong())?;
        return Ok(Time(stamp.as_nanosecond().div_euclid(1000) as i64));
    };
    let civil = broken.to_datetime().map_err(|_| wrong())?;
    let cut = civil.subsec_nanosecond() / 1000 * 1000;
    let civil = civil.with().subsec_nanosecond(cut).build().unwrap_or(civil);
    zone.instant(civil, fold).ok_or_else(|| {
        let detail =
            format!("{civil} does not exist in {}: clocks go forward over it; send an offset or UTC", zone.name());
        (Reason::NoSuchLocalTime, detail)
    })
}

/// How a pattern's texts become instants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PatternMeans {
    /// An instant by itself: the pattern has an offset or an epoch.
    Instant,
    /// A civil time, which needs a zone.
    Civil,
}

/// Whether a strptime pattern can be read and says at least a date; the error says what would be right.
pub(crate) fn pattern_means(pattern: &str) -> Result<PatternMeans, String> {
    let remedy =
        "write rfc3339, epoch_s, epoch_ms, epoch_us, epoch_ns or a strptime pattern such as \"%Y-%m-%d %H:%M:%S\"";
    let probe = DateTime::constant(2024, 2, 9, 13, 14, 15, 0).to_zoned(jiff::tz::TimeZone::UTC).map_err(|_| remedy)?;
    let text = BrokenDownTime::from(&probe).to_string(pattern).map_err(|error| format!("{remedy} ({error})"))?;
    let broken = BrokenDownTime::parse(pattern, &text).map_err(|error| format!("{remedy} ({error})"))?;
    if broken.to_timestamp().is_ok() {
        return Ok(PatternMeans::Instant);
    }
    broken.to_datetime().map(|_| PatternMeans::Civil).map_err(|_| format!("{remedy}: year, month and day at least"))
}

#[cfg(test)]
mod tests;
