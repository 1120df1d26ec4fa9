//! How long encoding and appending take: `cargo test --release -p store log::tests::timing -- --ignored --nocapture`.

use super::*;
use crate::log::body::{self, BATCH};
use std::time::Instant;

/// Five minutes of readings of one minute each, as batches of the street look.
fn street(rows: usize) -> Batch {
    let mut batch = Batch::new(air());
    let sensors = rows.min(2000);
    batch.sensors = (0..sensors).map(|i| format!("air-{i:05}").into()).collect();
    for row in 0..rows {
        batch.sensor.push((row % sensors) as u32);
        batch.time.push(1_790_000_000_000_000 + (row / sensors) as i64 * 60_000_000);
    }
    let mut numbers = Numbers(1);
    for (column, spread) in batch.columns.iter_mut().zip([2_000, 300, 100]) {
        *column = (0..rows).map(|_| 400 + numbers.below(spread) as i64).collect();
    }
    batch
}

#[test]
#[ignore = "a measurement"]
#[allow(clippy::print_stdout, reason = "its result")]
fn timing() {
    for (rows, rounds) in [(20, 50_000), (10_000, 300)] {
        let batch = street(rows);
        let mut bytes = Vec::new();
        let start = Instant::now();
        for _ in 0..rounds {
            bytes.clear();
            body::put_batch(&mut bytes, &batch);
        }
        let encode = start.elapsed().as_nanos() as f64 / (rounds * rows) as f64;
        let datasets = [batch.dataset.clone()];
        let start = Instant::now();
        for _ in 0..rounds {
            body::take(BATCH, &bytes, &datasets).unwrap();
        }
        let decode = start.elapsed().as_nanos() as f64 / (rounds * rows) as f64;
        let size = bytes.len() as f64 / rows as f64;
        println!("{rows} rows: encode {encode:.1} ns, decode {decode:.1} ns, {size:.1} bytes a row");
        let folder = tempfile::tempdir().unwrap();
        let handle = run(folder.path(), Settings { segment_bytes: 32 << 20, queue_bytes: 1 << 30, ..settings() });
        let appends: Vec<_> =
            (0..rounds).map(|_| Append { batches: vec![batch.clone()], rejects: Vec::new() }).collect();
        let start = Instant::now();
        let receivers: Vec<_> = appends.into_iter().map(|append| handle.append(append).unwrap()).collect();
        let last = receivers.into_iter().map(|receiver| receiver.blocking_recv().unwrap().unwrap().position).last();
        let taken = start.elapsed();
        let each = taken.as_nanos() as f64 / (rounds * rows) as f64;
        println!("  {rounds} appends at once: {taken:.1?}, {each:.1} ns a row, up to {last:?}");
        let start = Instant::now();
        for _ in 0..200 {
            put(&handle, Append { batches: vec![batch.clone()], rejects: Vec::new() }).unwrap();
        }
        println!("  one append at a time: {:.2?} each", start.elapsed() / 200);
        handle.close();
        let start = Instant::now();
        let mut records = 0;
        let mut each = |_, _| {
            records += 1;
            Ok(())
        };
        drop(Log::open(folder.path(), settings(), &[air()], &mut each).unwrap());
        println!("  opening {records} records: {:.1?}", start.elapsed());
    }
}
