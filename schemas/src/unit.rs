//! Units of measure in UCUM's case-sensitive letters, and exact conversion between those that measure the same.

mod table;

use crate::near;
use table::{MISTAKES, Row, TABLE};

/// A unit Lamppost knows, as a linear scale on its dimension's base: base = value × num / den + offset_num / offset_den.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// UCUM code: `ppm`, `Cel`, `[degF]`, `ug/m3`, `dB[A]`, `deg`, `{vehicle}`, `1`, `%`.
    pub code: String,
    /// What it measures; conversion is possible within one dimension only.
    pub dimension: &'static str,
    /// Factor to the base unit: numerator and denominator.
    pub factor: (i128, i128),
    /// Offset in base units: numerator and denominator.
    pub offset: (i128, i128),
}

impl Unit {
    /// Looks a UCUM code up; the error names near ones. An annotation (`{vehicle}`) says what is counted and equals `1`.
    pub fn parse(code: &str) -> Result<Unit, String> {
        if let Some(row) = TABLE.iter().find(|row| row.code == code) {
            return Ok(row.unit());
        }
        if is_annotation(code) {
            return Ok(Unit { code: code.into(), dimension: "fraction", factor: (1, 1), offset: (0, 1) });
        }
        Err(match suggestion(code) {
            Some(near) => format!("write \"{near}\" (units are UCUM codes, in its capitals)"),
            None => "write a UCUM code such as \"ppm\", \"Cel\", \"ug/m3\", \"%\", \"dB[A]\", or {word} for what is counted, \
                     such as \"{vehicle}\""
                .into(),
        })
    }

    /// Whether values can be converted exactly from `self` to `other`.
    pub fn converts_to(&self, other: &Unit) -> bool {
        self.dimension == other.dimension
    }

    /// Whether a number means the same in both: `hPa` and `mbar`, `{vehicle}` and `1`.
    pub fn same_scale(&self, other: &Unit) -> bool {
        self.dimension == other.dimension && self.factor == other.factor && self.offset == other.offset
    }

    /// How people write it: `°C`, `µg/m³`, `ppm`; empty for counts.
    pub fn symbol(&self) -> &str {
        TABLE.iter().find(|row| row.code == self.code).map_or("", |row| row.symbol)
    }
}

impl Row {
    fn unit(&self) -> Unit {
        Unit { code: self.code.into(), dimension: self.dimension, factor: self.factor, offset: self.offset }
    }
}

/// Whether `code` is one UCUM annotation: printable ASCII without braces, in braces.
fn is_annotation(code: &str) -> bool {
    code.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).is_some_and(|word| {
        !word.is_empty() && word.len() <= 40 && word.bytes().all(|b| b.is_ascii_graphic() && b != b'{' && b != b'}')
    })
}

/// What `code` was likely meant to be.
fn suggestion(code: &str) -> Option<&'static str> {
    let meant = |pair: &&(&str, &'static str)| pair.0.eq_ignore_ascii_case(code);
    MISTAKES
        .iter()
        .find(meant)
        .map(|(_, right)| *right)
        .or_else(|| TABLE.iter().find(|row| row.symbol == code).map(|row| row.code))
        .or_else(|| near::nearest(code, TABLE.iter().map(|row| row.code)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_wrong(code: &str, near: &str) {
        let error = Unit::parse(code).expect_err(code);
        assert!(error.contains(&format!("\"{near}\"")), "{code}: {error}");
    }

    #[test]
    fn codes_are_unique_and_fractions_proper() {
        for (i, row) in TABLE.iter().enumerate() {
            assert!(TABLE[..i].iter().all(|other| other.code != row.code), "{} twice", row.code);
            assert!(row.factor.0 > 0 && row.factor.1 > 0 && row.offset.1 > 0, "{}", row.code);
            assert_eq!(Unit::parse(row.code).map(|unit| unit.code), Ok(row.code.to_string()));
        }
        for (_, right) in MISTAKES {
            assert!(Unit::parse(right).is_ok(), "{right}");
        }
    }

    #[test]
    fn wrong_codes_name_the_right_one() {
        check_wrong("°C", "Cel");
        check_wrong("celsius", "Cel");
        check_wrong("µg/m³", "ug/m3");
        check_wrong("UG/M3", "ug/m3");
        check_wrong("percent", "%");
        check_wrong("kmh", "km/h");
        check_wrong("hpa", "hPa");
        check_wrong("vehicles", "{vehicle}");
        check_wrong("furlong", "ppm");
        check_wrong("{}", "{vehicle}");
    }

    #[test]
    fn only_the_same_quantity_converts() {
        let unit = |code| Unit::parse(code).expect("unit");
        for (a, b, expect) in [
            ("Cel", "[degF]", true),
            ("Pa", "mm[Hg]", true),
            ("{vehicle}", "1", true),
            ("{vehicle}", "%", true),
            ("ppm", "ug/m3", false),
            ("dB", "dB[A]", false),
            ("W", "kWh", false),
        ] {
            assert_eq!(unit(a).converts_to(&unit(b)), expect, "{a} to {b}");
        }
        assert!(unit("hPa").same_scale(&unit("mbar")));
        assert!(!unit("Cel").same_scale(&unit("K")));
        assert_eq!((unit("Cel").symbol(), unit("ug/m3").symbol(), unit("{vehicle}").symbol()), ("°C", "µg/m³", ""));
    }
}
