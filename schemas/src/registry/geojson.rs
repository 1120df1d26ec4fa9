//! The registry file: a GeoJSON FeatureCollection (RFC 7946) of sensors.

use crate::sensor::{Attributes, check_id};
use crate::source::TimeFormat;
use crate::{Day, Place, Sensor, Time};
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The collection with its features as they stand in the text, so that their lines are known.
#[derive(serde::Deserialize)]
struct Collection<'a> {
    r#type: String,
    #[serde(borrow)]
    features: Vec<&'a RawValue>,
}

/// Sensors, or every fault as (line, "what is wrong; what would be right").
pub(super) fn parse(text: &str) -> Result<Vec<Sensor>, Vec<(usize, String)>> {
    let text = text.trim_start_matches('\u{feff}');
    let collection: Collection<'_> = serde_json::from_str(text).map_err(|error| {
        vec![(error.line(), format!("not a GeoJSON FeatureCollection ({error}); write {{\"type\": \"FeatureCollection\", \"features\": […]}}"))]
    })?;
    if collection.r#type != "FeatureCollection" {
        return Err(vec![(1, format!("type is \"{}\"; write \"FeatureCollection\"", collection.r#type))]);
    }
    let mut sensors: Vec<Sensor> = Vec::new();
    let mut lines: BTreeMap<Arc<str>, usize> = BTreeMap::new();
    let mut faults = Vec::new();
    for raw in collection.features {
        let line = line_of(text, raw.get());
        match feature(raw.get()) {
            Ok(sensor) => match lines.insert(sensor.id.clone(), line) {
                Some(first) => {
                    faults.push((line, format!("sensor \"{}\" is in line {first} too; list it once", sensor.id)))
                }
                None => sensors.push(sensor),
            },
            Err(wrongs) => faults.extend(wrongs.into_iter().map(|wrong| (line, wrong))),
        }
    }
    if faults.is_empty() { Ok(sensors) } else { Err(faults) }
}

/// The line a slice of `text` begins in, counted from 1.
fn line_of(text: &str, part: &str) -> usize {
    let offset = (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize).min(text.len());
    text.as_bytes()[..offset].iter().filter(|byte| **byte == b'\n').count() + 1
}

/// One sensor, or all that is wrong with it.
fn feature(text: &str) -> Result<Sensor, Vec<String>> {
    let feature: Value =
        serde_json::from_str(text).map_err(|error| vec![format!("{error}; write a GeoJSON Feature")])?;
    let mut wrongs = Vec::new();
    if feature["type"] != "Feature" {
        wrongs.push("not a Feature; write \"type\": \"Feature\"".to_string());
    }
    let properties = &feature["properties"];
    let id = scalar(&feature["id"]).or_else(|| scalar(&properties["id"])).unwrap_or_default();
    if let Err(remedy) = check_id(&id) {
        wrongs.push(format!(
            "the sensor's id is missing or unusable; {remedy}: give it as \"id\" of the feature or of its properties"
        ));
    }
    let place = or_wrong(place(&feature["geometry"]), &mut wrongs);
    let since = or_wrong(date(properties, "since"), &mut wrongs);
    let retired = or_wrong(date(properties, "retired"), &mut wrongs);
    if let (Some(since), Some(retired)) = (since, retired)
        && retired <= since
    {
        wrongs.push(format!("sensor \"{id}\" retires before it begins; make \"retired\" later than \"since\""));
    }
    if !wrongs.is_empty() {
        return Err(wrongs);
    }
    let from = since.unwrap_or(Time::EARLIEST);
    let attributes = attributes(properties);
    let mut sensor = Sensor::new(id.into());
    (sensor.registered, sensor.since, sensor.retired) = (true, since, retired);
    sensor.places = place.map(|place| (from, place)).into_iter().collect();
    sensor.attributes = (!attributes.is_empty()).then_some((from.hour(), attributes)).into_iter().collect();
    Ok(sensor)
}

/// What was found; what is wrong goes to the others.
fn or_wrong<T>(found: Result<Option<T>, String>, wrongs: &mut Vec<String>) -> Option<T> {
    found.unwrap_or_else(|wrong| {
        wrongs.push(wrong);
        None
    })
}

/// A scalar's text; nothing for null, arrays, objects and what is missing.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

fn place(geometry: &Value) -> Result<Option<Place>, String> {
    if geometry.is_null() {
        return Ok(None);
    }
    let degrees = |i: usize| geometry["coordinates"][i].as_f64();
    let place = degrees(0).zip(degrees(1)).and_then(|(lon, lat)| Place::new(lon, lat));
    place.filter(|_| geometry["type"] == "Point").map(Some).ok_or_else(|| {
        "the geometry is no Point in WGS 84 degrees; write {\"type\": \"Point\", \"coordinates\": [longitude, latitude]} or null".into()
    })
}

fn date(properties: &Value, name: &str) -> Result<Option<Time>, String> {
    let value = &properties[name];
    if value.is_null() {
        return Ok(None);
    }
    let text = value.as_str().unwrap_or_default();
    let time = Day::parse(text).map(Day::start).or_else(|| TimeFormat::Rfc3339.read(text).ok());
    time.map(Some)
        .ok_or_else(|| format!("\"{name}\" is {value}; write a date such as \"2026-11-20\" or RFC 3339 with an offset"))
}

/// All scalar properties but those with a meaning of their own.
fn attributes(properties: &Value) -> Attributes {
    let all = properties.as_object().into_iter().flatten();
    all.filter(|(name, _)| !matches!(name.as_str(), "id" | "since" | "retired"))
        .filter_map(|(name, value)| Some((name.clone(), scalar(value)?)))
        .collect()
}
