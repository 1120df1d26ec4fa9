//! Graphite's lines and SenML packs → readings and refusals, as tables.

use super::{Format, Meaning, Names};
use crate::decode::{graphite, senml};
use crate::{Catalog, Parcel};
use bytes::Bytes;
use schemas::{ABSENT, Time, contract};
use std::sync::Arc;

const CONTRACT: &str = r#"
id = "air"
title = { en = "Air" }
description = { en = "Rooms." }
license = "CC-BY-4.0"
publisher = "Test"
zone = "Europe/Prague"
every = "1m"
[[field]]
name = "co2"
unit = "ppm"
kind = "gauge"
range = [300, 10000]
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
graphite = "city.{street}.{box}.{name}"
sensor = "{street}-{box}"
every = "5m"
stamp = "end"
map = { co2 = "co2_ppm", temperature = { path = "temp", unit = "[degF]" } }
attributes = { street = "street" }
[[source]]
graphite = "roof.{box}.co2"
sensor = "{box}"
map = { co2 = "value" }
[[source]]
senml = "urn:dev:ow:{box}:{name}"
mqtt = "up/+/senml"
sensor = "{box}"
map = { co2 = "co2", temperature = "temp", door = { path = "door", words = { true = "open", false = "closed" } } }
"#;

/// 2026-11-20 08:00:00 UTC.
pub(crate) const NOW: Time = Time(1_795_161_600_000_000);

pub(crate) fn catalog() -> Arc<Catalog> {
    let text = contract::Text { file: "air.toml".into(), toml: CONTRACT.into(), registry: None };
    Arc::new(Catalog::new(contract::parse(&[text]).unwrap_or_else(|faults| panic!("{faults}"))))
}

fn names(format: Format, most: usize) -> Names {
    Names::new(catalog(), format, vec![0, 1, 2], most)
}

/// Rows as `sensor seconds-before-now values`, and refusals as `text reason: detail`.
fn show(parcel: &Parcel) -> (Vec<String>, Vec<String>) {
    let mut rows = Vec::new();
    for readings in &parcel.readings {
        let batch = &readings.batch;
        assert_eq!((batch.sensor.len(), readings.at.len()), (batch.len(), batch.len()));
        for row in 0..batch.len() {
            let seconds = (NOW.0 - batch.time[row]) as f64 / 1e6;
            let values: Vec<String> = batch
                .columns
                .iter()
                .map(|column| match column[row] {
                    ABSENT => "-".into(),
                    value => value.to_string(),
                })
                .collect();
            rows.push(format!("{} {seconds} {}", batch.sensors[batch.sensor[row] as usize], values.join(" ")));
        }
    }
    let refused = parcel.refused.iter().map(|refused| {
        let line = String::from_utf8_lossy(parcel.line(refused.at)).into_owned();
        format!("{line} | {} {} | {}", refused.refusal.reason.name(), refused.field, refused.refusal.detail)
    });
    (rows, refused.collect())
}

fn pack(names: &mut Names, body: &'static str) -> Parcel {
    let body = Bytes::from_static(body.as_bytes());
    senml::read(names, &senml::Pack { topic: "/senml", body, now: NOW, retained: false }).0
}

fn check(parcel: &Parcel, rows: &[&str], refused: &[&[&str]]) {
    let (found, told) = show(parcel);
    assert_eq!(found, rows, "{told:#?}");
    assert_eq!(told.len(), refused.len(), "{told:#?}");
    for (told, parts) in told.iter().zip(refused) {
        parts.iter().for_each(|part| assert!(told.contains(part), "{told} should say {part}"));
    }
}

#[test]
fn lines_of_graphite_become_rows_of_their_sensor_and_instant() {
    let mut names = names(Format::Graphite, 10);
    let body = "city.a.1.co2_ppm 412 1795161600\ncity.a.1.temp 50 1795161600\r\n\ncity.a.1.co2_ppm 413 1795161600\n\
                roof.7.co2 500.4 -1\nroof.7.co2 501 N\nroof.8.co2 nan\ncity.b.2.co2_ppm 4e2 1795161540.5";
    let parcel = graphite::read(&mut names, "graphite", Bytes::from_static(body.as_bytes()), NOW);
    // What is stamped at its end began five minutes before; the second CO2 of one instant is a row of its own.
    check(&parcel, &["a-1 300 412 100 -", "a-1 300 413 - -", "b-2 359.5 400 - -", "7 0 500 - -", "7 0 501 - -"], &[]);
    let notes = &parcel.readings[0].batch.notes;
    assert_eq!(notes.len(), 2);
    assert_eq!(notes[1].attributes["street"], "b");
    assert!(notes[1].every.is_some());
    assert!(parcel.readings[1].batch.notes.is_empty());
}

#[test]
fn what_is_wrong_with_a_line_is_told_and_the_lines_beside_it_are_taken() {
    let mut names = names(Format::Graphite, 2);
    let long = format!("{} 1 2", "x".repeat(graphite::LONGEST));
    let body = format!(
        "a.b 1 2\ncity.a.1.humidity 3 -1\ncity.a.1.co2_ppm twelve -1\ncity.a.1.co2_ppm 12 -1\nroof.7.co2 400 soon\n\
         one\n1 2 3 4\n\u{e4} 1\n{long}\nroof.7.co2 400 1895161600\nroof.7.co2 400 -1\n"
    );
    let mut bytes = body.into_bytes();
    let bad = bytes.iter().position(|&byte| byte == 0xc3).unwrap();
    bytes[bad] = 0xff;
    let parcel = graphite::read(&mut names, "graphite", bytes.into(), NOW);
    check(
        &parcel,
        &["7 0 400 - -"],
        &[
            &["a.b 1 2 | unknown_topic", "`graphite` pattern"],
            &["no_fields humidity", "co2_ppm, temp"],
            &["invalid_value co2", "twelve", "ppm"],
            &["out_of_range co2", "300 to 10000"],
            &["invalid_time", "soon"],
            &["one | invalid_payload", "path value timestamp"],
            &["1 2 3 4 | invalid_payload"],
            &["invalid_payload", "UTF-8"],
            &["too_large", "4096"],
            &["in_future"],
        ],
    );
}

#[test]
fn packs_of_senml_are_resolved_and_read() {
    let mut names = names(Format::Senml, 10);
    let body = r#" [
        {"bn": "urn:dev:ow:10e2:", "bt": 1795161500, "bu": "Cel", "n": "temp", "v": 21.37},
        {"n": "co2", "u": "ppm", "v": 412, "t": 0},
        {"n": "temp", "u": "K", "t": 10.5, "v": 294.15},
        {"n": "door", "vb": true, "u": "1"},
        {"bt": 0, "bu": "ppm", "bv": 400, "n": "co2", "v": 12.5, "t": -30},
        {"n": "co2", "t": -20},
        {"bn": "urn:dev:ow:77:", "bv": 0, "n": "door", "vs": "closed", "u": "1"}
    ]"#;
    let parcel = pack(&mut names, body);
    check(
        &parcel,
        &[
            "10e2 100 412 214 -",
            "10e2 89.5 - 210 -",
            "10e2 100 - - 1",
            "10e2 30 413 - -",
            "10e2 20 400 - -",
            "77 0 - - 0",
        ],
        &[],
    );
}

#[test]
fn what_is_wrong_with_a_pack_or_a_record_is_told() {
    let mut names = names(Format::Senml, 10);
    let mut told = |body: &'static str, rows: &[&str], refused: &[&[&str]]| {
        check(&pack(&mut names, body), rows, refused);
    };
    told("{}", &[], &[&["invalid_payload", "array of records"]]);
    told("[{\"n\":\"urn:dev:ow:1:co2\",\"v\":400}", &[], &[&["not a SenML pack"]]);
    told(
        r#"[{"bn":"urn:dev:ow:1:","n":"co2","v":400}, 7, {"n":"co2","v":"400"}, {"n":"co2"}, {"n":"co2","v":1,"x_":2},
            {"n":"humidity","v":1}, {"bn":"x","n":"y","v":1}, {"bn":"","v":1,"t":0}, {"bver":11,"n":"co2","v":1},
            {"bn":"urn:dev:ow:1:","n":"co2","u":"Cel","v":400}, {"n":"co2","u":"smoots","v":400}, {"n":"co2","vd":"AAA"},
            {"n":"co2","v":500,"t":1}]"#,
        &["1 0 400 - -", "1 -1 500 - -"],
        &[
            &["invalid_payload", "not an object"],
            &["`v` is \"400\""],
            &["no_fields", "no value"],
            &["\"x_\" must be understood"],
            &["no_fields humidity"],
            &["unknown_topic", "`senml` pattern"],
            &["missing_sensor", "bn"],
            &["version 11"],
            &["invalid_value co2", "does not convert to ppm"],
            &["smoots"],
            &["vd"],
        ],
    );
}

/// The memory of names is bounded, and what it forgets means the same when it comes again.
#[test]
fn names_are_forgotten_and_mean_the_same_again() {
    let mut names = names(Format::Graphite, 3);
    for round in 0..3 {
        for roof in 0..10 {
            let body = format!("roof.{roof}.co2 400 -1");
            let parcel = graphite::read(&mut names, "graphite", body.into(), NOW);
            check(&parcel, &[&format!("{roof} 0 400 - -")], &[]);
            assert!(names.known.len() <= 3, "round {round}");
        }
    }
    let other = Names::new(catalog(), Format::Graphite, vec![0, 2], 3).look("", "roof.7.co2");
    assert!(matches!(other[..], [Meaning::None { route: None, .. }]), "routes that do not take part do not count");
}
