//! Crashes at named points, lost folders, doubtful commits.

use crate::fault::{Call, Fault};
use crate::testing::bed::Rows;
use crate::testing::{Bed, batch, noon};
use crate::{Kind, Position};
use schemas::time::DAY;
use schemas::{Reason, Reject, Time};

fn rows(rows: &[(&str, i64, i64)]) -> Rows {
    rows.iter().map(|(s, t, v)| ((s.to_string(), *t), vec![*v])).collect()
}

fn reject(topic: &str) -> Reject {
    Reject {
        source: "d/0".into(),
        topic: topic.into(),
        hash: 1,
        reason: Reason::InvalidPayload,
        field: "".into(),
        detail: "not JSON".into(),
        payload: b"\xff{".to_vec(),
        time: noon(),
    }
}

#[tokio::test]
async fn killed_between_file_and_commit_the_rows_are_replayed() {
    let mut bed = Bed::of(1).await;
    bed.put(&[("y", 10, &[(0, 1)]), ("z", 10, &[(0, 2)])]).await;
    bed.crash_at(Some("seal.file"));
    bed.flush().await.unwrap_err();
    bed.crash();
    assert_eq!(bed.stored("raw").await.len(), 1);
    bed.open().await.unwrap();
    assert_eq!(bed.stored("raw").await, Vec::<String>::new(), "the orphan is gone");
    assert_eq!(bed.rows().await, rows(&[("y", 10, 1), ("z", 10, 2)]));
    bed.settle().await.unwrap();
    assert_eq!(bed.table_rows().await, rows(&[("y", 10, 1), ("z", 10, 2)]));
}

#[tokio::test]
async fn killed_after_the_commit_nothing_is_doubled() {
    for point in ["flush.commit", "flush.state", "log.release"] {
        let mut bed = Bed::of(1).await;
        bed.crash();
        bed.config.segment_bytes = 1024;
        bed.open().await.unwrap();
        for i in 0..100 {
            bed.put(&[("y", i, &[(0, i)])]).await;
        }
        bed.crash_at(Some(point));
        bed.flush().await.unwrap_err();
        bed.restart().await;
        // The segment written last stays, and the restart began another.
        assert_eq!(bed.store().log.stats().segments > 2, point != "log.release", "{point}");
        let hot = crate::intake::lock(&bed.store().intake.books[0].holding).hot.rows();
        assert_eq!(hot, 0, "{point}: rows that are filed are not hot too");
        let expected: Vec<_> = (0..100).map(|i| ("y", i, i)).collect();
        assert_eq!(bed.rows().await, rows(&expected));
        assert_eq!(bed.snapshot().latest.get(0, 0), Some((Time(99), 99)));
        bed.put(&[("y", 50, &[(0, 7)])]).await;
        bed.settle().await.unwrap();
        assert_eq!(bed.table_rows().await.len(), 100);
        assert_eq!(bed.store().log.stats().segments, 1, "{point}");
    }
}

#[tokio::test]
async fn a_commit_that_stands_though_it_answered_an_error_is_not_repeated() {
    for fault in [Fault::After, Fault::Before, Fault::Twice] {
        let mut bed = Bed::of(1).await;
        bed.put(&[("y", 10, &[(0, 1)])]).await;
        bed.flush().await.unwrap();
        bed.put(&[("y", 20, &[(0, 2)]), ("y", 10, &[(0, 3)])]).await;
        let faults = bed.faults.clone().unwrap();
        faults.plan(Call::Put, "_delta_log", 0, 1, fault);
        faults.plan(Call::Get, "_delta_log", 0, 1, Fault::Before);
        // The store cannot know; the next flush, with more rows, must find out.
        let first = bed.flush().await;
        bed.put(&[("y", 30, &[(0, 4)])]).await;
        faults.heal();
        assert_eq!(bed.rows().await.len(), 3, "{fault:?} {first:?}");
        bed.flush().await.unwrap();
        let expected = rows(&[("y", 10, 3), ("y", 20, 2), ("y", 30, 4)]);
        assert_eq!(bed.rows().await, expected, "{fault:?}");
        bed.restart().await;
        assert_eq!(bed.rows().await, expected, "{fault:?}");
        bed.settle().await.unwrap();
        assert_eq!(bed.table_rows().await, expected, "{fault:?}");
    }
}

#[tokio::test]
async fn a_fold_whose_commit_stands_though_it_answered_an_error_is_found_out() {
    let bed = Bed::of(1).await;
    bed.put(&[("y", 10, &[(0, 1)])]).await;
    bed.flush().await.unwrap();
    bed.put(&[("y", 10, &[(0, 2)]), ("y", 5, &[(0, 5)])]).await;
    bed.flush().await.unwrap();
    let faults = bed.faults.clone().unwrap();
    faults.plan(Call::Put, "_delta_log", 0, 1, Fault::After);
    faults.plan(Call::Get, "_delta_log", 0, 1, Fault::Before);
    let _ = bed.fold().await;
    faults.heal();
    bed.put(&[("y", 10, &[(0, 3)])]).await;
    bed.flush().await.unwrap();
    let expected = rows(&[("y", 5, 5), ("y", 10, 3)]);
    assert_eq!(bed.rows().await, expected);
    // A fold planned on what was true before may be refused once; then it is planned anew.
    if bed.settle().await.is_err() {
        bed.settle().await.unwrap();
    }
    assert_eq!(bed.table_rows().await, expected);
}

#[tokio::test]
async fn a_flush_whose_commit_a_fold_found_to_stand_is_not_repeated() {
    // The fold of a second day may replace a file of that commit before the flush comes again.
    for late in [&[("y", 10, 2)][..], &[("y", 10, 2), ("y", DAY, 7)]] {
        let mut bed = Bed::of(1).await;
        bed.put(&[("y", 10, &[(0, 1)]), ("z", 10, &[(0, 1)]), ("y", 3 * DAY, &[(0, 1)])]).await;
        bed.flush().await.unwrap();
        for &(sensor, time, value) in late {
            bed.put(&[(sensor, time, &[(0, value)])]).await;
        }
        bed.flush().await.unwrap();
        bed.put(&[("x", DAY + 5, &[(0, 3)]), ("z", 10, &[(0, 4)])]).await;
        let faults = bed.faults.clone().unwrap();
        faults.plan(Call::Put, "_delta_log", 0, 1, Fault::After);
        faults.plan(Call::Get, "_delta_log", 0, 1, Fault::Before);
        bed.flush().await.unwrap_err();
        faults.heal();
        bed.fold().await.unwrap();
        let mut expected = rows(&[("x", DAY + 5, 3), ("y", 3 * DAY, 1), ("z", 10, 4)]);
        expected.extend(rows(late));
        assert_eq!(bed.rows().await, expected);
        bed.put(&[("y", 4 * DAY, &[(0, 5)])]).await;
        bed.flush().await.unwrap();
        bed.restart().await;
        bed.settle().await.unwrap();
        expected.extend(rows(&[("y", 4 * DAY, 5)]));
        assert_eq!(bed.rows().await, expected);
        assert_eq!(bed.table_rows().await, expected);
    }
}

#[tokio::test]
async fn a_fold_that_fails_half_way_leaves_nothing_behind() {
    let bed = Bed::of(1).await;
    for sensor in ["y", "z"] {
        bed.put(&[(sensor, 10, &[(0, 1)])]).await;
        bed.flush().await.unwrap();
    }
    bed.put(&[("y", 10, &[(0, 2)]), ("z", 10, &[(0, 2)])]).await;
    bed.flush().await.unwrap();
    let before = bed.stored("raw").await;
    assert_eq!(before.len(), 2);
    let faults = bed.faults.clone().unwrap();
    for _ in 0..3 {
        faults.plan(Call::Put, "raw/day=", 1, 1, Fault::Before);
        bed.fold().await.unwrap_err();
        faults.heal();
        assert_eq!(bed.stored("raw").await, before);
    }
    bed.settle().await.unwrap();
    assert_eq!(bed.table_rows().await, rows(&[("y", 10, 2), ("z", 10, 2)]));
}

#[tokio::test]
async fn a_failed_flush_keeps_every_row_readable_and_is_tried_again() {
    let bed = Bed::of(1).await;
    bed.put(&[("y", 10, &[(0, 1)])]).await;
    let faults = bed.faults.clone().unwrap();
    for part in ["raw/day=", "_delta_log", "newest.json"] {
        faults.plan(Call::Put, part, 0, 1, Fault::Before);
        let _ = bed.flush().await;
        assert_eq!(bed.rows().await, rows(&[("y", 10, 1)]), "{part}");
    }
    bed.put(&[("y", 10, &[(0, 2)])]).await;
    faults.heal();
    bed.settle().await.unwrap();
    assert_eq!(bed.table_rows().await, rows(&[("y", 10, 2)]));
}

#[tokio::test]
async fn a_new_log_folder_in_front_of_old_tables_goes_on() {
    let mut bed = Bed::of(1).await;
    for i in 0..5 {
        bed.put(&[("y", i, &[(0, i)])]).await;
        bed.flush().await.unwrap();
    }
    bed.put(&[("y", 2, &[(0, 20)])]).await;
    bed.flush().await.unwrap();
    bed.lose_log().await;
    let position = bed.put(&[("y", 3, &[(0, 30)]), ("y", 9, &[(0, 9)])]).await;
    assert!(position > 6, "above every position known, not only those of the new log");
    let expected = rows(&[("y", 0, 0), ("y", 1, 1), ("y", 2, 20), ("y", 3, 30), ("y", 4, 4), ("y", 9, 9)]);
    assert_eq!(bed.rows().await, expected);
    bed.restart().await;
    assert_eq!(bed.rows().await, expected);
    bed.settle().await.unwrap();
    assert_eq!(bed.table_rows().await, expected);
    let raw = crate::book::filed(&*bed.store().intake.books[0].table.lock().await);
    assert_eq!(raw.len(), 2, "each log has its own position");
    assert_eq!(raw.values().max(), Some(&Position(position)));
}

/// The segments of the log, oldest first.
fn segments(bed: &Bed) -> Vec<std::path::PathBuf> {
    let found = std::fs::read_dir(&bed.config.log).unwrap().map(|entry| entry.unwrap().path());
    let mut segments: Vec<_> = found.filter(|path| path.extension().is_some_and(|e| e == "log")).collect();
    segments.sort();
    segments
}

/// A store of small segments.
async fn small(datasets: Vec<std::sync::Arc<schemas::Dataset>>) -> Bed {
    let mut bed = Bed::new(datasets).await;
    bed.crash();
    bed.config.segment_bytes = 1024;
    bed.open().await.unwrap();
    bed
}

#[tokio::test]
async fn segments_that_went_with_records_above_the_flush_stop_the_start() {
    for flushed in [false, true] {
        let mut bed = small(vec![crate::testing::dataset("d", 1)]).await;
        for i in 0..100 {
            if flushed && i == 50 {
                bed.flush().await.unwrap();
            }
            bed.put(&[("y", i, &[(0, i)])]).await;
        }
        bed.crash();
        let mut gone = segments(&bed);
        gone.pop();
        assert!(gone.len() > 1);
        let kept: Vec<_> = gone.iter().map(|path| std::fs::read(path).unwrap()).collect();
        gone.iter().for_each(|path| std::fs::remove_file(path).unwrap());
        let refused = bed.open().await.expect_err("acknowledged rows are gone");
        assert_eq!(refused.kind, Kind::Corrupt, "{refused}");
        let reached = if flushed { 50 } else { 0 };
        assert!(refused.message.contains(&format!("the data of d has come to position {reached} only")), "{refused}");
        gone.iter().zip(kept).for_each(|(path, bytes)| std::fs::write(path, bytes).unwrap());
        bed.open().await.unwrap();
        assert_eq!(bed.rows().await.len(), 100);
    }
}

#[tokio::test]
async fn a_data_folder_older_than_the_log_stops_the_start() {
    let mut bed = small(vec![crate::testing::dataset("d", 1)]).await;
    for i in 0..100 {
        bed.put(&[("y", i, &[(0, i)])]).await;
    }
    bed.flush().await.unwrap();
    assert_eq!(bed.store().log.stats().segments, 1);
    bed.crash();
    std::fs::remove_dir_all(&bed.config.data).unwrap();
    let refused = bed.open().await.expect_err("the rows are nowhere");
    assert_eq!(refused.kind, Kind::Corrupt, "{refused}");
}

#[tokio::test]
async fn a_dataset_may_come_back_after_the_log_went_on_without_it() {
    let both = vec![crate::testing::dataset("d", 1), crate::testing::dataset("other", 1)];
    let mut bed = small(both.clone()).await;
    bed.append(vec![batch(&both[1], &[("s", 1, &[(0, 1)])])], Vec::new()).await;
    bed.put(&[("y", 0, &[(0, 0)])]).await;
    bed.flush().await.unwrap();
    bed.crash();
    bed.datasets.pop();
    bed.open().await.unwrap();
    for i in 1..=100 {
        bed.put(&[("y", i, &[(0, i)])]).await;
    }
    bed.flush().await.unwrap();
    assert_eq!(bed.store().log.stats().segments, 1);
    bed.crash();
    bed.datasets = both;
    bed.datasets.push(crate::testing::dataset("new", 1));
    bed.open().await.unwrap();
    assert_eq!(bed.rows().await.len(), 101);
}

#[tokio::test]
async fn a_log_that_lost_all_its_segments_is_another_log() {
    let mut bed = Bed::of(1).await;
    bed.put(&[("y", 10, &[(0, 1)])]).await;
    bed.flush().await.unwrap();
    bed.put(&[("y", 10, &[(0, 2)])]).await;
    let day = schemas::Day(0).span();
    let lost = bed.snapshot().stamp(day);
    bed.crash();
    segments(&bed).iter().for_each(|path| std::fs::remove_file(path).unwrap());
    let error = bed.open().await.unwrap_err();
    assert!(error.kind == Kind::Corrupt && error.message.contains("the newest segment is gone"), "{error}");
    // Of an older version there is no note that could tell.
    std::fs::remove_file(bed.config.log.join("newest")).unwrap();
    bed.open().await.unwrap();
    bed.put(&[("y", 10, &[(0, 3)])]).await;
    assert_ne!(bed.snapshot().stamp(day), lost, "a stamp names one content of a day for ever");
}

#[tokio::test]
async fn reject_counts_are_exact_over_crashes() {
    let mut bed = Bed::of(1).await;
    let told = |bed: &Bed| {
        let rows = crate::intake::lock(&bed.store().intake.desk).rejects.rows();
        rows.into_iter().map(|r| (r.first.topic.to_string(), r.count, r.first.payload)).collect::<Vec<_>>()
    };
    bed.append(Vec::new(), vec![reject("a"), reject("a")]).await;
    bed.restart().await;
    bed.save_desk().await;
    bed.append(Vec::new(), vec![reject("a")]).await;
    for _ in 0..2 {
        bed.restart().await;
        assert_eq!(told(&bed), [("a".to_owned(), 3, b"\xff{".to_vec())]);
    }
    bed.save_desk().await;
    bed.lose_log().await;
    assert_eq!(told(&bed)[0].1, 3);
}

#[tokio::test]
async fn notes_and_sensors_survive_a_crash_between_commit_and_saved_state() {
    let mut bed = Bed::of(1).await;
    let mut one = batch(&bed.datasets[0], &[("y", 10, &[(0, 1)])]);
    one.notes.push(schemas::Note {
        sensor: "y".into(),
        time: Time(10),
        place: schemas::Place::new(14.1, 49.3),
        attributes: Default::default(),
        every: None,
    });
    bed.append(vec![one], Vec::new()).await;
    bed.crash_at(Some("flush.commit"));
    bed.flush().await.unwrap_err();
    bed.restart().await;
    let place = |bed: &Bed| bed.snapshot().registry.get("y").and_then(|s| s.place_at(Time(0)));
    assert_eq!(place(&bed), schemas::Place::new(14.1, 49.3));
    bed.flush().await.unwrap();
    bed.restart().await;
    assert_eq!(place(&bed), schemas::Place::new(14.1, 49.3));
}

#[tokio::test]
async fn pressure_and_closing_have_their_own_answers() {
    let mut bed = Bed::of(1).await;
    bed.crash();
    bed.config.hot_bytes = 32;
    bed.open().await.unwrap();
    let put = async |bed: &Bed| {
        let batch = batch(
            &bed.datasets[0],
            &[("y", 10, &[(0, 1)]), ("y", 11, &[(0, 1)]), ("y", 12, &[(0, 1)]), ("y", 13, &[])],
        );
        let append = crate::Append { batches: vec![batch], rejects: Vec::new() };
        crate::writer::append_to(bed.store(), append).await
    };
    put(&bed).await.unwrap();
    assert_eq!(put(&bed).await.unwrap_err().kind, Kind::Busy);
    bed.flush().await.unwrap();
    put(&bed).await.unwrap();
    let unknown = batch(&crate::testing::dataset("nobody", 1), &[]);
    let append = crate::Append { batches: vec![unknown], rejects: Vec::new() };
    assert_eq!(crate::writer::append_to(bed.store(), append).await.unwrap_err().kind, Kind::Unknown);
}

#[tokio::test]
async fn maintenance_flushes_and_folds_by_itself_and_closing_gives_the_folders_back() {
    let folder = tempfile::TempDir::new().unwrap();
    let mut config = crate::Config::new(folder.path().join("log"), folder.path().join("data"));
    config.flush_age = std::time::Duration::from_millis(20);
    config.reserve_bytes = 0;
    let d = crate::testing::dataset("d", 1);
    let since = std::time::Instant::now();
    let clock: crate::Clock = std::sync::Arc::new(move || noon().plus(since.elapsed().as_micros() as i64));
    let (writer, reader) = crate::open(config.clone(), vec![d.clone()], clock.clone()).await.unwrap();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    for value in 1..=2 {
        let batches = vec![batch(&d, &[("y", 10, &[(0, value)])])];
        writer.append(crate::Append { batches, rejects: Vec::new() }).await.unwrap();
        let want =
            |s: &crate::DatasetStatus| s.hot_rows == 0 && s.sealed_files == 0 && s.late_files == 0 && s.files == 1;
        while !reader.status().datasets.iter().all(want) {
            assert!(std::time::Instant::now() < deadline, "{:?}", reader.status());
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(crate::testing::bed::rows_of(&reader.snapshot("d").unwrap()).await, rows(&[("y", 10, 2)]));
    let again = crate::open(config.clone(), vec![d.clone()], clock.clone()).await;
    assert_eq!(again.err().map(|e| e.kind), Some(Kind::Locked));
    writer.close().await.unwrap();
    let batches = vec![batch(&d, &[("y", 11, &[(0, 1)])])];
    let closed = writer.append(crate::Append { batches, rejects: Vec::new() }).await;
    assert_eq!(closed.err().map(|e| e.kind), Some(Kind::Closed));
    let (writer, reader) = crate::open(config, vec![d], clock).await.unwrap();
    assert_eq!(crate::testing::bed::rows_of(&reader.snapshot("d").unwrap()).await, rows(&[("y", 10, 2)]));
    writer.close().await.unwrap();
}

#[tokio::test]
async fn a_contract_may_change_its_meaning_until_a_row_is_logged() {
    let mut bed = Bed::of(1).await;
    let unit = |code: &str, scale: u8| {
        let mut dataset = (*crate::testing::dataset("d", 1)).clone();
        dataset.fields[0].unit.code = code.into();
        dataset.fields[0].resolution = schemas::Resolution::of_scale(scale).unwrap();
        std::sync::Arc::new(dataset)
    };
    bed.crash();
    bed.datasets = vec![unit("ppm", 2)];
    bed.open().await.unwrap();
    bed.put(&[("y", 10, &[(0, 1)])]).await;
    for flushed in [false, true] {
        if flushed {
            bed.flush().await.unwrap();
        }
        bed.crash();
        bed.datasets = vec![unit("mg", 2)];
        let refused = bed.open().await.expect_err("it would reinterpret the row");
        assert_eq!(refused.kind, Kind::Mismatch, "{refused}");
        bed.datasets = vec![unit("ppm", 2)];
        bed.open().await.unwrap();
        assert_eq!(bed.rows().await, rows(&[("y", 10, 1)]));
    }
}

#[tokio::test]
async fn a_contract_may_gain_fields_and_name_them_in_another_order() {
    let mut bed = Bed::of(1).await;
    bed.put(&[("y", 10, &[(0, 1)]), ("y", 20, &[(0, 2)])]).await;
    bed.flush().await.unwrap();
    bed.put(&[("y", 10, &[(0, 3)])]).await;
    bed.flush().await.unwrap();
    bed.put(&[("y", 30, &[(0, 4)])]).await;
    bed.crash();
    let mut grown = (*crate::testing::dataset("d", 2)).clone();
    grown.fields.reverse();
    bed.datasets = vec![std::sync::Arc::new(grown)];
    bed.open().await.unwrap();
    let expected = |rows: &[(i64, [i64; 2])]| -> Rows {
        rows.iter().map(|(time, values)| (("y".to_owned(), *time), values.to_vec())).collect()
    };
    let none = schemas::ABSENT;
    let first = expected(&[(10, [none, 3]), (20, [none, 2]), (30, [none, 4])]);
    assert_eq!(bed.rows().await, first, "file, late file and log");
    assert_eq!(bed.snapshot().latest.get(0, 1), Some((Time(30), 4)));
    bed.put(&[("y", 10, &[(0, 9)])]).await;
    let last = expected(&[(10, [9, 3]), (20, [none, 2]), (30, [none, 4])]);
    assert_eq!(bed.rows().await, last);
    bed.settle().await.unwrap();
    bed.restart().await;
    assert_eq!(bed.rows().await, last);
    assert_eq!(bed.table_rows().await, last);
    assert_eq!(bed.snapshot().latest.get(0, 0), Some((Time(10), 9)));
}

#[tokio::test]
async fn rows_on_their_way_into_files_are_told_of() {
    let bed = Bed::of(1).await;
    bed.put(&[("y", 10, &[(0, 1)])]).await;
    bed.faults.as_ref().unwrap().plan(Call::Put, "/raw/day=", 0, 1, Fault::Before);
    assert!(bed.flush().await.is_err());
    let told = || crate::Reader { store: bed.store().clone() }.status().datasets[0].clone();
    let waiting = told();
    assert_eq!((waiting.hot_rows, waiting.sealed_files, waiting.file_rows), (0, 1, 0), "no longer hot, not yet filed");
    bed.flush().await.unwrap();
    let filed = told();
    assert_eq!((filed.hot_rows, filed.sealed_files, filed.file_rows), (0, 0, 1));
}
