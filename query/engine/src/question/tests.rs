//! Texts of the API.

use super::*;
use crate::Kind;
use crate::testing::time;

fn at(text: &str) -> Result<Time, Error> {
    parse_time("from", text, time("2026-11-20T10:00:00Z"), &Zone::parse("Europe/Prague").expect("a zone"))
}

#[test]
fn times() {
    let cases = [
        ("2026-11-20T08:15:00Z", "2026-11-20T08:15:00Z"),
        ("2026-11-20T08:15:00.5+01:00", "2026-11-20T07:15:00.5Z"),
        ("2026-11-20T08:15:00 01:00", "2026-11-20T07:15:00Z"),
        ("2026-11-20", "2026-11-19T23:00:00Z"),
        ("now", "2026-11-20T10:00:00Z"),
        ("now-7d", "2026-11-13T10:00:00Z"),
        ("now+15m", "2026-11-20T10:15:00Z"),
        ("now 15m", "2026-11-20T10:15:00Z"),
    ];
    for (text, expected) in cases {
        assert_eq!(at(text), Ok(time(expected)), "{text}");
    }
    for text in ["", "yesterday", "2026-11-20T08:15:00", "2026-13-01", "now-", "now*2", "now-7", "1763626500"] {
        let error = at(text).expect_err(text);
        assert_eq!((error.kind, error.parameter), (Kind::Invalid, Some("from")), "{text}");
        assert!(!error.accepted.is_empty());
    }
}

#[test]
fn buckets_groups_and_fills() {
    assert_eq!(BucketChoice::parse("auto", Some(40)), Ok(BucketChoice::Auto { max_points: 40 }));
    assert_eq!(BucketChoice::parse("1d", None), Ok(BucketChoice::Fixed(Bucket::Day)));
    for text in ["", "0s", "-1h", "1.5h", "fortnight", "10ms"] {
        assert_eq!(BucketChoice::parse(text, None).expect_err(text).parameter, Some("bucket"));
    }
    assert_eq!(BucketChoice::parse("auto", Some(0)).expect_err("none").parameter, Some("max_points"));
    assert_eq!("street".parse(), Ok(Group::Attribute("street".to_owned())));
    assert_eq!("none".parse(), Ok(Group::None));
    assert!("".parse::<Group>().is_err());
    assert_eq!("null".parse(), Ok(Fill::Null));
    assert_eq!("zero".parse::<Fill>().expect_err("an error").accepted, ["none", "null"]);
    assert_eq!(parse_zone("Mars/Olympus").expect_err("an error").parameter, Some("tz"));
}

#[test]
fn places() {
    assert_eq!(parse_bbox("14.1,49.2, 14.2,49.4"), Ok([14.1, 49.2, 14.2, 49.4]));
    for text in ["", "1,2,3", "1,2,3,4,5", "1,5,3,4", "200,1,201,2", "a,b,c,d", "nan,1,2,3"] {
        assert_eq!(parse_bbox(text).expect_err(text).parameter, Some("bbox"));
    }
    assert_eq!(parse_near("14.15,49.3,500").map(|near| near.metres), Ok(500.0));
    for text in ["", "14,49", "14,49,-1", "14,99,5", "14,49,inf"] {
        assert_eq!(parse_near(text).expect_err(text).parameter, Some("near"));
    }
}
