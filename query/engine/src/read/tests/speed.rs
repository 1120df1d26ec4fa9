//! What aggregates cost on a million readings: `cargo test --release -p engine speed -- --ignored --nocapture`.

use super::{MINUTE, ask};
use crate::question::Group;
use crate::testing::*;
use crate::{Config, Question};
use schemas::time::{DAY, HOUR};
use schemas::{ABSENT, Batch, Bucket, Time};
use std::time::Instant;

/// 350 sensors with a reading each quarter hour over 30 days, in batches as they would arrive.
async fn fill(bench: &Bench, start: Time) -> usize {
    let mut random = Random(3);
    for day in 0..30 {
        let mut batch = Batch::new(bench.dataset.clone());
        batch.sensors = (0..350).map(|i| format!("sensor-{i:03}").into()).collect();
        for quarter in 0..96 {
            for sensor in 0..350 {
                batch.sensor.push(sensor);
                batch.time.push(start.0 + day * DAY + quarter * 15 * MINUTE + i64::from(sensor) * 1_000);
                for (field, column) in batch.columns.iter_mut().enumerate() {
                    let value = if field == DOOR { random.below(2) } else { random.below(400) };
                    column.push(if field > NOISE { ABSENT } else { value });
                }
            }
        }
        bench.append(batch).await;
    }
    bench.writer.settle().await.expect("a flush");
    350 * 96 * 30
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
#[allow(clippy::print_stdout, reason = "a measurement is for a person to read")]
async fn speed() {
    let start = time("2026-10-01T00:00:00Z");
    let bench = Bench::new(start.plus(40 * DAY), Config::default()).await;
    println!("{} rows", fill(&bench, start).await);
    let month = start.plus(30 * DAY);
    let hour = Bucket::Duration(HOUR);
    let mut one = ask(start.plus(10 * DAY), start.plus(17 * DAY), hour, Group::Sensor, &["temperature"]);
    one.sensors = vec!["sensor-123".to_owned()];
    let cases = [
        ("one sensor, hours of a week", one),
        ("each sensor, hours of a month, mean", ask(start, month, hour, Group::Sensor, &["temperature_mean"])),
        ("each sensor, hours of a month, default functions", ask(start, month, hour, Group::Sensor, &["temperature"])),
        ("all together, hours of a month, default functions", ask(start, month, hour, Group::None, &["temperature"])),
        ("all together, days of a month, meter", ask(start, month, Bucket::Day, Group::None, &["energy_increase"])),
        ("all together, days of a month, state", ask(start, month, Bucket::Day, Group::None, &["door_share"])),
        ("all together, days of a month, level", ask(start, month, Bucket::Day, Group::None, &["noise_mean"])),
    ];
    for (what, question) in cases {
        let mut times = Vec::new();
        let mut rows = 0;
        for _ in 0..9 {
            let began = Instant::now();
            rows = bench.ask(Question::Aggregates(question.clone())).await.expect("an answer").rows;
            times.push(began.elapsed());
        }
        let first = times[0];
        times.sort();
        println!("{what}: {rows} rows, first {first:?}, median {:?}, best {:?}", times[4], times[0]);
    }
}
