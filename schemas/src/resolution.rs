//! The step a field's values are kept in.

use std::fmt;

/// A power of ten from 1 down to 0.000001. Values are kept as integers of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct Resolution(u8);

impl Resolution {
    /// Digits after the decimal point at most.
    pub const MAX_SCALE: u8 = 6;

    /// The resolution with `scale` digits after the point, if Lamppost keeps such.
    pub fn of_scale(scale: u8) -> Option<Resolution> {
        (scale <= Self::MAX_SCALE).then_some(Resolution(scale))
    }

    /// Digits after the decimal point, 0 to 6.
    pub fn scale(self) -> u8 {
        self.0
    }

    /// How many steps make one: 10 to the power of the scale.
    pub fn steps(self) -> i64 {
        10_i64.pow(u32::from(self.0))
    }
}

impl fmt::Display for Resolution {
    /// As written in contracts: `1`, `0.1`, `0.01`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.write_str("1"),
            scale => write!(f, "0.{:0>width$}", 1, width = usize::from(scale)),
        }
    }
}
