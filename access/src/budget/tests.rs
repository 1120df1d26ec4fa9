use super::*;
use crate::{Keyring, Peer};
use axum::http::HeaderMap;
use jiff::Timestamp;

const SECOND: i64 = 1_000_000;

fn budget(anonymous: u32, callers: usize) -> Arc<Budget> {
    Budget::new(Allowance { anonymous, keyed: 10 * anonymous, under_way: 2, callers })
}

fn anybody(address: &str) -> Caller {
    Caller::Anonymous(Origin::of(address.parse().expect("an address")))
}

#[test]
fn a_bucket_gives_what_it_holds_and_then_says_when_it_will() {
    let (budget, caller) = (budget(60, 10), anybody("192.0.2.1"));
    let standing = budget.take_at(&caller, 50, 0).expect("granted").expect("bounded");
    assert_eq!(standing, Standing { policy: "anonymous", quota: 60, left: 10, full_in: 50 });
    let wait = budget.take_at(&caller, 12, 500_000).expect_err("10.5 are there");
    assert_eq!((wait.seconds, wait.standing.left), (Some(2), 10));
    // A microsecond early it is still refused; then it is granted.
    assert!(budget.take_at(&caller, 12, 2 * SECOND - 1).is_err());
    assert!(budget.take_at(&caller, 12, 2 * SECOND).is_ok());
    assert_eq!(budget.take_at(&caller, 61, 600 * SECOND).expect_err("more than a bucket").seconds, None);
}

#[test]
fn no_span_of_time_gives_more_than_a_bucket_and_what_flows_in() {
    let (budget, caller) = (budget(7, 10), anybody("192.0.2.1"));
    let mut granted: Vec<i64> = Vec::new();
    // Steps that are no divisor of anything.
    for now in (0..900 * SECOND).step_by(37_717) {
        if budget.take_at(&caller, 1, now).is_ok() {
            granted.push(now);
        }
    }
    for (first, from) in granted.iter().enumerate() {
        for (last, to) in granted.iter().enumerate().skip(first) {
            let most = 7 * FILL + 7 * (to - from);
            assert!((last - first + 1) as i64 * FILL <= most, "{} from {from} to {to}", last - first + 1);
        }
    }
    assert!(granted.len() as i64 >= 7 + 7 * 14, "{} in a quarter of an hour", granted.len());
}

#[test]
fn what_was_done_is_paid_even_into_debt() {
    let (budget, caller) = (budget(60, 10), anybody("192.0.2.1"));
    budget.settle(&caller, 90);
    let wait = budget.take_at(&caller, 1, budget.micros()).expect_err("in debt");
    assert_eq!((wait.standing.left, wait.seconds), (0, Some(31)));
}

#[test]
fn callers_do_not_eat_from_each_other_and_local_ones_have_no_bounds() {
    let budget = budget(2, 10);
    assert!(budget.take_at(&anybody("192.0.2.1"), 2, 0).is_ok());
    assert!(budget.take_at(&anybody("192.0.2.1"), 1, 0).is_err());
    assert!(budget.take_at(&anybody("192.0.2.2"), 1, 0).is_ok());
    assert_eq!(budget.take_at(&Caller::Local, 1_000_000, 0), Ok(None));
    let mut ring = Keyring::default();
    let text = ring.add("x", vec![], Timestamp::UNIX_EPOCH, None).expect("a key");
    let mut headers = HeaderMap::new();
    headers.insert("authorization", format!("Bearer {}", text.reveal()).parse().expect("a value"));
    let peer = "192.0.2.1:1".parse().ok().map(Peer);
    let keyed = Caller::identify(peer, &headers, &ring, Timestamp::UNIX_EPOCH).expect("a caller");
    assert_eq!(budget.take_at(&keyed, 20, 0).expect("granted").map(|standing| standing.quota), Some(20));
}

#[test]
fn the_table_is_bounded_and_forgets_only_who_has_everything_back() {
    let budget = budget(60, 3);
    for n in 0..50 {
        let _ = budget.take_at(&anybody(&format!("192.0.2.{n}")), 1, 0);
    }
    assert!(budget.callers() <= 4, "{}", budget.callers());
    // Newcomers share one bucket, which is empty after sixty.
    let refused = (50..120).filter(|n| budget.take_at(&anybody(&format!("192.0.2.{n}")), 1, 0).is_err()).count();
    assert!(refused > 0);
    // An hour later all are full: forgotten.
    assert!(budget.take_at(&anybody("198.51.100.1"), 1, 3600 * SECOND).is_ok());
    assert_eq!(budget.callers(), 1);
}

#[test]
fn an_anonymous_caller_has_few_requests_at_work() {
    let (budget, caller) = (budget(60, 10), anybody("192.0.2.1"));
    let one = budget.enter(&caller).expect("free");
    let _two = budget.enter(&caller).expect("free");
    assert!(budget.enter(&caller).is_none());
    assert!(budget.enter(&anybody("192.0.2.2")).is_some());
    drop(one);
    assert!(budget.enter(&caller).is_some());
}
