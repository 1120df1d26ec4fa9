//! Measurements, run by hand: `cargo test --release -p store timing -- --ignored --nocapture`.

use crate::testing::{batch, dataset, noon};
use crate::{Append, Config};
use schemas::Span;
use schemas::time::{DAY, SECOND};
use std::sync::Arc;
use std::time::Instant;

/// 300 sensors with two fields; each append has one reading of each.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
#[allow(clippy::print_stdout, reason = "a measurement is for reading")]
async fn timing() {
    let folder = tempfile::TempDir::new().unwrap();
    let mut config = Config::new(folder.path().join("log"), folder.path().join("data"));
    config.reserve_bytes = 0;
    let d = dataset("d", 2);
    let (writer, reader) = crate::open(config.clone(), vec![d.clone()], Arc::new(noon)).await.unwrap();
    let ids: Vec<String> = (0..300).map(|s| format!("sensor-{s:03}")).collect();
    const GROUPS: i64 = 10_000;
    let one = |at: i64| {
        let values = [(0, at % 1000), (1, at % 77)];
        let rows: Vec<_> = ids.iter().map(|id| (id.as_str(), at * 10 * SECOND, values.as_slice())).collect();
        batch(&d, &rows)
    };
    let first = one(0);
    let start = Instant::now();
    let mut waiting = std::collections::VecDeque::new();
    for at in 0..GROUPS {
        let mut batch = first.clone();
        batch.time.iter_mut().for_each(|t| *t = at * 10 * SECOND);
        let writer = writer.clone();
        waiting.push_back(tokio::spawn(async move {
            writer.append(Append { batches: vec![batch], rejects: vec![] }).await
        }));
        if waiting.len() > 64 {
            waiting.pop_front().unwrap().await.unwrap().unwrap();
        }
    }
    for one in waiting {
        one.await.unwrap().unwrap();
    }
    let rows = GROUPS * 300;
    let per_second = |n: i64, since: Instant| n as f64 / since.elapsed().as_secs_f64() / 1e6;
    println!("append: {:.2} M rows/s of {rows}", per_second(rows, start));
    let snapshot = reader.snapshot("d").unwrap();
    for what in ["cold", "warm"] {
        let start = Instant::now();
        let span = Span { from: schemas::Time(0), to: schemas::Time(2 * DAY) };
        let loaded = snapshot.load(span, None, &[0, 1]).await.unwrap();
        let (mut n, mut sum) = (0_i64, 0_i64);
        for sensor in loaded.sensors() {
            loaded.series(sensor, &mut |series| {
                n += series.time.len() as i64;
                sum += series.columns[0].iter().sum::<i64>();
            });
        }
        println!("{what} scan: {:.1} M rows/s of {n}, {sum}", per_second(n, start));
    }
    let start = Instant::now();
    writer.settle().await.unwrap();
    println!("settle: {:.0} ms", start.elapsed().as_secs_f64() * 1e3);
    println!("{:?}", reader.status().datasets);
    let start = Instant::now();
    writer.close().await.unwrap();
    println!("close: {:.0} ms", start.elapsed().as_secs_f64() * 1e3);
    let start = Instant::now();
    let (writer, _) = crate::open(config, vec![d], Arc::new(noon)).await.unwrap();
    println!("open: {:.0} ms", start.elapsed().as_secs_f64() * 1e3);
    writer.close().await.unwrap();
}
