//! Chance as integers: hashes, slow walks and the noise of sensors, in 1/256 of a step.

use std::ops::Range;

/// Scrambles 64 bits (the finalizer of SplitMix64: Steele, Lea, Flood, OOPSLA 2014).
pub(crate) fn mix(mut x: u64) -> u64 {
    x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// A number in `[-65536, 65536)` of a stream at a place.
fn unit(stream: u64, at: i64) -> i64 {
    (mix(stream ^ at as u64) >> 47) as i64 - 65_536
}

/// A number between two bounds, of a stream.
pub(super) fn between(stream: u64, low: i32, high: i32) -> i32 {
    low + (mix(stream) >> 33) as i32 % (high - low)
}

/// Adds a walk: random values each `period` minutes, straight lines between, at most `most` from 0.
pub(super) fn walk(stream: u64, minutes: Range<i64>, period: i64, most: i32, values: &mut [i32]) {
    // 16 more bits hold what a minute's step leaves over.
    let height = |cell: i64| unit(stream ^ (period as u64) << 40, cell) * i64::from(most);
    let mut at = minutes.start;
    while at < minutes.end {
        let cell = at.div_euclid(period);
        let (left, right) = (height(cell), height(cell + 1));
        let step = (right - left) / period;
        let mut now = left + step * (at - cell * period);
        let until = minutes.end.min((cell + 1) * period);
        for value in &mut values[(at - minutes.start) as usize..(until - minutes.start) as usize] {
            *value += (now >> 16) as i32;
            now += step;
        }
        at = until;
    }
}

/// Adds noise of about normal shape and standard deviation `deviation`: four uniform numbers (Irwin-Hall).
pub(super) fn jitter(stream: u64, minutes: Range<i64>, deviation: i32, values: &mut [i32]) {
    for (value, minute) in values.iter_mut().zip(minutes) {
        let bits = mix(stream ^ minute as u64);
        let sum = (bits & 0xffff) + (bits >> 16 & 0xffff) + (bits >> 32 & 0xffff) + (bits >> 48);
        // Four uniform numbers below 65536 have a deviation of 37837 together.
        *value += ((sum as i64 - 131_070) * i64::from(deviation) / 37_837) as i32;
    }
}

/// Rounds from 1/256 of a step to whole ones, within bounds.
pub(super) fn round(low: i32, high: i32, values: &mut [i32]) {
    for value in values {
        *value = ((*value + 128) >> 8).clamp(low, high);
    }
}
