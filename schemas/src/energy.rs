//! Energies of sound levels as integers, so that sums of them are exact and the same on every machine.
//!
//! A level of L dB has the energy 10^(L/10) (ISO 1996-1, equivalent continuous level). The energy mean of n levels is
//! 10 × log10(Σ energy / n). Energies are counted in units of 10^-12 of that of 0 dB and come from the table below by one
//! multiplication per digit; no floating point decides a digit.

use crate::Resolution;
use crate::decimal::divide;

/// 10^18: what stands for 1 in the table.
const ONE: i128 = 1_000_000_000_000_000_000;

/// Digits after the point of the finest level: six of a resolution, four more of its mean, one more for its half.
const FINEST: u32 = 11;

/// 10^-11 dB per 10 dB.
const DECADE: i128 = 1_000_000_000_000;

/// Levels below and above these are taken for these, in dB: no microphone is near, and sums of 10^8 stay in 38 digits.
const RANGE: (i128, i128) = (-120, 180);

/// Digits of the units an energy is counted in.
const UNIT: i128 = 12;

/// Row d, entry k: 10^(k × 10^-d / 10) × 10^18, rounded.
#[rustfmt::skip]
const TABLE: [[i64; 10]; 12] = [
    [
        1_000_000_000_000_000_000, 1_258_925_411_794_167_210, 1_584_893_192_461_113_485, 1_995_262_314_968_879_601, 2_511_886_431_509_580_111,
        3_162_277_660_168_379_332, 3_981_071_705_534_972_508, 5_011_872_336_272_722_850, 6_309_573_444_801_932_494, 7_943_282_347_242_815_021,
    ],
    [
        1_000_000_000_000_000_000, 1_023_292_992_280_754_131, 1_047_128_548_050_899_533, 1_071_519_305_237_606_417, 1_096_478_196_143_185_013,
        1_122_018_454_301_963_436, 1_148_153_621_496_882_752, 1_174_897_554_939_529_542, 1_202_264_434_617_412_906, 1_230_268_770_812_381_534,
    ],
    [
        1_000_000_000_000_000_000, 1_002_305_238_077_899_672, 1_004_615_790_278_395_142, 1_006_931_668_851_804_170, 1_009_252_886_076_684_412,
        1_011_579_454_259_898_524, 1_013_911_385_736_679_412, 1_016_248_692_870_695_628, 1_018_591_388_054_116_924, 1_020_939_483_707_679_955,
    ],
    [
        1_000_000_000_000_000_000, 1_000_230_285_020_824_753, 1_000_460_623_072_840_322, 1_000_691_014_168_258_996, 1_000_921_458_319_295_876,
        1_001_151_955_538_168_877, 1_001_382_505_837_098_726, 1_001_613_109_228_308_965, 1_001_843_765_724_025_952, 1_002_074_475_336_478_858,
    ],
    [
        1_000_000_000_000_000_000, 1_000_023_026_116_026_881, 1_000_046_052_762_255_781, 1_000_069_079_938_698_908, 1_000_092_107_645_368_473,
        1_000_115_135_882_276_683, 1_000_138_164_649_435_747, 1_000_161_193_946_857_877, 1_000_184_223_774_555_281, 1_000_207_254_132_540_169,
    ],
    [
        1_000_000_000_000_000_000, 1_000_002_302_587_743_945, 1_000_004_605_180_789_801, 1_000_006_907_779_137_579, 1_000_009_210_382_787_291,
        1_000_011_512_991_738_951, 1_000_013_815_605_992_570, 1_000_016_118_225_548_160, 1_000_018_420_850_405_734, 1_000_020_723_480_565_303,
    ],
    [
        1_000_000_000_000_000_000, 1_000_000_230_258_535_809, 1_000_000_460_517_124_637, 1_000_000_690_775_766_484, 1_000_000_921_034_461_350,
        1_000_001_151_293_209_235, 1_000_001_381_552_010_139, 1_000_001_611_810_864_062, 1_000_001_842_069_771_004, 1_000_002_072_328_730_965,
    ],
    [
        1_000_000_000_000_000_000, 1_000_000_023_025_851_195, 1_000_000_046_051_702_920, 1_000_000_069_077_555_176, 1_000_000_092_103_407_961,
        1_000_000_115_129_261_277, 1_000_000_138_155_115_123, 1_000_000_161_180_969_499, 1_000_000_184_206_824_406, 1_000_000_207_232_679_842,
    ],
    [
        1_000_000_000_000_000_000, 1_000_000_002_302_585_096, 1_000_000_004_605_170_197, 1_000_000_006_907_755_303, 1_000_000_009_210_340_414,
        1_000_000_011_512_925_531, 1_000_000_013_815_510_653, 1_000_000_016_118_095_781, 1_000_000_018_420_680_914, 1_000_000_020_723_266_052,
    ],
    [
        1_000_000_000_000_000_000, 1_000_000_000_230_258_509, 1_000_000_000_460_517_019, 1_000_000_000_690_775_528, 1_000_000_000_921_034_038,
        1_000_000_001_151_292_547, 1_000_000_001_381_551_057, 1_000_000_001_611_809_566, 1_000_000_001_842_068_076, 1_000_000_002_072_326_586,
    ],
    [
        1_000_000_000_000_000_000, 1_000_000_000_023_025_851, 1_000_000_000_046_051_702, 1_000_000_000_069_077_553, 1_000_000_000_092_103_404,
        1_000_000_000_115_129_255, 1_000_000_000_138_155_106, 1_000_000_000_161_180_957, 1_000_000_000_184_206_807, 1_000_000_000_207_232_658,
    ],
    [
        1_000_000_000_000_000_000, 1_000_000_000_002_302_585, 1_000_000_000_004_605_170, 1_000_000_000_006_907_755, 1_000_000_000_009_210_340,
        1_000_000_000_011_512_925, 1_000_000_000_013_815_511, 1_000_000_000_016_118_096, 1_000_000_000_018_420_681, 1_000_000_000_020_723_266,
    ],
];

/// The energy of a level given in steps of its resolution, in units of 10^-12 of that of 0 dB.
pub fn energy(steps: i64, resolution: Resolution) -> i128 {
    let level = i128::from(steps) * power(FINEST - u32::from(resolution.scale()));
    let (mantissa, exponent) = float(level);
    match u32::try_from(exponent) {
        Ok(exponent) => mantissa * power(exponent),
        Err(_) => divide(mantissa, power(exponent.unsigned_abs() as u32)),
    }
}

/// The level whose energy is `sum / n`, in 10^-4 of the resolution's steps, rounded to the nearest. `n` is positive.
pub fn decibels(sum: i128, n: i64, resolution: Resolution) -> i128 {
    let scale = u32::from(resolution.scale()) + 4;
    // Half a step of the result in 10^-11 dB; a result lies between the energies of its two halves.
    let half = power(FINEST - scale) / 2;
    let reaches = |level: i128| at_least(sum, n, level);
    // Floating point proposes, the table decides.
    let near = 10.0 * ((sum as f64).log10() - (n as f64).log10() - UNIT as f64);
    let mut mean = (near * power(scale) as f64).round() as i128;
    while !reaches(mean * 2 * half - half) && mean > RANGE.0 * power(scale) {
        mean -= 1;
    }
    while reaches(mean * 2 * half + half) && mean < RANGE.1 * power(scale) {
        mean += 1;
    }
    mean
}

/// Whether `sum / n` is at least the energy of a level in 10^-11 dB.
fn at_least(sum: i128, n: i64, level: i128) -> bool {
    let (mantissa, exponent) = float(level);
    // A product that does not fit is beyond any sum.
    let product = mantissa.checked_mul(i128::from(n));
    match u32::try_from(exponent) {
        Ok(exponent) => product.and_then(|p| p.checked_mul(power(exponent))).is_some_and(|p| sum >= p),
        Err(_) => {
            let scaled = sum.checked_mul(power(exponent.unsigned_abs() as u32));
            scaled.is_none_or(|sum| product.is_some_and(|p| sum >= p))
        }
    }
}

/// The energy of a level in 10^-11 dB as mantissa × 10^exponent, in the units of [`energy`].
fn float(level: i128) -> (i128, i128) {
    let level = level.clamp(RANGE.0 * DECADE / 10, RANGE.1 * DECADE / 10);
    let mut rest = level.rem_euclid(DECADE);
    let mut mantissa = ONE;
    let mut step = DECADE / 10;
    for row in &TABLE {
        let digit = (rest / step) as usize;
        if digit > 0 {
            mantissa = divide(mantissa * i128::from(row[digit]), ONE);
        }
        rest %= step;
        if rest == 0 {
            break;
        }
        step /= 10;
    }
    (mantissa, level.div_euclid(DECADE) + UNIT - 18)
}

/// 10 to the power of `exponent`.
fn power(exponent: u32) -> i128 {
    10_i128.pow(exponent)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolution(scale: u8) -> Resolution {
        Resolution::of_scale(scale).expect("a scale up to 6")
    }

    #[test]
    fn whole_decades_are_exact() {
        let tenths = resolution(1);
        assert_eq!(energy(0, tenths), 1_000_000_000_000);
        assert_eq!(energy(600, tenths), 1_000_000_000_000_000_000);
        assert_eq!(energy(-100, tenths), 100_000_000_000);
        assert_eq!(energy(30, tenths), 1_995_262_314_969);
    }

    #[test]
    fn the_mean_of_equal_levels_is_that_level() {
        for steps in -300..1600 {
            let sum = energy(steps, resolution(1)) * 7;
            assert_eq!(decibels(sum, 7, resolution(1)), i128::from(steps) * 10_000, "{steps}");
        }
        for steps in [-12_345_678, 0, 1, 55_123_457, 139_999_999] {
            let mean = decibels(energy(steps, resolution(6)) * 3, 3, resolution(6));
            // Below 0 dB an energy has fewer than 12 digits.
            assert!((mean - i128::from(steps) * 10_000).abs() <= i128::from(steps < 0) * 100, "{steps}: {mean}");
        }
    }

    #[test]
    fn means_are_those_of_floating_point() {
        let levels = [413, 557, 552, 701, 688, 395, 1024];
        let sum: i128 = levels.iter().map(|&l| energy(l, resolution(1))).sum();
        let float: f64 = levels.iter().map(|&l| 10_f64.powf(l as f64 / 100.0)).sum::<f64>() / levels.len() as f64;
        let mean = decibels(sum, levels.len() as i64, resolution(1));
        assert_eq!(mean, (10.0 * float.log10() * 100_000.0).round() as i128);
    }

    #[test]
    fn energies_grow_with_the_level() {
        let all: Vec<i128> = (-1200..1800).map(|l| energy(l, resolution(1))).collect();
        assert!(all.windows(2).all(|pair| pair[0] < pair[1] || pair[0] < 100));
        assert_eq!(energy(i64::MAX / 2, resolution(0)), energy(180, resolution(0)));
    }
}
