//! A field as panels show it.

use crate::language::Language;
use crate::panel::steps;
use crate::unit;
use schemas::{Field, Kind};
use serde_json::{Value, json};
use std::sync::Arc;

/// Colours of fields, in turn.
const COLORS: [&str; 6] = ["blue", "green", "orange", "purple", "yellow", "red"];
/// Colours of a state's words, in turn.
const WORDS: [&str; 6] = ["green", "red", "#808080", "orange", "blue", "purple"];

/// What carbon dioxide indoors means. 1000 and 2000 ppm: German Environment Agency, Bundesgesundheitsblatt 51 (2008),
/// 1358-1369 (up to 1000 harmless, to 2000 conspicuous, above unacceptable); 1400 ppm: DIN EN 13779:2007, where air above it
/// is IDA 4, low quality, for 400 ppm outdoors.
pub(super) const CO2: [(f64, &str); 3] = [(1000.0, "yellow"), (1400.0, "orange"), (2000.0, "red")];
/// The same in words.
pub(super) const CO2_ABOUT: &str = "Up to 1000 ppm harmless, to 2000 ppm conspicuous (air the room), above unacceptable \
    (Umweltbundesamt 2008); above 1400 ppm low air quality (IDA 4 of DIN EN 13779).";

/// A field as panels show it.
#[derive(Clone, Debug)]
pub(super) struct Measure {
    pub(super) name: String,
    pub(super) title: String,
    pub(super) kind: Kind,
    /// Grafana's id.
    pub(super) unit: String,
    pub(super) decimals: u8,
    pub(super) color: &'static str,
    co2: bool,
}

impl Measure {
    pub(super) fn of(field: &Field, place: usize, language: &Language) -> Measure {
        let dioxide = field.name.split('_').any(|word| word == "co2");
        Measure {
            name: field.name.to_string(),
            title: language.of(&field.title, &field.name),
            kind: field.kind.clone(),
            unit: unit::id(&field.unit),
            decimals: unit::decimals(field),
            color: COLORS[place % COLORS.len()],
            co2: dioxide && unit::id(&field.unit) == "ppm",
        }
    }

    pub(super) fn is_co2(&self) -> bool {
        self.co2
    }

    pub(super) fn is_state(&self) -> bool {
        matches!(self.kind, Kind::State { .. })
    }

    /// Whether its values add up over time.
    pub(super) fn adds_up(&self) -> bool {
        matches!(self.kind, Kind::Count | Kind::Cumulative)
    }

    /// The column of a function.
    pub(super) fn column(&self, function: &str) -> String {
        format!("{}_{function}", self.name)
    }

    /// The function that says most of its kind. Of a state: its first word's share of time.
    pub(super) fn main(&self) -> String {
        match &self.kind {
            Kind::Gauge | Kind::Level | Kind::Angle => self.column("mean"),
            Kind::Count => self.column("sum"),
            Kind::Cumulative => self.column("increase"),
            Kind::State { values, .. } => self.column(&format!("share_{}", values.first().map_or("", |word| word))),
        }
    }

    /// Words and colours of a state; nothing for other kinds.
    pub(super) fn words(&self) -> impl Iterator<Item = (&Arc<str>, &'static str)> {
        let words = match &self.kind {
            Kind::State { values, .. } => values.as_slice(),
            _ => &[],
        };
        words.iter().zip(WORDS.iter().copied().cycle())
    }

    /// Settings of a column that holds its values: unit, digits, thresholds, colours of words.
    pub(super) fn settings(&self) -> Vec<(&'static str, Value)> {
        if self.is_state() {
            let word = |(place, (word, color)): (usize, (&Arc<str>, &str))| {
                (word.to_string(), json!({ "text": word, "color": color, "index": place }))
            };
            let options: serde_json::Map<String, Value> = self.words().enumerate().map(word).collect();
            return vec![("mappings", json!([{ "type": "value", "options": options }]))];
        }
        let mut settings = vec![("unit", json!(self.unit)), ("decimals", json!(self.decimals))];
        if self.co2 {
            settings.push(("thresholds", steps("green", &CO2)));
            settings.push(("color", json!({ "mode": "thresholds" })));
        }
        settings
    }
}
