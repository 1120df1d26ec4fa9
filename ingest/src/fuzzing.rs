//! Entrances for the fuzz targets of `fuzz/`, and for the test that replays their corpora. No part of the API.
//!
//! A property that does not hold panics: that is how a fuzzer learns of it. What all readers share: what they give is whole, and
//! a reader that knows the text already gives the same.

use crate::decode::line::{Body, Bounds, Measures, Precision, Reader};
use crate::decode::points::{Format, Names};
use crate::decode::{Decoded, News, Plan, graphite, senml};
use crate::doors::listener::packet::{self, Limits, Packet, Version};
use crate::{Catalog, Parcel};
use bytes::{Bytes, BytesMut};
use schemas::{ABSENT, Time, contract};
use serde_json::value::RawValue;
use std::sync::{Arc, LazyLock};

/// A contract with a source of each format.
const CONTRACT: &str = r#"
id = "air"
title = "Air"
license = "CC0-1.0"
publisher = "Fuzzing"
zone = "Europe/Prague"
every = "1m"
[[field]]
name = "co2"
unit = "ppm"
kind = "gauge"
resolution = 0.01
range = [-1000000, 1000000]
[[field]]
name = "temperature"
unit = "Cel"
kind = "gauge"
resolution = 0.1
range = [-40, 60]
[[field]]
name = "door"
kind = "state"
values = ["closed", "open"]
[[source]]
mqtt = "a/+"
sensor = "{/id}"
time = { path = "/t/0", format = "epoch_s" }
map = { co2 = "/co2", temperature = { path = "/a/b", unit = "[degF]" }, door = "/door" }
attributes = { street = "/a/street" }
[[source]]
line = "air"
sensor = "{room}"
map = { co2 = "co2", temperature = { path = "f", unit = "[degF]" }, door = "door" }
attributes = { street = "street" }
[[source]]
graphite = "a.{room}.{name}"
sensor = "{room}"
map = { co2 = "co2", temperature = "t" }
[[source]]
senml = "a:{room}:{name}"
sensor = "{room}"
map = { co2 = "co2", temperature = "t", door = "door" }
"#;

/// 2026-11-20 08:00:00 UTC.
const NOW: Time = Time(1_795_161_600_000_000);

static CATALOG: LazyLock<Arc<Catalog>> = LazyLock::new(|| {
    let text = contract::Text { file: "air.toml".into(), toml: CONTRACT.into(), registry: None };
    Arc::new(Catalog::new(contract::parse(&[text]).unwrap_or_else(|faults| panic!("{faults}"))))
});

/// Bytes as a body of line protocol.
pub fn lines(bytes: &[u8]) {
    let bounds = Bounds { series_bytes: 4096, max_refused: 1000 };
    let mut reader = Reader::new(Arc::new(Measures::new(&CATALOG)), &News::default(), bounds);
    twice(|| reader.read(body(bytes)));
}

/// Room, microseconds and hundredths of `co2` of the lines that are taken, for comparing with another reader.
pub fn lines_read(bytes: &[u8]) -> Vec<(String, i64, i64)> {
    let bounds = Bounds { series_bytes: 1 << 20, max_refused: usize::MAX };
    let mut reader = Reader::new(Arc::new(Measures::new(&CATALOG)), &News::default(), bounds);
    let parcel = reader.read(body(bytes));
    let rows = parcel.readings.iter().flat_map(|readings| {
        let batch = &readings.batch;
        let row = |row: usize| {
            (batch.sensors[batch.sensor[row] as usize].to_string(), batch.time[row], batch.columns[0][row])
        };
        (0..batch.len()).map(row)
    });
    rows.filter(|(.., value)| *value != ABSENT).collect()
}

fn body(bytes: &[u8]) -> Body {
    let text = Bytes::copy_from_slice(bytes);
    Body { topic: "/write".into(), text, precision: Precision::Nano, now: NOW }
}

/// Bytes as lines of Graphite.
pub fn graphite(bytes: &[u8]) {
    let mut names = Names::new(CATALOG.clone(), Format::Graphite, vec![0, 1, 2, 3], 3);
    twice(|| graphite::read(&mut names, "graphite", Bytes::copy_from_slice(bytes), NOW));
}

/// Bytes as a pack of SenML.
pub fn senml(bytes: &[u8]) {
    let mut names = Names::new(CATALOG.clone(), Format::Senml, vec![0, 1, 2, 3], 3);
    let body = Bytes::copy_from_slice(bytes);
    twice(|| senml::read(&mut names, &senml::Pack { topic: "a", body: body.clone(), now: NOW, retained: false }).0);
}

/// Reads twice, and checks what came.
fn twice(mut read: impl FnMut() -> Parcel) {
    let (first, second) = (read(), read());
    let show = |parcel: &Parcel| {
        let readings = parcel.readings.iter().map(|readings| {
            let batch = &readings.batch;
            let rows = batch.len();
            assert!(batch.columns.iter().all(|column| column.len() == rows), "a column is not as long as the rest");
            assert_eq!((batch.sensor.len(), readings.at.len()), (rows, rows));
            assert!(batch.sensor.iter().all(|&sensor| (sensor as usize) < batch.sensors.len()));
            assert!(
                (0..rows).all(|row| batch.columns.iter().any(|column| column[row] != ABSENT)),
                "a row has no value"
            );
            assert!(readings.at.iter().all(|&at| (at as usize) < parcel.body.len()));
            let sensors: Vec<_> = batch.sensor.iter().map(|&sensor| batch.sensors[sensor as usize].clone()).collect();
            (readings.route, sensors, batch.time.clone(), batch.columns.clone(), readings.at.clone())
        });
        (readings.collect::<Vec<_>>(), parcel.refused.clone())
    };
    assert_eq!(show(&first), show(&second), "a reader that knows the text reads it otherwise");
}

/// Bytes as a JSON payload: what is read as JSON is JSON to others too.
pub fn json(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let plan = Plan::new(&CATALOG.datasets[0].sources[0]);
    let mut decoded = Decoded::default();
    if decoded.read(&plan.shape, text).is_ok() {
        let others = serde_json::from_str::<&RawValue>(text);
        assert!(others.is_ok(), "{text:?} is no JSON: {others:?}");
        for record in 0..decoded.records() {
            (0..16).for_each(|slot| drop(decoded.value(text, record, slot)));
        }
    }
}

/// Bytes as packets of a device, which come whole or one by one.
pub fn packets(bytes: &[u8]) {
    let Some((mode, bytes)) = bytes.split_first() else { return };
    let version = [None, Some(Version::V311), Some(Version::V5)][usize::from(mode % 3)];
    assert_eq!(taken(bytes, bytes.len().max(1), version), taken(bytes, 1, version), "pieces are read otherwise");
}

/// The packets of bytes that come in pieces, and what was wrong with the last. The rest of large payloads is passed over.
fn taken(bytes: &[u8], piece: usize, mut version: Option<Version>) -> (Vec<Packet>, Option<&'static str>) {
    let limits = Limits { packet: 1 << 16, payload: 64, head: 16 };
    let (mut packets, mut buffer, mut passed) = (Vec::new(), BytesMut::new(), 0);
    for piece in bytes.chunks(piece) {
        buffer.extend_from_slice(piece);
        loop {
            let skipped = buffer.len().min(passed);
            drop(buffer.split_to(skipped));
            passed -= skipped;
            match packet::take(&mut buffer, version, limits) {
                Err(wrong) => return (packets, Some(wrong.what)),
                Ok(None) => break,
                Ok(Some(packet)) => {
                    if let Packet::Connect(connect) = &packet {
                        version = Some(connect.version);
                    }
                    if let Packet::Head(_, rest) = &packet {
                        passed = *rest;
                    }
                    packets.push(packet);
                }
            }
        }
    }
    (packets, None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// Every input that was kept holds what its target asks.
    #[test]
    fn the_corpora_hold() {
        type Run = fn(&[u8]);
        let targets: [(&str, Run); 5] =
            [("lines", lines), ("graphite", graphite), ("senml", senml), ("json", json), ("packets", packets)];
        for (target, run) in targets {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
            let mut files = 0;
            for file in std::fs::read_dir(folder).unwrap() {
                run(&std::fs::read(file.unwrap().path()).unwrap());
                files += 1;
            }
            assert!(files > 1, "no corpus of {target}");
        }
    }

    /// The corpora reach what they are for, or mutating them would begin with nothing.
    #[test]
    fn the_corpora_are_read() {
        let corpus = |name: &str| {
            std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(name)).unwrap()
        };
        assert_eq!(lines_read(&corpus("lines/plain")).len(), 3);
        let mut names = Names::new(CATALOG.clone(), Format::Graphite, vec![2], 3);
        let parcel = graphite::read(&mut names, "g", corpus("graphite/plain").into(), NOW);
        assert_eq!((parcel.readings[0].batch.len(), parcel.refused.len()), (2, 0));
        let (packets, wrong) = taken(&corpus("packets/connect-publish")[1..], 7, None);
        assert_eq!((packets.len(), wrong), (4, None));
    }
}
