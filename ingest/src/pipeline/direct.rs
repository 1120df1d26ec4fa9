//! Short decimal numbers straight to steps of a field's resolution, where no unit has to be converted.

use schemas::{Dataset, Kind, Source, Unit};

/// Digits of a number that is read here: what one register holds.
const DIGITS: usize = 18;

/// How values of a field are read that are short numbers in the field's own unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Direct {
    /// Digits of the resolution behind the point.
    scale: usize,
    /// The least and the largest that are taken, in steps.
    range: (i64, i64),
}

impl Direct {
    /// For a field, by index in its dataset, whose values come in `unit`; nothing if they are not just numbers.
    pub(crate) fn new(dataset: &Dataset, source: &Source, field: usize, unit: &Unit) -> Option<Direct> {
        let field = &dataset.fields[field];
        let state = matches!(field.kind, Kind::State { .. });
        // A number that means "no value" has a digit.
        let marks = source.missing.iter().any(|mark| mark.bytes().any(|byte| byte.is_ascii_digit()));
        if state || marks || !unit.same_scale(&field.unit) {
            return None;
        }
        Some(Direct { scale: usize::from(field.resolution.scale()), range: field.range })
    }

    /// The steps that a number's text means; nothing for one that is not short, not plain digits, finer than the resolution or
    /// out of range: those are for [`crate::normalize::value`].
    #[inline]
    pub(crate) fn steps(self, text: &str) -> Option<i64> {
        let bytes = text.as_bytes();
        let (negative, digits) = match bytes.strip_prefix(b"-") {
            Some(rest) => (true, rest),
            None => (false, bytes),
        };
        if digits.is_empty() || digits.len() + self.scale > DIGITS {
            return None;
        }
        let (mut size, mut behind) = (0, None);
        for &byte in digits {
            match byte {
                b'0'..=b'9' => {
                    size = size * 10 + i64::from(byte - b'0');
                    behind = behind.map(|count| count + 1);
                }
                b'.' if behind.is_none() => behind = Some(0),
                _ => return None,
            }
        }
        let behind: usize = behind.unwrap_or(0);
        for _ in behind..self.scale {
            size *= 10;
        }
        let steps = if negative { -size } else { size };
        let (low, high) = self.range;
        (behind <= self.scale && digits != b"." && low <= steps && steps <= high).then_some(steps)
    }
}

#[cfg(test)]
mod tests {
    use super::Direct;
    use crate::decode::Value;
    use crate::normalize::{self, Mapped};
    use schemas::{Field, contract};
    use std::collections::BTreeMap;

    const CONTRACT: &str = r#"
id = "air"
title = { en = "Air" }
description = { en = "Rooms." }
license = "CC-BY-4.0"
publisher = "Test"
zone = "UTC"
every = "1m"
keep = { raw = "forever", 15m = "forever", 1h = "forever", 1d = "forever" }
[[field]]
name = "co2"
unit = "ppm"
kind = "gauge"
range = [300, 10000]
[[field]]
name = "temperature"
unit = "Cel"
kind = "gauge"
resolution = 0.01
range = [-40, 60]
[[source]]
mqtt = "city/+/air"
sensor = "{topic.1}"
time = "arrival"
map = { co2 = "/co2", temperature = "/t" }
"#;

    /// What [`normalize::value`] makes of a number's text.
    fn slowly(field: &Field, text: &str) -> Option<i64> {
        let words = BTreeMap::new();
        let mapped = Mapped { field, unit: &field.unit, words: &words, missing: &[] };
        normalize::value(mapped, &Value::Number(text)).ok().flatten()
    }

    #[test]
    fn what_is_read_directly_is_what_the_long_way_reads() {
        let text = contract::Text { file: "test.toml".into(), toml: CONTRACT.into(), registry: None };
        let dataset = contract::parse(&[text]).unwrap_or_else(|faults| panic!("{faults}")).remove(0);
        let fields = [0, 1].map(|field| {
            let unit = &dataset.fields[field].unit;
            (&dataset.fields[field], Direct::new(&dataset, &dataset.sources[0], field, unit).unwrap())
        });
        let (mut seed, mut read) = (1_u64, 0);
        let mut roll = |sides: u64| {
            seed = seed.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
            (seed >> 33) % sides
        };
        for _ in 0..200_000 {
            let most = if roll(9) == 0 { 22 } else { 6 };
            let length = 1 + roll(most);
            let text: String = (0..length).map(|_| b"0123456789012345678930.-e"[roll(25) as usize] as char).collect();
            for (field, direct) in &fields {
                if let Some(steps) = direct.steps(&text) {
                    assert_eq!(Some(steps), slowly(field, &text), "{text}");
                    read += 1;
                }
            }
        }
        assert!(read > 10_000, "{read} were short numbers within their range");
        for (text, steps) in [("-0.5", -50), ("60", 6000), ("-40.00", -4000), ("0.07", 7), ("7.", 700), (".5", 50)] {
            assert_eq!(fields[1].1.steps(text), Some(steps), "{text}");
        }
        for text in ["60.01", "-40.01", "0.005", ".", "-", "", "1e1", "1.2.3", "+1", "0000000000000000001"] {
            assert_eq!(fields[1].1.steps(text), None, "{text}");
        }
    }
}
