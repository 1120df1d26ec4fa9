//! Exact decimal numbers, from their text to integers of a resolution. No floating point on the way.

use crate::{Resolution, Unit};

/// Powers of ten that fit an i64.
const POWERS: [i64; 19] = {
    let mut powers = [1; 19];
    let mut i = 1;
    while i < 19 {
        powers[i] = powers[i - 1] * 10;
        i += 1;
    }
    powers
};

/// Significant digits [`Decimal::parse`] takes.
const MOST_DIGITS: u32 = 36;

/// A decimal number: mantissa times ten to the power of minus scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal {
    /// Signed digits.
    pub mantissa: i128,
    /// Digits after the point; may be negative (`1e6` is 1 × 10^6).
    pub scale: i32,
}

impl Decimal {
    /// Parses `-12.50`, `+3`, `.5`, `1e-3`; nothing for anything else (`NaN`, `inf`, blanks, empty) or more than 36 digits
    /// after leading zeros.
    pub fn parse(text: &[u8]) -> Option<Decimal> {
        let (negative, digits) = match text.first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let mut short: u64 = 0; // the first 18 digits: one register while the number is short, as most are
        let mut long: u128 = 0;
        let mut significant = 0;
        let mut seen = false;
        let mut point = None;
        let mut exponent = 0;
        for (i, &byte) in digits.iter().enumerate() {
            match byte {
                b'0'..=b'9' => {
                    seen = true;
                    significant += u32::from(byte != b'0' || significant > 0);
                    if significant <= 18 {
                        short = short * 10 + u64::from(byte - b'0');
                    } else if significant <= MOST_DIGITS {
                        let so_far = if significant == 19 { u128::from(short) } else { long };
                        long = so_far * 10 + u128::from(byte - b'0');
                    } else {
                        return None;
                    }
                }
                b'.' if point.is_none() => point = Some(i),
                b'e' | b'E' => {
                    exponent = exponent_of(&digits[i + 1..])?;
                    return seen.then(|| Decimal {
                        mantissa: signed(negative, significant, short, long),
                        scale: point.map_or(0, |at| (i - at - 1) as i32) - exponent,
                    });
                }
                _ => return None,
            }
        }
        let scale = point.map_or(0, |at| (digits.len() - at - 1) as i32) - exponent;
        seen.then(|| Decimal { mantissa: signed(negative, significant, short, long), scale })
    }

    /// The number in `from`, converted exactly to `to` and rounded half away from zero to `resolution`: steps of it.
    /// Nothing when it does not fit an i64 or the units measure different things.
    pub fn to_steps(self, from: &Unit, to: &Unit, resolution: Resolution) -> Option<i64> {
        if !from.converts_to(to) {
            return None;
        }
        if from.same_scale(to) {
            return self.rescaled(i32::from(resolution.scale()));
        }
        i64::try_from(self.converted(from, to, resolution)?).ok()
    }

    /// The number as an integer of 10^-`scale`, rounded half away from zero.
    fn rescaled(self, scale: i32) -> Option<i64> {
        let surplus = self.scale - scale;
        if let (Ok(mantissa), Some(&power)) =
            (i64::try_from(self.mantissa), POWERS.get(surplus.unsigned_abs() as usize))
        {
            return match surplus {
                0 => Some(mantissa),
                1.. => Some(divide_short(mantissa, power)),
                _ => mantissa.checked_mul(power),
            };
        }
        if surplus > 37 {
            return Some(0); // 36 digits behind at least 38 places are less than half a step
        }
        let power = 10_i128.checked_pow(surplus.unsigned_abs());
        let steps = match surplus {
            0.. => divide(self.mantissa, power?),
            _ if self.mantissa == 0 => 0,
            _ => self.mantissa.checked_mul(power?)?,
        };
        i64::try_from(steps).ok()
    }

    /// Steps after conversion: (mantissa × 10^-scale × factor + offset) between the units' scales, as one fraction.
    fn converted(self, from: &Unit, to: &Unit, resolution: Resolution) -> Option<i128> {
        let small = self.trimmed();
        let steps = i128::from(resolution.steps());
        // x × a / b + c / d, where a / b goes from unit to unit in steps, and c / d is the difference of their zeros
        let (a, b) = reduced(from.factor.0 * to.factor.1 * steps, from.factor.1 * to.factor.0);
        let (c, d) = reduced(
            (from.offset.0 * to.offset.1 - to.offset.0 * from.offset.1) * to.factor.1 * steps,
            from.offset.1 * to.offset.1 * to.factor.0,
        );
        let up = 10_i128.checked_pow(small.scale.min(0).unsigned_abs())?;
        let down = 10_i128.checked_pow(small.scale.max(0).unsigned_abs())?;
        let (a, down) = reduced(a, down);
        let scaled = small.mantissa.checked_mul(up)?.checked_mul(a)?;
        let bottom = down.checked_mul(b)?;
        if c == 0 {
            return Some(divide(scaled, bottom));
        }
        let top = scaled.checked_mul(d)?.checked_add(c.checked_mul(bottom)?)?;
        Some(divide(top, bottom.checked_mul(d)?))
    }

    /// Without zeros at the end, and with anything closer to zero than 10^-30 moved there: no unit's rounding can tell.
    fn trimmed(self) -> Decimal {
        let Decimal { mut mantissa, mut scale } = self;
        if mantissa == 0 {
            return Decimal { mantissa, scale: 0 };
        }
        while mantissa % 10 == 0 {
            mantissa /= 10;
            scale -= 1;
        }
        if scale > 66 || scale > 30 && mantissa.unsigned_abs() < 10_u128.pow((scale - 30) as u32) {
            return Decimal { mantissa: mantissa.signum(), scale: 30 };
        }
        Decimal { mantissa, scale }
    }
}

/// The mantissa of what was read: `short` holds all of it up to 18 digits.
fn signed(negative: bool, significant: u32, short: u64, long: u128) -> i128 {
    let size = if significant <= 18 { i128::from(short) } else { long as i128 };
    if negative { -size } else { size }
}

/// The number behind an `e`: signed, at most four digits.
fn exponent_of(text: &[u8]) -> Option<i32> {
    let (sign, digits) = match text.first()? {
        b'-' => (-1, &text[1..]),
        b'+' => (1, &text[1..]),
        _ => (1, text),
    };
    if digits.is_empty() || digits.len() > 4 {
        return None;
    }
    let size =
        digits.iter().try_fold(0, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + i32::from(byte - b'0')))?;
    Some(sign * size)
}

/// `numerator / denominator` rounded half away from zero; the denominator is positive.
pub fn divide(numerator: i128, denominator: i128) -> i128 {
    let (quotient, rest) = (numerator / denominator, numerator % denominator);
    let up = rest.unsigned_abs() >= denominator.unsigned_abs() - rest.unsigned_abs();
    if up { quotient + numerator.signum() } else { quotient }
}

/// [`divide`] in one register.
fn divide_short(numerator: i64, denominator: i64) -> i64 {
    let (quotient, rest) = (numerator / denominator, numerator % denominator);
    let up = rest.unsigned_abs() >= denominator.unsigned_abs() - rest.unsigned_abs();
    if up { quotient + numerator.signum() } else { quotient }
}

/// A fraction in lowest terms; the denominator is positive.
fn reduced(numerator: i128, denominator: i128) -> (i128, i128) {
    let (mut a, mut b) = (numerator.unsigned_abs(), denominator.unsigned_abs());
    while b != 0 {
        (a, b) = (b, a % b);
    }
    (numerator / a as i128, denominator / a as i128)
}

/// Text of `mantissa` × 10^-`scale`, without trailing zeros after the point: `12.5`, `-0.003`, `7`.
pub fn text(mantissa: i128, scale: u32) -> String {
    let digits = format!("{:0>width$}", mantissa.unsigned_abs(), width = scale as usize + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale as usize);
    let fraction = fraction.trim_end_matches('0');
    let sign = if mantissa < 0 { "-" } else { "" };
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{whole}{point}{fraction}")
}

#[cfg(test)]
mod tests;
