//! All sensors of one dataset: those its registry file lists and those that readings came from.

use crate::{Note, Sensor, Time};
use std::collections::BTreeMap;
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
    /// Parses a GeoJSON FeatureCollection: `id` or `properties.id`, Point geometry or none,
    /// `properties.since`, `properties.retired` (ISO dates or RFC 3339), all other scalar properties are attributes.
    /// Errors are (line, what is wrong and what would be right), all of them.
    pub fn parse_geojson(_text: &str) -> Result<Vec<Sensor>, Vec<(usize, String)>> {
        todo!()
    }

    /// Takes the registry file's sensors over: what the file says of a sensor wins for the present, its history stays.
    pub fn list(&mut self, _sensors: &[Sensor], _now: Time) {
        todo!()
    }

    /// A reading of `sensor` at `time` was taken: adds the sensor if new, moves `since` of an unregistered one back.
    pub fn seen(&mut self, _sensor: &Arc<str>, _time: Time) {
        todo!()
    }

    /// Takes over what a payload said. A change of attributes takes effect at the next full UTC hour; a new sensor's
    /// first attributes and place hold from the beginning. Whether anything changed.
    pub fn note(&mut self, _note: &Note) -> bool {
        todo!()
    }

    /// The sensor of that id.
    pub fn get(&self, id: &str) -> Option<&Arc<Sensor>> {
        self.sensors.get(id)
    }
}
