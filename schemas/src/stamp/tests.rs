//! Times as vendors send them.

use super::*;

fn check(format: &TimeFormat, text: &str, expect: Result<&str, Reason>) {
    let found = format.read(text).map(|time| time.to_string()).map_err(|(reason, _)| reason);
    assert_eq!(found.as_deref().map_err(|reason| *reason), expect, "{text}");
}

#[test]
fn rfc3339_as_it_is_written_in_the_wild() {
    let check = |text, expect| check(&TimeFormat::Rfc3339, text, expect);
    check("2026-11-20T08:15:00Z", Ok("2026-11-20T08:15:00Z"));
    check("2026-11-20t08:15:00z", Ok("2026-11-20T08:15:00Z"));
    check("2026-11-20 08:15:00+01:00", Ok("2026-11-20T07:15:00Z"));
    check("2022-10-30T02:10:00+0100", Ok("2022-10-30T01:10:00Z"));
    check("2022-10-30T02:10:00+0200", Ok("2022-10-30T00:10:00Z"));
    check("2026-11-20T08:15:00-03:30", Ok("2026-11-20T11:45:00Z"));
    check("2026-11-20T08:15:00+01", Ok("2026-11-20T07:15:00Z"));
    check("2026-11-20T08:15:00.5Z", Ok("2026-11-20T08:15:00.5Z"));
    check("2026-11-20T08:15:00.1234567Z", Ok("2026-11-20T08:15:00.123456Z"));
    check("1969-12-31T23:59:59.9999999Z", Ok("1969-12-31T23:59:59.999999Z"));
    check("2016-12-31T23:59:60Z", Ok("2016-12-31T23:59:59Z"));
    for wrong in [
        "",
        "2026-11-20",
        "2026-11-20T08:15Z",
        "2026-11-20T08:15:00",
        "2026-02-30T08:15:00Z",
        "2026-11-20T24:15:00Z",
        "2026-11-20T08:15:00.Z",
        "2026-11-20T08:15:00+25:00",
        "2026-11-20T08:15:00 Z",
        "2026-11-20T08:15:00Zx",
        "20-11-2026T08:15:00Z",
        "1700000000",
        "２026-11-20T08:15:00Z",
        "yesterday",
    ] {
        check(wrong, Err(Reason::InvalidTime));
    }
    let (_, detail) = TimeFormat::Rfc3339.read("2026-11-20T08:15:00").expect_err("naive");
    assert!(detail.contains("offset") && detail.contains("zone"), "{detail}");
}

#[test]
fn epochs_are_exact() {
    let epoch = TimeFormat::Epoch;
    check(&epoch(EpochUnit::Second), "1700000000", Ok("2023-11-14T22:13:20Z"));
    check(&epoch(EpochUnit::Second), "1700000000.1234567", Ok("2023-11-14T22:13:20.123456Z"));
    check(&epoch(EpochUnit::Second), "1.7e9", Ok("2023-11-14T22:13:20Z"));
    check(&epoch(EpochUnit::Second), "-0.0000001", Ok("1969-12-31T23:59:59.999999Z"));
    check(&epoch(EpochUnit::Milli), "1700000000123", Ok("2023-11-14T22:13:20.123Z"));
    check(&epoch(EpochUnit::Micro), "1700000000123456", Ok("2023-11-14T22:13:20.123456Z"));
    check(&epoch(EpochUnit::Nano), "1700000000123456789", Ok("2023-11-14T22:13:20.123456Z"));
    check(&epoch(EpochUnit::Nano), "-1", Ok("1969-12-31T23:59:59.999999Z"));
    for wrong in ["", "now", "1e300", "1e9999", "2026-11-20T08:15:00Z", "99999999999999999999"] {
        check(&epoch(EpochUnit::Second), wrong, Err(Reason::InvalidTime));
    }
}

fn naive(zone: &str, fold: Fold) -> TimeFormat {
    TimeFormat::Pattern { pattern: "%Y-%m-%d %H:%M:%S".into(), zone: Zone::parse(zone).ok(), fold }
}

#[test]
fn patterns_with_a_zone() {
    check(&naive("Europe/London", Fold::Earlier), "2016-10-04 07:59:42", Ok("2016-10-04T06:59:42Z"));
    check(&naive("Europe/London", Fold::Earlier), "2015-10-25 01:30:00", Ok("2015-10-25T00:30:00Z"));
    check(&naive("Europe/London", Fold::Later), "2015-10-25 01:30:00", Ok("2015-10-25T01:30:00Z"));
    check(&naive("Europe/London", Fold::Earlier), "2016-03-27 01:30:00", Err(Reason::NoSuchLocalTime));
    check(&naive("UTC", Fold::Earlier), "2019-03-31 01:30:00", Ok("2019-03-31T01:30:00Z"));
    check(&naive("UTC", Fold::Earlier), "2019-03-31T01:30:00", Err(Reason::InvalidTime));
    check(&naive("UTC", Fold::Earlier), "", Err(Reason::InvalidTime));
}

#[test]
fn patterns_with_an_offset() {
    let format = TimeFormat::Pattern { pattern: "%d.%m.%Y %H:%M %z".into(), zone: None, fold: Fold::Earlier };
    check(&format, "20.11.2026 08:15 +0100", Ok("2026-11-20T07:15:00Z"));
    check(&format, "20.11.2026 08:15", Err(Reason::InvalidTime));
}

#[test]
fn patterns_are_judged_before_use() {
    for (pattern, expect) in [
        ("%Y-%m-%d %H:%M:%S", Some(PatternMeans::Civil)),
        ("%Y-%m-%d %H:%M:%S%.f", Some(PatternMeans::Civil)),
        ("%d/%m/%y %I:%M %p", Some(PatternMeans::Civil)),
        ("%Y-%m-%d", Some(PatternMeans::Civil)),
        ("%Y-%m-%dT%H:%M:%S%z", Some(PatternMeans::Instant)),
        ("%s", Some(PatternMeans::Instant)),
        ("%H:%M:%S", None),
        ("%Y-%m", None),
        ("yyyy-MM-dd", None),
        ("%!", None),
        ("", None),
    ] {
        assert_eq!(pattern_means(pattern).ok(), expect, "{pattern}");
    }
}
