//! What the stages of decoding stand on: the shipped contract `traffic` and messages for it.

use ingest::{Catalog, Message};
use schemas::{Time, contract};
use std::path::Path;
use std::sync::Arc;

/// 2026-11-20T12:00:00Z.
pub(crate) const NOW: Time = Time(1_795_176_000_000_000);
/// Messages of a round: a multiple of the sensors.
pub(crate) const MESSAGES: usize = 2000;

/// The catalog of the contract, as shipped.
pub(crate) fn catalog() -> Arc<Catalog> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/datasets");
    let toml = std::fs::read_to_string(folder.join("traffic.toml")).unwrap();
    let registry = std::fs::read_to_string(folder.join("traffic.geojson")).map_err(|error| error.to_string());
    let registry = Some(("traffic.geojson".into(), registry));
    let text = contract::Text { file: "traffic.toml".into(), toml, registry };
    Arc::new(Catalog::new(contract::parse(&[text]).unwrap_or_else(|faults| panic!("{faults}"))))
}

/// One message of each of 500 sensors, four times, some 75 bytes a payload.
pub(crate) fn messages() -> Vec<Message> {
    let message = |i: usize| {
        let (minute, vehicles, speed) = (i / 500, i * 31 % 131, 200 + i * 7 % 397);
        let payload = format!(
            r#"{{"ts":"2026-11-20T10:{minute:02}:00Z","vehicles":{vehicles},"bicycles":{},"speed_kmh":{}.{}}}"#,
            i % 17,
            speed / 10,
            speed % 10
        );
        Message::new(format!("city/bench-{:04}/traffic", i % 500).into(), payload.into(), NOW)
    };
    (0..MESSAGES).map(message).collect()
}
