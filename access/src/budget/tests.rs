//! Buckets of cost units: what they give, when, and to whom.

use super::*;
use crate::Key;
use jiff::Timestamp;

const SECOND: i64 = 1_000_000;

fn budget(anonymous: u32, callers: usize) -> Arc<Budget> {
    Budget::new(Allowance {
        anonymous,
        keyed: 10 * anonymous,
        under_way: 2,
        keyed_under_way: 3,
        wrong_keys: 3,
        callers,
    })
}

fn anybody(address: &str) -> Caller {
    Caller::Anonymous(Origin::of(address.parse().expect("an address")))
}

fn keyed(units: Option<u32>) -> Caller {
    let (id, name) = ("abcdefgh".to_owned(), "x".to_owned());
    let created = Timestamp::UNIX_EPOCH;
    let key = Key { id, name, scopes: vec![], digest: [0; 32], created, expires: None, revoked: None, units };
    Caller::Keyed(Arc::new(key))
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
    assert_eq!(budget.take_at(&keyed(None), 20, 0).expect("granted").map(|standing| standing.quota), Some(20));
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
fn a_crowd_of_addresses_takes_no_place_from_keys_and_costs_one_walk_a_second() {
    let budget = budget(60, 3);
    for n in 0..50 {
        let _ = budget.take_at(&anybody(&format!("192.0.2.{n}")), 1, 0);
    }
    assert_eq!(budget.take_at(&keyed(None), 1, 0).expect("granted").map(|standing| standing.left), Some(599));
    // All but one have everything back after a second; that is seen at the next sweep and not at each newcomer.
    assert!(budget.take_at(&anybody("198.51.100.1"), 1, SWEEP - 1).is_ok());
    assert!(budget.callers() > 3);
    assert!(budget.take_at(&anybody("198.51.100.2"), 1, 100 * SECOND).is_ok());
    assert_eq!(budget.callers(), 1);
}

#[test]
fn a_key_that_gets_other_units_has_them_at_once_and_what_was_taken_stays_taken() {
    let budget = budget(60, 10);
    let left = |units, taken| {
        budget.take_at(&keyed(units), taken, 0).expect("granted").map(|standing| (standing.quota, standing.left))
    };
    assert_eq!(left(None, 500), Some((600, 100)));
    assert_eq!(left(Some(1_000), 0), Some((1_000, 500)));
    assert!(budget.take_at(&keyed(Some(60)), 1, 0).is_err(), "500 of 60 are spent");
}

#[test]
fn an_anonymous_caller_has_few_requests_at_work() {
    let (budget, caller) = (budget(60, 10), anybody("192.0.2.1"));
    let one = budget.enter(&caller, 1).expect("free");
    let _two = budget.enter(&caller, 1).expect("free");
    assert!(budget.enter(&caller, 1).is_none());
    assert!(budget.enter(&anybody("192.0.2.2"), 2).is_some());
    drop(one);
    assert!(budget.enter(&caller, 2).is_none() && budget.enter(&caller, 1).is_some());
    let heavy = budget.enter(&keyed(None), 3).expect("free");
    assert!(budget.enter(&keyed(None), 1).is_none(), "one that weighs three takes three places");
    drop(heavy);
    assert!(budget.enter(&keyed(None), 3).is_some(), "and gives three back");
    assert!(budget.enter(&Caller::Local, 1_000).is_some());
}

#[test]
fn wrong_keys_are_few_from_one_address_and_cost_those_behind_it_nothing() {
    let budget = budget(60, 10);
    let origin = Origin::of("192.0.2.1".parse().expect("an address"));
    assert_eq!((0..5).filter(|_| budget.wrong_key(origin).is_ok()).count(), 3);
    assert_eq!(budget.standing(&Caller::Anonymous(origin)).map(|standing| standing.left), Some(60));
}
