//! The traces of `store-rules.md` that concern erasing: E y 5..9 = readings of y from 5 on before 9.

use super::law;
use crate::testing::bed::{ALWAYS, Bed, Rows};
use crate::testing::of_kinds;
use crate::{Kind, points};
use schemas::ABSENT;
use schemas::time::{DAY, HOUR};

fn rows(rows: &[(&str, i64, &[i64])]) -> Rows {
    rows.iter().map(|(s, t, v)| ((s.to_string(), *t), v.to_vec())).collect()
}

fn latest(bed: &Bed, sensor: &str, field: usize) -> Option<(i64, i64)> {
    let snapshot = bed.snapshot();
    snapshot.latest.get(snapshot.sensor(sensor)?, field).map(|(time, value)| (time.0, value))
}

#[tokio::test]
async fn rule_14_an_erasure_takes_what_came_before_it_wherever_that_lies_and_nothing_that_comes_after() {
    for steps in 0..4 {
        let mut bed = Bed::of(1).await;
        bed.put(&[("y", 16, &[(0, 1)]), ("y", 20, &[(0, 1)]), ("z", 16, &[(0, 9)])]).await;
        // Hot, sealed, in a file, or in a late file above one.
        if steps > 0 {
            bed.seal().await.unwrap();
        }
        if steps > 1 {
            bed.flush().await.unwrap();
        }
        if steps > 2 {
            bed.put(&[("y", 16, &[(0, 2)]), ("y", 7, &[(0, 2)])]).await;
            bed.flush().await.unwrap();
        }
        bed.erase("y", (0, 17), &[]).await.unwrap();
        bed.put(&[("y", 5, &[(0, 5)])]).await;
        let expected = rows(&[("y", 5, &[5]), ("y", 20, &[1]), ("z", 16, &[9])]);
        assert_eq!(bed.rows().await, expected, "{steps}: hot");
        bed.seal().await.unwrap();
        assert_eq!(bed.rows().await, expected, "{steps}: sealed");
        bed.restart().await;
        assert_eq!(bed.rows().await, expected, "{steps}: replayed");
        bed.flush().await.unwrap();
        assert_eq!(bed.rows().await, expected, "{steps}: late");
        bed.restart().await;
        assert_eq!(bed.rows().await, expected, "{steps}: read from late files");
        bed.settle().await.unwrap();
        assert_eq!(bed.rows().await, expected, "{steps}: folded");
        assert_eq!(bed.table_rows().await, expected, "{steps}");
        assert_eq!(bed.stored("late").await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn rule_14_its_span_is_cut_at_sealing_so_that_fresh_rows_stay() {
    let mut bed = Bed::of(1).await;
    bed.put(&[("y", 20, &[(0, 1)]), ("y", 10, &[(0, 1)])]).await;
    bed.flush().await.unwrap();
    bed.erase("y", (0, 100), &[]).await.unwrap();
    // Both came after it: one is late, the other fresh and in a file that lies below.
    bed.put(&[("y", 50, &[(0, 2)]), ("y", 10, &[(0, 3)])]).await;
    let expected = rows(&[("y", 10, &[3]), ("y", 50, &[2])]);
    for state in ["hot", "flushed", "restarted", "folded"] {
        assert_eq!(bed.rows().await, expected, "{state}");
        match state {
            "hot" => bed.flush().await.unwrap(),
            "flushed" => bed.restart().await,
            _ => bed.settle().await.unwrap(),
        }
    }
    assert_eq!(bed.table_rows().await, expected);
}

#[tokio::test]
async fn rule_8_an_erasure_lies_where_its_record_stands() {
    let mut bed = Bed::of(2).await;
    bed.put(&[("y", 16, &[(0, 1), (1, 1)]), ("y", 30, &[(0, 1)])]).await;
    bed.flush().await.unwrap();
    bed.put(&[("y", 16, &[(0, 2)])]).await;
    bed.flush().await.unwrap();
    bed.erase("y", (16, 17), &[]).await.unwrap();
    bed.flush().await.unwrap();
    assert_eq!(bed.rows().await, rows(&[("y", 30, &[1, ABSENT])]), "a late file without rows");
    bed.put(&[("y", 16, &[(0, 3)])]).await;
    bed.flush().await.unwrap();
    let expected = rows(&[("y", 16, &[3, ABSENT]), ("y", 30, &[1, ABSENT])]);
    assert_eq!(bed.rows().await, expected, "what was erased does not come back with what is put later");
    bed.restart().await;
    assert_eq!(bed.rows().await, expected);
    bed.settle().await.unwrap();
    assert_eq!(bed.table_rows().await, expected);
}

#[tokio::test]
async fn rule_7_the_end_of_an_erasure_counts_as_filed_when_the_rows_it_took_are_gone() {
    let mut bed = Bed::of(1).await;
    let noons: Vec<i64> = (0..3).map(|day| day * DAY + DAY / 2).collect();
    bed.put(&[("y", noons[0], &[(0, 1)]), ("y", noons[1], &[(0, 1)]), ("y", noons[2], &[(0, 1)])]).await;
    bed.put(&[("z", noons[0], &[(0, 1)])]).await;
    bed.flush().await.unwrap();
    bed.erase("y", (0, 3 * DAY), &[]).await.unwrap();
    bed.flush().await.unwrap();
    // The newest days are folded, the oldest is not; saved state is lost.
    for day in [1, 2] {
        crate::fold::fold(bed.store(), &bed.store().intake.books[0], schemas::Day(day)).await.unwrap();
    }
    bed.put(&[("y", 5, &[(0, 9)])]).await;
    bed.crash();
    std::fs::remove_file(bed.config.data.join("d/state/newest.json")).unwrap();
    bed.open().await.unwrap();
    // Fresh it would lie below the erasure that is in the first day's late file still.
    bed.flush().await.unwrap();
    let expected = rows(&[("y", 5, &[9]), ("z", noons[0], &[1])]);
    assert_eq!(bed.rows().await, expected);
    bed.settle().await.unwrap();
    assert_eq!(bed.table_rows().await, expected);
}

#[tokio::test]
async fn fields_that_are_named_lose_their_values_and_rows_without_any_go() {
    let mut bed = Bed::of(2).await;
    bed.put(&[("y", 10, &[(0, 1), (1, 2)]), ("y", 11, &[(0, 3)]), ("y", 12, &[(1, 4)])]).await;
    bed.flush().await.unwrap();
    bed.put(&[("y", 11, &[(1, 5)]), ("y", 13, &[(0, 6)])]).await;
    bed.erase("y", (0, 100), &[0]).await.unwrap();
    let expected = rows(&[("y", 10, &[ABSENT, 2]), ("y", 11, &[ABSENT, 5]), ("y", 12, &[ABSENT, 4])]);
    assert_eq!(bed.rows().await, expected);
    let snapshot = bed.snapshot();
    let y = snapshot.sensor("y").unwrap();
    // Whether a row stays does not depend on which fields are asked for.
    for fields in [&[][..], &[0], &[1]] {
        let mut times = Vec::new();
        let loaded = snapshot.load(ALWAYS, None, fields).await.unwrap();
        loaded.series(y, &mut |series| times = series.time.to_vec());
        assert_eq!(times, [10, 11, 12], "{fields:?}");
    }
    bed.flush().await.unwrap();
    assert_eq!(bed.rows().await, expected);
    bed.restart().await;
    bed.settle().await.unwrap();
    assert_eq!(bed.table_rows().await, expected);
}

#[tokio::test]
async fn a_file_left_without_rows_leaves_the_table() {
    let bed = Bed::of(1).await;
    bed.put(&[("y", 10, &[(0, 1)]), ("y", DAY + 10, &[(0, 1)])]).await;
    bed.flush().await.unwrap();
    bed.erase("y", (0, DAY), &[]).await.unwrap();
    bed.settle().await.unwrap();
    let table = bed.store().intake.books[0].table.lock().await;
    assert_eq!(table.files().keys().map(|name| name.day.0).collect::<Vec<_>>(), [1]);
    drop(table);
    assert_eq!(bed.snapshot().days(ALWAYS), [schemas::Day(1)]);
}

#[tokio::test]
async fn rule_2_an_erasure_makes_its_windows_dirty_until_the_tiers_have_it() {
    let mut bed = Bed::new(vec![of_kinds("Europe/Prague")]).await;
    let mut truth = Rows::new();
    for hour in 0..72 {
        for sensor in ["x", "z"] {
            let values = [(0, hour), (1, hour), (2, hour), (3, hour % 3), (4, hour), (5, hour)];
            bed.put(&[(sensor, hour * HOUR, &values)]).await;
            truth.insert((sensor.to_owned(), hour * HOUR), values.iter().map(|v| v.1).collect());
        }
    }
    bed.settle().await.unwrap();
    law::check(&bed, &truth).await;
    let quarters = async |bed: &Bed| bed.snapshot().dirty(ALWAYS, None).await.unwrap().quarters().len();
    let clean = quarters(&bed).await;
    bed.erase("x", (30 * HOUR, 31 * HOUR + 1), &[]).await.unwrap();
    bed.erase("z", (40 * HOUR, 41 * HOUR), &[0, 4]).await.unwrap();
    truth.retain(|(sensor, time), _| sensor != "x" || !(30 * HOUR..31 * HOUR + 1).contains(time));
    let row = truth.get_mut(&("z".to_owned(), 40 * HOUR)).unwrap();
    (row[0], row[4]) = (ABSENT, ABSENT);
    for state in ["hot", "sealed", "late", "folded", "restarted"] {
        match state {
            "hot" => {}
            "sealed" => bed.seal().await.unwrap(),
            "late" => bed.flush().await.unwrap(),
            "folded" => bed.fold().await.unwrap(),
            _ => bed.restart().await,
        }
        assert_eq!(bed.rows().await, truth, "{state}");
        law::check(&bed, &truth).await;
        assert_eq!(quarters(&bed).await, clean + 5 + 4, "{state}");
    }
    bed.refresh().await.unwrap();
    law::check(&bed, &truth).await;
    assert_eq!(quarters(&bed).await, clean);
    assert_eq!(bed.table_rows().await, truth);
}

#[tokio::test]
async fn rule_14_a_crash_anywhere_leaves_the_erasure_in_force_and_done_once() {
    for point in points::ALL {
        let mut bed = Bed::new(vec![of_kinds("Europe/Prague")]).await;
        let mut truth = Rows::new();
        for hour in 0..60 {
            let values = [(0, hour), (1, hour), (2, hour), (3, hour % 3), (4, hour), (5, hour)];
            bed.put(&[("x", hour * HOUR, &values)]).await;
            truth.insert(("x".to_owned(), hour * HOUR), values.iter().map(|v| v.1).collect::<Vec<_>>());
        }
        bed.settle().await.unwrap();
        bed.erase("x", (10 * HOUR, 40 * HOUR), &[]).await.unwrap();
        bed.put(&[("x", 20 * HOUR, &[(0, 7)])]).await;
        truth.retain(|(_, time), _| !(10 * HOUR..40 * HOUR).contains(time));
        truth.insert(("x".to_owned(), 20 * HOUR), vec![7, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT]);
        bed.crash_at(Some(point));
        let _ = bed.settle().await;
        bed.restart().await;
        assert_eq!(bed.rows().await, truth, "{point}");
        law::check(&bed, &truth).await;
        bed.settle().await.unwrap();
        law::check(&bed, &truth).await;
        assert_eq!(bed.table_rows().await, truth, "{point}");
        assert_eq!(bed.stored("late").await, Vec::<String>::new(), "{point}");
    }
}

#[tokio::test]
async fn rule_21_an_erased_newest_value_falls_back_to_what_is_left() {
    let mut bed = Bed::of(2).await;
    bed.put(&[("y", 10, &[(0, 1), (1, 5)]), ("y", DAY, &[(0, 2)])]).await;
    bed.flush().await.unwrap();
    bed.put(&[("y", DAY + 1, &[(0, 3)]), ("y", DAY + 2, &[(0, 4)])]).await;
    bed.erase("y", (DAY + 2, DAY + 9), &[]).await.unwrap();
    assert_eq!(latest(&bed, "y", 0), Some((DAY + 1, 3)), "hot");
    bed.erase("y", (DAY, DAY + 9), &[0]).await.unwrap();
    let expected = [Some((10, 1)), Some((10, 5))];
    let told = |bed: &Bed| [0, 1].map(|field| latest(bed, "y", field));
    assert_eq!(told(&bed), expected, "in a file of another day");
    bed.restart().await;
    assert_eq!(told(&bed), expected, "replayed");
    bed.flush().await.unwrap();
    bed.lose_log().await;
    assert_eq!(told(&bed), expected, "saved");
    bed.crash();
    std::fs::remove_file(bed.config.data.join("d/state/newest.json")).unwrap();
    bed.open().await.unwrap();
    assert_eq!(told(&bed), expected, "files and late files alone");
    bed.settle().await.unwrap();
    bed.erase("y", (0, 11), &[]).await.unwrap();
    assert_eq!(told(&bed), [None, None]);
    assert_eq!(bed.snapshot().registry.get("y").unwrap().since.unwrap().0, 10, "it stood there all the same");
    bed.put(&[("y", 3, &[(0, 8)])]).await;
    assert_eq!(told(&bed), [Some((3, 8)), None]);
}

#[tokio::test]
async fn rule_21_an_erased_newest_value_does_not_come_back_when_the_log_goes_before_state_was_saved() {
    let mut bed = Bed::of(1).await;
    bed.put(&[("y", 10, &[(0, 1)]), ("y", 20, &[(0, 2)])]).await;
    bed.flush().await.unwrap();
    bed.erase("y", (20, 21), &[]).await.unwrap();
    bed.crash_at(Some("flush.commit"));
    bed.flush().await.unwrap_err();
    bed.restart().await;
    let _ = bed.fold().await;
    bed.lose_log().await;
    assert_eq!(latest(&bed, "y", 0), Some((10, 1)));
    bed.settle().await.unwrap();
    assert_eq!(bed.table_rows().await, rows(&[("y", 10, &[1])]));
}

#[tokio::test]
async fn rule_18_what_is_not_known_is_refused_before_the_log() {
    let bed = Bed::of(1).await;
    let position = bed.put(&[("y", 10, &[(0, 1)])]).await;
    let unknown = bed.erase("nobody", (0, 100), &[]).await.unwrap_err();
    assert_eq!(unknown.kind, Kind::Unknown);
    assert_eq!(unknown.message, "no sensor \"nobody\" in dataset \"d\"");
    assert_eq!(bed.erase("y", (5, 5), &[]).await.unwrap_err().kind, Kind::Mismatch, "an empty span");
    let one = crate::Erasure { dataset: "x".into(), ..bed.erasure("y", (0, 100), &[]) };
    assert_eq!(crate::act::erase(bed.store(), one).await.unwrap_err().kind, Kind::Unknown);
    let one = crate::Erasure { fields: vec!["f9".into()], ..bed.erasure("y", (0, 100), &[]) };
    let unknown = crate::act::erase(bed.store(), one).await.unwrap_err();
    assert_eq!(unknown.message, "no field \"f9\" in dataset \"d\"; there are: f0");
    assert_eq!(bed.store().log.stats().last.0, position, "nothing was logged");
    assert_eq!(crate::act::preview(bed.store(), &bed.erasure("y", (0, 100), &[])).await.unwrap().rows, 1);
}

#[tokio::test]
async fn a_day_that_changes_by_an_erasure_gets_a_new_stamp_and_others_do_not() {
    let bed = Bed::of(1).await;
    bed.put(&[("y", 10, &[(0, 1)]), ("y", DAY, &[(0, 1)])]).await;
    let stamp = |day: i32| bed.snapshot().stamp(schemas::Day(day).span()).position.0;
    let position = bed.erase("y", (DAY, 5 * DAY), &[]).await.unwrap();
    assert_eq!((stamp(0), stamp(1), stamp(2)), (1, position, 0));
}

#[tokio::test]
async fn each_act_is_in_the_audit_log_once() {
    let mut bed = Bed::of(1).await;
    bed.put(&[("y", 10, &[(0, 1)]), ("y", 20, &[(0, 2)])]).await;
    for (from, to) in [(0, 15), (15, 30)] {
        bed.erase("y", (from, to), &[]).await.unwrap();
        bed.restart().await;
    }
    let acts = |bed: &Bed| {
        let objects = bed.store().objects.clone();
        async move { crate::audit::read(&*objects).await.unwrap() }
    };
    bed.save_desk().await;
    let told = acts(&bed).await;
    let all: Vec<_> = told.iter().map(|act| (act.who.as_str(), act.sensor.as_str(), act.position.0)).collect();
    assert_eq!(all, [("tester", "y", 2), ("tester", "y", 3)]);
    bed.settle().await.unwrap();
    bed.lose_log().await;
    bed.save_desk().await;
    assert_eq!(acts(&bed).await, told);
}

/// Drops the raw rows of a day, as retention does.
async fn drop_day(bed: &Bed, day: schemas::Day) {
    let book = &bed.store().intake.books[0];
    let mut table = book.table.lock().await;
    let commit = crate::table::Commit {
        removes: table.files().keys().filter(|name| name.day == day).copied().collect(),
        transactions: vec![(crate::table::App::Gone(day), crate::intake::lock(&book.holding).position)],
        data_change: true,
        ..Default::default()
    };
    table.commit(&commit).await.unwrap();
    book.change(|holding| {
        std::sync::Arc::make_mut(&mut holding.shelf).take_over(&table);
        holding.changed();
    });
}

/// Rows of a sensor in each tier: starts of windows.
async fn windows(bed: &Bed, sensor: &str) -> [Vec<i64>; 3] {
    let snapshot = bed.snapshot();
    let sensor = snapshot.sensor(sensor).unwrap();
    let mut found = [const { Vec::new() }; 3];
    for tier in crate::Tier::ALL {
        for rollup in snapshot.load_tier(tier, ALWAYS, None, &[]).await.unwrap() {
            found[tier as usize].extend(rollup.keys.rows(sensor).map(|row| rollup.keys.time[row]));
        }
        found[tier as usize].sort_unstable();
    }
    found
}

#[tokio::test]
async fn rule_15_where_raw_is_gone_an_erasure_takes_whole_windows_out_of_the_tiers() {
    for point in [None, Some("tier.commit"), Some("refresh.remove")] {
        let mut bed = Bed::new(vec![of_kinds("Europe/Prague")]).await;
        for hour in 0..96 {
            for sensor in ["x", "z"] {
                let values = [(0, hour), (1, hour), (2, hour), (3, hour % 3), (4, hour), (5, hour)];
                bed.put(&[(sensor, hour * HOUR, &values)]).await;
            }
        }
        bed.settle().await.unwrap();
        drop_day(&bed, schemas::Day(1)).await;
        let (before, other) = (windows(&bed, "x").await, windows(&bed, "z").await);
        // One hour of the day that is gone: its whole civil day goes, 23:00 to 23:00 UTC.
        let asked = bed.erasure("x", (30 * HOUR, 31 * HOUR), &[]);
        let preview = crate::act::preview(bed.store(), &asked).await.unwrap();
        assert_eq!((preview.span.from.0, preview.span.to.0), (23 * HOUR, 47 * HOUR));
        assert!(preview.frozen);
        assert_eq!((preview.rows, preview.tiers.len()), (1, 3), "the hour before midnight is there still");
        bed.erase("x", (30 * HOUR, 31 * HOUR), &[]).await.unwrap();
        // Of another sensor's next civil day one field goes.
        bed.erase("z", (47 * HOUR, 71 * HOUR), &[0]).await.unwrap();
        bed.crash_at(point);
        let _ = bed.settle().await;
        bed.restart().await;
        bed.settle().await.unwrap();
        let left = |starts: &[i64]| -> Vec<i64> {
            starts.iter().copied().filter(|start| !(23 * HOUR..47 * HOUR).contains(start)).collect()
        };
        assert_eq!(windows(&bed, "x").await, before.map(|starts| left(&starts)), "{point:?}");
        assert_eq!(windows(&bed, "z").await, other, "{point:?}");
        let snapshot = bed.snapshot();
        let columns = crate::tier::columns::columns(&snapshot.dataset, crate::Tier::Hour);
        let all: Vec<usize> = (0..columns.len()).collect();
        let rollups = snapshot.load_tier(crate::Tier::Hour, ALWAYS, None, &all).await.unwrap();
        let z = snapshot.sensor("z").unwrap();
        for (rollup, row) in rollups.iter().flat_map(|rollup| rollup.keys.rows(z).map(move |row| (rollup, row))) {
            let erased = (47 * HOUR..71 * HOUR).contains(&rollup.keys.time[row]);
            for (number, column) in columns.iter().enumerate().filter(|(_, c)| c.part == crate::tier::columns::Part::N)
            {
                let n = rollup.columns[number].as_ref().unwrap().long(row);
                assert_eq!(n, i64::from(!(erased && column.field == 0)), "{column:?}");
            }
        }
        assert!(bed.snapshot().dirty(ALWAYS, None).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn rule_21_the_newest_value_left_may_be_a_tiers_last() {
    let mut bed = Bed::new(vec![of_kinds("UTC")]).await;
    for day in 0..4 {
        let values = [(0, day), (1, day), (2, day), (3, 0), (4, day), (5, day)];
        bed.put(&[("x", day * DAY + HOUR, &values)]).await;
    }
    bed.put(&[("z", 5 * DAY, &[(0, 1)])]).await;
    bed.settle().await.unwrap();
    for day in 0..3 {
        drop_day(&bed, schemas::Day(day)).await;
    }
    bed.erase("x", (3 * DAY, 4 * DAY), &[]).await.unwrap();
    assert_eq!(latest(&bed, "x", 1), Some((2 * DAY + HOUR, 2)));
    bed.erase("x", (2 * DAY, 3 * DAY), &[]).await.unwrap();
    let expected = Some((DAY + HOUR, 1));
    assert_eq!(latest(&bed, "x", 1), expected, "the tier has it still, and it counts no more");
    bed.settle().await.unwrap();
    bed.restart().await;
    assert_eq!(latest(&bed, "x", 1), expected);
}
