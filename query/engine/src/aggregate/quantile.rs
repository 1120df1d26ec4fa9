//! Quantiles by nearest rank: of exact values, or of bins of values ([`schemas::sketch`]).
//!
//! The p-th percentile of n readings is the value at place ⌈p · n / 100⌉ of the sorted ones, as PostgreSQL's and DuckDB's
//! `quantile_disc` have it. By sketch it is the middle of the bin that holds that place, no less than the least and no more
//! than the greatest of the readings: at most [`schemas::sketch::ERROR`] off, relative to the value.

use schemas::ABSENT;
use schemas::sketch::{Sketch, bin, middle};
use std::ops::Range;
use store::Values;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counting {
    /// Each value.
    Values,
    /// The bins of values.
    Bins,
}

/// How often each value or bin occurs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts {
    counting: Counting,
    /// Ascending.
    all: Vec<(i64, u64)>,
}

impl Counts {
    /// Of values; absent ones are not counted.
    pub fn of(values: &[i64], counting: Counting) -> Counts {
        let present = values.iter().copied().filter(|&value| value != ABSENT);
        let mut keys: Vec<i64> = match counting {
            Counting::Values => present.collect(),
            Counting::Bins => present.map(|value| i64::from(bin(value))).collect(),
        };
        keys.sort_unstable();
        let mut counts: Vec<(i64, u64)> = Vec::new();
        for key in keys {
            match counts.last_mut() {
                Some((last, count)) if *last == key => *count += 1,
                _ => counts.push((key, 1)),
            }
        }
        Counts { counting, all: counts }
    }

    /// Of the bins in some rows of a tier.
    pub(crate) fn of_sketches(sketches: &Values, rows: Range<usize>) -> Counts {
        // Bins of a field lie close together: they are counted by their distance from the least.
        let (mut least, mut counts) = (0_i64, Vec::<u64>::new());
        for row in rows {
            Sketch::visit(sketches.blob(row), |bin, count| {
                let bin = i64::from(bin);
                if counts.is_empty() {
                    least = bin;
                }
                if bin < least {
                    counts.splice(0..0, std::iter::repeat_n(0, (least - bin) as usize));
                    least = bin;
                }
                let place = (bin - least) as usize;
                if place >= counts.len() {
                    counts.resize(place + 1, 0);
                }
                counts[place] += count;
            });
        }
        let all = (least..).zip(counts).filter(|(_, count)| *count > 0).collect();
        Counts { counting: Counting::Bins, all }
    }

    /// Adds the counts of another of the same sort.
    pub fn merge(&mut self, other: &Counts) {
        debug_assert_eq!(self.counting, other.counting);
        let mut merged = Vec::with_capacity(self.all.len() + other.all.len());
        let (mut mine, mut theirs) = (self.all.iter().peekable(), other.all.iter().peekable());
        while let (Some(&&(a, m)), Some(&&(b, n))) = (mine.peek(), theirs.peek()) {
            merged.push((a.min(b), if a <= b { m } else { 0 } + if b <= a { n } else { 0 }));
            if a <= b {
                mine.next();
            }
            if b <= a {
                theirs.next();
            }
        }
        merged.extend(mine.chain(theirs));
        self.all = merged;
    }

    /// The value or bin at the place of a percentile; nothing where nothing was counted.
    fn at(&self, percent: u8) -> Option<i64> {
        let n: u64 = self.all.iter().map(|(_, count)| count).sum();
        let place = (u128::from(n) * u128::from(percent)).div_ceil(100) as u64;
        let mut passed = 0;
        let reached = |(key, count): &(i64, u64)| {
            passed += count;
            (passed >= place).then_some(*key)
        };
        self.all.iter().find_map(reached)
    }

    /// The value at a percentile; nothing where bins were counted.
    pub fn exact(&self, percent: u8) -> Option<i64> {
        (self.counting == Counting::Values).then(|| self.at(percent)).flatten()
    }

    /// What stands for the value at a percentile by bins, between the least and the greatest of the readings.
    pub fn by_sketch(&self, percent: u8, (min, max): (i64, i64)) -> Option<i64> {
        let place = self.at(percent)?;
        let bin = match self.counting {
            // Bins are in the order of values: the bin of the value at a place holds that place.
            Counting::Values => bin(place),
            Counting::Bins => i32::try_from(place).ok()?,
        };
        Some(middle(bin).max(min).min(max))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Random;

    #[test]
    fn a_percentile_is_the_value_at_its_rank() {
        let mut random = Random(5);
        for n in 1..60 {
            let mut values: Vec<i64> = (0..n).map(|_| random.below(40) - 20).collect();
            let counts = Counts::of(&values, Counting::Values);
            values.sort_unstable();
            for percent in 1..100_u8 {
                let rank = (usize::from(percent) * values.len()).div_ceil(100);
                assert_eq!(counts.exact(percent), Some(values[rank - 1]));
            }
        }
        assert_eq!(Counts::of(&[ABSENT], Counting::Values).exact(50), None);
    }

    #[test]
    fn a_sketch_is_within_its_error_and_the_same_by_any_way() {
        let mut random = Random(6);
        let values: Vec<i64> = (0..2_000).map(|_| 300 + random.below(100) * random.below(100)).collect();
        let exact = Counts::of(&values, Counting::Values);
        let (a, b) = values.split_at(700);
        let mut bins = Counts::of(b, Counting::Bins);
        let blobs = [Sketch::of(&a[350..]).encode(), Vec::new(), Sketch::of(&a[..350]).encode()];
        let ends = blobs.iter().scan(0, |end, blob| {
            *end += blob.len() as u32;
            Some(*end)
        });
        let sketches = Values::Bytes { ends: ends.collect(), bytes: blobs.concat() };
        bins.merge(&Counts::of_sketches(&sketches, 0..3));
        assert_eq!(bins, Counts::of(&values, Counting::Bins));
        let ends = (*values.iter().min().unwrap(), *values.iter().max().unwrap());
        for percent in 1..100 {
            let (is, by) = (exact.exact(percent).unwrap(), bins.by_sketch(percent, ends).unwrap());
            assert!((is - by).abs() * 128 <= is, "p{percent}: {is} {by}");
            assert_eq!(exact.by_sketch(percent, ends), Some(by));
        }
    }
}
