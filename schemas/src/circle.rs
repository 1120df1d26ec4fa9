//! Directions as integer vectors, so that sums of them are exact and the same on every machine.
//!
//! The vector mean of angles is the direction of (Σ sin, Σ cos) (WMO-No. 8, scalar and vector averaging of wind). Sines and
//! cosines are counted in units of 10^-15 and come from the tables below by the addition theorems; no floating point
//! decides a digit.

use crate::Resolution;
use crate::decimal::divide;

/// 10^18: what stands for 1 in the tables.
const ONE: i128 = 1_000_000_000_000_000_000;

/// Units of a stored sine in table units.
const UNIT: i128 = 1_000;

/// Digits after the point of the finest angle: six of a resolution, four more of its mean, one more for its half.
const FINEST: u32 = 11;

/// 10^-11 degrees in one degree.
const DEGREE: i128 = 100_000_000_000;

/// One degree in radians × 10^18.
const RADIAN: i128 = 17_453_292_519_943_296;

/// Sines of 0 to 90 degrees × 10^18, rounded.
#[rustfmt::skip]
const SINES: [i64; 91] = [
    0, 17_452_406_437_283_513, 34_899_496_702_500_972, 52_335_956_242_943_833, 69_756_473_744_125_301,
    87_155_742_747_658_174, 104_528_463_267_653_471, 121_869_343_405_147_481, 139_173_100_960_065_444, 156_434_465_040_230_869,
    173_648_177_666_930_349, 190_808_995_376_544_812, 207_911_690_817_759_337, 224_951_054_343_864_998, 241_921_895_599_667_723,
    258_819_045_102_520_762, 275_637_355_816_999_186, 292_371_704_722_736_728, 309_016_994_374_947_424, 325_568_154_457_156_669,
    342_020_143_325_668_733, 358_367_949_545_300_273, 374_606_593_415_912_035, 390_731_128_489_273_755, 406_736_643_075_800_208,
    422_618_261_740_699_436, 438_371_146_789_077_417, 453_990_499_739_546_792, 469_471_562_785_890_776, 484_809_620_246_337_029,
    500_000_000_000_000_000, 515_038_074_910_054_210, 529_919_264_233_204_954, 544_639_035_015_027_082, 559_192_903_470_746_830,
    573_576_436_351_046_096, 587_785_252_292_473_129, 601_815_023_152_048_280, 615_661_475_325_658_280, 629_320_391_049_837_453,
    642_787_609_686_539_326, 656_059_028_990_507_285, 669_130_606_358_858_214, 681_998_360_062_498_500, 694_658_370_458_997_287,
    707_106_781_186_547_524, 719_339_800_338_651_139, 731_353_701_619_170_483, 743_144_825_477_394_235, 754_709_580_222_771_998,
    766_044_443_118_978_035, 777_145_961_456_970_880, 788_010_753_606_721_957, 798_635_510_047_292_846, 809_016_994_374_947_424,
    819_152_044_288_991_790, 829_037_572_555_041_692, 838_670_567_945_424_030, 848_048_096_156_425_970, 857_167_300_702_112_287,
    866_025_403_784_438_647, 874_619_707_139_395_800, 882_947_592_858_926_942, 891_006_524_188_367_862, 898_794_046_299_166_993,
    906_307_787_036_649_963, 913_545_457_642_600_896, 920_504_853_452_440_327, 927_183_854_566_787_401, 933_580_426_497_201_749,
    939_692_620_785_908_384, 945_518_575_599_316_810, 951_056_516_295_153_572, 956_304_755_963_035_481, 961_261_695_938_318_862,
    965_925_826_289_068_287, 970_295_726_275_996_472, 974_370_064_785_235_229, 978_147_600_733_805_638, 981_627_183_447_663_953,
    984_807_753_012_208_059, 987_688_340_595_137_726, 990_268_068_741_570_315, 992_546_151_641_322_035, 994_521_895_368_273_337,
    996_194_698_091_745_532, 997_564_050_259_824_248, 998_629_534_754_573_874, 999_390_827_019_095_730, 999_847_695_156_391_239,
    1_000_000_000_000_000_000,
];

/// Row d, entry k: sine and cosine of k × 10^-(d+1) degrees × 10^18, rounded.
#[rustfmt::skip]
const FRACTIONS: [[(i64, i64); 10]; 6] = [
    [
        (0, 1_000_000_000_000_000_000), (1_745_328_365_898_309, 999_998_476_913_287_699),
        (3_490_651_415_223_732, 999_993_907_657_790_381), (5_235_963_831_419_580, 999_986_292_247_426_793),
        (6_981_260_297_961_552, 999_975_630_705_394_793), (8_726_535_498_373_935, 999_961_923_064_171_289),
        (10_471_784_116_245_793, 999_945_169_365_512_132), (12_217_000_835_247_169, 999_925_369_660_451_994),
        (13_962_180_339_145_272, 999_902_524_009_304_212), (15_707_317_311_820_676, 999_876_632_481_660_599),
    ],
    [
        (0, 1_000_000_000_000_000_000), (174_532_924_313_337, 999_999_984_769_129_049),
        (349_065_843_310_097, 999_999_939_076_516_661), (523_598_751_673_703, 999_999_862_922_164_228),
        (698_131_644_087_579, 999_999_756_306_074_068), (872_664_515_235_150, 999_999_619_228_249_431),
        (1_047_197_359_799_839, 999_999_451_688_694_491), (1_221_730_172_465_072, 999_999_253_687_414_353),
        (1_396_262_947_914_276, 999_999_025_224_415_047), (1_570_795_680_830_879, 999_998_766_299_703_533),
    ],
    [
        (0, 1_000_000_000_000_000_000), (17_453_292_519_057, 999_999_999_847_691_290),
        (34_906_585_032_798, 999_999_999_390_765_160), (52_359_877_535_905, 999_999_998_629_221_611),
        (69_813_170_023_063, 999_999_997_563_060_643), (87_266_462_488_954, 999_999_996_192_282_255),
        (104_719_754_928_263, 999_999_994_516_886_449), (122_173_047_335_672, 999_999_992_536_873_225),
        (139_626_339_705_865, 999_999_990_252_242_583), (157_079_632_033_526, 999_999_987_662_994_524),
    ],
    [
        (0, 1_000_000_000_000_000_000), (1_745_329_251_993, 999_999_999_998_476_913),
        (3_490_658_503_982, 999_999_999_993_907_652), (5_235_987_755_959, 999_999_999_986_292_216),
        (6_981_317_007_921, 999_999_999_975_630_606), (8_726_646_259_861, 999_999_999_961_922_823),
        (10_471_975_511_775, 999_999_999_945_168_864), (12_217_304_763_656, 999_999_999_925_368_732),
        (13_962_634_015_501, 999_999_999_902_522_426), (15_707_963_267_303, 999_999_999_876_629_945),
    ],
    [
        (0, 1_000_000_000_000_000_000), (174_532_925_199, 999_999_999_999_984_769),
        (349_065_850_399, 999_999_999_999_939_077), (523_598_775_598, 999_999_999_999_862_922),
        (698_131_700_798, 999_999_999_999_756_306), (872_664_625_997, 999_999_999_999_619_228),
        (1_047_197_551_196, 999_999_999_999_451_689), (1_221_730_476_396, 999_999_999_999_253_687),
        (1_396_263_401_595, 999_999_999_999_025_224), (1_570_796_326_794, 999_999_999_998_766_299),
    ],
    [
        (0, 1_000_000_000_000_000_000), (17_453_292_520, 999_999_999_999_999_848),
        (34_906_585_040, 999_999_999_999_999_391), (52_359_877_560, 999_999_999_999_998_629),
        (69_813_170_080, 999_999_999_999_997_563), (87_266_462_600, 999_999_999_999_996_192),
        (104_719_755_120, 999_999_999_999_994_517), (122_173_047_640, 999_999_999_999_992_537),
        (139_626_340_160, 999_999_999_999_990_252), (157_079_632_679, 999_999_999_999_987_663),
    ],
];

/// A sum of directions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Vector {
    /// Sum of sines in units of 10^-15.
    pub sin: i128,
    /// Sum of cosines in units of 10^-15.
    pub cos: i128,
}

impl Vector {
    /// The direction of an angle given in steps of its resolution, in degrees.
    pub fn of(steps: i64, resolution: Resolution) -> Vector {
        let angle = i128::from(steps) * power(FINEST - u32::from(resolution.scale()));
        let (sin, cos) = sin_cos(angle);
        Vector { sin: divide(sin, UNIT), cos: divide(cos, UNIT) }
    }

    /// The angle of a sum of `n` directions in [0, 360) degrees, in 10^-4 of the resolution's steps, rounded to the
    /// nearest. Nothing when the directions cancel out: a sum within the rounding of its parts has no direction.
    pub fn degrees(self, n: i64, resolution: Resolution) -> Option<i128> {
        if self.sin.abs().max(self.cos.abs()) <= i128::from(n) {
            return None;
        }
        let scale = u32::from(resolution.scale()) + 4;
        let half = power(FINEST - scale) / 2;
        let short = self.shortened();
        // Floating point proposes, the tables decide.
        let near = (short.sin as f64).atan2(short.cos as f64).to_degrees();
        let mut mean = (near * power(scale) as f64).round() as i128;
        while !short.reaches(mean * 2 * half - half) {
            mean -= 1;
        }
        while short.reaches(mean * 2 * half + half) {
            mean += 1;
        }
        Some(mean.rem_euclid(360 * power(scale)))
    }

    /// The same direction with both parts below 2^62, so that products with the tables fit.
    fn shortened(self) -> Vector {
        let bits = 128 - self.sin.abs().max(self.cos.abs()).leading_zeros();
        let unit = 1_i128 << bits.saturating_sub(62);
        Vector { sin: self.sin / unit, cos: self.cos / unit }
    }

    /// Whether this direction is at or past an angle in 10^-11 degrees, up to half a turn.
    fn reaches(self, angle: i128) -> bool {
        let (sin, cos) = sin_cos(angle);
        cos * self.sin - sin * self.cos >= 0
    }
}

impl std::ops::AddAssign for Vector {
    fn add_assign(&mut self, other: Vector) {
        self.sin += other.sin;
        self.cos += other.cos;
    }
}

/// Sine and cosine × 10^18 of an angle in 10^-11 degrees.
fn sin_cos(angle: i128) -> (i128, i128) {
    let angle = angle.rem_euclid(360 * DEGREE);
    let (quarter, within) = (angle / (90 * DEGREE), angle % (90 * DEGREE));
    let whole = (within / DEGREE) as usize;
    let mut sum = (i128::from(SINES[whole]), i128::from(SINES[90 - whole]));
    let mut rest = within % DEGREE;
    let mut step = DEGREE / 10;
    for row in &FRACTIONS {
        let (sin, cos) = row[(rest / step) as usize];
        if sin != 0 {
            sum = add(sum, (i128::from(sin), i128::from(cos)));
        }
        rest %= step;
        step /= 10;
    }
    if rest > 0 {
        // Below 10^-6 degrees a sine is its arc, to more than 18 digits.
        let arc = divide(rest * RADIAN, DEGREE);
        sum = add(sum, (arc, ONE - divide(arc * arc, 2 * ONE)));
    }
    let (sin, cos) = sum;
    match quarter {
        0 => (sin, cos),
        1 => (cos, -sin),
        2 => (-sin, -cos),
        _ => (-cos, sin),
    }
}

/// Sine and cosine of a sum of two angles.
fn add(a: (i128, i128), b: (i128, i128)) -> (i128, i128) {
    (divide(a.0 * b.1 + a.1 * b.0, ONE), divide(a.1 * b.1 - a.0 * b.0, ONE))
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

    fn mean(steps: &[i64], scale: u8) -> Option<i128> {
        let mut sum = Vector::default();
        steps.iter().for_each(|&s| sum += Vector::of(s, resolution(scale)));
        sum.degrees(steps.len() as i64, resolution(scale))
    }

    #[test]
    fn the_mean_of_one_angle_is_that_angle() {
        for steps in 0..3600 {
            assert_eq!(mean(&[steps], 1), Some(i128::from(steps) * 10_000), "{steps}");
        }
        assert_eq!(mean(&[123_456_789], 6), Some(1_234_567_890_000));
        assert_eq!(mean(&[360], 0), Some(0));
        assert_eq!(mean(&[-90], 0), Some(270 * 10_000));
    }

    #[test]
    fn the_mean_goes_round_the_north() {
        assert_eq!(mean(&[350, 10], 0), Some(0));
        assert_eq!(mean(&[340, 10], 0), Some(355 * 10_000));
        assert_eq!(mean(&[0, 90], 0), Some(45 * 10_000));
    }

    #[test]
    fn directions_that_cancel_out_have_no_mean() {
        for steps in 0..1800 {
            assert_eq!(mean(&[steps, steps + 1800], 1), None, "{steps}");
        }
        assert_eq!(mean(&[0, 120, 240], 0), None);
        assert_eq!(mean(&[0, 72, 144, 216, 288], 0), None);
    }

    #[test]
    fn sines_are_those_of_floating_point() {
        for steps in (0..360_000).step_by(7) {
            let vector = Vector::of(steps, resolution(3));
            let (sin, cos) = (steps as f64 / 1000.0).to_radians().sin_cos();
            assert!((vector.sin as f64 / 1e15 - sin).abs() < 1e-14, "{steps}");
            assert!((vector.cos as f64 / 1e15 - cos).abs() < 1e-14, "{steps}");
        }
    }

    #[test]
    fn means_are_those_of_floating_point() {
        let angles = [13, 77, 359, 301, 45, 12, 99];
        let (sin, cos) = angles.iter().fold((0.0, 0.0), |(s, c), &a| {
            let (sin, cos) = f64::from(a).to_radians().sin_cos();
            (s + sin, c + cos)
        });
        let float = sin.atan2(cos).to_degrees().rem_euclid(360.0);
        let angles = angles.map(i64::from);
        assert_eq!(mean(&angles, 0), Some((float * 10_000.0).round() as i128));
    }
}
