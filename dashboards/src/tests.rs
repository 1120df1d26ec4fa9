//! What is generated holds together: for the shipped contracts, and for contracts that try it.

use crate::{File, Language, Options, files};
use schemas::contract::{Text, parse};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// The ids of `getValueFormats()` of `@grafana/data` 13.2.3.
const UNITS: &str = include_str!("tests/units.txt");
/// The panels that come with Grafana and are used here.
const PANELS: [&str; 5] = ["geomap", "row", "stat", "table", "timeseries"];
/// Points of a series that no call may pass.
const POINTS: u64 = 2_000;

const TRAFFIC: &str = include_str!("../../schemas/datasets/traffic.toml");
const AIR: &str = include_str!("../../schemas/datasets/air_quality.toml");
const PARKING: &str = include_str!("../../schemas/datasets/parking.toml");
const NOISE: &str = include_str!("../../schemas/datasets/noise.toml");
const WEATHER: &str = include_str!("../../schemas/datasets/weather.toml");

/// Everything a contract may say that is awkward for a dashboard.
const AWKWARD: &str = r#"
id = "a_long_name_of_a_dataset_of_the_town"
title = { cs = "Dveře \"hlavní\", $dveře" }
description = { cs = "Nic." }
license = "CC0-1.0"
publisher = "Nobody"
zone = "Europe/Prague"
every = "event"
sensors = "awkward.geojson"

[[field]]
name = "door"
title = { cs = "Dveře" }
kind = "state"
values = ["open: wide", "a.b*c", "it's shut"]
hold = "1h"

[[source]]
mqtt = "doors/+"
sensor = "{topic.1}"
time = { path = "/ts", format = "rfc3339" }
map = { door = "/state" }
"#;

/// Contracts as files, with a registry of four sensors in two streets each.
fn made(contracts: &[&str], language: &str) -> Vec<File> {
    let feature = |n: usize| {
        let (street, floor) = (["Pražská", "U řeky (dolní)"][n % 2], n / 2);
        format!(
            r#"{{"type":"Feature","geometry":null,"properties":{{"id":"s{n}","name":"N{n}","street":"{street}",
            "floor":"{floor}","odd.name":"x","room":"{n}"}}}}"#
        )
    };
    let features: Vec<String> = (0..4).map(feature).collect();
    let registry = format!(r#"{{"type":"FeatureCollection","features":[{}]}}"#, features.join(","));
    let text = |toml: &&str| Text {
        file: PathBuf::from("contract.toml"),
        toml: (*toml).to_owned(),
        registry: Some((PathBuf::from("registry.geojson"), Ok(registry.clone()))),
    };
    let texts: Vec<Text> = contracts.iter().map(text).collect();
    let options =
        Options { url: "http://lamppost:8080".to_owned(), with_key: false, language: Language(language.to_owned()) };
    files(&parse(&texts).expect("contracts"), &options)
}

fn dashboards(files: &[File]) -> Vec<Value> {
    let json = files.iter().filter(|file| file.path.ends_with(".json"));
    json.map(|file| serde_json::from_str(&file.text).expect("JSON")).collect()
}

/// All panels, those in closed rows too.
fn panels(dashboard: &Value) -> Vec<&Value> {
    let list = |value: &'_ Value| value.as_array().cloned().unwrap_or_default().len();
    let top = dashboard["panels"].as_array().expect("panels");
    let inside = top.iter().filter(|panel| list(&panel["panels"]) > 0);
    top.iter().chain(inside.flat_map(|row| row["panels"].as_array().expect("panels"))).collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

fn all() -> Vec<File> {
    made(&[AIR, NOISE, PARKING, TRAFFIC, WEATHER, AWKWARD], "en")
}

#[test]
fn heads_are_those_of_classic_dashboards() {
    let dashboards = dashboards(&all());
    assert_eq!(dashboards.len(), 7);
    let mut uids = BTreeSet::new();
    for dashboard in &dashboards {
        let uid = text(&dashboard["uid"]);
        let plain = uid.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        assert!(plain && (1..=40).contains(&uid.len()), "{uid}");
        assert!(uids.insert(uid), "{uid} twice");
        assert_eq!(dashboard["schemaVersion"], 42);
        assert!(!text(&dashboard["title"]).is_empty() && dashboard["tags"][0] == "lamppost");
        assert!(dashboard["templating"]["list"].is_array() && dashboard["annotations"]["list"].is_array());
    }
}

#[test]
fn panels_fill_the_grid_without_overlaps() {
    for dashboard in &dashboards(&all()) {
        let mut ids = BTreeSet::new();
        let mut taken: BTreeMap<(u64, u64), u64> = BTreeMap::new();
        for panel in panels(dashboard) {
            let id = panel["id"].as_u64().expect("id");
            assert!(ids.insert(id), "{id} twice in {}", dashboard["uid"]);
            let at = |key: &str| panel["gridPos"][key].as_u64().expect("gridPos");
            assert!(at("w") > 0 && at("h") > 0 && at("x") + at("w") <= 24, "{}", panel["gridPos"]);
            for cell in (at("x")..at("x") + at("w")).flat_map(|x| (at("y")..at("y") + at("h")).map(move |y| (x, y))) {
                let other = taken.insert(cell, id);
                assert_eq!(other, None, "panel {id} of {} overlaps", dashboard["uid"]);
            }
        }
    }
}

#[test]
fn panels_and_variables_read_the_provisioned_source() {
    let files = all();
    let source = &files.iter().find(|file| file.path == "provisioning/datasources/lamppost.yaml").expect("source").text;
    assert!(source.contains("\n    uid: lamppost\n    type: yesoreyeram-infinity-datasource\n"), "{source}");
    let expected = serde_json::json!({ "type": "yesoreyeram-infinity-datasource", "uid": "lamppost" });
    for dashboard in &dashboards(&files) {
        for panel in panels(dashboard).into_iter().filter(|panel| panel["type"] != "row") {
            assert_eq!(panel["datasource"], expected);
            let targets = panel["targets"].as_array().expect("targets");
            assert!(!targets.is_empty(), "{} asks nothing", panel["title"]);
            let names: BTreeSet<&str> = targets.iter().map(|target| text(&target["refId"])).collect();
            assert_eq!(names.len(), targets.len(), "two calls of one name in {}", panel["title"]);
            for target in targets {
                assert_eq!(target["datasource"], expected);
                assert!(text(&target["url"]).starts_with("/api/v1/datasets"), "relative to the source's URL");
            }
        }
        let variables = dashboard["templating"]["list"].as_array().expect("variables").iter();
        for variable in variables.filter(|variable| variable["type"] == "query") {
            assert_eq!(variable["datasource"], expected);
        }
    }
}

#[test]
fn panels_are_of_known_kinds_and_units() {
    let known: BTreeSet<&str> = UNITS.lines().collect();
    for dashboard in &dashboards(&all()) {
        for panel in panels(dashboard) {
            assert!(PANELS.contains(&text(&panel["type"])), "{}", panel["type"]);
            let mut units: Vec<&str> = panel["fieldConfig"]["defaults"]["unit"].as_str().into_iter().collect();
            for over in panel["fieldConfig"]["overrides"].as_array().into_iter().flatten() {
                let settings = over["properties"].as_array().expect("properties").iter();
                units.extend(settings.filter(|setting| setting["id"] == "unit").map(|setting| text(&setting["value"])));
            }
            for unit in units {
                assert!(known.contains(unit) || unit.starts_with("suffix:"), "{unit:?} in {}", panel["title"]);
            }
        }
    }
}

#[test]
fn every_variable_used_is_defined() {
    for dashboard in &dashboards(&all()) {
        let variables = dashboard["templating"]["list"].as_array().expect("variables");
        let mut known: BTreeSet<&str> = variables.iter().map(|variable| text(&variable["name"])).collect();
        known.extend(["__timeFrom", "__timeTo", "__to", "__field.labels.group", "__value.raw"]);
        let mut written = dashboard.clone();
        // A title may have a sign of money in it; only the closed row's is filled in.
        for part in ["title", "description"] {
            written[part] = Value::Null;
        }
        let used = written.to_string();
        for (at, _) in used.match_indices("${") {
            let name = used[at + 2..].split(['}', ':']).next().unwrap_or_default();
            assert!(known.contains(name), "{name} is not defined in {}", dashboard["uid"]);
        }
        for variable in variables {
            let name = text(&variable["name"]);
            let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            assert!(plain, "{name} is no name of a variable");
        }
    }
}

#[test]
fn no_call_asks_for_more_points_than_a_series_may_have() {
    for dashboard in &dashboards(&all()) {
        for panel in panels(dashboard) {
            for target in panel["targets"].as_array().into_iter().flatten() {
                if !text(&target["url"]).ends_with("/aggregates") {
                    continue;
                }
                let parameters = target["url_options"]["params"].as_array().expect("parameters").iter();
                let parameters: BTreeMap<&str, &str> =
                    parameters.map(|pair| (text(&pair["key"]), text(&pair["value"]))).collect();
                match (parameters["bucket"], parameters.get("max_points")) {
                    ("auto", Some(points)) => assert!(points.parse::<u64>().expect("number") <= POINTS),
                    ("1h", None) => assert_eq!(parameters["from"], "now-24h"),
                    other => panic!("{other:?} in {}", panel["title"]),
                }
            }
        }
    }
}

#[test]
fn a_town_of_events_has_an_overview_without_silence() {
    let found = dashboards(&made(&[AWKWARD], "en"));
    let titles: Vec<&str> = panels(&found[0]).into_iter().map(|panel| text(&panel["title"])).collect();
    assert_eq!(titles, ["Datasets", "Sensors"]);
}

#[test]
fn coverage_is_asked_in_buckets_that_hold_a_reading() {
    for (every, bucket) in [("5m", "1h"), ("1h", "1h"), ("1d", "day")] {
        let contract = AIR.replace("every = \"5m\"", &format!("every = \"{every}\""));
        let overview = dashboards(&made(&[&contract], "en")).swap_remove(0).to_string();
        assert!(overview.contains(&format!(r#"{{"key":"bucket","value":"{bucket}"}}"#)), "{every}");
    }
}

#[test]
fn titles_are_in_the_language_asked_for() {
    let titles = |language| -> Vec<String> {
        let found = dashboards(&made(&[AIR, AWKWARD], language));
        found[1..].iter().map(|dashboard| text(&dashboard["title"]).to_owned()).collect()
    };
    assert_eq!(titles("de"), ["Luftqualität", "Dveře \"hlavní\", $dveře"]);
    assert_eq!(titles("fi")[0], "Air quality");
}

#[test]
fn a_key_is_sent_only_when_asked_for() {
    let contracts = [Text { file: PathBuf::from("a.toml"), toml: AIR.replace("sensors =", "# "), registry: None }];
    let datasets = parse(&contracts).expect("contract");
    let source = |with_key| {
        let options = Options { url: "https://data.example".to_owned(), with_key, language: Language("en".to_owned()) };
        files(&datasets, &options).swap_remove(0).text
    };
    let lines = [
        "      httpHeaderName1: Authorization\n",
        "    secureJsonData:\n",
        "      httpHeaderValue1: Bearer $LAMPPOST_KEY\n",
    ];
    for line in lines {
        assert!(source(true).contains(line) && !source(false).contains(line), "{line}");
    }
    assert!(source(false).contains("allowedHosts: [\"https://data.example\"]"));
    assert!(source(false).contains("customHealthCheckUrl: \"https://data.example/health\""));
}
