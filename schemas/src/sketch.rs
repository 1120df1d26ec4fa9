//! Counts of values by bin, from which quantiles are read: DDSketch (Masson, Rim, Lee: DDSketch, PVLDB 12, 2019) with the
//! linearly interpolated logarithm of its "fast" mapping, on integers alone, so that bins are the same on every machine and
//! merging is exact in any order.
//!
//! Values nearer to zero than [`EXACT`] steps have a bin each. Beyond, each doubling is cut into 64 bins of equal width, so a
//! bin is at most 1/64 of its least value wide and its middle at most [`ERROR`] (relative) from any value in it.

use std::collections::BTreeMap;

/// Values up to this many steps from zero have a bin of their own.
pub const EXACT: i64 = 128;
/// Greatest relative error of a quantile: 1/128.
pub const ERROR: f64 = 1.0 / 128.0;

/// Bits of a value that tell bins of one doubling apart.
const BITS: u32 = 6;

/// Counts by bin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sketch {
    counts: BTreeMap<i32, u64>,
}

/// The bin of a value; bins are in the order of values.
pub fn bin(value: i64) -> i32 {
    let size = value.unsigned_abs();
    if size < EXACT as u64 {
        return value as i32;
    }
    // 64 bins per doubling, numbered on from 127 = EXACT - 1.
    let doublings = 63 - size.leading_zeros() - (BITS + 1);
    let within = (size >> (doublings + 1)) as i32 - (1 << BITS);
    let number = EXACT as i32 + (doublings as i32) * (1 << BITS) + within;
    if value < 0 { -number } else { number }
}

/// The middle of a bin, rounded towards zero: what stands for its values.
pub fn middle(bin: i32) -> i64 {
    let number = bin.unsigned_abs() as i64;
    if number < EXACT {
        return i64::from(bin);
    }
    let (doublings, within) = ((number - EXACT) >> BITS, (number - EXACT) & ((1 << BITS) - 1));
    let least = (within + (1 << BITS)) << (doublings + 1);
    let middle = least + (1 << doublings);
    if bin < 0 { -middle } else { middle }
}

impl Sketch {
    /// Of values; absent ones are not counted.
    pub fn of(values: &[i64]) -> Sketch {
        let mut sketch = Sketch::default();
        values.iter().filter(|&&value| value != crate::ABSENT).for_each(|&value| sketch.add(bin(value), 1));
        sketch
    }

    /// Counts values of a bin.
    pub fn add(&mut self, bin: i32, count: u64) {
        *self.counts.entry(bin).or_default() += count;
    }

    /// Adds the counts of another.
    pub fn merge(&mut self, other: &Sketch) {
        other.counts.iter().for_each(|(&bin, &count)| self.add(bin, count));
    }

    /// Each bin with its count, ascending.
    pub fn bins(&self) -> impl Iterator<Item = (i32, u64)> + '_ {
        self.counts.iter().map(|(&bin, &count)| (bin, count))
    }

    /// As bytes: for each bin its distance from the one before (the first from zero, zigzag) and its count, LEB128.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.counts.len() * 2);
        let mut before = 0;
        for (place, (&bin, &count)) in self.counts.iter().enumerate() {
            let step = i64::from(bin) - before;
            put(&mut bytes, if place == 0 { (step << 1 ^ step >> 63) as u64 } else { step as u64 });
            put(&mut bytes, count);
            before = i64::from(bin);
        }
        bytes
    }

    /// Calls `each` with the bins and counts in bytes that [`Sketch::encode`] made; false if they are no such bytes.
    pub fn visit(bytes: &[u8], mut each: impl FnMut(i32, u64)) -> bool {
        let (mut rest, mut bin) = (bytes, 0_i64);
        while !rest.is_empty() {
            let first = rest.len() == bytes.len();
            let (Some(step), Some(count)) = (take(&mut rest), take(&mut rest)) else { return false };
            let step = if first { (step >> 1) as i64 ^ -((step & 1) as i64) } else { step as i64 };
            let Some(next) = bin.checked_add(step).and_then(|bin| i32::try_from(bin).ok()) else { return false };
            bin = i64::from(next);
            each(next, count);
        }
        true
    }
}

fn put(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

fn take(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, later) = rest.split_first()?;
        *rest = later;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_are_in_order_and_near_their_values() {
        let mut values: Vec<i64> =
            (-3000..3000).chain((3..62).flat_map(|b| [(1 << b) - 1, 1 << b, (1 << b) + 1])).collect();
        values.extend(values.clone().iter().map(|value| -value));
        values.sort_unstable();
        for pair in values.windows(2) {
            assert!(bin(pair[0]) <= bin(pair[1]), "{pair:?}");
            assert!(pair[1] - pair[0] != 1 || bin(pair[1]) - bin(pair[0]) <= 1, "no bin is left out: {pair:?}");
        }
        for &value in &values {
            let off = (middle(bin(value)) as i128 - i128::from(value)).abs();
            assert!(off * 128 <= i128::from(value).abs(), "{value} is {off} off");
            assert_eq!(bin(middle(bin(value))), bin(value));
        }
    }

    #[test]
    fn a_sketch_comes_back_from_its_bytes_and_merges_in_any_order() {
        let (one, two) = (Sketch::of(&[-5, 400, 401, 400, crate::ABSENT, 90_000]), Sketch::of(&[400, 7]));
        let mut read = Sketch::default();
        assert!(Sketch::visit(&one.encode(), |bin, count| read.add(bin, count)));
        assert_eq!(read, one);
        let (mut a, mut b) = (one.clone(), two.clone());
        a.merge(&two);
        b.merge(&one);
        assert_eq!(a, b);
        assert_eq!(a, Sketch::of(&[7, 400, -5, 90_000, 401, 400, 400]));
        assert!(!Sketch::visit(&[0x80], |_, _| {}));
    }
}
