//! Buckets at the edges: changes of the clocks, weeks, months, before 1970.

use super::*;

fn micros(text: &str) -> i64 {
    text.parse::<Timestamp>().expect("an instant").as_microsecond()
}

fn check(width: Width, zone: Option<&str>, pairs: &[(&str, &str)]) {
    let zone = zone.map(|name| Zone::parse(name).expect("a zone"));
    let mut floor = Floor::new(width, zone);
    for (time, start) in pairs {
        let found = Zone::utc().format(schemas::Time(floor.start(micros(time))));
        assert_eq!(found, *start, "{width:?} of {time}");
    }
}

#[test]
fn buckets_of_utc() {
    let minutes = Width::Micros(15 * 60 * SECOND);
    check(
        minutes,
        None,
        &[("2026-11-20T10:14:59.9Z", "2026-11-20T10:00:00Z"), ("1969-12-31T23:59:00Z", "1969-12-31T23:45:00Z")],
    );
    let week = Width::of_word("Week").expect("a word");
    check(
        week,
        None,
        &[("2026-11-20T10:00:00Z", "2026-11-16T00:00:00Z"), ("1969-12-28T10:00:00Z", "1969-12-22T00:00:00Z")],
    );
    check(
        Width::Months(1),
        None,
        &[("2026-02-28T23:59:59Z", "2026-02-01T00:00:00Z"), ("1969-01-31T00:00:00Z", "1969-01-01T00:00:00Z")],
    );
    check(Width::Months(3), None, &[("2026-12-31T23:59:59Z", "2026-10-01T00:00:00Z")]);
    check(Width::Months(120), None, &[("2029-12-31T23:59:59Z", "2020-01-01T00:00:00Z")]);
}

#[test]
fn buckets_of_a_zone_follow_its_clocks() {
    let day = Width::of_word("day").expect("a word");
    check(
        day,
        Some("Europe/Prague"),
        &[
            ("2026-03-28T23:00:00Z", "2026-03-28T23:00:00Z"),
            ("2026-03-29T21:59:59Z", "2026-03-28T23:00:00Z"), // a day of 23 hours, begun by the clock of winter
            ("2026-03-29T22:00:00Z", "2026-03-29T22:00:00Z"),
            ("2026-10-25T22:59:59Z", "2026-10-24T22:00:00Z"), // a day of 25 hours
            ("2026-10-25T23:00:00Z", "2026-10-25T23:00:00Z"),
        ],
    );
    let hour = Width::of_word("hour").expect("a word");
    check(
        hour,
        Some("Europe/Prague"),
        &[("2026-10-25T00:30:00Z", "2026-10-25T00:00:00Z"), ("2026-10-25T01:30:00Z", "2026-10-25T01:00:00Z")],
    );
    check(Width::Months(1), Some("Europe/Prague"), &[("2026-04-30T22:30:00Z", "2026-04-30T22:00:00Z")]);
    check(hour, Some("Asia/Kolkata"), &[("2026-11-20T10:15:00Z", "2026-11-20T09:30:00Z")]);
    // Midnight is skipped there when summer begins.
    check(day, Some("America/Santiago"), &[("2026-09-06T12:00:00Z", "2026-09-06T04:00:00Z")]);
}

#[test]
fn buckets_are_those_of_the_other_doors() {
    let prague = Zone::parse("Europe/Prague").expect("a zone");
    for (width, bucket) in [("day", "day"), ("week", "week"), ("month", "month"), ("year", "year"), ("hour", "1h")] {
        let bucket = schemas::Bucket::parse(bucket).expect("a bucket");
        let mut floor = Floor::new(Width::of_word(width).expect("a word"), Some(prague.clone()));
        for step in -500_i64..500 {
            let time = step * 37 * 3600 * SECOND + 1234;
            assert_eq!(floor.start(time), bucket.span(schemas::Time(time), &prague).from.0, "{width} of {time}");
        }
    }
}

#[test]
fn the_ends_of_time_do_not_panic() {
    for width in [Width::Micros(7 * DAY), Width::Months(1)] {
        for zone in [None, Some(Zone::parse("Europe/Prague").expect("a zone"))] {
            let mut floor = Floor::new(width, zone);
            for time in [i64::MIN, i64::MIN + 1, i64::MAX] {
                floor.start(time);
            }
        }
    }
}
