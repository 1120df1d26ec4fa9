//! Chance without state: noise that follows from seed, stream and place in time alone.

/// Source of all chance in one town.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chance(u64);

impl Chance {
    /// The chance of a seed.
    pub(super) fn new(seed: u64) -> Chance {
        Chance(mix(seed ^ 0x6c61_6d70_706f_7374))
    }

    /// A number in [0, 1) for place `at` of stream `stream`.
    pub(super) fn unit(self, stream: u64, at: i64) -> f64 {
        let bits = mix(self.0 ^ mix(stream).wrapping_add(mix(at as u64).rotate_left(17)));
        (bits >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A number between two bounds, the same each time for a stream.
    pub(super) fn between(self, stream: u64, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit(stream, -1)
    }

    /// Roughly normal with mean 0 and deviation 1: the sum of four uniform numbers (Irwin-Hall), scaled.
    pub(super) fn normal(self, stream: u64, at: i64) -> f64 {
        let sum: f64 = (0..4).map(|i| self.unit(stream ^ (i + 1) << 56, at)).sum();
        (sum - 2.0) * 3.0_f64.sqrt()
    }

    /// Smooth noise in [-1, 1]: random values every `period` microseconds, eased between (value noise), two octaves.
    pub(super) fn smooth(self, stream: u64, time: i64, period: i64) -> f64 {
        let octave = |stream: u64, period: i64| {
            let (cell, part) = (time.div_euclid(period), time.rem_euclid(period) as f64 / period as f64);
            let ease = part * part * (3.0 - 2.0 * part);
            let (a, b) = (self.unit(stream, cell), self.unit(stream, cell + 1));
            2.0 * (a + (b - a) * ease) - 1.0
        };
        0.7 * octave(stream, period) + 0.3 * octave(stream ^ 0xff << 48, period / 4)
    }
}

/// Scrambles 64 bits (the finalizer of SplitMix64: Steele, Lea, Flood, OOPSLA 2014).
fn mix(mut x: u64) -> u64 {
    x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::Chance;

    #[test]
    fn noise_keeps_its_bounds_and_is_smooth() {
        let chance = Chance::new(1);
        let (mut last, mut low, mut high) = (chance.smooth(9, 0, 1000), 1.0_f64, -1.0_f64);
        for time in 1..100_000 {
            let now = chance.smooth(9, time, 1000);
            assert!((now - last).abs() < 0.02, "{time}");
            (last, low, high) = (now, low.min(now), high.max(now));
        }
        assert!(low >= -1.0 && high <= 1.0 && low < -0.5 && high > 0.5, "{low} {high}");
        let mean: f64 = (0..10_000).map(|at| chance.normal(3, at)).sum::<f64>() / 10_000.0;
        assert!(mean.abs() < 0.05, "{mean}");
    }
}
