//! Writers, readers and maintenance at the same time.

use crate::testing::bed::{Rows, rows_of};
use crate::testing::{Dice, batch, dataset, noon};
use crate::{Append, Config, Kind};
use schemas::Day;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

/// Each writer puts ever greater values at instants it visits again and again: fresh, late and corrected. Whatever maintenance
/// does meanwhile, a reader sees at least what was acknowledged before it looked, at most what was sent, and never goes back.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn readers_never_see_less_than_was_acknowledged() {
    const WRITERS: usize = 3;
    const INSTANTS: u64 = 40;
    const ROUNDS: i64 = 250;
    let folder = tempfile::TempDir::new().unwrap();
    let mut config = Config::new(folder.path().join("log"), folder.path().join("data"));
    config.reserve_bytes = 0;
    config.flush_age = Duration::from_millis(5);
    config.hot_bytes = 4096;
    config.segment_bytes = 8192;
    let d = dataset("d", 1);
    let clock: crate::Clock = {
        let since = Instant::now();
        Arc::new(move || noon().plus(since.elapsed().as_micros() as i64))
    };
    let (writer, reader) = crate::open(config.clone(), vec![d.clone()], clock.clone()).await.unwrap();
    let acknowledged: Arc<Vec<AtomicI64>> = Arc::new((0..WRITERS).map(|_| AtomicI64::new(0)).collect());
    let mut tasks = Vec::new();
    for w in 0..WRITERS {
        let (writer, d, acknowledged) = (writer.clone(), d.clone(), acknowledged.clone());
        tasks.push(tokio::spawn(async move {
            let mut dice = Dice(w as u64);
            let sensor = format!("w{w}");
            for value in 1..=ROUNDS {
                let time = dice.below(INSTANTS) as i64 * schemas::time::DAY / 16;
                let values = [(0, value)];
                // The instant 0 always has the newest value: what a reader may expect of it is known.
                let rows = [(sensor.as_str(), time, values.as_slice()), (sensor.as_str(), 0, values.as_slice())];
                loop {
                    let append = Append { batches: vec![batch(&d, &rows)], rejects: Vec::new() };
                    match writer.append(append).await {
                        Ok(_) => break,
                        Err(e) => assert_eq!(e.kind, Kind::Busy, "{e}"),
                    }
                    tokio::task::yield_now().await;
                }
                acknowledged[w].store(value, Ordering::Release);
            }
        }));
    }
    let mut before = Rows::new();
    let mut stamp = crate::Stamp::default();
    while !tasks.iter().all(|t| t.is_finished()) {
        let least: Vec<i64> = acknowledged.iter().map(|a| a.load(Ordering::Acquire)).collect();
        let snapshot = reader.snapshot("d").unwrap();
        let rows = rows_of(&snapshot).await;
        for (w, least) in least.into_iter().enumerate() {
            let seen = rows.get(&(format!("w{w}"), 0)).map_or(0, |v| v[0]);
            assert!(seen >= least, "acknowledged {least}, seen {seen}");
        }
        assert!(before.iter().all(|(key, old)| rows.get(key).is_some_and(|new| new[0] >= old[0])), "it went back");
        let now = snapshot.stamp(Day(0).span());
        assert!(now > stamp || now == stamp && first_day(&rows) == first_day(&before), "a change without a stamp");
        (before, stamp) = (rows, now);
    }
    for task in tasks {
        task.await.unwrap();
    }
    writer.settle().await.unwrap();
    let rows = rows_of(&reader.snapshot("d").unwrap()).await;
    assert_eq!(reader.status().datasets[0].late_files, 0);
    writer.close().await.unwrap();
    let (writer, reader) = crate::open(config, vec![d], clock).await.unwrap();
    assert_eq!(rows_of(&reader.snapshot("d").unwrap()).await, rows);
    writer.close().await.unwrap();
}

fn first_day(rows: &Rows) -> Vec<(&(String, i64), &Vec<i64>)> {
    rows.iter().filter(|((_, time), _)| *time < schemas::time::DAY).collect()
}
