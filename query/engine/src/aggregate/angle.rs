//! Angles: sums of directions.

use schemas::circle::Vector;
use schemas::{ABSENT, Resolution};

/// The sum of the directions of the values present.
pub fn sum(values: &[i64], resolution: Resolution) -> Vector {
    let mut sum = Vector::default();
    values.iter().filter(|&&value| value != ABSENT).for_each(|&value| sum += Vector::of(value, resolution));
    sum
}
