//! Backup and restore: what was acknowledged before it is there again, whatever went on meanwhile.

use crate::testing::bed::{Rows, rows_of};
use crate::testing::{Bed, batch, dataset, noon};
use crate::{Append, Config, Kind, restore};
use schemas::time::{DAY, HOUR};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

#[tokio::test]
async fn a_restored_store_is_the_store() {
    let bed = Bed::of(2).await;
    for n in 0..6_i64 {
        bed.put(&[("y", n * DAY / 2, &[(0, n)])]).await;
        bed.flush().await.unwrap();
    }
    bed.settle().await.unwrap();
    bed.put(&[("y", 5, &[(0, 50)]), ("y", 4 * DAY, &[(1, 1)])]).await;
    bed.flush().await.unwrap();
    bed.put(&[("y", 6, &[(0, 60)])]).await;
    bed.seal().await.unwrap();
    bed.put(&[("z", 9 * DAY, &[(0, 70)])]).await;
    let (rows, position) = (bed.rows().await, bed.snapshot().position);
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("a/backup");
    let answer = crate::backup::backup(bed.store(), &to).await.unwrap();
    assert_eq!(answer.position, position);
    assert!(answer.linked > 8 && answer.files > answer.linked, "{answer:?}");
    for (wrong, word) in
        [(to.clone(), "is not empty"), (bed.config.data.join("x"), "lies within"), ("b".into(), "full path")]
    {
        let refused = crate::backup::backup(bed.store(), &wrong).await.unwrap_err();
        assert!(refused.kind == Kind::Unusable && refused.message.contains(word), "{refused}");
    }
    // Life goes on, and does not show in the backup.
    bed.put(&[("y", 6, &[(0, 61)])]).await;
    bed.settle().await.unwrap();

    let mut other = Bed::of(2).await;
    other.crash();
    let occupied = restore(&to, &other.config.data, &other.config.log).unwrap_err();
    assert!(occupied.message.contains("is not empty"), "{occupied}");
    std::fs::remove_dir_all(&other.config.data).unwrap();
    std::fs::remove_dir_all(&other.config.log).unwrap();
    let restored = restore(&to, &other.config.data, &other.config.log).unwrap();
    assert_eq!((restored.position, restored.datasets), (position, vec!["d".to_owned()]));
    other.open().await.unwrap();
    assert_eq!(other.rows().await, rows);
    let next = other.put(&[("y", 7, &[(0, 1)])]).await;
    assert!(next > bed.put(&[("y", 8, &[(0, 1)])]).await, "a position is never given twice, in no life of the store");
    other.settle().await.unwrap();
    other.restart().await;
    assert_eq!(other.rows().await.len(), rows.len() + 1);
    assert_eq!(other.table_rows().await, other.rows().await);
}

#[tokio::test]
async fn a_damaged_or_unfinished_backup_is_refused() {
    let bed = Bed::of(1).await;
    bed.put(&[("y", 5, &[(0, 50)])]).await;
    bed.settle().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (to, data, log) = (folder.path().join("b"), folder.path().join("data"), folder.path().join("log"));
    crate::backup::backup(bed.store(), &to).await.unwrap();
    let state = to.join("data/d/state/newest.json");
    let text = std::fs::read(&state).unwrap();
    std::fs::write(&state, text.iter().map(|b| b.wrapping_add(1)).collect::<Vec<_>>()).unwrap();
    let damaged = restore(&to, &data, &log).unwrap_err();
    assert!(damaged.message.contains("newest.json of the backup is damaged"), "{damaged}");
    // What it left does not open.
    let config = Config { reserve_bytes: 0, ..Config::new(log, data) };
    let half = crate::open(config, vec![dataset("d", 1)], Arc::new(noon)).await.unwrap_err();
    assert!(half.message.contains("did not come to its end"), "{half}");
    std::fs::remove_file(to.join("backup.json")).unwrap();
    let unfinished = restore(&to, &folder.path().join("x"), &folder.path().join("y")).unwrap_err();
    assert!(unfinished.message.contains("no whole backup"), "{unfinished}");
    for point in ["backup.dataset", "backup.log"] {
        bed.crash_at(Some(point));
        let to = folder.path().join(point);
        crate::backup::backup(bed.store(), &to).await.unwrap_err();
        assert!(!to.join("backup.json").exists());
    }
}

/// Writers put ever greater values while backups are taken: each has at least what was acknowledged before it began.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_backup_under_load_has_every_row_acknowledged_before() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config::new(folder.path().join("log"), folder.path().join("data"));
    config.reserve_bytes = 0;
    config.flush_age = Duration::from_millis(5);
    config.hot_bytes = 4096;
    config.segment_bytes = 8192;
    let (d, clock): (_, crate::Clock) = (dataset("d", 1), Arc::new(noon));
    let (writer, _reader) = crate::open(config, vec![d.clone()], clock.clone()).await.unwrap();
    let (done, acknowledged) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicI64::new(0)));
    let writing = {
        let (writer, d, done, acknowledged) = (writer.clone(), d.clone(), done.clone(), acknowledged.clone());
        tokio::spawn(async move {
            let mut value = 0;
            while !done.load(Ordering::Acquire) {
                value += 1;
                let (values, time) = ([(0, value)], (value % 50) * HOUR);
                let rows = [("w", time, values.as_slice()), ("w", value * 1000, values.as_slice())];
                match writer.append(Append { batches: vec![batch(&d, &rows)], rejects: Vec::new() }).await {
                    Ok(_) => acknowledged.store(value, Ordering::Release),
                    Err(e) => {
                        assert_eq!(e.kind, Kind::Busy, "{e}");
                        value -= 1;
                    }
                }
            }
        })
    };
    for n in 0..4 {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let before = acknowledged.load(Ordering::Acquire);
        let to = folder.path().join(format!("backup{n}"));
        let answer = writer.backup(&to).await.unwrap();
        let [data, log] = ["data", "log"].map(|name| folder.path().join(format!("{name}{n}")));
        let restored = restore(&to, &data, &log).unwrap();
        assert_eq!(answer.position, restored.position);
        let config = Config { reserve_bytes: 0, ..Config::new(log, data) };
        let (other, reader) = crate::open(config, vec![d.clone()], clock.clone()).await.unwrap();
        let rows: Rows = rows_of(&reader.snapshot("d").unwrap()).await;
        for value in 1..=before {
            assert!(rows.contains_key(&("w".to_owned(), value * 1000)), "{value} of {before} is missing in backup {n}");
        }
        for value in (before - 49).max(1)..=before {
            assert!(rows[&("w".to_owned(), value % 50 * HOUR)][0] > before - 50, "an older value came back");
        }
        other.settle().await.unwrap();
        assert_eq!(rows_of(&reader.snapshot("d").unwrap()).await, rows);
        other.close().await.unwrap();
    }
    done.store(true, Ordering::Release);
    writing.await.unwrap();
    assert!(acknowledged.load(Ordering::Acquire) > 20);
    writer.close().await.unwrap();
}
