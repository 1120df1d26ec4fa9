//! Readers that know nothing of Lamppost, while ingest, fold, tiers, compaction and vacuum run: every version of every table that is
//! still listed can be read, has no key twice, and each of its files is sorted.

use crate::testing::{Dice, batch, noon, of_kinds};
use crate::{Append, Config, Kind};
use schemas::time::HOUR;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

/// Reads some versions of each table by deltalake and DuckDB, the first and the last among them; prints how many.
const SCRIPT: &str = r#"
import sys, os, glob, duckdb, deltalake
def check(folder, version):
    files = deltalake.DeltaTable(folder, version=version).file_uris()
    for file in files:
        rows = "select sensor, epoch_us(time) as time, lag(sensor) over w as s, lag(epoch_us(time)) over w as t from read_parquet('%s', file_row_number = true)" % file
        bad = duckdb.sql("select * from (%s window w as (order by file_row_number)) where s is not null and (sensor, time) <= (s, t) limit 3" % rows)
        bad = bad.fetchall()
        assert bad == [], (folder, version, file, "is not sorted", bad)
    if files:
        counts = "select count(*), count(distinct (sensor, time)) from read_parquet(%s, union_by_name = true)" % files
        [(rows, keys)] = duckdb.sql(counts).fetchall()
        assert rows == keys, (folder, version, "has a key twice")

read = 0
for name in ["raw", "15m", "1h", "1d"]:
    folder = sys.argv[1] + "/" + name
    listed = sorted(int(os.path.basename(path)[:20]) for path in glob.glob(folder + "/_delta_log/*.json"))
    for version in sorted(set(listed[:: max(1, len(listed) // 12)] + listed[-1:])):
        for again in (True, True, False):
            try:
                check(folder, version)
                read += 1
                break
            except AssertionError:
                raise
            except Exception:
                # Vacuum, as hurried as here, may take a file from under whoever has just listed it: listed anew, a version
                # that still has its entry can be read.
                if not again and os.path.exists("%s/_delta_log/%020d.json" % (folder, version)):
                    raise
print(read)
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whatever_is_listed_can_be_read_while_everything_runs() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config::new(folder.path().join("log"), folder.path().join("data"));
    config.reserve_bytes = 0;
    config.flush_age = Duration::from_millis(20);
    config.vacuum_after = Duration::from_millis(1500);
    let d = of_kinds("Europe/Prague");
    // The clock follows the readings: windows close and days end as they go.
    let newest = Arc::new(AtomicI64::new(noon().0));
    let clock: crate::Clock = {
        let newest = newest.clone();
        Arc::new(move || schemas::Time(newest.load(Ordering::Acquire)))
    };
    let (writer, reader) = crate::open(config.clone(), vec![d.clone()], clock).await.unwrap();
    let done = Arc::new(AtomicBool::new(false));
    let writing = {
        let (writer, done) = (writer.clone(), done.clone());
        tokio::spawn(async move {
            let (mut dice, mut time) = (Dice(5), noon().0);
            while !done.load(Ordering::Acquire) {
                time += HOUR / 6;
                let late = time - dice.below(300) as i64 * HOUR / 6;
                let values =
                    [(0, dice.below(900) as i64), (1, 3), (2, time / HOUR), (3, dice.below(3) as i64), (4, 400)];
                let rows = [("a", time, values.as_slice()), ("b", time, &values), ("a", late, &values)];
                match writer.append(Append { batches: vec![batch(&d, &rows)], rejects: Vec::new() }).await {
                    Ok(_) => newest.store(time, Ordering::Release),
                    Err(e) => assert_eq!(e.kind, Kind::Busy, "{e}"),
                }
                tokio::time::sleep(Duration::from_millis(4)).await;
            }
        })
    };
    let tables = config.data.join("d");
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(1500)).await;
        let tables = tables.clone();
        let ran = tokio::task::spawn_blocking(move || {
            // ./check names a Python that has deltalake and DuckDB.
            let python = std::env::var("LAMPPOST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
            Command::new(python).args(["-c", SCRIPT]).arg(tables).output().unwrap()
        });
        let ran = ran.await.unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        let read: usize = String::from_utf8_lossy(&ran.stdout).trim().parse().unwrap();
        assert!(read > 8, "{read} versions are few");
    }
    done.store(true, Ordering::Release);
    writing.await.unwrap();
    // What waits for company while rows come is done once they have ceased.
    let did = |task| reader.status().tasks.iter().any(|t| t.task == task && t.took.count > 0 && t.failed == 0);
    let give_up = std::time::Instant::now() + Duration::from_secs(30);
    for task in [crate::Task::Compact, crate::Task::Vacuum, crate::Task::Fold, crate::Task::Close, crate::Task::Refresh]
    {
        while !did(task) {
            let status = reader.status();
            assert!(std::time::Instant::now() < give_up, "{task:?}: {:?}", status.datasets[0].trouble);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    writer.close().await.unwrap();
}
