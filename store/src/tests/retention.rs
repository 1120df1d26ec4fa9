//! Retention by its rules: days go when all that is known of them is rolled up, and what was rolled up of them never changes.

use super::law;
use crate::Tier;
use crate::testing::bed::Rows;
use crate::testing::{Bed, of_kinds};
use schemas::time::{DAY, HOUR};
use schemas::{Day, Keep, Keeps, Time};
use std::sync::Arc;

/// A bed of a dataset in that zone whose raw rows and quarter hours have long been kept for long enough, and its rows: one
/// every half hour of ten days.
async fn ten_days(zone: &str) -> (Bed, Rows) {
    let mut dataset = of_kinds(zone);
    let keep = Keeps { raw: Keep::For(DAY), quarter: Keep::For(DAY), hour: Keep::Forever, day: Keep::Forever };
    Arc::make_mut(&mut dataset).keep = keep;
    let bed = Bed::new(vec![dataset]).await;
    let mut rows = Rows::new();
    for half in 0..480_i64 {
        put(&bed, &mut rows, 100 * DAY + half * HOUR / 2, half).await;
    }
    (bed, rows)
}

async fn put(bed: &Bed, rows: &mut Rows, time: i64, value: i64) {
    let values = [(0, value), (1, value), (2, value * 10), (3, value % 3), (4, 400), (5, value % 360)];
    bed.put(&[("y", time, &values)]).await;
    rows.insert(("y".to_owned(), time), values.iter().map(|(_, v)| *v).collect());
}

fn gone(bed: &Bed) -> Vec<Day> {
    bed.snapshot().shelf.gone.iter().copied().collect()
}

/// Only the rows of days that are not gone.
fn kept(bed: &Bed, rows: &Rows) -> Rows {
    let gone = gone(bed);
    rows.iter().filter(|((_, t), _)| !gone.contains(&Time(*t).day())).map(|(k, v)| (k.clone(), v.clone())).collect()
}

#[tokio::test]
async fn rule_16_a_day_is_marked_then_refused_then_dropped_when_all_is_rolled_up() {
    for point in [None, Some("retain.mark"), Some("retain.commit"), Some("retain.tier")] {
        let (mut bed, rows) = ten_days("Europe/Prague").await;
        let first = Day(100);
        bed.flush().await.unwrap();
        bed.retain().await.unwrap();
        assert!(bed.too_old(first.start().0), "marked");
        assert_eq!(gone(&bed), [], "nothing is rolled up");
        assert_eq!(bed.rows().await, rows);
        bed.restart().await;
        assert!(bed.too_old(first.start().0), "the mark is in the log");
        bed.settle().await.unwrap();
        bed.restart().await;
        assert!(bed.too_old(first.start().0), "and in saved state");
        bed.crash_at(point);
        while bed.retain().await.is_ok_and(|done| done > 0) {}
        if point.is_some() {
            bed.restart().await;
            while bed.retain().await.unwrap() > 0 {}
        }
        // The last civil day is open, and it touches the last day.
        assert_eq!(gone(&bed).len(), 9, "{point:?}");
        assert_eq!(bed.rows().await, kept(&bed, &rows));
        assert_eq!(bed.table_rows().await, kept(&bed, &rows));
        frozen(&bed, &rows).await;
        bed.restart().await;
        assert_eq!(gone(&bed).len(), 9);
        frozen(&bed, &rows).await;
        let newest = bed.snapshot().latest.get(0, 0).map(|(time, value)| (time.0, value));
        assert_eq!(newest, Some((100 * DAY + 479 * HOUR / 2, 479)));
    }
}

/// Checks that what tiers hold of all rows is there, dropped or not.
async fn frozen(bed: &Bed, rows: &Rows) {
    law::check(bed, rows).await;
    let snapshot = bed.snapshot();
    let stored = law::counts(bed).await;
    let windows = |tier: Tier| {
        let (closed, floor) = (snapshot.closed(tier), snapshot.floor(tier));
        let starts = rows.keys().map(|(_, time)| tier.window(Time(*time), &snapshot.dataset.zone).from);
        starts.filter(|start| *start < closed && *start >= floor).collect::<std::collections::BTreeSet<_>>().len()
    };
    assert_eq!(stored, Tier::ALL.map(windows), "every closed window above the floor");
}

#[tokio::test]
async fn rule_16_a_late_row_that_came_before_the_mark_is_rolled_up_before_its_day_goes() {
    let (bed, mut rows) = ten_days("UTC").await;
    bed.settle().await.unwrap();
    put(&bed, &mut rows, 100 * DAY + 1, 7).await;
    for what in ["hot", "late", "stale", "refreshed"] {
        bed.retain().await.unwrap();
        assert_eq!(gone(&bed).contains(&Day(100)), what == "refreshed", "{what}");
        assert_eq!(bed.rows().await, kept(&bed, &rows));
        match what {
            "hot" => bed.flush().await.unwrap(),
            "late" => bed.fold().await.unwrap(),
            _ => bed.refresh().await.unwrap(),
        }
    }
    frozen(&bed, &rows).await;
}

#[tokio::test]
async fn rule_17_history_older_than_keep_still_comes_is_rolled_up_and_then_goes() {
    let (bed, mut rows) = ten_days("Europe/Prague").await;
    bed.settle().await.unwrap();
    while bed.retain().await.unwrap() > 0 {}
    let days = gone(&bed);
    for (time, old) in [
        (99 * DAY, false),
        (100 * DAY - HOUR, true),
        (100 * DAY, true),
        (109 * DAY + 22 * HOUR, true),
        (110 * DAY + 23 * HOUR, false),
    ] {
        assert_eq!(bed.too_old(time), old, "{}", Time(time));
    }
    for hour in 0..40 {
        put(&bed, &mut rows, 90 * DAY + hour * HOUR, hour).await;
    }
    bed.settle().await.unwrap();
    assert_eq!((gone(&bed), bed.rows().await), (days.clone(), kept(&bed, &rows)), "it is there");
    law::check(&bed, &rows).await;
    while bed.retain().await.unwrap() > 0 {}
    assert_eq!(gone(&bed).len(), days.len() + 2);
    law::check(&bed, &rows).await;
}

#[tokio::test]
async fn rule_19_nothing_is_written_below_the_floor_of_a_tier() {
    let (mut bed, mut rows) = ten_days("UTC").await;
    bed.settle().await.unwrap();
    while bed.retain().await.unwrap() > 0 {}
    let floor = bed.snapshot().floor(Tier::Quarter);
    assert!(floor > Time(100 * DAY) && floor <= Time(110 * DAY), "whole weeks alone: {floor}");
    assert_eq!([Tier::Hour, Tier::Day].map(|tier| bed.snapshot().floor(tier)), [Time(i64::MIN); 2]);
    assert_eq!(floor, Tier::Quarter.partition_span(Tier::Quarter.partition(floor)).from);
    let counts = law::counts(&bed).await;
    for hour in 0..30 {
        put(&bed, &mut rows, 80 * DAY + hour * HOUR, hour).await;
    }
    bed.settle().await.unwrap();
    let after = law::counts(&bed).await;
    assert_eq!(after, [counts[0], counts[1] + 30, counts[2] + 2]);
    law::check(&bed, &rows).await;
    bed.restart().await;
    assert_eq!(bed.snapshot().floor(Tier::Quarter), floor);
    law::check(&bed, &rows).await;
}
