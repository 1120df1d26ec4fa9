//! Times of lines.

use super::super::number::{integer, word};
use super::text::{Fault, fail, next_line};
use schemas::Time;

/// Unit of the times in a body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// Nanoseconds, cut to microseconds towards the past.
    #[default]
    Nano,
    /// Microseconds.
    Micro,
    /// Milliseconds.
    Milli,
    /// Seconds.
    Second,
    /// Minutes.
    Minute,
    /// Hours.
    Hour,
}

/// Reads times; one that is equal to the one before is not read again.
#[derive(Debug, Default)]
pub(super) struct Stamps {
    precision: Precision,
    arrival: Time,
    /// The last text, its line feed included, and which of its bytes count.
    words: [(u64, u64); 3],
    /// Bytes of it; none if there is none to go by.
    length: usize,
    time: Time,
}

impl Stamps {
    /// A body begins, which arrived then.
    pub(super) fn begin(&mut self, precision: Precision, arrival: Time) {
        *self = Stamps { precision, arrival, ..Stamps::default() };
    }

    /// The time after a line's fields, and the first byte of the next line.
    #[inline]
    pub(super) fn read(&mut self, text: &[u8], at: usize) -> Result<(Time, usize), Fault> {
        let [(a, _), (b, b_mask), (c, c_mask)] = self.words;
        if self.length > 0
            && word(text, at) == a
            && word(text, at + 8) & b_mask == b
            && word(text, at + 16) & c_mask == c
        {
            return Ok((self.time, at + self.length));
        }
        self.look(text, at)
    }

    fn look(&mut self, text: &[u8], start: usize) -> Result<(Time, usize), Fault> {
        let skip = |mut at: usize| {
            while text.get(at) == Some(&b' ') {
                at += 1;
            }
            at
        };
        let at = skip(start);
        if let Some(next) = next_line(text, at) {
            return Ok((self.arrival, next));
        }
        let expected = "a space and a time in whole numbers, or the end of the line";
        if at == start {
            return fail(at, expected);
        }
        let Some((number, end)) = integer(text, at) else { return fail(at, expected) };
        let Some(next) = next_line(text, skip(end)) else { return fail(end, "the end of the line after its time") };
        let micros = match self.precision {
            Precision::Nano => number.div_euclid(1000),
            Precision::Micro => number,
            // One that does not fit is far in the future, or in the past, and is told so.
            Precision::Milli => number.saturating_mul(1000),
            Precision::Second => number.saturating_mul(1_000_000),
            Precision::Minute => number.saturating_mul(60_000_000),
            Precision::Hour => number.saturating_mul(3_600_000_000),
        };
        self.time = Time(micros);
        self.remember(text, start, next);
        Ok((self.time, next))
    }

    /// Remembers a text with its space and line feed, if its length is a usual one.
    fn remember(&mut self, text: &[u8], start: usize, next: usize) {
        self.length = 0;
        if (8..=24).contains(&(next - start)) && text[next - 1] == b'\n' {
            self.length = next - start;
            self.words = [0, 8, 16].map(|from| {
                let mask = match self.length.saturating_sub(from) {
                    0 => 0,
                    bytes @ 1..8 => (1 << (8 * bytes)) - 1,
                    _ => u64::MAX,
                };
                (word(text, start + from) & mask, mask)
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_whether_or_not_they_are_equal_to_the_last() {
        let mut stamps = Stamps::default();
        stamps.begin(Precision::Nano, Time(5));
        for (text, expect) in [
            (" 1763719200000000999\n", Some((1_763_719_200_000_000, 21))),
            (" 1763719200000000999\n", Some((1_763_719_200_000_000, 21))),
            (" 1763719200000001000\n", Some((1_763_719_200_000_001, 21))),
            (" 1763719200000001000", Some((1_763_719_200_000_001, 20))),
            (" 1763719200000001000\r\nx", Some((1_763_719_200_000_001, 22))),
            (" 17637192000000010000\n", None),
            (" 176371920000000100\n", Some((176_371_920_000_000, 20))),
            ("  -1  \n", Some((-1, 7))),
            ("\n", Some((5, 1))),
            (" \r\n", Some((5, 3))),
            ("", Some((5, 0))),
            (" 12x\n", None),
            (" x\n", None),
            ("12\n", None),
            (" 1 2\n", None),
        ] {
            let read = stamps.read(text.as_bytes(), 0).ok().map(|(time, next)| (time.0, next));
            assert_eq!(read, expect, "{text:?}");
        }
        for (precision, expect) in
            [(Precision::Milli, 7000), (Precision::Second, 7_000_000), (Precision::Hour, 25_200_000_000)]
        {
            stamps.begin(precision, Time(5));
            assert_eq!(stamps.read(b" 7\n", 0).unwrap(), (Time(expect), 3), "{precision:?}");
        }
        assert_eq!(stamps.read(b" 9223372036854775807\n", 0).unwrap().0, Time(i64::MAX));
    }
}
