//! Payload values to what the store keeps: steps within range, instants within bounds, ids that are ids.
//!
//! Pure: the clock and the store's memory come in as arguments.

use crate::decode::Value;
use schemas::source::{Stamp, TimeFormat};
use schemas::time::SECOND;
use schemas::{Cadence, Dataset, Decimal, Field, Kind, Place, Reason, Source, Time, Unit, decimal};
use std::collections::BTreeMap;

/// How far ahead of its arrival a stamp may be: devices' clocks drift.
pub const AHEAD: i64 = 5 * 60 * SECOND;
/// The longest sensor id, in bytes: as registry files have it.
pub const MAX_SENSOR: usize = schemas::sensor::LONGEST_ID;
/// The longest attribute, in bytes.
pub const MAX_ATTRIBUTE: usize = 1024;
/// How much of a wrong value a detail quotes, in characters.
const QUOTE: usize = 60;

/// Why something was not taken, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The reason.
    pub reason: Reason,
    /// What was wrong and what would be right.
    pub detail: String,
}

impl Refusal {
    /// A refusal.
    pub fn new(reason: Reason, detail: impl Into<String>) -> Refusal {
        Refusal { reason, detail: detail.into() }
    }
}

impl Refusal {
    /// Of a sensor that the registry file does not list.
    pub(crate) fn unlisted(id: &str) -> Refusal {
        let detail = format!("sensor {id:?} is not in the registry file; add it there, or set unknown_sensors");
        Refusal::new(Reason::UnknownSensor, detail)
    }

    /// Of a sensor past the most that a dataset takes.
    pub(crate) fn too_many(id: &str, most: usize) -> Refusal {
        let detail = format!("sensor {id:?} is new and {most} are known; raise max_sensors of the contract");
        Refusal::new(Reason::TooManySensors, detail)
    }

    /// Of an instant whose raw readings are gone.
    pub(crate) fn too_old(time: Time) -> Refusal {
        let detail = format!("{time} is in a window whose raw readings are gone; `keep` of the contract decides");
        Refusal::new(Reason::TooOld, detail)
    }
}

/// How a payload gives a field's value.
#[derive(Clone, Copy, Debug)]
pub struct Mapped<'a> {
    /// The field.
    pub field: &'a Field,
    /// Unit the payload gives it in.
    pub unit: &'a Unit,
    /// For a state: payload text to index.
    pub words: &'a BTreeMap<String, i64>,
    /// Texts that mean "no value".
    pub missing: &'a [String],
}

/// A field's value in steps of its resolution; nothing when it is absent.
pub fn value(mapped: Mapped<'_>, value: &Value<'_>) -> Result<Option<i64>, Refusal> {
    if absent(value, mapped.missing) {
        return Ok(None);
    }
    let Mapped { field, unit, words, .. } = mapped;
    if let Kind::State { values, .. } = &field.kind {
        return match value.text().and_then(|text| words.get(text.trim())) {
            Some(index) => Ok(Some(*index)),
            None => {
                let detail = format!("{} is {}; one of {} is expected", field.name, quote(value), values.join(", "));
                Err(Refusal::new(Reason::InvalidValue, detail))
            }
        };
    }
    let number = match value {
        Value::Number(text) => Decimal::parse(text.as_bytes()),
        Value::Text(text) => Decimal::parse(text.trim().as_bytes()),
        _ => None,
    };
    let Some(number) = number else {
        let detail = format!("{} is {}; a number in {} is expected", field.name, quote(value), unit.code);
        return Err(Refusal::new(Reason::InvalidValue, detail));
    };
    let (low, high) = field.range;
    match number.to_steps(unit, &field.unit, field.resolution) {
        Some(steps) if low <= steps && steps <= high => Ok(Some(steps)),
        _ => {
            let scale = u32::from(field.resolution.scale());
            let [low, high] = [low, high].map(|end| decimal::text(i128::from(end), scale));
            let (name, from, to) = (&field.name, &unit.code, &field.unit.code);
            let detail = format!("{name} is {} {from}; {low} to {high} {to} is accepted", quote(value));
            Err(Refusal::new(Reason::OutOfRange, detail))
        }
    }
}

/// Whether a value stands for none: it is not there, null, or one of the texts that mean so.
pub fn absent(value: &Value<'_>, missing: &[String]) -> bool {
    match value {
        Value::Absent => true,
        Value::Nested => false,
        _ if missing.is_empty() => false,
        scalar => scalar.text().is_some_and(|text| missing.iter().any(|mark| mark == text || mark == text.trim())),
    }
}

/// Checks a sensor's id.
pub fn sensor(id: &str) -> Result<(), Refusal> {
    let wrong = if id.trim().is_empty() {
        "is empty".to_owned()
    } else if id.len() > MAX_SENSOR {
        format!("has {} bytes", id.len())
    } else if id.chars().any(char::is_control) {
        format!("{id:?} has control characters")
    } else {
        return Ok(());
    };
    let detail = format!("the sensor's id {wrong}; 1 to {MAX_SENSOR} bytes without control characters are expected");
    Err(Refusal::new(Reason::InvalidSensor, detail))
}

/// What to take off the stamps of a source, in microseconds: those that mark the end of what they count.
pub fn interval(source: &Source, dataset: &Dataset) -> i64 {
    match (source.stamp, source.every.unwrap_or(dataset.every)) {
        (Stamp::End, Cadence::Every(micros)) => micros,
        _ => 0,
    }
}

/// Checks a stamp against the clock, and gives the instant to keep: the start of what it counts.
/// `interval` is what to take off a stamp that marks the end, in microseconds.
pub fn instant(stamp: Time, interval: i64, now: Time) -> Result<Time, Refusal> {
    if stamp > now.plus(AHEAD) {
        let detail = format!("{stamp} is more than 5 minutes ahead of its arrival at {now}; check the clock and zone");
        return Err(Refusal::new(Reason::InFuture, detail));
    }
    let time = stamp.plus(-interval);
    if time < Time::EARLIEST {
        let detail = format!("{time} is before {}, the earliest instant kept; check the format", Time::EARLIEST);
        return Err(Refusal::new(Reason::BeforeEarliest, detail));
    }
    Ok(time)
}

/// The instant a payload value means.
pub fn stamp(format: &TimeFormat, value: &Value<'_>) -> Result<Time, Refusal> {
    let (Value::Number(_) | Value::Text(_), Some(text)) = (value, value.text()) else {
        let detail = format!("the time is {}; a text or number is expected", quote(value));
        return Err(Refusal::new(Reason::InvalidTime, detail));
    };
    format.read(text.trim()).map_err(|(reason, detail)| Refusal { reason, detail })
}

/// A place from longitude and latitude; nothing when the payload tells neither.
pub fn place(lon: &Value<'_>, lat: &Value<'_>, missing: &[String]) -> Result<Option<Place>, Refusal> {
    if absent(lon, missing) && absent(lat, missing) {
        return Ok(None);
    }
    let degrees = |value: &Value<'_>| match value {
        Value::Number(text) => text.parse::<f64>().ok(),
        Value::Text(text) => text.trim().parse::<f64>().ok(),
        _ => None,
    };
    let place = degrees(lon).zip(degrees(lat)).and_then(|(lon, lat)| Place::new(lon, lat));
    place.map(Some).ok_or_else(|| {
        let (lon, lat) = (quote(lon), quote(lat));
        let detail = format!("longitude {lon} and latitude {lat}; -180 to 180 and -90 to 90 degrees are expected");
        Refusal::new(Reason::InvalidPlace, detail)
    })
}

/// An attribute's text; nothing when the payload does not tell it.
pub fn attribute(name: &str, value: &Value<'_>, missing: &[String]) -> Result<Option<String>, Refusal> {
    if absent(value, missing) {
        return Ok(None);
    }
    match value.text() {
        Some(text) if text.len() <= MAX_ATTRIBUTE => Ok(Some(text.to_owned())),
        _ => {
            let detail = format!("{name} is {}; a text of at most {MAX_ATTRIBUTE} bytes is expected", quote(value));
            Err(Refusal::new(Reason::InvalidValue, detail))
        }
    }
}

/// A value as details quote it.
pub fn quote(value: &Value<'_>) -> String {
    match value {
        Value::Absent => "missing".to_owned(),
        Value::Nested => "an object or array".to_owned(),
        Value::Text(text) if text.chars().nth(QUOTE).is_some() => {
            format!("{:?}…", text.chars().take(QUOTE).collect::<String>())
        }
        Value::Text(text) => format!("{text:?}"),
        scalar => scalar.text().unwrap_or_default().chars().take(QUOTE).collect(),
    }
}
