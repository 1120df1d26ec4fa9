//! How fast the way in is. Measured by hand: `cargo test --release -p ingest --test rate -- --ignored --nocapture`.

use crate::device::{Device, publish};
use crate::ground::{Ground, ago};
use ingest::{Catalog, Config, Message, Past, Pipeline, doors::listener};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[tokio::test]
#[ignore = "a measurement"]
async fn decode_and_normalize() {
    let ground = Ground::new(Config::default()).await;
    let catalog: &Arc<Catalog> = ground.intake.as_ref().unwrap().catalog();
    let mut pipeline = Pipeline::new(catalog.clone(), Config::default(), &[]);
    let start = ago(100_000);
    let now = crate::ground::now();
    let messages: Vec<Message> = (0..100_000_i64)
        .map(|i| {
            let payload = format!(r#"{{"id":"s{}","ts":{},"co2":{},"ok":true}}"#, i % 1000, start + i, 400 + i % 999);
            Message::new(format!("city/s{}/air", i % 1000).into(), payload.into(), now)
        })
        .collect();
    let past = Past { mark: &|_| None, too_old: &|_, _| false };
    for _ in 0..5 {
        let begun = on_cpu();
        let mut gather = pipeline.begin();
        for message in &messages {
            pipeline.take(message, now, past, &mut gather);
        }
        let took = on_cpu() - begun;
        assert_eq!(gather.batches()[0].len(), messages.len());
        let bytes = messages[0].payload.len();
        eprintln!("decode and normalize: {bytes} B payloads, {} ns of CPU each", took / messages.len() as u64);
    }
}

/// Nanoseconds this thread has run: other processes of the machine do not count.
fn on_cpu() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|first| first.parse().ok()).unwrap_or_default()
}

/// CPU seconds of the whole process, in steps of 10 ms.
fn process_cpu() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<f64> =
        text.rsplit(") ").next().unwrap_or_default().split(' ').map(|n| n.parse().unwrap_or(0.0)).collect();
    (fields[11] + fields[12]) / 100.0
}

/// Each connection keeps `window` messages under way for a while; gives the messages acknowledged by second of time and of
/// CPU, devices included.
async fn rate(connections: u16, window: u16) -> (f64, f64) {
    let mut ground = Ground::new(Config::default()).await;
    let address = ground.listener(listener::Config::default()).await;
    let start = ago(2_000_000);
    let run = Duration::from_secs(3);
    let cpu = process_cpu();
    let mut tasks = Vec::new();
    for c in 0..connections {
        tasks.push(tokio::spawn(async move {
            let mut device = Device::new(address, false, &format!("c{c}")).await;
            let topic = format!("city/c{c}/air");
            let mut sent = 0_i64;
            let mut acked = 0_i64;
            let mut read = vec![0; 4096];
            let begun = Instant::now();
            while begun.elapsed() < run {
                let mut bytes = Vec::new();
                while sent - acked < i64::from(window) {
                    let payload =
                        format!(r#"{{"ts":{},"co2":{},"status":"fine","n":1}}"#, start + sent, 400 + sent % 500);
                    bytes.extend(publish(false, &topic, payload.as_bytes(), 1, (sent % 60_000) as u16 + 1, false));
                    sent += 1;
                }
                device.stream.write_all(&bytes).await.unwrap();
                // PUBACKs have four bytes.
                let got = device.stream.read(&mut read).await.unwrap();
                acked += got as i64 / 4;
            }
            acked
        }));
    }
    let mut acked = 0;
    for task in tasks {
        acked += task.await.unwrap();
    }
    (acked as f64 / run.as_secs_f64(), acked as f64 / (process_cpu() - cpu))
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
async fn through_the_door() {
    for (connections, window) in [(64, 1), (64, 20), (64, 100), (1, 1000)] {
        let (second, cpu) = rate(connections, window).await;
        eprintln!(
            "{connections} connections, {window} under way each: {second:.0} messages/s, {cpu:.0} per CPU-second"
        );
    }
}
