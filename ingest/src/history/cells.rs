//! Cells of a plain CSV line, and what they mean where that is quickly told.

use schemas::Time;
use schemas::source::{EpochUnit, TimeFormat};
use schemas::time::{DAY, SECOND};
use std::ops::Range;

/// Cuts a line at its delimiters; false when it has quotes, which only a reader of CSV understands.
pub(super) fn split(line: &str, delimiter: u8, cells: &mut Vec<Range<usize>>) -> bool {
    cells.clear();
    let mut start = 0;
    for (at, &byte) in line.as_bytes().iter().enumerate() {
        if byte == delimiter {
            cells.push(start..at);
            start = at + 1;
        } else if byte == b'"' {
            return false;
        }
    }
    cells.push(start..line.len());
    true
}

/// A number with at most `scale` digits after its point, in steps of 10^-scale; nothing when it is anything else, or too long to
/// be told quickly.
pub(super) fn steps(text: &[u8], scale: u8) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || digits.len() > 16 {
        return None;
    }
    let (mut value, mut after, mut point) = (0_i64, 0, false);
    for &byte in digits {
        match byte {
            b'0'..=b'9' => {
                value = value * 10 + i64::from(byte - b'0');
                after += u8::from(point);
            }
            b'.' if !point => point = true,
            _ => return None,
        }
    }
    let whole = digits.len() > usize::from(point) && after <= scale && digits.len() + usize::from(scale - after) <= 18;
    let steps = value * whole.then(|| 10_i64.pow(u32::from(scale - after)))?;
    Some(if negative { -steps } else { steps })
}

/// An instant in the two spellings that histories have, `2026-11-20T08:15:00Z` and a whole epoch number; nothing when it is
/// anything else.
pub(super) fn instant(format: &TimeFormat, text: &str) -> Option<Time> {
    match format {
        TimeFormat::Rfc3339 => utc(text.as_bytes()),
        TimeFormat::Epoch(unit) => {
            let micros = match unit {
                EpochUnit::Second => steps(text.as_bytes(), 6)?,
                EpochUnit::Milli => steps(text.as_bytes(), 3)?,
                EpochUnit::Micro => steps(text.as_bytes(), 0)?,
                EpochUnit::Nano => return None,
            };
            Some(Time(micros))
        }
        TimeFormat::Pattern { .. } => None,
    }
}

/// `2026-11-20T08:15:00Z`, nothing else.
fn utc(text: &[u8]) -> Option<Time> {
    let &[y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1, b'T', h0, h1, b':', i0, i1, b':', s0, s1, b'Z'] = text else {
        return None;
    };
    let number = |digits: &[u8]| {
        digits.iter().try_fold(0_i64, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + i64::from(digit - b'0')))
    };
    let (year, month, day) = (number(&[y0, y1, y2, y3])?, number(&[m0, m1])?, number(&[d0, d1])?);
    let (hour, minute, second) = (number(&[h0, h1])?, number(&[i0, i1])?, number(&[s0, s1])?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = [31, 28 + i64::from(leap), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let last = *days.get(usize::try_from(month - 1).ok()?)?;
    if !(1..=last).contains(&day) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    // Days from civil: Howard Hinnant, "chrono-compatible low-level date algorithms".
    let shifted = year - i64::from(month <= 2);
    let era = shifted.div_euclid(400);
    let of_era = shifted.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    Some(Time(days * DAY + (hour * 3600 + minute * 60 + second) * SECOND))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_what_the_ordinary_way_reads() {
        for (text, scale, expect) in [
            ("12", 0, Some(12)),
            ("-12.5", 1, Some(-125)),
            ("12.", 2, Some(1200)),
            (".5", 1, Some(5)),
            ("0.50", 1, None),
            ("1e3", 0, None),
            ("", 0, None),
            ("-", 0, None),
            (".", 1, None),
            ("1.2.3", 3, None),
            (" 1", 0, None),
            ("12345678901234567", 0, None),
            ("999999999999999", 6, None),
        ] {
            assert_eq!(steps(text.as_bytes(), scale), expect, "{text:?}");
        }
    }

    #[test]
    fn instants_are_what_the_ordinary_way_reads() {
        let rfc = TimeFormat::Rfc3339;
        for year in [1900, 1970, 1999, 2000, 2024, 2026, 2100] {
            for day in 0..400 {
                let start = (year - 1970) * 365 * DAY + day * DAY + 45_296 * SECOND;
                let text = Time(start).to_string();
                assert_eq!(instant(&rfc, &text), Some(Time(start)), "{text}");
            }
        }
        for text in ["2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01 00:00:00Z"] {
            assert_eq!(instant(&rfc, text), None, "{text}");
        }
        let seconds = TimeFormat::Epoch(EpochUnit::Second);
        assert_eq!(instant(&seconds, "1700000000.25"), Some(Time(1_700_000_000_250_000)));
        assert_eq!(instant(&TimeFormat::Epoch(EpochUnit::Nano), "1700000000000000000"), None);
    }
}
