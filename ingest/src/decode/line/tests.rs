//! The reader: tables of cases, the same again by a simple and slow reader, and how fast it is.

mod plain;
mod rate;

use super::*;
use crate::Catalog;
use crate::parcel::Readings;
use schemas::{ABSENT, contract};

/// Two sources of one measurement, and one of another whose sensors say where they stand.
const CONTRACTS: [&str; 2] = [
    r#"
id = "air"
title = { en = "Air" }
description = { en = "Rooms." }
license = "CC-BY-4.0"
publisher = "Test"
zone = "UTC"
every = "1m"
[[field]]
name = "co2"
unit = "ppm"
kind = "gauge"
range = [0, 5000]
[[field]]
name = "temperature"
unit = "Cel"
kind = "gauge"
resolution = 0.1
range = [-40, 60]
[[field]]
name = "window"
kind = "state"
values = ["open", "shut"]
[[source]]
line = "air"
sensor = "{room}"
missing = ["", "na", "-999"]
map = { co2 = "co2", window = { path = "win dow", words = { true = "open" } } }
[[source]]
line = "air"
sensor = "{site}/{room}"
map = { temperature = { path = "temp_f", unit = "[degF]" } }
[[source]]
line = "clima te"
sensor = "c-{room}"
stamp = "end"
map = { temperature = "t" }
"#,
    r#"
id = "noise"
title = { en = "Noise" }
description = { en = "Streets." }
license = "CC-BY-4.0"
publisher = "Test"
zone = "UTC"
every = "1m"
[[field]]
name = "laeq"
unit = "dB[A]"
kind = "level"
resolution = 0.1
range = [0, 140]
[[source]]
line = "noise"
sensor = "{id}"
every = "10s"
map = { laeq = "v" }
place = { lon = "lon", lat = "lat" }
attributes = { street = "street" }
"#,
];

const NOW: Time = Time(1_763_719_200_000_000);
const BOUNDS: Bounds = Bounds { series_bytes: 1 << 20, max_refused: 1000 };

fn catalog() -> Catalog {
    let texts = CONTRACTS.map(|toml| contract::Text { file: "test.toml".into(), toml: toml.into(), registry: None });
    Catalog::new(contract::parse(&texts).unwrap_or_else(|faults| panic!("{faults}")))
}

fn reader(bounds: Bounds) -> Reader {
    Reader::new(Arc::new(Measures::new(&catalog())), &News::default(), bounds)
}

fn body(text: &[u8], precision: Precision) -> Body {
    Body { topic: "/write".into(), text: Bytes::copy_from_slice(text), precision, now: NOW }
}

/// Rows in the order of their lines: `route sensor time at values`.
fn rows(readings: &[Readings]) -> Vec<String> {
    let mut rows = Vec::new();
    for Readings { route, batch, at } in readings {
        assert!(batch.columns.iter().all(|column| column.len() == at.len()));
        for (row, at) in at.iter().enumerate() {
            let values = batch.columns.iter().map(|column| match column[row] {
                ABSENT => "-".to_owned(),
                steps => steps.to_string(),
            });
            let (id, time) = (&batch.sensors[batch.sensor[row] as usize], batch.time[row] - NOW.0);
            rows.push((*at, *route, format!("{route} {id} {time} {}", values.collect::<Vec<_>>().join(","))));
        }
    }
    rows.sort();
    rows.into_iter().map(|(at, _, text)| format!("{at}: {text}")).collect()
}

/// What was refused: `at: route reason field`.
fn refused(parcel: &Parcel) -> Vec<String> {
    let show = |refused: &crate::parcel::Refused| {
        let route = refused.route.map_or("-".to_owned(), |route| route.to_string());
        format!("{}: {route} {} {}", refused.at, refused.refusal.reason.name(), refused.field)
    };
    parcel.refused.iter().map(show).collect()
}

/// A body of one line gives these rows and refusals, read once or again by a reader that knows it.
fn check(line: &str, expect: &[&str]) {
    let mut reader = reader(BOUNDS);
    for text in [line.to_owned(), format!("{line}\n"), format!("{line}\r\n")] {
        for _ in 0..2 {
            let parcel = reader.read(body(text.as_bytes(), Precision::Nano));
            let mut found = rows(&parcel.readings);
            found.extend(refused(&parcel));
            assert_eq!(found, expect, "{text:?}");
        }
    }
}

#[test]
fn a_line_is_a_reading_of_each_source_that_takes_it() {
    check("air,room=a1 co2=412i 1763719200000000000", &["0: 0 a1 0 412,-,-"]);
    check("air,room=a1 co2=412.4 1763719199999999999", &["0: 0 a1 -1 412,-,-"]);
    check("air,room=a1,site=s co2=412,temp_f=50 1763719200000000000", &["0: 0 a1 0 412,-,-", "0: 1 s/a1 0 -,100,-"]);
    check("air,room=a1 co2=412u,x=5,temp_f=50", &["0: 0 a1 0 412,-,-", "0: 1 missing_sensor "]);
    check(r#"air,room=a1 win\ dow="shut""#, &["0: 0 a1 0 -,-,1"]);
    check(r"air,room=a1 win\ dow=T", &["0: 0 a1 0 -,-,0"]);
    check(r"clima\ te,room=a\ b\,c t=-1.25 1763719200000000000", &["0: 2 c-a b,c -60000000 -,-13,-"]);
    check("air,room=a1 co2=1,co2=2", &["0: 0 a1 0 2,-,-"]);
    check("  air,room=a1   co2=1   1763719200000000000  ", &["2: 0 a1 0 1,-,-"]);
}

#[test]
fn what_is_wrong_is_refused_by_itself() {
    check("air,room=a1 co2=9999 1763719200000000000", &["0: 0 out_of_range co2"]);
    check(r#"air,room=a1 co2=1,win\ dow="ajar""#, &["0: 0 a1 0 1,-,-", "0: 0 invalid_value window"]);
    check("air,room=a1 co2=-999", &["0: 0 no_fields "]);
    check(r#"air,room=a1 co2="na""#, &["0: 0 no_fields "]);
    check("air,room=a1 x=1", &["0: 0 no_fields "]);
    check("air co2=1", &["0: 0 missing_sensor "]);
    check("water,room=a1 level=1", &["0: - unknown_topic "]);
    check("air,room=a1 co2=1 1763719600000000000", &["0: 0 in_future "]);
    check("air,room=a1 co2=1 5", &["0: 0 before_earliest "]);
    for wrong in [
        "air",
        "air,room=a1",
        "air,room=a1 ",
        "air,room= co2=1",
        "air,=a co2=1",
        "air,room co2=1",
        ",room=a co2=1",
        "air, co2=1",
        "air,room=a1 co2",
        "air,room=a1 co2=",
        "air,room=a1 co2=1,",
        "air,room=a1 co2=1,,x=1",
        "air,room=a1 co2=x",
        "air,room=a1 co2=1 x",
        "air,room=a1 co2=1 1 1",
        "air,room=a1 co2=\"x\"y",
        "air,room=a=b co2=1",
        "air,room=a1 =1",
        "air,room=a1 co2=1.5i",
        "water,room=a1 level",
        "air,room=a1 co2=9999,x=y",
    ] {
        check(wrong, &["0: - invalid_payload "]);
    }
}

#[test]
fn comments_and_blank_lines_are_passed_over_and_refused_lines_say_where_they_stand() {
    let text = "# air,room=x co2=1\n\n \r\nair,room=a co2=1\nair,room=b co2=x\n  # y\nair,room=c co2=3,t=\"a\nb\"\nbad";
    let parcel = reader(BOUNDS).read(body(text.as_bytes(), Precision::Nano));
    assert_eq!(rows(&parcel.readings), ["23: 0 a 0 1,-,-", "63: 0 c 0 3,-,-"]);
    assert_eq!(refused(&parcel), ["40: - invalid_payload ", "88: - invalid_payload "]);
    assert_eq!(parcel.line(40), b"air,room=b co2=x");
    let detail = &parcel.refused[0].refusal.detail;
    assert!(detail.contains("byte 16") && detail.contains("21.5"), "{detail}");
}

#[test]
fn what_is_said_of_a_sensor_is_noted_when_it_changes() {
    let mut reader = reader(BOUNDS);
    let mut notes = |text: &str| {
        let parcel = reader.read(body(text.as_bytes(), Precision::Nano));
        assert!(parcel.refused.is_empty(), "{:?}", parcel.refused);
        let show = |note: &schemas::Note| {
            let place = note.place.map_or("-".to_owned(), |place| format!("{}/{}", place.lon, place.lat));
            format!("{} {place} {:?}", note.sensor, note.attributes.get("street").map_or("-", String::as_str))
        };
        parcel.readings.iter().flat_map(|readings| readings.batch.notes.iter().map(show)).collect::<Vec<_>>()
    };
    let here = "noise,id=n,lat=49.5,lon=14.25,street=Main\\ St v=1\n";
    assert_eq!(notes(&format!("{here}{here}")), ["n 14.25/49.5 \"Main St\""]);
    assert_eq!(notes(here), [""; 0], "said before");
    assert_eq!(notes("noise,id=n v=1,lon=14.5,lat=49.5,street=\"Main Rd\"\n"), ["n 14.5/49.5 \"Main Rd\""]);
    assert_eq!(notes("noise,id=n v=1,lon=14.5,lat=49.5,street=\"Main Sq\"\n"), ["n 14.5/49.5 \"Main Sq\""]);
    assert_eq!(notes(here), ["n 14.25/49.5 \"Main St\""], "moved back");
    assert_eq!(notes("noise,id=m v=1\nnoise,id=m v=2\n"), ["m - \"-\""], "its cadence");
}

#[test]
fn a_wrong_place_is_refused_and_the_reading_stands() {
    let parcel = reader(BOUNDS).read(body(b"noise,id=n,lon=200,lat=5 v=1 1763719200000000000", Precision::Nano));
    assert_eq!(rows(&parcel.readings), ["0: 3 n 0 10"]);
    assert_eq!(refused(&parcel), ["0: 3 invalid_place place"]);
}

#[test]
fn too_many_refusals_end_a_body() {
    let parcel = reader(Bounds { max_refused: 3, ..BOUNDS }).read(body(&b"x\n".repeat(10), Precision::Nano));
    let refused = refused(&parcel);
    assert_eq!(refused.len(), 4);
    assert_eq!(refused[3], "6: - too_large ");
    assert!(parcel.refused[3].refusal.detail.contains('8'), "{:?}", parcel.refused[3]);
}

/// `check` reads each text three ways twice; a place is said once only.
#[test]
fn bodies_are_read_the_same_whatever_was_read_before() {
    let mut readers = [reader(BOUNDS), reader(Bounds { series_bytes: 600, ..BOUNDS })];
    let catalog = catalog();
    let mut chance = plain::Chance(7);
    for round in 0..20_000 {
        let text = plain::random_body(&mut chance);
        let (rows_expected, refused_expected) = plain::read(&catalog, &text, NOW);
        for (which, reader) in readers.iter_mut().enumerate() {
            let parcel = reader.read(body(&text, Precision::Nano));
            let shown = String::from_utf8_lossy(&text);
            assert_eq!(rows(&parcel.readings), rows_expected, "round {round}, reader {which}:\n{shown}");
            let mut found = refused(&parcel);
            found.retain(|line| !line.contains("invalid_place"));
            assert_eq!(found, refused_expected, "round {round}, reader {which}:\n{shown}");
        }
    }
}
