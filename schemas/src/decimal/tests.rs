//! Parsing, conversion and text of decimals, against tables and against a slow second way.

use super::*;
use std::time::Instant;

fn check_parse(text: &str, expect: Option<(i128, i32)>) {
    let found = Decimal::parse(text.as_bytes()).map(|d| (d.mantissa, d.scale));
    assert_eq!(found, expect, "{text:?}");
}

#[test]
fn texts_are_numbers_or_not() {
    check_parse("0", Some((0, 0)));
    check_parse("-0", Some((0, 0)));
    check_parse("-12.50", Some((-1250, 2)));
    check_parse("+3", Some((3, 0)));
    check_parse(".5", Some((5, 1)));
    check_parse("5.", Some((5, 0)));
    check_parse("1e-3", Some((1, 3)));
    check_parse("1.5E+6", Some((15, -5)));
    check_parse("0.46299999999999997", Some((46_299_999_999_999_997, 17)));
    check_parse("1234567890123456789", Some((1_234_567_890_123_456_789, 0)));
    check_parse("-123456789012345678901234567890.123456", Some((-123_456_789_012_345_678_901_234_567_890_123_456, 6)));
    check_parse("0000000000000000000000000000000000000000001", Some((1, 0)));
    check_parse("1234567890123456789012345678901234567", None);
    for wrong in [
        "", " ", "-", ".", "e5", "1e", "1e+", "1e99999", "NaN", "inf", "1 ", " 1", "1,5", "0x1f", "1.2.3", "1e5.",
        "--1", "١",
    ] {
        check_parse(wrong, None);
    }
}

fn check_steps(text: &str, from: &str, to: &str, scale: u8, expect: Option<i64>) {
    let (from, to) = (Unit::parse(from).expect("unit"), Unit::parse(to).expect("unit"));
    let resolution = Resolution::of_scale(scale).expect("scale");
    let found = Decimal::parse(text.as_bytes()).expect("number").to_steps(&from, &to, resolution);
    assert_eq!(found, expect, "{text} {} in {} at {resolution}", from.code, to.code);
}

#[test]
fn steps_are_exact_and_round_half_away_from_zero() {
    check_steps("21.45", "Cel", "Cel", 1, Some(215));
    check_steps("-21.45", "Cel", "Cel", 1, Some(-215));
    check_steps("21.4499999999999999999999", "Cel", "Cel", 1, Some(214));
    check_steps("0.46299999999999997", "1", "%", 1, Some(463));
    check_steps("0.4625", "1", "%", 1, Some(463));
    check_steps("5e3", "ppm", "ppm", 0, Some(5000));
    check_steps("0e-9999", "ppm", "ppm", 0, Some(0));
    check_steps("0e9999", "ppm", "ppm", 6, Some(0));
    check_steps("1.4e-45", "ppm", "ppm", 6, Some(0));
    check_steps("1e-9999", "[degF]", "Cel", 6, Some(-17_777_778));
    check_steps("1e30", "ppm", "ppm", 0, None);
    check_steps("9223372036854775807", "ppm", "ppm", 0, Some(i64::MAX));
    check_steps("9223372036854775808", "ppm", "ppm", 0, None);
    check_steps("1", "ppm", "Cel", 0, None);
}

#[test]
fn units_convert_exactly() {
    check_steps("212", "[degF]", "Cel", 2, Some(10_000));
    check_steps("98.6", "[degF]", "Cel", 1, Some(370));
    check_steps("-40", "[degF]", "Cel", 3, Some(-40_000));
    check_steps("-40", "Cel", "[degF]", 3, Some(-40_000));
    check_steps("0", "K", "Cel", 2, Some(-27_315));
    check_steps("32.09", "[degF]", "Cel", 2, Some(5)); // 0.05 exactly
    check_steps("31.91", "[degF]", "Cel", 1, Some(-1)); // -0.05 exactly: away from zero
    check_steps("101325", "Pa", "hPa", 2, Some(101_325));
    check_steps("760", "mm[Hg]", "Pa", 0, Some(101_325));
    check_steps("36", "km/h", "m/s", 0, Some(10));
    check_steps("1", "m/s", "km/h", 1, Some(36));
    check_steps("10", "[kn_i]", "km/h", 2, Some(1852));
    check_steps("1", "[mi_i]/h", "m/s", 5, Some(44_704));
    check_steps("1", "kWh", "J", 0, Some(3_600_000));
    check_steps("0.0123", "mg/m3", "ug/m3", 1, Some(123));
    check_steps("1.5", "%", "ppm", 0, Some(15_000));
    check_steps("12", "{vehicle}", "1", 0, Some(12));
    check_steps("3.2", "l/m2", "mm", 1, Some(32));
    check_steps("0.1234567890123456789012345678901234", "km/h", "m/s", 6, Some(34_294));
}

#[test]
fn conversion_equals_the_fraction_done_by_hand() {
    let (fahrenheit, celsius) = (Unit::parse("[degF]").expect("unit"), Unit::parse("Cel").expect("unit"));
    let resolution = Resolution::of_scale(2).expect("scale");
    for hundredths in -20_000..20_000_i64 {
        let found = Decimal { mantissa: hundredths.into(), scale: 2 }.to_steps(&fahrenheit, &celsius, resolution);
        let ninths = (hundredths - 3200) * 5;
        let expect = (ninths.abs() * 2 + 9) / 18 * ninths.signum();
        assert_eq!(found, Some(expect), "{hundredths} hundredths of a degree");
    }
}

#[test]
fn short_and_long_division_agree() {
    for numerator in -1000..1000_i64 {
        for denominator in [1, 2, 3, 10, 100] {
            let by_half = (numerator.abs() * 2 + denominator) / (2 * denominator) * numerator.signum();
            assert_eq!(divide(numerator.into(), denominator.into()), by_half.into(), "{numerator} / {denominator}");
            assert_eq!(divide_short(numerator, denominator), by_half, "{numerator} / {denominator}");
        }
    }
    assert_eq!(divide(i128::MAX, i128::MAX), 1);
    assert_eq!(divide(i128::MIN, 1), i128::MIN);
}

#[test]
fn text_has_no_idle_zeros() {
    for (mantissa, scale, expect) in
        [(125, 1, "12.5"), (-3, 3, "-0.003"), (700, 2, "7"), (0, 4, "0"), (-120, 1, "-12"), (5, 0, "5"), (10, 0, "10")]
    {
        assert_eq!(text(mantissa, scale), expect);
    }
}

/// What reading and converting one value costs (some tens of nanoseconds); `-- --ignored speed` runs it.
#[test]
#[ignore = "a measurement"]
fn speed() {
    let unit = Unit::parse("Cel").expect("unit");
    let resolution = Resolution::of_scale(1).expect("scale");
    let texts: Vec<String> = (0..1000).map(|i| format!("{}.{:02}", i % 40, i % 100)).collect();
    let start = Instant::now();
    let mut sum = 0;
    for _ in 0..10_000 {
        for text in &texts {
            sum += Decimal::parse(text.as_bytes()).and_then(|d| d.to_steps(&unit, &unit, resolution)).unwrap_or(0);
        }
    }
    let nanos = start.elapsed().as_nanos() as f64 / 10_000_000.0;
    assert!(sum != 0 && nanos < 1000.0, "{nanos} ns per value");
}
