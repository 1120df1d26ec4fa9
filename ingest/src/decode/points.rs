//! Values that come one by one, each under a name of its own: what the patterns of the contracts make of them.

use crate::normalize::{self, Mapped, Refusal};
use crate::parcel::{Parcel, Readings, Refused};
use crate::{Catalog, decode::Value};
use bytes::Bytes;
use hashbrown::HashMap;
use schemas::pattern::{NAME, VALUE};
use schemas::source::{Decoder, Mapping};
use schemas::template::Piece;
use schemas::{ABSENT, Batch, Cadence, Note, Pattern, Reason, Source, Time, Unit};
use std::sync::Arc;

/// Which of the formats with patterns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Graphite's plaintext.
    Graphite,
    /// SenML.
    Senml,
}

/// What a name means to one source.
#[derive(Debug)]
enum Meaning {
    /// A field of a sensor: the entry of the source's mapping.
    Field { route: usize, sensor: Arc<str>, entry: usize, note: Option<Box<Note>> },
    /// Nothing, and why.
    None { route: Option<usize>, field: Arc<str>, refusal: Refusal },
}

/// Names, and what they mean. Kept from text to text.
#[derive(Debug)]
pub struct Names {
    catalog: Arc<Catalog>,
    format: Format,
    /// The routes that take part.
    routes: Vec<usize>,
    known: HashMap<Box<str>, Arc<[Meaning]>>,
    most: usize,
    key: String,
}

/// One value under a name.
#[derive(Clone, Debug)]
pub struct Point<'a> {
    /// First byte of its text in the body.
    pub at: usize,
    /// Its name or path.
    pub name: &'a str,
    /// When it was taken.
    pub stamp: Time,
    /// The value.
    pub value: Value<'a>,
    /// The unit that came with it.
    pub unit: Option<Unit>,
}

impl Names {
    /// Names of a format, for these routes of the catalog as far as they have it; up to `most` of them are remembered.
    pub fn new(catalog: Arc<Catalog>, format: Format, routes: Vec<usize>, most: usize) -> Names {
        Names { catalog, format, routes, known: HashMap::new(), most, key: String::new() }
    }

    /// What a name means to each source whose pattern it has.
    fn of(&mut self, topic: &str, name: &str) -> Arc<[Meaning]> {
        self.key.clear();
        self.key.extend([topic, "\0", name]);
        if let Some(known) = self.known.get(self.key.as_str()) {
            return known.clone();
        }
        let found: Arc<[Meaning]> = self.look(topic, name).into();
        if self.known.len() >= self.most {
            self.known.clear();
        }
        self.known.insert(self.key.as_str().into(), found.clone());
        found
    }

    fn look(&self, topic: &str, name: &str) -> Vec<Meaning> {
        let mut parts = Vec::new();
        let mut found = Vec::new();
        for &route in &self.routes {
            let source = self.catalog.source(route);
            let pattern = match (&source.decoder, self.format) {
                (Decoder::Graphite(pattern), Format::Graphite) | (Decoder::Senml(pattern), Format::Senml) => pattern,
                _ => continue,
            };
            if pattern.matches(name, &mut parts) {
                let cadence = self.catalog.datasets[self.catalog.routes[route].dataset].every;
                found.push(meaning(route, source, cadence, &Parts { pattern, parts: &parts, topic }));
            }
        }
        if found.is_empty() {
            let (what, key) = match self.format {
                Format::Graphite => ("path", "graphite"),
                Format::Senml => ("name", "senml"),
            };
            let detail =
                format!("no contract has a source for the {what} {name:?}; a source's `{key}` pattern must match it");
            let refusal = Refusal::new(Reason::UnknownTopic, detail);
            found.push(Meaning::None { route: None, field: "".into(), refusal });
        }
        found
    }
}

/// What a pattern found in a name.
struct Parts<'a> {
    pattern: &'a Pattern,
    parts: &'a [&'a str],
    topic: &'a str,
}

impl<'a> Parts<'a> {
    fn get(&self, name: &str) -> Option<&'a str> {
        self.pattern.parts().position(|part| part == name).map(|at| self.parts[at])
    }

    /// The sensor's id.
    fn id(&self, source: &Source) -> Result<Arc<str>, Refusal> {
        let mut id = String::new();
        for piece in &source.sensor.pieces {
            let text = match piece {
                Piece::Literal(text) => Some(text.as_str()),
                Piece::Part(name) => self.get(name),
                Piece::Topic(level) => self.topic.split('/').nth(*level).filter(|text| !text.is_empty()),
                Piece::Payload(_) => None,
            };
            let Some(text) = text else {
                let detail = "the sensor's id asks for what neither name nor topic has; see `sensor` of the source";
                return Err(Refusal::new(Reason::MissingSensor, detail));
            };
            id.push_str(text);
        }
        normalize::sensor(&id).map(|()| id.into())
    }
}

/// What a name means to a source whose pattern it has.
fn meaning(route: usize, source: &Source, usual: Cadence, parts: &Parts<'_>) -> Meaning {
    let name = parts.get(NAME).unwrap_or(VALUE);
    let none = |refusal| Meaning::None { route: Some(route), field: name.into(), refusal };
    let Mapping::Wide(entries) = &source.map else { return none(Refusal::new(Reason::NoFields, "maps no names")) };
    let Some(entry) = entries.iter().position(|entry| entry.path.parts[0] == name) else {
        let known: Vec<&str> = entries.iter().map(|entry| entry.path.parts[0].as_str()).collect();
        let detail = format!("name {name:?} is not in `map` of the source, which has {}", known.join(", "));
        return none(Refusal::new(Reason::NoFields, detail));
    };
    match parts.id(source) {
        Err(refusal) => none(refusal),
        Ok(sensor) => {
            let attributes = source.attributes.iter();
            let attributes =
                attributes.filter_map(|(key, part)| Some((key.clone(), parts.get(&part.parts[0])?.to_owned())));
            let every = source.every.filter(|every| *every != usual);
            let note =
                Note { sensor: sensor.clone(), time: Time(0), place: None, attributes: attributes.collect(), every };
            let says = !note.attributes.is_empty() || every.is_some();
            Meaning::Field { route, sensor, entry, note: says.then(|| Box::new(note)) }
        }
    }
}

/// Points of one text on their way to a parcel.
#[derive(Debug)]
pub struct Points<'a> {
    names: &'a mut Names,
    topic: &'a str,
    now: Time,
    /// By route.
    tables: Vec<Option<Table>>,
    refused: Vec<Refused>,
}

/// Readings of one route under way.
#[derive(Debug)]
struct Table {
    readings: Readings,
    numbers: HashMap<Arc<str>, u32>,
    /// Sensor: its last row.
    last: Vec<usize>,
}

impl<'a> Points<'a> {
    /// No points yet. `topic` is where the text came by, `now` when.
    pub fn new(names: &'a mut Names, topic: &'a str, now: Time) -> Points<'a> {
        let tables = names.catalog.routes.iter().map(|_| None).collect();
        Points { names, topic, now, tables, refused: Vec::new() }
    }

    /// Refuses a piece of the text.
    pub fn refuse(&mut self, at: usize, reason: Reason, detail: impl Into<String>) {
        let refusal = Refusal::new(reason, detail);
        self.refused.push(Refused { at: at as u32, route: None, field: "".into(), refusal });
    }

    /// Takes a point for each source whose pattern its name has.
    pub fn put(&mut self, point: &Point<'_>) {
        let meanings = self.names.of(self.topic, point.name);
        for meaning in meanings.iter() {
            let (route, field, refusal) = match meaning {
                Meaning::None { route, field, refusal } => (*route, field.clone(), refusal.clone()),
                Meaning::Field { route, entry, .. } => match self.take(meaning, point) {
                    Ok(()) => continue,
                    Err(refusal) => (Some(*route), self.field(*route, *entry), refusal),
                },
            };
            self.refused.push(Refused { at: point.at as u32, route, field, refusal });
        }
    }

    fn field(&self, route: usize, entry: usize) -> Arc<str> {
        let Mapping::Wide(entries) = &self.names.catalog.source(route).map else { return "".into() };
        let dataset = self.names.catalog.routes[route].dataset;
        self.names.catalog.datasets[dataset].fields[entries[entry].field].name.clone()
    }

    fn take(&mut self, meaning: &Meaning, point: &Point<'_>) -> Result<(), Refusal> {
        let Meaning::Field { route, sensor, entry, note } = meaning else { return Ok(()) };
        let catalog = &self.names.catalog;
        let (source, dataset) = (catalog.source(*route), &catalog.datasets[catalog.routes[*route].dataset]);
        let Mapping::Wide(entries) = &source.map else { return Ok(()) };
        let entry = &entries[*entry];
        let field = &dataset.fields[entry.field];
        let unit = point.unit.as_ref().unwrap_or(&entry.unit);
        if !unit.converts_to(&field.unit) {
            let detail = format!("{} came in {}, which does not convert to {}", field.name, unit.code, field.unit.code);
            return Err(Refusal::new(Reason::InvalidValue, detail));
        }
        let mapped = Mapped { field, unit, words: &entry.words, missing: &source.missing };
        let value = normalize::value(mapped, &point.value)?;
        let time = normalize::instant(point.stamp, normalize::interval(source, dataset), self.now)?;
        let Some(value) = value else { return Ok(()) };
        let table = self.tables[*route].get_or_insert_with(|| Table {
            readings: Readings { route: *route, batch: Batch::new(dataset.clone()), at: Vec::new() },
            numbers: HashMap::new(),
            last: Vec::new(),
        });
        table.put(sensor, time, (entry.field, value), point.at, note.as_deref());
        Ok(())
    }

    /// What was put, of this body.
    pub fn finish(self, body: Bytes) -> Parcel {
        let readings = self.tables.into_iter().flatten().map(|table| table.readings).collect();
        Parcel { topic: self.topic.into(), body, readings, refused: self.refused }
    }
}

impl Table {
    /// Adds a value; to the sensor's last row where that is of the same instant and lacks it.
    fn put(&mut self, sensor: &Arc<str>, time: Time, (field, value): (usize, i64), at: usize, note: Option<&Note>) {
        let Readings { batch, at: places, .. } = &mut self.readings;
        let new = self.numbers.len() as u32;
        let number = *self.numbers.entry(sensor.clone()).or_insert(new);
        if number == new {
            batch.sensors.push(sensor.clone());
            batch.notes.extend(note.map(|note| Note { time, ..note.clone() }));
            self.last.push(usize::MAX);
        }
        let last = &mut self.last[number as usize];
        if *last != usize::MAX && batch.time[*last] == time.0 && batch.columns[field][*last] == ABSENT {
            batch.columns[field][*last] = value;
            return;
        }
        *last = batch.len();
        batch.sensor.push(number);
        batch.time.push(time.0);
        places.push(at as u32);
        batch
            .columns
            .iter_mut()
            .enumerate()
            .for_each(|(i, column)| column.push(if i == field { value } else { ABSENT }));
    }
}

#[cfg(test)]
mod tests;
