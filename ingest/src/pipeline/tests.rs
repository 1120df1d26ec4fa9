//! Payload → readings and rejects, as a table; and what the pipeline remembers from message to message.

use super::*;
use crate::sheaf::Sheaf;
use crate::topics::Topics;
use schemas::{ABSENT, Batch, contract, decimal};
use std::cell::Cell;

mod handed;

const CONTRACTS: [&str; 4] = [
    r#"
id = "air"
title = { en = "Air" }
description = { en = "Rooms and streets." }
license = "CC-BY-4.0"
publisher = "Test"
zone = "Europe/Prague"
every = "1m"
max_sensors = 6
keep = { raw = "forever", 15m = "forever", 1h = "forever", 1d = "forever" }
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
hold = "1h"
[[source]]
mqtt = "city/+/air"
sensor = "{topic.1}"
decoder = "json"
time = { path = "/ts", format = "rfc3339" }
missing = ["", "na", "-999"]
map = { co2 = "/co2", temperature = { path = "/temp_f", unit = "[degF]" }, door = { path = "/door", words = { true = "open", "1" = "open", false = "closed" } } }
place = { lon = "/lon", lat = "/lat" }
attributes = { street = "/at/street" }
[[source]]
mqtt = "hub/#"
sensor = "{/id}/{/source}"
decoder = "json"
time = { path = "/t", format = "epoch_s" }
map = { by = "/property", value = "/value", co2 = "co2__ppm", temperature = { name = "temp", unit = "[degF]" }, ignore = ["battery"] }
"#,
    r#"
id = "traffic"
title = { en = "Traffic" }
description = { en = "Vehicles." }
license = "CC-BY-4.0"
publisher = "Test"
zone = "Europe/Prague"
every = "1h"
sensors = "traffic.geojson"
unknown_sensors = "refuse"
keep = { raw = "forever", 15m = "forever", 1h = "forever", 1d = "forever" }
[[field]]
name = "vehicles"
unit = "{vehicle}"
kind = "count"
range = [0, 5000]
[[source]]
mqtt = "loops/+"
sensor = "{topic.1}"
decoder = "json"
time = { path = "/from", format = "%Y-%m-%d %H:%M", zone = "Europe/Prague" }
map = { vehicles = "/n" }
[[source]]
mqtt = "radar/+"
sensor = "{topic.1}"
decoder = "json"
time = { path = "/until", format = "%Y-%m-%d %H:%M", zone = "Europe/Prague" }
stamp = "end"
every = "15m"
map = { vehicles = "/n" }
"#,
    r#"
id = "doors"
title = { en = "Doors" }
description = { en = "Passages." }
license = "CC-BY-4.0"
publisher = "Test"
zone = "UTC"
every = "event"
keep = { raw = "forever", 15m = "forever", 1h = "forever", 1d = "forever" }
[[field]]
name = "passages"
unit = "{person}"
kind = "count"
range = [0, 100]
[[source]]
mqtt = "doors/+"
sensor = "{topic.1}"
decoder = "json"
time = "arrival"
map = { passages = "/n" }
"#,
    r#"
id = "gates"
title = { en = "Gates" }
description = { en = "The same passages, once more." }
license = "CC-BY-4.0"
publisher = "Test"
zone = "UTC"
every = "event"
keep = { raw = "forever", 15m = "forever", 1h = "forever", 1d = "forever" }
[[field]]
name = "passages"
unit = "{person}"
kind = "count"
range = [0, 100]
[[source]]
mqtt = "doors/gate"
sensor = "gate"
decoder = "json"
time = "arrival"
map = { passages = "/n" }
"#,
];

const LISTED: &str = r#"{"type":"FeatureCollection","features":[
{"type":"Feature","id":"l1","geometry":{"type":"Point","coordinates":[14.1,49.3]},"properties":{}}]}"#;

fn catalog() -> Arc<Catalog> {
    let texts = CONTRACTS.map(|toml| {
        let registry = contract::registry_file(toml).map(|file| (file.into(), Ok(LISTED.to_owned())));
        contract::Text { file: "test.toml".into(), toml: toml.to_owned(), registry }
    });
    let datasets = contract::parse(&texts).unwrap_or_else(|faults| panic!("{faults}"));
    Arc::new(Catalog::new(datasets))
}

/// 2026-11-20T12:00:00Z.
const NOW: Time = Time(1_795_176_000_000_000);

struct Trial {
    pipeline: Pipeline,
    gather: Gather,
    /// What a door reads by itself must come to the same.
    door: (Pipeline, Gather, Topics),
    mark: Cell<Option<(u64, Time)>>,
}

impl Trial {
    fn new() -> Trial {
        let new = || Pipeline::new(catalog(), Config { max_message: 2000, ..Config::default() }, &[]);
        let (mut pipeline, mut beside) = (new(), new());
        let (gather, apart) = (pipeline.begin(), beside.begin());
        let door = (beside, apart, Topics::new(catalog(), 100, 2000));
        Trial { pipeline, gather, door, mark: Cell::new(None) }
    }

    fn take(&mut self, message: &Message) -> (Vec<String>, Vec<String>) {
        let rows: Vec<usize> = self.gather.batches.iter().map(Batch::len).collect();
        let rejects = self.gather.rejects.len();
        let mark = |hash| self.mark.get().filter(|(known, _)| *known == hash).map(|(_, time)| time);
        let too_old = |dataset: &str, time: Time| dataset == "air" && time < Time::EARLIEST.plus(1000);
        let past = Past { mark: &mark, too_old: &too_old };
        let (pipeline, gather, topics) = &mut self.door;
        let aside = (gather.batches.iter().map(Batch::len).collect::<Vec<_>>(), gather.rejects.len());
        let mut sheaf = Sheaf::default();
        let topic = topics.find(message.topic.as_bytes()).or_else(|| topics.add(&message.topic, true)).unwrap();
        if sheaf.read(topics, topic, (&message.payload, 0, message.payload.len()), message.arrived) {
            sheaf.text(message.payload.clone());
        } else {
            sheaf.push(message.clone());
        }
        pipeline.take_sheaf(&mut sheaf, topics, NOW, past, gather);
        self.pipeline.take(message, NOW, past, &mut self.gather);
        let told = |gather: &Gather, (rows, rejects): (&[usize], usize)| {
            let batches = gather.batches.iter().zip(rows);
            let rows = batches.flat_map(|(batch, from)| (*from..batch.len()).map(move |row| show(batch, row)));
            (rows.collect::<Vec<_>>(), format!("{:?}", &gather.rejects[rejects..]))
        };
        let (theirs, ours) = (told(&self.door.1, (&aside.0, aside.1)), told(&self.gather, (&rows, rejects)));
        assert_eq!(theirs, ours, "what a door reads by itself, and what the pipeline reads");
        let batches = self.gather.batches.iter().zip(rows);
        let shown = batches.flat_map(|(batch, from)| (from..batch.len()).map(move |row| show(batch, row)));
        let refused = self.gather.rejects[rejects..].iter();
        (
            shown.collect(),
            refused.map(|reject| format!("{} {}", reject.reason.name(), reject.field).trim().to_owned()).collect(),
        )
    }

    fn say(&mut self, topic: &str, payload: &str) -> (Vec<String>, Vec<String>) {
        self.take(&Message::new(topic.into(), payload.to_owned().into(), NOW))
    }

    fn next(&mut self) -> Gather {
        self.door.1 = self.door.0.begin();
        let next = self.pipeline.begin();
        std::mem::replace(&mut self.gather, next)
    }
}

/// `dataset sensor time field=value …`.
fn show(batch: &Batch, row: usize) -> String {
    let sensor = &batch.sensors[batch.sensor[row] as usize];
    let mut text = format!("{} {sensor} {}", batch.dataset.id, Time(batch.time[row]));
    for (field, column) in batch.dataset.fields.iter().zip(&batch.columns) {
        let value = column[row];
        if value != ABSENT {
            let number = decimal::text(i128::from(value), u32::from(field.resolution.scale()));
            let shown = field.state(value).map_or(number, |word| word.to_string());
            text.push_str(&format!(" {}={shown}", field.name));
        }
    }
    text
}

/// Topic, payload, and what it gives: readings, and reasons with fields of rejects.
type Case<'a> = (&'a str, &'a str, &'a [&'a str], &'a [&'a str]);

fn check(table: &[Case<'_>]) {
    let mut trial = Trial::new();
    for (topic, payload, rows, rejects) in table {
        // TS stands for a time that is fine.
        let payload = payload.replace("TS", r#""ts":"2026-11-20T11:00:00Z""#);
        let rows: Vec<String> = rows.iter().map(|row| row.replace("AT", "2026-11-20T11:00:00Z")).collect();
        let found = trial.say(topic, &payload);
        assert_eq!(
            (found.0, &found.1[..]),
            (rows, &rejects.iter().map(|r| (*r).to_owned()).collect::<Vec<_>>()[..]),
            "{topic} {payload}"
        );
    }
}

#[test]
fn values_become_steps_of_their_field() {
    check(&[
        // Numbers from their text; converted exactly, rounded half away from zero; of two equal keys the last.
        ("city/a/air", r#"{"ts":"2026-11-20T12:00:00+01:00","co2":412}"#, &["air a AT co2=412"], &[]),
        ("city/a/air", r#"{TS,"co2":412.5,"temp_f":"77.09"}"#, &["air a AT co2=413 temperature=25.1"], &[]),
        ("city/a/air", r#"{TS,"co2":4.125e2,"temp_f":-40}"#, &["air a AT co2=413 temperature=-40"], &[]),
        ("city/a/air", r#"{TS,"co2":500,"co2":600}"#, &["air a AT co2=600"], &[]),
        // States: words, booleans, numbers by their text.
        ("city/a/air", r#"{TS,"door":"open"}"#, &["air a AT door=open"], &[]),
        ("city/a/air", r#"{TS,"door":false}"#, &["air a AT door=closed"], &[]),
        ("city/a/air", r#"{TS,"door":1}"#, &["air a AT door=open"], &[]),
        ("city/a/air", r#"{TS,"door":"ajar"}"#, &[], &["invalid_value door"]),
        // Absent: null, missing markers as text and number, keys that are not there.
        ("city/a/air", r#"{TS,"co2":null,"temp_f":32}"#, &["air a AT temperature=0"], &[]),
        ("city/a/air", r#"{TS,"co2":"na","temp_f":-999,"door":""}"#, &[], &["no_fields"]),
        ("city/a/air", r#"{TS}"#, &[], &["no_fields"]),
        // A bad field is rejected alone.
        ("city/a/air", r#"{TS,"co2":99999,"temp_f":50}"#, &["air a AT temperature=10"], &["out_of_range co2"]),
        ("city/a/air", r#"{TS,"co2":"wet"}"#, &[], &["invalid_value co2"]),
        ("city/a/air", r#"{TS,"co2":true,"temp_f":[1]}"#, &[], &["invalid_value co2", "invalid_value temperature"]),
        ("city/a/air", r#"{TS,"co2":1e40}"#, &[], &["out_of_range co2"]),
        // So are a place and an attribute.
        ("city/a/air", r#"{TS,"co2":500,"lon":181,"lat":0}"#, &["air a AT co2=500"], &["invalid_place place"]),
        ("city/a/air", r#"{TS,"co2":500,"lon":14}"#, &["air a AT co2=500"], &["invalid_place place"]),
        ("city/a/air", r#"{TS,"co2":500,"at":{"street":[]}}"#, &["air a AT co2=500"], &["invalid_value street"]),
    ]);
}

#[test]
fn times_become_instants_within_bounds() {
    check(&[
        ("city/a/air", r#"{"co2":500}"#, &[], &["missing_time"]),
        ("city/a/air", r#"{"co2":500,"ts":null}"#, &[], &["missing_time"]),
        ("city/a/air", r#"{"co2":500,"ts":"2026-11-20T11:00:00"}"#, &[], &["invalid_time"]),
        ("city/a/air", r#"{"co2":500,"ts":{}}"#, &[], &["invalid_time"]),
        ("city/a/air", r#"{"co2":500,"ts":"2026-11-20T12:05:00Z"}"#, &["air a 2026-11-20T12:05:00Z co2=500"], &[]),
        ("city/a/air", r#"{"co2":500,"ts":"2026-11-20T12:05:00.000001Z"}"#, &[], &["in_future"]),
        ("city/a/air", r#"{"co2":500,"ts":"1999-12-31T23:59:59Z"}"#, &[], &["before_earliest"]),
        ("city/a/air", r#"{"co2":500,"ts":"2000-01-01T00:00:00Z"}"#, &[], &["too_old"]),
        // Naive local time: the hour that occurs twice is the earlier; the hour that does not exist is refused.
        ("loops/l1", r#"{"from":"2026-10-25 02:30","n":5}"#, &["traffic l1 2026-10-25T00:30:00Z vehicles=5"], &[]),
        ("loops/l1", r#"{"from":"2026-10-25 03:00","n":5}"#, &["traffic l1 2026-10-25T02:00:00Z vehicles=5"], &[]),
        ("loops/l1", r#"{"from":"2026-03-29 02:30","n":5}"#, &[], &["no_such_local_time"]),
        ("loops/l1", r#"{"from":"2026-03-29 03:00","n":5}"#, &["traffic l1 2026-03-29T01:00:00Z vehicles=5"], &[]),
        ("loops/l1", r#"{"from":"29.3.2026 03:00","n":5}"#, &[], &["invalid_time"]),
        // Stamped at the end: the source's cadence comes off, also over a change of the clocks.
        ("radar/l1", r#"{"until":"2026-07-01 10:15","n":5}"#, &["traffic l1 2026-07-01T08:00:00Z vehicles=5"], &[]),
        ("radar/l1", r#"{"until":"2026-03-29 03:00","n":5}"#, &["traffic l1 2026-03-29T00:45:00Z vehicles=5"], &[]),
    ]);
}

#[test]
fn payloads_are_read_whatever_their_form() {
    let long = format!(r#"{{TS,"co2":500,"x":"{}"}}"#, "x".repeat(2000));
    let named = format!("city/{}/air", "n".repeat(201));
    check(&[
        ("city/a/air", "", &[], &["invalid_payload"]),
        ("city/a/air", "21.5", &[], &["invalid_payload"]),
        ("city/a/air", "{\"co2\":500,", &[], &["invalid_payload"]),
        ("city/a/air", "[]", &[], &["invalid_payload"]),
        ("city/a/air", &long, &[], &["too_large"]),
        ("sea/a/air", "{}", &[], &["unknown_topic"]),
        ("loops/l2", r#"{"from":"2026-03-29 03:00","n":5}"#, &[], &["unknown_sensor"]),
        (&named, r#"{TS,"co2":500}"#, &[], &["invalid_sensor"]),
        ("city//air", r#"{TS,"co2":500}"#, &[], &["missing_sensor"]),
        ("city/ /air", r#"{TS,"co2":500}"#, &[], &["invalid_sensor"]),
        // An array: each object stands for itself.
        (
            "city/a/air",
            r#"[{TS,"co2":400},7,{TS,"co2":1},{"ts":"2026-11-20T11:02:00Z","co2":402}]"#,
            &["air a AT co2=400", "air a 2026-11-20T11:02:00Z co2=402"],
            &["invalid_payload", "out_of_range co2"],
        ),
    ]);
}

#[test]
fn one_value_a_payload_is_named_by_another() {
    let say = |rest: &str| format!(r#"{{"id":"r1","source":7,"t":1795172400.5{rest}}}"#);
    check(&[
        ("hub/x/y", &say(r#","property":"co2__ppm","value":"612""#), &["air r1/7 2026-11-20T11:00:00.5Z co2=612"], &[]),
        ("hub/x/y", &say(r#","property":"temp","value":212"#), &[], &["out_of_range temperature"]),
        ("hub/x/y", &say(r#","property":"battery","value":3"#), &[], &[]),
        ("hub/x/y", &say(r#","property":"noise","value":3"#), &[], &["no_fields noise"]),
        ("hub/x/y", &say(r#","value":3"#), &[], &["no_fields"]),
        ("hub/x/y", &say(r#","property":"temp""#), &[], &["no_fields"]),
        ("hub/x/y", r#"{"id":"r1","t":1795172400,"property":"temp","value":1}"#, &[], &["missing_sensor"]),
        (
            "hub/x/y",
            r#"{"id":"","source":1,"t":1795172400,"property":"co2__ppm","value":612}"#,
            &[],
            &["missing_sensor"],
        ),
        ("hub/x/y", r#"{"id":{},"source":1,"t":1795172400,"property":"temp","value":1}"#, &[], &["missing_sensor"]),
    ]);
}

#[test]
fn a_reject_says_what_was_wrong_and_what_would_be_right() {
    let mut trial = Trial::new();
    trial.say("city/a/air", r#"{"ts":"2026-11-20T11:00:00Z","co2":12}"#);
    let reject = &trial.gather.rejects[0];
    assert_eq!(reject.detail, "co2 is 12 ppm; 300 to 10000 ppm is accepted");
    assert_eq!((&*reject.source, &*reject.topic, reject.time), ("air/0", "city/a/air", NOW));
    assert_eq!(reject.payload, br#"{"ts":"2026-11-20T11:00:00Z","co2":12}"#);
}

#[test]
fn an_array_full_of_bad_records_keeps_its_payload_once() {
    let mut trial = Trial::new();
    trial.say("city/a/air", &format!("[{}7]", "7,".repeat(500)));
    let rejects = &trial.gather.rejects;
    assert_eq!(rejects.len(), 501);
    assert!(!rejects[0].payload.is_empty() && rejects[1..].iter().all(|reject| reject.payload.is_empty()));
    assert!(rejects.iter().all(|reject| reject.hash == rejects[0].hash));
}

#[test]
fn rejects_weigh_and_keep_the_head_of_a_long_topic() {
    let mut trial = Trial::new();
    trial.say(&format!("sea/{}", "ř".repeat(20_000)), "{}");
    assert!(trial.gather.weight() < 2000, "a long topic is not in the detail either");
    trial.next();
    trial.say(&format!("city/{}/air", "ř".repeat(20_000)), &format!("[{}7]", "7,".repeat(500)));
    let rejects = &trial.gather.rejects;
    assert_eq!((rejects.len(), rejects[0].topic.len()), (501, 511), "whole letters of 512 bytes");
    let weight = trial.gather.weight();
    assert!((501 * 600..501 * 1000).contains(&weight), "{weight}");
    trial.next();
    assert_eq!(trial.gather.weight(), 0);
}

#[test]
fn sensors_past_the_most_are_rejected_and_known_ones_stay_welcome() {
    let mut trial = Trial::new();
    let payload = r#"{"ts":"2026-11-20T11:00:00Z","co2":500}"#;
    for i in 0..6 {
        assert_eq!(trial.say(&format!("city/{i}/air"), payload).0.len(), 1);
    }
    assert_eq!(trial.say("city/6/air", payload).1, ["too_many_sensors"]);
    trial.next();
    assert_eq!(trial.say("city/5/air", payload).0.len(), 1);
    assert_eq!(trial.gather.batches[0].sensors.len(), 1, "a new batch has its own list of sensors");
}

#[test]
fn what_a_payload_says_of_its_sensor_is_noted_when_it_is_news() {
    let mut trial = Trial::new();
    let say = |trial: &mut Trial, rest: &str| {
        let before = trial.gather.batches[0].notes.len();
        trial.say("city/a/air", &format!(r#"{{"ts":"2026-11-20T11:00:00Z","co2":500{rest}}}"#));
        trial.gather.batches[0].notes[before..].to_vec()
    };
    assert!(say(&mut trial, "").is_empty());
    let notes = say(&mut trial, r#","lon":14.1,"lat":"49.3","at":{"street":"Main"}"#);
    assert_eq!(notes[0].place, schemas::Place::new(14.1, 49.3));
    assert_eq!(notes[0].attributes["street"], "Main");
    assert!(say(&mut trial, r#","lon":14.10,"lat":49.3,"at":{"street":"Main"}"#).is_empty());
    let notes = say(&mut trial, r#","lon":14.1,"lat":49.3,"at":{"street":"Side"}"#);
    assert_eq!((notes.len(), notes[0].place), (1, None));
    // A source with its own cadence says so once.
    trial.say("radar/l1", r#"{"until":"2026-07-01 10:15","n":5}"#);
    trial.say("radar/l1", r#"{"until":"2026-07-01 10:30","n":5}"#);
    let notes = &trial.gather.batches[1].notes;
    assert_eq!(notes.len(), 1);
    assert_eq!(notes[0].every, Some(schemas::Cadence::Every(15 * 60_000_000)));
}

#[test]
fn messages_without_time_get_their_arrival_each_its_own() {
    let mut trial = Trial::new();
    let first = trial.say("doors/d", r#"{"n":1}"#);
    let second = trial.say("doors/d", r#"{"n":1}"#);
    assert_eq!(first.0, ["doors d 2026-11-20T12:00:00Z passages=1"]);
    assert_eq!(second.0, ["doors d 2026-11-20T12:00:00.000001Z passages=1"], "the same instant is given once");
    let array = trial.say("doors/d", r#"[{"n":1},{"n":2}]"#);
    assert_eq!(array.0[1], "doors d 2026-11-20T12:00:00.000003Z passages=2");
    assert_eq!(trial.gather.batches[2].marks.len(), 3);
    // Two datasets that take the same message give it one time.
    let both = trial.say("doors/gate", r#"{"n":3}"#);
    assert_eq!(
        both.0,
        ["doors gate 2026-11-20T12:00:00.000004Z passages=3", "gates gate 2026-11-20T12:00:00.000004Z passages=3"]
    );
}

#[test]
fn a_message_sent_again_takes_the_time_of_its_first_arrival() {
    let mut trial = Trial::new();
    let mut message = Message::new("doors/d".into(), r#"{"n":1}"#.into(), NOW);
    let first = trial.take(&message).0;
    message.dup = true;
    message.arrived = NOW.plus(5_000_000);
    assert_eq!(trial.take(&message).0, first, "in the same gather");
    trial.next();
    assert_eq!(trial.take(&message).0, first, "while the first is on its way to the log");
    let hash = trial.gather.batches[2].marks[0].hash;
    trial.next();
    trial.next();
    assert_ne!(trial.take(&message).0, first, "forgotten by process and store: at least once");
    trial.next();
    trial.next();
    trial.mark.set(Some((hash, NOW)));
    assert_eq!(trial.take(&message).0, first, "by the store's mark");
    message.payload = r#"{"n":2}"#.into();
    assert_ne!(trial.take(&message).0, first, "another payload is another message");
}

#[test]
fn a_retained_message_needs_a_time_of_its_own() {
    let mut trial = Trial::new();
    let mut message = Message::new("doors/d".into(), r#"{"n":1}"#.into(), NOW);
    message.retained = true;
    assert_eq!(trial.take(&message).1, ["retained_without_time"]);
    let mut message = Message::new("city/a/air".into(), r#"{"ts":"2026-11-20T11:00:00Z","co2":500}"#.into(), NOW);
    message.retained = true;
    assert_eq!(trial.take(&message).0.len(), 1);
}

#[test]
fn subscriptions_are_the_fewest_and_know_whether_retained_messages_help() {
    let filters: Vec<(String, bool)> =
        catalog().subscriptions().into_iter().map(|wanted| (wanted.filter, wanted.retained)).collect();
    let right = [("city/+/air", true), ("hub/#", true), ("loops/+", true), ("radar/+", true), ("doors/+", false)];
    assert_eq!(filters, right.map(|(filter, retained)| (filter.to_owned(), retained)));
}
