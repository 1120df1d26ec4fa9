//! All sensors of one dataset: those its registry file lists and those that readings came from.

mod geojson;
mod history;

use crate::sensor::{Listed, at};
use crate::time::HOUR;
use crate::{Note, Sensor, Time};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The sensors of one dataset by id.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Registry {
    /// Sensors by id.
    pub sensors: BTreeMap<Arc<str>, Arc<Sensor>>,
    /// Grows by one with each change: part of cache keys.
    pub version: u64,
}

impl Registry {
    /// Parses a GeoJSON FeatureCollection (RFC 7946): `id` or `properties.id`, Point geometry or none,
    /// `properties.since`, `properties.retired` (ISO dates or RFC 3339), all other scalar properties are attributes.
    /// Errors are (line, what is wrong and what would be right, with "; " between), all of them.
    pub fn parse_geojson(text: &str) -> Result<Vec<Sensor>, Vec<(usize, String)>> {
        geojson::parse(text)
    }

    /// Takes the registry file's sensors over: what the file says of a sensor wins for the present, its history stays.
    /// Sensors the file no longer lists become unregistered.
    pub fn list(&mut self, sensors: &[Sensor], now: Time) {
        let ids: BTreeSet<&str> = sensors.iter().map(|sensor| &*sensor.id).collect();
        let mut changed = false;
        for sensor in self.sensors.values_mut() {
            if sensor.registered && !ids.contains(&*sensor.id) {
                let sensor = Arc::make_mut(sensor);
                (sensor.registered, sensor.listed) = (false, Listed::default());
                changed = true;
            }
        }
        for said in sensors {
            let entry = self.sensors.entry(said.id.clone()).or_insert_with(|| Arc::new(Sensor::new(said.id.clone())));
            let sensor = listed(entry, said, now);
            if sensor != **entry {
                *entry = Arc::new(sensor);
                changed = true;
            }
        }
        self.version += u64::from(changed);
    }

    /// A reading of `sensor` at `time` was taken: adds the sensor if new, moves `since` back unless the file gives it.
    pub fn seen(&mut self, sensor: &Arc<str>, time: Time) {
        match self.sensors.get_mut(sensor) {
            Some(known) if known.listed.since || known.since.is_some_and(|since| since <= time) => {}
            Some(known) => {
                Arc::make_mut(known).since = Some(time);
                self.version += 1;
            }
            None => {
                let since = Some(time);
                self.sensors.insert(sensor.clone(), Arc::new(Sensor { since, ..Sensor::new(sensor.clone()) }));
                self.version += 1;
            }
        }
    }

    /// Takes over what a payload said, unless the registry file says it. A change of attributes takes effect at the next
    /// full UTC hour; a new sensor's first attributes and place hold from the beginning. A note older than others takes
    /// its place among them. Whether anything changed.
    pub fn note(&mut self, note: &Note) -> bool {
        let entry = self.sensors.entry(note.sensor.clone());
        let entry = entry.or_insert_with(|| Arc::new(Sensor::new(note.sensor.clone())));
        if says_nothing_new(entry, note) {
            if entry.heard.is_none_or(|heard| heard < note.time) {
                Arc::make_mut(entry).heard = Some(note.time);
            }
            return false;
        }
        let sensor = Arc::make_mut(entry);
        let mut changed = false;
        if let Some(place) = note.place.filter(|_| !sensor.listed.place) {
            changed |= history::place(&mut sensor.places, note.time, place, sensor.heard);
        }
        let mut attributes = note.attributes.clone();
        attributes.retain(|name, _| !sensor.listed.attributes.contains(name));
        if !attributes.is_empty() {
            changed |= history::attributes(&mut sensor.attributes, note.time, attributes, sensor.heard);
        }
        if note.every.is_some() && sensor.every != note.every {
            sensor.every = note.every;
            changed = true;
        }
        sensor.heard = sensor.heard.max(Some(note.time));
        self.version += u64::from(changed);
        changed
    }

    /// The sensor of that id.
    pub fn get(&self, id: &str) -> Option<&Arc<Sensor>> {
        self.sensors.get(id)
    }
}

/// The first full UTC hour at or after `time`.
fn next_hour(time: Time) -> Time {
    let hour = time.hour();
    if hour == time { time } else { hour.plus(HOUR) }
}

/// The usual note: it says what is known. Seen without copying anything.
fn says_nothing_new(sensor: &Sensor, note: &Note) -> bool {
    let hour = next_hour(note.time);
    let attributes = at(&sensor.attributes, hour);
    let known = |(name, value): (&String, &String)| {
        sensor.listed.attributes.contains(name) || attributes.is_some_and(|known| known.get(name) == Some(value))
    };
    let place = note.place.filter(|_| !sensor.listed.place);
    let same_place =
        place.is_none_or(|place| at(&sensor.places, note.time).is_some_and(|was| history::near(*was, place)));
    same_place && note.attributes.iter().all(known) && (note.every.is_none() || note.every == sensor.every)
}

/// A sensor with what the file says of it.
fn listed(sensor: &Sensor, said: &Sensor, now: Time) -> Sensor {
    let mut sensor = sensor.clone();
    sensor.registered = true;
    sensor.since = said.since.or(sensor.since);
    sensor.retired = said.retired;
    if let Some((from, place)) = said.places.last().copied() {
        match sensor.places.last() {
            None => sensor.places.push((from, place)),
            Some((_, known)) if *known == place => {}
            Some(_) => history::put(&mut sensor.places, now, place),
        }
    }
    if let Some((from, attributes)) = said.attributes.last() {
        match sensor.attributes.last() {
            None => sensor.attributes.push((*from, attributes.clone())),
            Some((_, known)) => {
                let mut all = known.clone();
                all.extend(attributes.clone());
                if all != *known {
                    history::put(&mut sensor.attributes, next_hour(now), all);
                }
            }
        }
    }
    let attributes = said.attributes.last().map(|(_, attributes)| attributes.keys().cloned().collect());
    sensor.listed = Listed {
        since: said.since.is_some(),
        place: !said.places.is_empty(),
        attributes: attributes.unwrap_or_default(),
    };
    sensor
}

#[cfg(test)]
mod tests;
