//! The traces of `store-rules.md` that concern tiers, and what they leave when crashes come between. C closes windows.

use super::law;
use crate::testing::bed::{ALWAYS, Bed, Rows};
use crate::testing::of_kinds;
use crate::{Tier, points};
use schemas::time::{DAY, HOUR};
use schemas::{ABSENT, Cadence};
use std::sync::Arc;

/// A bed and the rows it should hold.
struct Trace {
    bed: Bed,
    truth: Rows,
}

impl Trace {
    /// Two sensors with a reading each hour of three days, all closed but the end.
    async fn new() -> Trace {
        let mut trace = Trace { bed: Bed::new(vec![of_kinds("Europe/Prague")]).await, truth: Rows::new() };
        for hour in 0..72 {
            trace.put("x", hour * HOUR, hour).await;
            trace.put("z", hour * HOUR, hour + 1).await;
        }
        trace.bed.settle().await.unwrap();
        trace
    }

    async fn put(&mut self, sensor: &str, time: i64, value: i64) {
        let values = [(0, value), (1, value), (2, value), (3, value % 3), (4, value), (5, value)];
        self.bed.put(&[(sensor, time, &values)]).await;
        let row = self.truth.entry((sensor.to_owned(), time)).or_insert_with(|| vec![ABSENT; 6]);
        values.iter().for_each(|(field, value)| row[*field] = *value);
    }

    /// Rows read and tiers are as they should be. Gives the number of dirty quarter hours.
    async fn check(&self) -> usize {
        assert_eq!(self.bed.rows().await, self.truth);
        law::check(&self.bed, &self.truth).await;
        self.bed.snapshot().dirty(ALWAYS, None).await.unwrap().quarters().len()
    }
}

#[tokio::test]
async fn rule_2_a_first_row_of_a_sensor_in_a_closed_window_makes_it_dirty_until_the_tiers_have_it() {
    let mut trace = Trace::new().await;
    let before = law::counts(&trace.bed).await;
    let clean = trace.check().await;
    trace.put("new", 30 * HOUR + 1, 7).await;
    trace.put("x", 30 * HOUR, 100).await;
    assert_eq!(trace.check().await, clean + 2, "hot");
    trace.bed.seal().await.unwrap();
    assert_eq!(trace.check().await, clean + 2, "sealed");
    trace.bed.flush().await.unwrap();
    assert_eq!(trace.check().await, clean + 2, "late");
    trace.bed.fold().await.unwrap();
    assert_eq!(trace.check().await, clean + 2, "folded, but not in the tiers yet (rule 9)");
    trace.bed.refresh().await.unwrap();
    assert_eq!(trace.check().await, clean);
    let after = law::counts(&trace.bed).await;
    assert_eq!(after, before.map(|rows| rows + 1), "the new sensor has a row in each tier");
}

#[tokio::test]
async fn rule_4_the_closed_instant_is_read_from_the_tier_and_never_goes_back() {
    let mut trace = Trace::new().await;
    let closed = Tier::ALL.map(|tier| trace.bed.snapshot().closed(tier));
    // A larger cadence settles later.
    let mut slow = (*trace.bed.datasets[0]).clone();
    slow.every = Cadence::Every(10 * HOUR);
    trace.bed.crash();
    trace.bed.datasets = vec![Arc::new(slow)];
    trace.bed.open().await.unwrap();
    assert_eq!(Tier::ALL.map(|tier| trace.bed.snapshot().closed(tier)), closed);
    trace.put("z", closed[0].0 - 1, 9).await;
    trace.bed.flush().await.unwrap();
    assert_eq!(
        trace.bed.stored("late").await.len(),
        1,
        "before the closed instant is late, newest of its sensor or not"
    );
    trace.put("x", 74 * HOUR, 9).await;
    trace.bed.settle().await.unwrap();
    assert_eq!(trace.check().await, 0);
    assert_eq!(Tier::ALL.map(|tier| trace.bed.snapshot().closed(tier)), closed);
    trace.put("x", 130 * HOUR, 9).await;
    trace.bed.settle().await.unwrap();
    trace.check().await;
    let caught_up = Tier::ALL.map(|tier| trace.bed.snapshot().closed(tier));
    assert!(caught_up.iter().zip(closed).all(|(new, old)| *new > old), "it catches up from there");
}

#[tokio::test]
async fn rule_10_a_crash_after_the_raw_commit_leaves_no_tier_stale() {
    for point in points::ALL {
        let mut trace = Trace::new().await;
        trace.put("x", 30 * HOUR, 100).await;
        trace.put("z", 31 * HOUR + 1, 101).await;
        trace.put("x", 90 * HOUR, 102).await;
        trace.bed.crash_at(Some(point));
        let _ = trace.bed.settle().await;
        trace.bed.restart().await;
        trace.check().await;
        trace.bed.settle().await.unwrap();
        assert_eq!(trace.check().await, 0, "{point}");
        assert_eq!(trace.bed.stored("late").await, Vec::<String>::new());
        assert_eq!(trace.bed.table_rows().await, trace.truth);
    }
}

#[tokio::test]
async fn a_civil_day_takes_late_rows_of_both_its_utc_days() {
    let mut trace = Trace::new().await;
    // One civil day in Prague: 23:00 to 23:00 UTC.
    trace.put("x", DAY - HOUR / 2, 1000).await;
    trace.put("x", DAY + HOUR / 2, 2000).await;
    trace.bed.settle().await.unwrap();
    assert_eq!(trace.check().await, 0);
}

#[tokio::test]
async fn history_in_order_of_time_is_fresh_however_old() {
    let mut trace = Trace::new().await;
    for hour in 100..130 {
        trace.put("x", hour * HOUR, hour).await;
        if hour % 7 == 0 {
            trace.bed.flush().await.unwrap();
        }
    }
    trace.bed.flush().await.unwrap();
    assert_eq!(trace.bed.stored("late").await, Vec::<String>::new());
    trace.bed.settle().await.unwrap();
    trace.check().await;
}

/// The readings of the last hours come in order, faster than they are filed: none of them is late.
#[tokio::test]
async fn a_backlog_that_comes_in_stays_fresh() {
    let bed = Bed::of(1).await;
    let book = &bed.store().intake.books[0];
    let start = crate::testing::noon().0 - 6 * HOUR;
    for minute in 0..300 {
        bed.put(&[("x", start + minute * HOUR / 60, &[(0, minute)])]).await;
        if minute % 50 == 49 {
            // The next readings are there already when windows are closed.
            bed.flush().await.unwrap();
        }
        if minute % 50 == 20 {
            crate::tier::close(bed.store(), book, crate::tier::Pace::Patient).await.unwrap();
        }
    }
    bed.flush().await.unwrap();
    let snapshot = bed.snapshot();
    assert!(snapshot.shelf.late.is_empty() && snapshot.shelf.stale.is_empty(), "nothing was late");
    let closed = snapshot.closed(Tier::Quarter).0 - start;
    assert!(closed > 3 * HOUR && closed <= 4 * HOUR, "windows closed behind what was filed: {closed}");
    bed.settle().await.unwrap();
    assert_eq!(law::counts(&bed).await[0], 21, "and all when nothing comes any more");
}

/// What sealed files come to is the same as their rows, whichever tier asks first, and no longer used when a file is replaced.
#[tokio::test]
async fn windows_are_put_together_from_what_sealed_files_come_to() {
    let mut trace = Trace { bed: Bed::of(6).await, truth: Rows::new() };
    // Quarter hours that straddle flushes, of which one is rewritten by a fold before it closes.
    for n in 0..200 {
        trace.put(["x", "y"][n as usize % 2], n * HOUR / 7, n * n % 101 - 50).await;
        if n % 17 == 16 {
            trace.bed.flush().await.unwrap();
        }
        if n == 120 {
            trace.put("x", HOUR / 7, 77).await;
            trace.bed.flush().await.unwrap();
            trace.bed.fold().await.unwrap();
        }
        if n % 61 == 60 {
            trace.bed.close().await.unwrap();
            trace.check().await;
        }
    }
    trace.bed.settle().await.unwrap();
    trace.check().await;
    assert_eq!(law::counts(&trace.bed).await[2], 2, "two sensors, one whole day");
}
