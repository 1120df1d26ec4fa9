//! The registry file, and histories told in order, out of order and twice.

use super::*;
use crate::{Cadence, Place};

fn hour(hours: i64) -> Time {
    Time::EARLIEST.plus(hours * HOUR)
}

fn half_past(hours: i64) -> Time {
    hour(hours).plus(HOUR / 2)
}

fn note(time: Time, place: Option<(f64, f64)>, attributes: &[(&str, &str)]) -> Note {
    Note {
        sensor: "a".into(),
        time,
        place: place.and_then(|(lon, lat)| Place::new(lon, lat)),
        attributes: attributes.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect(),
        every: None,
    }
}

fn street(time: Time, name: &str) -> Note {
    note(time, None, &[("street", name)])
}

/// The streets of sensor `a` as (hour, street).
fn streets(registry: &Registry) -> Vec<(i64, String)> {
    let hours = |time: Time| (time.0 - Time::EARLIEST.0) / HOUR;
    let sensor = registry.get("a").expect("sensor");
    sensor.attributes.iter().map(|(from, set)| (hours(*from), set.get("street").cloned().unwrap_or_default())).collect()
}

fn check_streets(notes: &[Note], expect: &[(i64, &str)]) -> Registry {
    let mut registry = Registry::default();
    for note in notes {
        registry.note(note);
    }
    let expect: Vec<(i64, String)> = expect.iter().map(|(hour, name)| (*hour, name.to_string())).collect();
    assert_eq!(streets(&registry), expect);
    registry
}

#[test]
fn a_change_takes_effect_at_the_next_full_hour() {
    let registry = check_streets(&[street(half_past(5), "A"), street(half_past(9), "B")], &[(6, "A"), (10, "B")]);
    let sensor = registry.get("a").expect("sensor");
    let at = |time: Time| sensor.attributes_at(time).and_then(|set| set.get("street")).cloned();
    assert_eq!(at(hour(0)).as_deref(), Some("A"), "the first holds from the beginning");
    assert_eq!(at(half_past(9)).as_deref(), Some("A"));
    assert_eq!(at(hour(10)).as_deref(), Some("B"));
    check_streets(&[street(hour(5), "A"), street(hour(9), "B")], &[(5, "A"), (9, "B")]);
}

#[test]
fn late_notes_take_their_place() {
    check_streets(&[street(hour(2), "A"), street(hour(9), "B"), street(hour(5), "C")], &[(2, "A"), (5, "C"), (9, "B")]);
    check_streets(&[street(hour(2), "A"), street(hour(9), "B"), street(hour(5), "B")], &[(2, "A"), (5, "B")]);
    check_streets(&[street(hour(9), "B"), street(hour(2), "A")], &[(2, "A"), (9, "B")]);
    // B was heard at 9 as well: C holds between only
    check_streets(&[street(hour(2), "B"), street(hour(9), "B"), street(hour(5), "C")], &[(2, "B"), (5, "C"), (9, "B")]);
}

#[test]
fn notes_heard_again_change_nothing() {
    let notes =
        [street(half_past(2), "A"), street(half_past(4), "B"), street(half_past(4).plus(1), "C"), street(hour(9), "A")];
    let mut registry = check_streets(&notes, &[(3, "A"), (5, "C"), (9, "A")]);
    let before = registry.clone();
    for i in [3, 1, 0, 1, 2] {
        registry.note(&notes[i]);
    }
    assert_eq!(streets(&registry), streets(&before));
    let newest = check_streets(&notes[..3], &[(3, "A"), (5, "C")]);
    let mut again = newest.clone();
    assert!(!again.note(&notes[1]), "an older word of the same hour");
    assert_eq!(again, newest);
}

#[test]
fn attributes_not_named_stay() {
    let mut registry = Registry::default();
    assert!(registry.note(&street(hour(2), "A")));
    assert!(registry.note(&street(hour(9), "B")));
    assert!(registry.note(&note(hour(5), None, &[("floor", "2")])));
    assert!(!registry.note(&note(hour(6), None, &[("floor", "2")])));
    let sensor = registry.get("a").expect("sensor");
    for (time, expect) in
        [(hour(4), [Some("A"), None]), (hour(5), [Some("A"), Some("2")]), (hour(9), [Some("B"), Some("2")])]
    {
        let set = sensor.attributes_at(time).expect("set");
        assert_eq!(["street", "floor"].map(|name| set.get(name).map(String::as_str)), expect);
    }
    assert_eq!(registry.version, 3);
}

#[test]
fn places_move_but_do_not_tremble() {
    let mut registry = Registry::default();
    assert!(registry.note(&note(hour(1), Some((14.15, 49.31)), &[])));
    assert!(!registry.note(&note(hour(2), Some((14.15001, 49.31001)), &[])));
    assert!(registry.note(&note(half_past(3), Some((14.2, 49.3)), &[])));
    let sensor = registry.get("a").expect("sensor");
    assert_eq!(sensor.place_at(hour(0)), Place::new(14.15, 49.31));
    assert_eq!(sensor.place_at(half_past(3)), Place::new(14.2, 49.3));
}

#[test]
fn a_moving_sensor_keeps_a_bounded_history() {
    let mut registry = Registry::default();
    for i in 0..3000 {
        registry.note(&note(hour(i), Some((0.01 * i as f64, 50.0)), &[]));
    }
    assert_eq!(registry.get("a").expect("sensor").places.len(), 1000);
}

#[test]
fn a_cadence_of_its_own() {
    let mut registry = Registry::default();
    let said = Note { every: Some(Cadence::Every(HOUR)), ..note(hour(1), None, &[]) };
    assert!(registry.note(&said));
    assert!(!registry.note(&said));
    assert_eq!(registry.get("a").expect("sensor").every, Some(Cadence::Every(HOUR)));
}

#[test]
fn readings_move_the_beginning_back() {
    let mut registry = Registry::default();
    let id: Arc<str> = "a".into();
    for (time, since, version) in [(hour(5), 5, 1), (hour(7), 5, 1), (hour(3), 3, 2), (hour(3), 3, 2)] {
        registry.seen(&id, time);
        assert_eq!(registry.get("a").expect("sensor").since, Some(hour(since)));
        assert_eq!(registry.version, version);
    }
}

const FILE: &str = r#"{"type": "FeatureCollection", "features": [
  {"type": "Feature", "id": "a", "geometry": {"type": "Point", "coordinates": [14.15, 49.31]},
   "properties": {"since": "2001-01-01", "street": "Main", "floor": 2, "tags": ["x"], "note": null}},
  {"type": "Feature", "geometry": null, "properties": {"id": 7, "retired": "2026-01-01T00:00:00+01:00"}}
]}"#;

#[test]
fn the_file_lists_sensors() {
    let sensors = Registry::parse_geojson(FILE).expect("sensors");
    assert_eq!(sensors.len(), 2);
    assert_eq!((&*sensors[0].id, sensors[0].since.map(|t| t.to_string())), ("a", Some("2001-01-01T00:00:00Z".into())));
    let set = sensors[0].attributes_at(hour(0)).expect("attributes");
    assert_eq!(
        set.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect::<Vec<_>>(),
        [("floor", "2"), ("street", "Main")]
    );
    assert_eq!(sensors[0].place_at(hour(0)), Place::new(14.15, 49.31));
    assert_eq!(
        (&*sensors[1].id, sensors[1].retired.map(|t| t.to_string())),
        ("7", Some("2025-12-31T23:00:00Z".into()))
    );
    assert!(sensors[1].places.is_empty() && sensors.iter().all(|sensor| sensor.registered));
}

#[test]
fn the_file_wins_over_payloads_and_history_stays() {
    let sensors = Registry::parse_geojson(FILE).expect("sensors");
    let mut registry = Registry::default();
    registry.note(&note(hour(1), Some((10.0, 50.0)), &[("street", "Old"), ("lamp", "12")]));
    registry.list(&sensors, half_past(100));
    let sensor = registry.get("a").expect("sensor").clone();
    assert!(sensor.registered);
    assert_eq!(sensor.place_at(hour(50)), Place::new(10.0, 50.0));
    assert_eq!(sensor.place_at(hour(101)), Place::new(14.15, 49.31));
    assert_eq!(sensor.attributes_at(hour(100)).and_then(|set| set.get("street")).map(String::as_str), Some("Old"));
    let now = sensor.attributes_at(hour(101)).expect("attributes");
    assert_eq!(
        (now.get("street").map(String::as_str), now.get("lamp").map(String::as_str)),
        (Some("Main"), Some("12"))
    );

    assert!(!registry.note(&note(hour(200), Some((10.0, 50.0)), &[("street", "Old")])), "the file gives both");
    assert!(registry.note(&note(hour(200), None, &[("lamp", "13")])));
    registry.seen(&"a".into(), hour(1));
    assert_eq!(registry.get("a").expect("sensor").since, sensors[0].since);

    let version = registry.version;
    registry.list(&sensors, hour(300));
    assert_eq!(registry.version, version, "listed again");
    registry.list(&sensors[1..], hour(301));
    assert!(!registry.get("a").expect("sensor").registered);
    assert_eq!(registry.version, version + 1);
}

#[test]
fn every_fault_of_the_file_has_its_line() {
    let text = r#"{"type": "FeatureCollection", "features": [
  {"type": "Feature", "id": "a", "geometry": null, "properties": null},
  {"type": "Feature", "id": "a", "geometry": null, "properties": {}},
  {"type": "Feature", "geometry": {"type": "Point", "coordinates": [200, 0]}, "properties": {"since": "soon"}},
  {"type": "Feature", "id": "b", "geometry": {"type": "LineString", "coordinates": [[0, 0]]}, "properties": {"since": "2026-01-02", "retired": "2026-01-01"}},
  "nothing"
]}"#;
    let faults = Registry::parse_geojson(text).expect_err("faults");
    let lines: Vec<usize> = faults.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [3, 4, 4, 4, 5, 5, 6, 6]);
    assert!(faults.iter().all(|(_, text)| text.contains("; ")), "{faults:?}");
    for (text, line) in [
        ("{\n\"type\": \"FeatureCollection\",\n\"features\": [}", 3),
        ("{\"type\": \"Topology\", \"features\": []}", 1),
        ("", 1),
    ] {
        let faults = Registry::parse_geojson(text).expect_err(text);
        assert_eq!(faults.iter().map(|(line, _)| (*line).max(1)).collect::<Vec<_>>(), [line], "{text}");
    }
}

#[test]
fn it_survives_json() {
    let mut registry = Registry::default();
    registry.list(&Registry::parse_geojson(FILE).expect("sensors"), hour(1));
    registry.note(&street(hour(2), "A"));
    let text = serde_json::to_string(&registry).expect("json");
    assert_eq!(serde_json::from_str::<Registry>(&text).expect("registry"), registry);
}
