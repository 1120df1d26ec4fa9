//! What a panel of each kind needs of its rows.

use super::Screen;
use super::frame::{Column, Frame, Kind, transformed};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Points of a series at most.
const POINTS: usize = 2_000;

/// Holds what came against the panel. `full`: the town has data for all it shows.
pub(super) fn check(panel: &Value, screen: &Screen, frames: &[Frame], full: bool) {
    let title = &panel["title"];
    for (frame, target) in frames.iter().zip(panel["targets"].as_array().unwrap()) {
        let series = points(frame);
        assert!(series.values().all(|points| *points <= POINTS), "{title}: {series:?} points");
        if target["format"] == "timeseries" {
            ordered(frame, title);
        }
        if full {
            filled(frame, title, panel["type"] == "table");
        }
    }
    let last = transformed(panel, frames, screen);
    overrides(panel, &last);
    match panel["type"].as_str().unwrap() {
        "timeseries" => {
            assert!(last.iter().all(|frame| frame.any(Kind::Time) && frame.any(Kind::Number)), "{title}");
            assert!(panel["targets"].as_array().unwrap().iter().all(|target| target["format"] == "timeseries"));
        }
        "stat" => assert!(last.iter().all(|frame| frame.any(Kind::Number)), "{title}"),
        "table" => assert!(last.len() == 1, "{title} shows one table, not {}", last.len()),
        "geomap" => layers(panel, &last),
        other => panic!("what does a {other} need?"),
    }
}

/// Rows by what they are a series of.
fn points(frame: &Frame) -> BTreeMap<String, usize> {
    let mut series = BTreeMap::new();
    if frame.any(Kind::Time) && frame.has("start") {
        let texts: Vec<usize> =
            (0..frame.columns.len()).filter(|&place| frame.columns[place].kind == Kind::Text).collect();
        for row in &frame.rows {
            let name: Vec<String> = texts.iter().map(|&place| row[place].to_string()).collect();
            *series.entry(name.join(" ")).or_default() += 1;
        }
    }
    series
}

/// Infinity makes series of rows that are ordered by time only, and each time has one row of a series.
fn ordered(frame: &Frame, title: &Value) {
    let times: Vec<jiff::Timestamp> =
        frame.values("start").iter().map(|time| time.as_str().unwrap().parse().unwrap()).collect();
    assert_eq!(times.len(), frame.rows.len(), "{title}: a row without time");
    assert!(times.is_sorted(), "{title}: rows are not ordered by time");
    let place = frame.columns.iter().position(|column| column.kind == Kind::Text);
    let keys: BTreeSet<_> =
        frame.rows.iter().zip(times).map(|(row, time)| (time, place.map(|place| row[place].to_string()))).collect();
    assert_eq!(keys.len(), frame.rows.len(), "{title}: two rows of a series at the same time");
}

/// Something in every column that is shown; a map's sensors need not have every attribute.
fn filled(frame: &Frame, title: &Value, texts: bool) {
    assert!(!frame.rows.is_empty(), "{title}: no rows of {}", frame.name);
    for column in frame.columns.iter().filter(|column| texts || column.kind != Kind::Text) {
        let column = column.name.as_str();
        // Columns of a filter are empty where they should be.
        let other = frame.name != column && frame.has(&frame.name);
        assert!(other || !frame.values(column).is_empty(), "{title}: nothing in {column}");
    }
}

/// Settings are for columns that are there, and a band reaches down to a column that is there.
fn overrides(panel: &Value, frames: &[Frame]) {
    let free = frames.iter().any(|frame| frame.has("*"));
    for over in panel["fieldConfig"]["overrides"].as_array().unwrap() {
        let name = over["matcher"]["options"].as_str().unwrap();
        let known = match over["matcher"]["id"].as_str().unwrap() {
            "byName" => free || frames.iter().any(|frame| frame.has(name)),
            "byFrameRefID" => frames.iter().any(|frame| frame.name == name),
            "byType" => name == "number" && frames.iter().all(|frame| frame.any(Kind::Number)),
            other => panic!("{other} is not known here"),
        };
        assert!(known, "{}: settings for {name:?}, which is not there", panel["title"]);
        for setting in over["properties"].as_array().unwrap() {
            if setting["id"] == "custom.fillBelowTo" {
                let lower = setting["value"].as_str().unwrap();
                assert!(frames.iter().any(|frame| frame.has(lower)), "{}: no {lower} for the band", panel["title"]);
            }
        }
    }
}

/// Each layer has its call, and the call the places and the column that colours them.
fn layers(panel: &Value, frames: &[Frame]) {
    for layer in panel["options"]["layers"].as_array().unwrap() {
        let call = layer["filterData"]["options"].as_str().unwrap();
        let frame = frames.iter().find(|frame| frame.name == call).unwrap_or_else(|| panic!("no call {call}"));
        for key in ["latitude", "longitude"] {
            let column = layer["location"][key].as_str().unwrap();
            assert!(frame.columns.contains(&Column::new(column, Kind::Number)), "{call}: no {column}");
            for degrees in frame.values(column) {
                assert!(degrees.as_f64().is_some_and(|degrees| degrees.abs() <= 180.0), "{column} is {degrees}");
            }
        }
        let color = layer["config"]["style"]["color"]["field"].as_str().unwrap();
        assert!(frame.has(color), "{call}: no {color} to colour by");
    }
}
