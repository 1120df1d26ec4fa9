//! Decimal text of a longer text straight to steps of a field's resolution, eight bytes at a time.
//!
//! What is out of the ordinary is left to [`crate::normalize::value`], and both agree on the rest.

use schemas::{Field, Kind, Unit};

/// `0` in each byte: exclusive or with it leaves digits as their values.
const ZEROS: u64 = 0x3030_3030_3030_3030;
/// Digits that always fit.
const MOST_DIGITS: usize = 18;
const POWERS: [i64; MOST_DIGITS + 1] = {
    let mut powers = [1; MOST_DIGITS + 1];
    let mut i = 1;
    while i < powers.len() {
        powers[i] = powers[i - 1] * 10;
        i += 1;
    }
    powers
};

/// How a field's usual numbers are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quick {
    scale: u8,
    low: i64,
    high: i64,
}

impl Quick {
    /// For a field whose values come in `unit`; `missing` are texts that mean "no value". A field without usual numbers has one
    /// that takes none.
    pub fn new(field: &Field, unit: &Unit, missing: &[String]) -> Quick {
        let state = matches!(field.kind, Kind::State { .. });
        // A mark such as -999 is no number: it has to be looked at.
        let marked = missing.iter().any(|mark| mark.trim().starts_with(|first: char| !first.is_alphabetic()));
        if state || marked || !unit.same_scale(&field.unit) {
            return Quick { scale: 0, low: 1, high: 0 };
        }
        let (low, high) = field.range;
        Quick { scale: field.resolution.scale(), low, high }
    }

    /// The number that begins at a byte, in steps, and the byte after it; nothing if it is not a plain one within range.
    #[inline(always)]
    pub fn read(&self, text: &[u8], at: usize) -> Option<(i64, usize)> {
        let negative = *text.get(at)? == b'-';
        let start = at + usize::from(negative);
        let (size, places, end) = short(text, start).or_else(|| long(text, start))?;
        let size = match places.cmp(&usize::from(self.scale)) {
            std::cmp::Ordering::Equal => size,
            std::cmp::Ordering::Less => size.checked_mul(POWERS[usize::from(self.scale) - places])?,
            std::cmp::Ordering::Greater => {
                let power = POWERS[places - usize::from(self.scale)];
                (size + power / 2) / power // half away from zero: the sign comes after
            }
        };
        let steps = if negative { -size } else { size };
        (self.low <= steps && steps <= self.high).then_some((steps, end))
    }
}

/// The byte after a plain number of a few digits that nobody wants; nothing if it is not one.
#[inline(always)]
pub(super) fn skip(text: &[u8], at: usize) -> Option<usize> {
    let start = at + usize::from(*text.get(at)? == b'-');
    short(text, start).map(|(_, _, end)| end)
}

/// Eight bytes from `at` on; what is not there is zero.
#[inline(always)]
pub(super) fn word(text: &[u8], at: usize) -> u64 {
    match text.get(at..).and_then(|rest| rest.first_chunk()) {
        Some(bytes) => u64::from_le_bytes(*bytes),
        None => last_word(text, at),
    }
}

#[cold]
fn last_word(text: &[u8], at: usize) -> u64 {
    let mut bytes = [0; 8];
    let rest = text.get(at..).unwrap_or_default();
    let count = rest.len().min(8);
    bytes[..count].copy_from_slice(&rest[..count]);
    u64::from_le_bytes(bytes)
}

/// How many of the bytes, from the first on, are digits (less [`ZEROS`]).
#[inline(always)]
fn digits(word: u64) -> usize {
    let others = (word.wrapping_add(0x7676_7676_7676_7676) | word) & 0x8080_8080_8080_8080;
    others.trailing_zeros() as usize / 8
}

/// The number of the first `count` bytes (1 to 8), which are digits less [`ZEROS`].
#[inline(always)]
fn number(word: u64, count: usize) -> i64 {
    let word = word << (64 - 8 * count);
    let pairs = (word & 0x0f0f_0f0f_0f0f_0f0f).wrapping_mul(2561) >> 8;
    let fours = (pairs & 0x00ff_00ff_00ff_00ff).wrapping_mul(6_553_601) >> 16;
    ((fours & 0x0000_ffff_0000_ffff).wrapping_mul(42_949_672_960_001) >> 32) as i64
}

/// A number that ends within eight bytes: its digits, how many of them are behind the point, and the byte after it.
#[inline(always)]
fn short(text: &[u8], start: usize) -> Option<(i64, usize, usize)> {
    let word = word(text, start) ^ ZEROS;
    let whole = digits(word);
    if whole == 8 {
        return None;
    }
    if (word >> (8 * whole)) as u8 != b'.' ^ b'0' {
        return (whole > 0).then(|| (number(word, whole), 0, start + whole));
    }
    let before = (1_u64 << (8 * whole)) - 1;
    let joined = (word & before) | ((word >> 8) & !before) | (0xff << 56);
    let all = digits(joined);
    (0 < all && all < 7).then(|| (number(joined, all), all - whole, start + all + 1))
}

/// [`short`] for any number of up to 18 digits.
#[inline(never)]
fn long(text: &[u8], start: usize) -> Option<(i64, usize, usize)> {
    let (mut size, mut count, mut point) = (0_i64, 0, None);
    let mut at = start;
    loop {
        match text.get(at) {
            Some(digit @ b'0'..=b'9') => {
                count += 1;
                if count > MOST_DIGITS {
                    return None;
                }
                size = size * 10 + i64::from(digit - b'0');
            }
            Some(b'.') if point.is_none() => point = Some(at),
            _ => break,
        }
        at += 1;
    }
    (count > 0).then(|| (size, point.map_or(0, |point| at - point - 1), at))
}

/// A whole number with its sign and the byte after it, as times are written; nothing if it has no digit or does not fit.
#[inline]
pub(super) fn integer(text: &[u8], at: usize) -> Option<(i64, usize)> {
    let negative = *text.get(at)? == b'-';
    let start = at + usize::from(negative);
    let (mut size, mut at) = (0_i64, start);
    loop {
        let word = word(text, at) ^ ZEROS;
        match digits(word) {
            0 => break,
            count => {
                size = size.checked_mul(POWERS[count])?.checked_add(number(word, count))?;
                at += count;
                if count < 8 {
                    break;
                }
            }
        }
    }
    (at > start).then_some((if negative { -size } else { size }, at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::Value;
    use crate::normalize::{self, Mapped};
    use schemas::Resolution;
    use std::collections::BTreeMap;

    fn field(scale: u8, range: (i64, i64)) -> Field {
        let resolution = Resolution::of_scale(scale).unwrap();
        let unit = Unit::parse("ppm").unwrap();
        Field { name: "x".into(), title: BTreeMap::new(), unit, kind: Kind::Gauge, resolution, range, quantiles: false }
    }

    /// Whatever the quick way reads, the exact one reads so too; usual numbers are read the quick way.
    fn check(text: &str, scale: u8, usual: bool) {
        let field = field(scale, (-100_000_000_000_000_000, 100_000_000_000_000_000));
        let quick = Quick::new(&field, &field.unit, &[String::new()]);
        let mapped = Mapped { field: &field, unit: &field.unit, words: &BTreeMap::new(), missing: &[] };
        let exact = normalize::value(mapped, &Value::Number(text));
        for end in ["", ",", " 1", "i,", "\n0123456789"] {
            let whole = format!("{text}{end}");
            let read = quick.read(whole.as_bytes(), 0).filter(|(_, end)| *end == text.len());
            assert!(read.is_some() || !usual, "{whole:?} is usual");
            if let Some((steps, _)) = read {
                assert_eq!(exact, Ok(Some(steps)), "{whole:?} at scale {scale}");
            }
        }
    }

    #[test]
    fn the_quick_way_agrees_with_the_exact_one() {
        for scale in 0..=6 {
            for text in ["0", "-0", "7", "21.5", "-0.05", "0.5", "-1.5", ".5", "5.", "123456", "1234567", "12345678"] {
                check(text, scale, true);
            }
            for text in ["123456789", "1234.56789", "12345.678", "0.000000499999", "-0.0000005", "999999999999"] {
                check(text, scale, scale == 0 || scale < 4 && text.len() < 12);
            }
            for text in ["", "-", ".", "-.", "1e3", "+5", "1.2.3", "NaN", "99999999999999999999", "0x1", "1_0", "--1"] {
                check(text, scale, false);
            }
        }
        let mut seed = 1_u64;
        for _ in 0..200_000 {
            let mut next = |most: u64| {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (seed >> 33) % most
            };
            let most = 10_u64.pow(1 + next(8) as u32);
            let (whole, places) = (next(most), next(11) as usize);
            let fraction: String = (0..places).map(|_| char::from(b'0' + next(10) as u8)).collect();
            let (sign, point) = (["", "-"][next(2) as usize], ["", "."][usize::from(places > 0 || next(9) == 0)]);
            check(&format!("{sign}{whole}{point}{fraction}"), next(7) as u8, false);
        }
    }

    #[test]
    fn what_needs_a_look_is_not_read_quickly() {
        let field = field(1, (-10, 10_000));
        let quick = |unit: &str, missing: &str| Quick::new(&field, &Unit::parse(unit).unwrap(), &[missing.to_owned()]);
        assert_eq!(quick("ppm", "").read(b"12.25", 0), Some((123, 5)), "half a step goes away from zero");
        assert_eq!(quick("ppm", "na").read(b"12.25", 0), Some((123, 5)));
        assert_eq!(quick("ppm", "").read(b"-1.1", 0), None, "below its range");
        assert_eq!(quick("ppm", " -999").read(b"12", 0), None, "a mark may be a number");
        assert_eq!(quick("[ppb]", "").read(b"12", 0), None, "another unit");
        assert_eq!(quick("ppm", ".").read(b"12", 0), None);
    }

    #[test]
    fn whole_numbers_fit_or_are_none() {
        let read = |text: &str| integer(text.as_bytes(), 0);
        assert_eq!(read("1763719200000000000\n"), Some((1_763_719_200_000_000_000, 19)));
        assert_eq!(read("-12 "), Some((-12, 3)));
        assert_eq!(read("12345678"), Some((12_345_678, 8)));
        assert_eq!((read("9223372036854775807"), read("9223372036854775808")), (Some((i64::MAX, 19)), None));
        assert_eq!((read(""), read("-"), read("x"), read("99999999999999999999999")), (None, None, None, None));
    }
}
