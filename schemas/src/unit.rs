//! Units of measure in UCUM's case-sensitive letters, and exact conversion between those that measure the same.

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
    /// Looks a UCUM code up; the error names near ones. Annotations (`{vehicle}`) are counts of their own dimensionless kind.
    pub fn parse(_code: &str) -> Result<Unit, String> {
        todo!()
    }

    /// Whether values can be converted exactly from `self` to `other`.
    pub fn converts_to(&self, _other: &Unit) -> bool {
        todo!()
    }

    /// How people write it: `°C`, `µg/m³`, `ppm`; empty for counts.
    pub fn symbol(&self) -> &str {
        todo!()
    }
}
