//! Exact decimal numbers, from their text to integers of a resolution. No floating point on the way.

use crate::{Resolution, Unit};

/// A decimal number: mantissa times ten to the power of minus scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal {
    /// Signed digits.
    pub mantissa: i128,
    /// Digits after the point; may be negative (`1e6` is 1 × 10^6).
    pub scale: i32,
}

impl Decimal {
    /// Parses `-12.50`, `+3`, `.5`, `1e-3`; nothing for anything else (`NaN`, `inf`, blanks, empty) or more than 36 digits.
    pub fn parse(_text: &[u8]) -> Option<Decimal> {
        todo!()
    }

    /// The number in `from`, converted exactly to `to` and rounded half away from zero to `resolution`: steps of it.
    /// Nothing when it does not fit an i64 or the units measure different things.
    pub fn to_steps(self, _from: &Unit, _to: &Unit, _resolution: Resolution) -> Option<i64> {
        todo!()
    }
}

/// `numerator / denominator` rounded half away from zero; the denominator is positive.
pub fn divide(_numerator: i128, _denominator: i128) -> i128 {
    todo!()
}

/// Text of `mantissa` × 10^-`scale`, without trailing zeros after the point: `12.5`, `-0.003`, `7`.
pub fn text(_mantissa: i128, _scale: u32) -> String {
    todo!()
}
