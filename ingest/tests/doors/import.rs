//! History straight into a dataset, and what metrics say of it.

use crate::ground::{Ground, ago};
use ingest::import::Import;
use ingest::{Config, Kind};
use std::sync::Arc;

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_a_file_take_the_mapping_of_a_source() {
    // So little room that the import has to wait for the store again and again.
    let ground = Ground::new(Config { queue_bytes: 10_000, ..Config::default() }).await;
    let intake = ground.intake.clone().unwrap();
    let start = ago(100_000);
    let mut import = Import::new(intake.clone(), "air", 0).unwrap();
    let topic: Arc<str> = "city/old/air".into();
    for i in 0..5000 {
        let ts = if i == 4321 { "soon".to_owned() } else { (start + i).to_string() };
        import.push(&topic, format!(r#"{{"ts":"{ts}","co2":"{i}"}}"#)).await.unwrap();
    }
    assert!(import.durable() < 5000);
    assert_eq!(import.finish().await.unwrap(), 5000);
    assert_eq!(ground.rows("air").await.len(), 4999);
    assert_eq!(ground.rejects(), ["invalid_time city/old/air  x1"]);

    // Again from the start: the same rows, no others.
    let mut again = Import::new(intake.clone(), "air", 0).unwrap();
    for i in 0..100 {
        again.push(&topic, format!(r#"{{"ts":{},"co2":{i}}}"#, start + i)).await.unwrap();
    }
    assert_eq!(again.finish().await.unwrap(), 100);
    assert_eq!(ground.rows("air").await.len(), 4999);

    let mut registry = prometheus_client::registry::Registry::default();
    ground.metrics.register(&mut registry);
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
    for line in [
        "ingest_messages_total{door=\"import\"} 5100",
        "ingest_readings_total{dataset=\"air\"} 5099",
        "ingest_rejects_total{source=\"air/0\",reason=\"invalid_time\"} 1",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
    let error = Import::new(intake, "air", 7).unwrap_err();
    assert_eq!(error.kind, Kind::Setting);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_of_no_bytes_takes_one_submission_at_a_time() {
    let ground = Ground::new(Config { queue_bytes: 0, ..Config::default() }).await;
    let intake = ground.intake.clone().unwrap();
    let room = intake.try_room(100);
    assert!(room.is_some() && intake.try_room(100).is_none());
    drop(room);
    assert!(intake.try_room(100).is_some());
}
