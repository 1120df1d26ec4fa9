//! The traces of `store-rules.md`: each is a counter-example that a rule closes. P y@16 = put for sensor y at time 16,
//! S seal, F flush, X crash and restart.

use crate::testing::bed::Rows;
use crate::testing::{Bed, batch, dataset};
use crate::{LogId, Position};
use schemas::ABSENT;
use schemas::time::DAY;

fn rows(rows: &[(&str, i64, &[i64])]) -> Rows {
    rows.iter().map(|(s, t, v)| ((s.to_string(), *t), v.to_vec())).collect()
}

#[tokio::test]
async fn rule_1_fresh_is_newer_than_all_that_is_filed_from_the_moment_of_sealing() {
    let bed = Bed::of(1).await;
    bed.put(&[("y", 16, &[(0, 2)])]).await;
    bed.seal().await.unwrap();
    bed.put(&[("y", 16, &[(0, 1)])]).await;
    bed.flush().await.unwrap();
    let expected = rows(&[("y", 16, &[1])]);
    assert_eq!(bed.rows().await, expected);
    assert_eq!(bed.table_rows().await, rows(&[("y", 16, &[2])]), "one key in one file; the correction waits as late");
    bed.fold().await.unwrap();
    assert_eq!(bed.rows().await, expected);
    assert_eq!(bed.table_rows().await, expected);
}

#[tokio::test]
async fn rule_5_lateness_is_decided_at_sealing_not_at_arrival() {
    let bed = Bed::of(1).await;
    // Both hot when the second arrives: nothing is filed, so neither is late, whatever their order.
    bed.put(&[("y", 20, &[(0, 1)])]).await;
    bed.put(&[("y", 10, &[(0, 2)])]).await;
    bed.flush().await.unwrap();
    assert_eq!(bed.stored("late").await, Vec::<String>::new());
    assert_eq!(bed.table_rows().await, rows(&[("y", 10, &[2]), ("y", 20, &[1])]));
    // Arrives while the other is hot, is sealed after it was filed: late.
    bed.put(&[("y", 30, &[(0, 3)])]).await;
    bed.seal().await.unwrap();
    bed.put(&[("y", 25, &[(0, 4)])]).await;
    bed.flush().await.unwrap();
    assert_eq!(bed.stored("late").await.len(), 1);
    assert_eq!(bed.rows().await.len(), 4);
}

#[tokio::test]
async fn rule_6_a_late_file_that_was_never_committed_is_removed_before_replay() {
    let mut bed = Bed::of(1).await;
    bed.put(&[("y", 16, &[(0, 1)])]).await;
    bed.flush().await.unwrap();
    bed.put(&[("y", 16, &[(0, 2)])]).await;
    bed.seal().await.unwrap();
    let orphans = bed.stored("late").await;
    assert_eq!(orphans.len(), 1, "named by log-id and last position, {orphans:?}");
    let log = bed.store().log_id;
    assert!(orphans[0].ends_with(&format!("{log}-{:020}.parquet", 2)), "{orphans:?}");
    bed.restart().await;
    assert_eq!(bed.stored("late").await, Vec::<String>::new());
    assert_eq!(bed.rows().await, rows(&[("y", 16, &[2])]), "replay has the row");
    // A newer value goes hot; the orphan of before must not lie over it.
    bed.put(&[("y", 16, &[(0, 3)])]).await;
    bed.flush().await.unwrap();
    assert_eq!(bed.rows().await, rows(&[("y", 16, &[3])]));
}

#[tokio::test]
async fn rule_6_after_the_loss_of_the_log_no_row_comes_back_without_it() {
    let mut bed = Bed::of(1).await;
    bed.put(&[("y", 16, &[(0, 1)])]).await;
    bed.flush().await.unwrap();
    bed.put(&[("y", 16, &[(0, 2)]), ("y", 5, &[(0, 2)])]).await;
    bed.seal().await.unwrap();
    bed.lose_log().await;
    assert_eq!(bed.rows().await, rows(&[("y", 16, &[1])]), "what was in the log alone is lost, and lost whole");
    bed.put(&[("z", 1, &[(0, 9)])]).await;
    bed.settle().await.unwrap();
    assert_eq!(bed.rows().await, rows(&[("y", 16, &[1]), ("z", 1, &[9])]));
}

#[tokio::test]
async fn rule_7_the_newest_filed_instant_survives_a_restart() {
    let mut bed = Bed::of(1).await;
    bed.put(&[("y", 10, &[(0, 1)]), ("y", 2 * DAY, &[(0, 1)])]).await;
    bed.flush().await.unwrap();
    bed.put(&[("y", 5, &[(0, 5)])]).await;
    bed.flush().await.unwrap();
    for state in ["kept", "gone"] {
        if state == "gone" {
            bed.crash();
            std::fs::remove_file(bed.config.data.join("d/state/newest.json")).unwrap();
            bed.open().await.unwrap();
        } else {
            bed.restart().await;
        }
        let book = &bed.store().intake.books[0];
        let holding = crate::intake::lock(&book.holding);
        let y = holding.numbers["y"];
        assert_eq!(holding.filed.of(y), 2 * DAY, "state {state}");
        drop(holding);
    }
    bed.put(&[("y", DAY, &[(0, 7)]), ("y", 10, &[(0, 8)])]).await;
    bed.settle().await.unwrap();
    let expected = rows(&[("y", 5, &[5]), ("y", 10, &[8]), ("y", DAY, &[7]), ("y", 2 * DAY, &[1])]);
    assert_eq!(bed.rows().await, expected);
    assert_eq!(bed.table_rows().await, expected);
}

#[tokio::test]
async fn rule_8_files_then_late_by_position_then_sealed_then_hot() {
    let bed = Bed::of(2).await;
    let put = async |value: i64| {
        bed.put(&[("y", 16, &[(0, value)])]).await;
    };
    bed.put(&[("y", 16, &[(0, 1), (1, 100)])]).await;
    bed.flush().await.unwrap();
    for value in 2..=4 {
        put(value).await;
        bed.flush().await.unwrap();
        assert_eq!(bed.rows().await, rows(&[("y", 16, &[value, 100])]), "late over late over file");
    }
    put(5).await;
    bed.seal().await.unwrap();
    assert_eq!(bed.rows().await, rows(&[("y", 16, &[5, 100])]), "sealed over late");
    put(6).await;
    assert_eq!(bed.rows().await, rows(&[("y", 16, &[6, 100])]), "hot over sealed");
    bed.put(&[("y", 16, &[(0, 7)]), ("y", 16, &[(1, 200)]), ("y", 16, &[(0, 8)])]).await;
    assert_eq!(bed.rows().await, rows(&[("y", 16, &[8, 200])]), "in a batch the later row");
    bed.settle().await.unwrap();
    assert_eq!(bed.table_rows().await, rows(&[("y", 16, &[8, 200])]));
}

#[tokio::test]
async fn rule_9_a_folded_late_file_is_not_overlaid_and_goes_once_the_tiers_have_it() {
    for point in ["fold.commit", "refresh.remove"] {
        let mut bed = Bed::of(1).await;
        bed.put(&[("y", 16, &[(0, 1)])]).await;
        bed.flush().await.unwrap();
        bed.put(&[("y", 16, &[(0, 2)])]).await;
        bed.flush().await.unwrap();
        bed.crash_at(Some(point));
        let folded = bed.fold().await;
        assert!(folded.and(bed.refresh().await).is_err(), "{point}");
        bed.restart().await;
        assert_eq!(bed.stored("late").await.len(), 1, "the crash came before the removal");
        assert_eq!(bed.rows().await, rows(&[("y", 16, &[2])]));
        bed.refresh().await.unwrap();
        assert_eq!(bed.stored("late").await, Vec::<String>::new());
        assert_eq!(bed.rows().await, rows(&[("y", 16, &[2])]));
        assert_eq!(bed.table_rows().await, rows(&[("y", 16, &[2])]));
    }
}

#[tokio::test]
async fn rule_9_an_older_snapshot_keeps_its_late_files() {
    let bed = Bed::of(1).await;
    bed.put(&[("y", 16, &[(0, 1)])]).await;
    bed.flush().await.unwrap();
    bed.put(&[("y", 16, &[(0, 2)])]).await;
    bed.flush().await.unwrap();
    let old = bed.snapshot();
    bed.fold().await.unwrap();
    bed.refresh().await.unwrap();
    assert_eq!(crate::testing::bed::rows_of(&old).await, rows(&[("y", 16, &[2])]));
    assert_eq!(bed.stored("late").await.len(), 1, "shown by a snapshot still");
    drop(old);
    bed.store().empty_bin().await.unwrap();
    assert_eq!(bed.stored("late").await, Vec::<String>::new());
}

#[tokio::test]
async fn rule_12_a_fold_leaves_raws_position_alone() {
    let mut bed = Bed::of(1).await;
    bed.put(&[("y", 16, &[(0, 1)])]).await;
    bed.flush().await.unwrap();
    bed.put(&[("y", 16, &[(0, 2)])]).await;
    bed.flush().await.unwrap();
    bed.put(&[("z", 1, &[(0, 3)])]).await;
    bed.fold().await.unwrap();
    let book = &bed.store().intake.books[0];
    let raw = crate::book::filed(&*book.table.lock().await);
    assert_eq!(raw.values().copied().collect::<Vec<_>>(), [Position(2)], "neither lowered nor raised");
    bed.restart().await;
    assert_eq!(bed.rows().await, rows(&[("y", 16, &[2]), ("z", 1, &[3])]));
}

#[tokio::test]
async fn rule_13_a_fold_removes_only_the_late_files_it_read() {
    let bed = Bed::of(1).await;
    bed.put(&[("y", 16, &[(0, 1)])]).await;
    bed.flush().await.unwrap();
    bed.put(&[("y", 16, &[(0, 2)])]).await;
    bed.flush().await.unwrap();
    let book = &bed.store().intake.books[0];
    // A later late file of the same day is committed while the fold is between its plan and its commit.
    let table = book.table.lock().await;
    let held = bed.faults.clone().unwrap();
    held.plan(crate::fault::Call::Put, "/raw/day=", 0, 1, crate::fault::Fault::Hold);
    drop(table);
    let store = bed.store().clone();
    let folding = tokio::spawn(async move { crate::fold::fold(&store, &store.intake.books[0], schemas::Day(0)).await });
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while !held
        .calls()
        .iter()
        .any(|(_, place)| place.contains("/raw/day=1970-01-01/") && !place.ends_with("-0.parquet"))
    {
        assert!(std::time::Instant::now() < deadline, "the fold never wrote");
        tokio::task::yield_now().await;
    }
    bed.put(&[("y", 16, &[(0, 3)])]).await;
    crate::flush::flush(bed.store(), book).await.unwrap();
    held.release();
    folding.await.unwrap().unwrap();
    bed.refresh().await.unwrap();
    assert_eq!(bed.stored("late").await.len(), 1, "the one it did not read");
    assert_eq!(bed.rows().await, rows(&[("y", 16, &[3])]));
    bed.settle().await.unwrap();
    assert_eq!(bed.table_rows().await, rows(&[("y", 16, &[3])]));
}

#[tokio::test]
async fn rule_20_a_silent_dataset_holds_no_segment() {
    let mut bed = Bed::new(vec![dataset("d", 1), dataset("silent", 1)]).await;
    bed.crash();
    bed.config.segment_bytes = 4096;
    bed.open().await.unwrap();
    let silent = bed.datasets[1].clone();
    bed.append(vec![batch(&silent, &[("s", 1, &[(0, 1)])])], Vec::new()).await;
    bed.flush().await.unwrap();
    for i in 0..300 {
        bed.put(&[("y", i, &[(0, i)])]).await;
    }
    assert!(bed.store().log.stats().segments > 3);
    bed.flush().await.unwrap();
    assert_eq!(bed.store().log.stats().segments, 1, "the silent dataset's position moved with no new file");
    bed.restart().await;
    assert_eq!(bed.rows().await.len(), 300);
}

#[tokio::test]
async fn rule_21_latest_survives_restarts_and_the_log() {
    let mut bed = Bed::of(2).await;
    bed.put(&[("y", 10, &[(0, 1), (1, 5)])]).await;
    bed.put(&[("y", 20, &[(0, 2)])]).await;
    bed.flush().await.unwrap();
    bed.put(&[("y", 15, &[(1, 6)]), ("y", 20, &[(0, 3)])]).await;
    let told = |bed: &Bed| {
        let snapshot = bed.snapshot();
        let y = snapshot.sensor("y").unwrap();
        [0, 1].map(|f| snapshot.latest.get(y, f).map(|(time, value)| (time.0, value)))
    };
    let expected = [Some((20, 3)), Some((15, 6))];
    assert_eq!(told(&bed), expected);
    bed.restart().await;
    assert_eq!(told(&bed), expected, "saved state and replay");
    bed.flush().await.unwrap();
    bed.lose_log().await;
    assert_eq!(told(&bed), expected, "saved state alone");
    bed.crash();
    std::fs::remove_file(bed.config.data.join("d/state/newest.json")).unwrap();
    bed.open().await.unwrap();
    assert_eq!(told(&bed), expected, "files and late files alone");
}

#[tokio::test]
async fn rule_21_segments_wait_for_saved_state() {
    let mut bed = Bed::of(1).await;
    bed.crash();
    bed.config.segment_bytes = 1024;
    bed.open().await.unwrap();
    for i in 0..100 {
        bed.put(&[("y", i, &[(0, i)])]).await;
    }
    let segments = bed.store().log.stats().segments;
    bed.faults.as_ref().unwrap().plan(crate::fault::Call::Put, "newest.json", 0, 1, crate::fault::Fault::Before);
    bed.flush().await.unwrap_err();
    bed.store().release().await.unwrap();
    assert_eq!(bed.store().log.stats().segments, segments, "raw is past them, latest is not");
    bed.flush().await.unwrap();
    assert_eq!(bed.store().log.stats().segments, 1);
}

#[tokio::test]
async fn rule_22_positions_never_repeat_and_empty_days_have_stamps() {
    let mut bed = Bed::of(1).await;
    let day = |d: i32| schemas::Day(d).span();
    bed.put(&[("y", 10, &[(0, 1)])]).await;
    let one = bed.snapshot().stamp(day(0));
    assert_eq!(one.position, Position(1));
    assert_eq!(bed.snapshot().stamp(day(1)).log, LogId(0), "found empty");
    bed.put(&[("y", DAY, &[(0, 1)])]).await;
    assert_eq!(bed.snapshot().stamp(day(0)), one, "history stays warm while the edge moves");
    bed.flush().await.unwrap();
    let two = bed.snapshot().stamp(day(1));
    bed.restart().await;
    assert_eq!((bed.snapshot().stamp(day(0)), bed.snapshot().stamp(day(1))), (one, two));
    // Acknowledged, never flushed, lost with the log.
    bed.lose_log().await;
    let position = bed.put(&[("y", 11, &[(0, 1)])]).await;
    assert!(position > two.position.0);
    let three = bed.snapshot().stamp(day(0));
    assert!(three.position > two.position && three.log != two.log);
}

#[tokio::test]
async fn rule_24_marks_come_back_from_the_log_and_from_saved_state() {
    let mut bed = Bed::of(1).await;
    let marked = |hash: u64, time: i64| {
        let mut batch = batch(&bed.datasets[0], &[("y", time, &[(0, 1)])]);
        batch.marks.push(schemas::Mark { hash, time: schemas::Time(time) });
        vec![batch]
    };
    let (first, second) = (marked(7, 100), marked(8, 200));
    bed.append(first, Vec::new()).await;
    bed.restart().await;
    let get = |bed: &Bed, hash| crate::intake::lock(&bed.store().intake.desk).marks.get(hash);
    assert_eq!(get(&bed, 7), Some(schemas::Time(100)), "from the log");
    bed.append(second, Vec::new()).await;
    bed.settle().await.unwrap();
    bed.save_desk().await;
    bed.lose_log().await;
    assert_eq!((get(&bed, 7), get(&bed, 8)), (Some(schemas::Time(100)), Some(schemas::Time(200))), "saved");
    assert_eq!(get(&bed, 9), None);
}

#[tokio::test]
async fn a_correction_of_a_filed_reading_arrives_hot() {
    let bed = Bed::of(2).await;
    bed.put(&[("y", 10, &[(0, 1), (1, 50)])]).await;
    bed.flush().await.unwrap();
    bed.put(&[("y", 10, &[(0, 2)])]).await;
    let all = bed.rows().await;
    assert_eq!(all, rows(&[("y", 10, &[2, 50])]), "n stays 1, the other field stays");
    bed.put(&[("y", 11, &[(1, 7)])]).await;
    assert_eq!(bed.rows().await[&("y".to_owned(), 11)], [ABSENT, 7]);
}

#[tokio::test]
async fn a_redelivery_changes_nothing_unless_another_value_came_between() {
    let bed = Bed::of(1).await;
    bed.put(&[("y", 10, &[(0, 1)])]).await;
    bed.put(&[("y", 10, &[(0, 1)])]).await;
    assert_eq!(bed.rows().await, rows(&[("y", 10, &[1])]));
    bed.put(&[("y", 10, &[(0, 2)])]).await;
    bed.flush().await.unwrap();
    bed.put(&[("y", 10, &[(0, 1)])]).await;
    assert_eq!(bed.rows().await, rows(&[("y", 10, &[1])]), "the arrival with the highest position");
    bed.settle().await.unwrap();
    assert_eq!(bed.table_rows().await, rows(&[("y", 10, &[1])]));
}
