//! Buckets by table, and laws that hold for each bucket in zones with awkward clocks.

use super::*;
use std::collections::HashSet;

const ZONES: [&str; 9] = [
    "UTC",
    "Europe/Prague",
    "America/New_York",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
    "Asia/Beirut",
    "America/St_Johns",
    "Pacific/Apia",
];

const BUCKETS: [Bucket; 8] = [
    Bucket::Duration(SECOND),
    Bucket::Duration(15 * MINUTE),
    Bucket::Duration(7 * HOUR),
    Bucket::Duration(24 * HOUR),
    Bucket::Day,
    Bucket::Week,
    Bucket::Month,
    Bucket::Year,
];

fn time(text: &str) -> Time {
    Time(text.parse::<jiff::Timestamp>().expect("stamp").as_microsecond())
}

fn zone(name: &str) -> Zone {
    Zone::parse(name).expect("zone")
}

fn check_parse(text: &str, expect: Option<Bucket>) {
    assert_eq!(Bucket::parse(text).ok(), expect, "{text:?}");
    if let Some(bucket) = expect {
        assert_eq!(Bucket::parse(&bucket.to_string()), Ok(bucket));
    }
}

#[test]
fn bucket_words() {
    check_parse("1s", Some(Bucket::Duration(SECOND)));
    check_parse("90s", Some(Bucket::Duration(90 * SECOND)));
    check_parse("15m", Some(Bucket::Duration(15 * MINUTE)));
    check_parse("24h", Some(Bucket::Duration(DAY)));
    check_parse("8784h", Some(Bucket::Duration(366 * DAY)));
    check_parse("1d", Some(Bucket::Day));
    check_parse("day", Some(Bucket::Day));
    check_parse("week", Some(Bucket::Week));
    check_parse("month", Some(Bucket::Month));
    check_parse("year", Some(Bucket::Year));
    for wrong in [
        "",
        "0s",
        "1",
        "m",
        "-5m",
        "8785h",
        "2d",
        "1w",
        "auto",
        "15 m",
        "1.5h",
        "99999999999999999999s",
        "500ms",
        "1h30m",
    ] {
        check_parse(wrong, None);
    }
    assert!(Bucket::parse("7d").is_err_and(|remedy| remedy.contains("168h")));
    assert_eq!(Bucket::Duration(DAY).to_string(), "24h");
}

#[test]
fn durations() {
    for (text, expect) in [("1s", SECOND), ("15m", 15 * MINUTE), ("2h", 2 * HOUR), ("90d", 90 * DAY), ("2y", 730 * DAY)]
    {
        assert_eq!(parse_duration(text), Ok(expect), "{text}");
    }
    for wrong in ["", "0d", "1", "forever", "1w", "-1d", "1001y", "999999999999y"] {
        assert!(parse_duration(wrong).is_err(), "{wrong}");
    }
}

fn check_span(bucket: &str, name: &str, at: &str, from: &str, to: &str) {
    let span = Bucket::parse(bucket).expect("bucket").span(time(at), &zone(name));
    assert_eq!((span.from.to_string(), span.to.to_string()), (from.into(), to.into()), "{bucket} of {at} in {name}");
}

#[test]
fn civil_buckets_follow_the_zone() {
    check_span("day", "Europe/Prague", "2026-03-29T12:00:00Z", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"); // 23 h
    check_span("day", "Europe/Prague", "2026-10-25T12:00:00Z", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"); // 25 h
    check_span("24h", "Europe/Prague", "2026-10-25T12:00:00Z", "2026-10-25T00:00:00Z", "2026-10-26T00:00:00Z");
    check_span("day", "America/New_York", "2026-03-08T12:00:00Z", "2026-03-08T05:00:00Z", "2026-03-09T04:00:00Z");
    check_span("day", "America/New_York", "2026-11-01T12:00:00Z", "2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z");
    check_span("day", "Asia/Kathmandu", "2026-01-01T00:00:00Z", "2025-12-31T18:15:00Z", "2026-01-01T18:15:00Z");
    check_span("day", "Australia/Lord_Howe", "2026-04-05T00:00:00Z", "2026-04-04T13:00:00Z", "2026-04-05T13:30:00Z");
    check_span("day", "America/Sao_Paulo", "2018-11-04T12:00:00Z", "2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z");
    check_span("day", "Pacific/Apia", "2011-12-30T09:59:59Z", "2011-12-29T10:00:00Z", "2011-12-30T10:00:00Z");
    check_span("week", "Europe/Prague", "2026-11-22T22:59:59Z", "2026-11-15T23:00:00Z", "2026-11-22T23:00:00Z");
    check_span("month", "Europe/Prague", "2026-03-01T00:00:00Z", "2026-02-28T23:00:00Z", "2026-03-31T22:00:00Z");
    check_span("year", "Europe/Prague", "2026-12-31T23:00:00Z", "2026-12-31T23:00:00Z", "2027-12-31T23:00:00Z");
    check_span("15m", "Europe/Prague", "1969-12-31T23:59:59Z", "1969-12-31T23:45:00Z", "1970-01-01T00:00:00Z");
    // St John's turned its clocks back from 00:01 to 23:01: the day stays cut at the first midnight.
    check_span("day", "America/St_Johns", "2010-11-07T03:00:00Z", "2010-11-07T02:30:00Z", "2010-11-08T03:30:00Z");
}

/// Instants around every clock change of two decades, and some between.
fn instants(zone: &Zone) -> Vec<Time> {
    let (from, to) = (time("2005-01-01T00:00:00Z"), time("2025-01-01T00:00:00Z"));
    let start = jiff::Timestamp::from_microsecond(from.0).expect("stamp");
    let mut all = Vec::new();
    for change in zone.tz().following(start) {
        let at = Time(change.timestamp().as_microsecond());
        if at >= to {
            break;
        }
        for hours in -26..=26 {
            all.extend([-1, 0, 1, 29 * MINUTE, 31 * MINUTE].map(|micros| at.plus(hours * HOUR + micros)));
        }
    }
    let step = 13 * DAY + 5 * HOUR + 7;
    all.extend((0..).map(|i| from.plus(i * step)).take_while(|at| *at < to));
    all
}

#[test]
fn every_instant_lies_in_its_bucket_and_buckets_touch() {
    for name in ZONES {
        let zone = zone(name);
        let instants = instants(&zone);
        for bucket in BUCKETS {
            for &at in &instants {
                let span = bucket.span(at, &zone);
                assert!(span.holds(at), "{bucket} of {at} in {name} is {} to {}", span.from, span.to);
                assert_eq!(bucket.span(span.from, &zone), span, "{bucket} from {} in {name}", span.from);
                assert_eq!(bucket.span(span.to, &zone).from, span.to, "{bucket} after {at} in {name}");
                assert_eq!(bucket.widen(span, &zone), span, "{bucket} of {at} in {name}");
            }
        }
    }
}

#[test]
fn widening_twice_is_widening_once() {
    for name in ZONES {
        let zone = zone(name);
        for pair in instants(&zone).windows(2).step_by(7) {
            let span = Span { from: pair[0].min(pair[1]), to: pair[0].max(pair[1]) };
            for bucket in BUCKETS {
                let wide = bucket.widen(span, &zone);
                assert!(wide.from <= span.from && span.to <= wide.to, "{bucket} in {name}");
                assert_eq!(bucket.widen(wide, &zone), wide, "{bucket} in {name}");
            }
        }
    }
}

#[test]
fn edges_are_the_buckets_one_by_one() {
    for name in ZONES {
        let zone = zone(name);
        let span = Span { from: time("2009-06-01T00:00:00Z"), to: time("2012-06-01T00:00:00Z") };
        for bucket in [Bucket::Duration(7 * HOUR), Bucket::Day, Bucket::Week, Bucket::Month, Bucket::Year] {
            let wide = bucket.widen(span, &zone);
            let edges = bucket.edges(wide, &zone, 10_000).expect("edges");
            assert_eq!((edges.first(), edges.last()), (Some(&wide.from), Some(&wide.to)), "{bucket} in {name}");
            for pair in edges.windows(2) {
                assert_eq!(bucket.span(pair[0], &zone), Span { from: pair[0], to: pair[1] }, "{bucket} in {name}");
            }
            let buckets = edges.len() - 1;
            assert_eq!(bucket.edges(wide, &zone, buckets).map(|edges| edges.len()), Some(buckets + 1));
            assert_eq!(bucket.edges(wide, &zone, buckets - 1), None, "{bucket} in {name}");
        }
    }
}

#[test]
fn nothing_and_the_ends_of_time() {
    let prague = zone("Europe/Prague");
    let empty = Span { from: time("2026-01-01T12:00:00Z"), to: time("2026-01-01T12:00:00Z") };
    for bucket in BUCKETS {
        let wide = bucket.widen(empty, &prague);
        assert!(wide.is_empty());
        assert_eq!(bucket.edges(wide, &prague, 0), Some(vec![wide.from]));
        for at in [Time(i64::MIN), Time(i64::MAX)] {
            bucket.span(at, &prague);
        }
        let all = Span { from: Time(i64::MIN), to: Time(i64::MAX) };
        assert_eq!(bucket.edges(all, &prague, 100), None, "{bucket}");
    }
}

#[test]
fn buckets_are_values() {
    let all: HashSet<Bucket> = BUCKETS.into_iter().collect();
    assert_eq!(all.len(), BUCKETS.len());
    assert_ne!(Bucket::parse("24h"), Bucket::parse("1d"));
}
