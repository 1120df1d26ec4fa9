//! What this process knows of a dataset's sensors: how many there are, and what was last said of each.

use hashbrown::HashMap;
use schemas::sensor::Attributes;
use schemas::{Cadence, Note, Place, Time};
use std::sync::Arc;

/// The sensors of one dataset. Bounded by the contract's `max_sensors`; one that is known stays so.
#[derive(Debug, Default)]
pub struct Sensors {
    numbers: HashMap<Arc<str>, u32>,
    known: Vec<Known>,
    /// What was last said of each.
    said: Vec<Said>,
}

/// One sensor.
#[derive(Debug)]
struct Known {
    id: Arc<str>,
    /// The gather in which it last had a row, and its number there.
    row: (u64, u32),
}

/// What a payload and its source say of a sensor.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// Where it stands.
    pub place: Option<Place>,
    /// Attributes.
    pub attributes: Attributes,
    /// Its source's cadence, where that differs from the dataset's.
    pub every: Option<Cadence>,
}

impl Sensors {
    /// Starts from the ids that the registry file and the store know.
    pub fn new(ids: impl IntoIterator<Item = Arc<str>>) -> Sensors {
        let mut sensors = Sensors::default();
        for id in ids {
            sensors.enter(id);
        }
        sensors
    }

    /// Whether there is room for a sensor: it is known, or fewer than `most` are.
    pub fn admits(&self, id: &str, most: usize) -> bool {
        self.known.len() < most || self.knows(id)
    }

    /// How many are known.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Whether a sensor is known.
    pub fn knows(&self, id: &str) -> bool {
        self.numbers.contains_key(id)
    }

    /// What a sensor is called here, if it is known. It stays so.
    pub(crate) fn find(&self, id: &str) -> Option<u32> {
        self.numbers.get(id).copied()
    }

    /// What a sensor is called here; a new one becomes known.
    fn enter(&mut self, id: Arc<str>) -> u32 {
        *self.numbers.entry(id.clone()).or_insert_with(|| {
            self.known.push(Known { id, row: (0, 0) });
            self.said.push(Said::default());
            self.known.len() as u32 - 1
        })
    }

    /// The sensor's number in a gather's batch, whose list of sensors it joins at its first row.
    /// Gathers are counted from 1.
    pub fn number(&mut self, id: &str, gather: u64, batch: &mut Vec<Arc<str>>) -> u32 {
        let sensor = self.find(id).unwrap_or_else(|| self.enter(id.into()));
        self.row(sensor, gather, batch)
    }

    /// [`Sensors::number`] of a sensor that is known.
    #[inline]
    pub(crate) fn row(&mut self, sensor: u32, gather: u64, batch: &mut Vec<Arc<str>>) -> u32 {
        let known = &mut self.known[sensor as usize];
        if known.row.0 != gather {
            known.row = (gather, batch.len() as u32);
            batch.push(known.id.clone());
        }
        known.row.1
    }

    /// What of that is news; nothing when all of it was said before.
    pub fn news(&mut self, id: &Arc<str>, time: Time, said: Said) -> Option<Note> {
        let sensor = self.find(id)?;
        let known = &mut self.said[sensor as usize];
        let place = said.place.filter(|place| known.place != Some(*place));
        let every = said.every.filter(|every| known.every != Some(*every));
        let mut attributes = said.attributes;
        attributes.retain(|name, text| known.attributes.get(name) != Some(text));
        if place.is_none() && every.is_none() && attributes.is_empty() {
            return None;
        }
        known.place = place.or(known.place);
        known.every = every.or(known.every);
        known.attributes.extend(attributes.clone());
        Some(Note { sensor: id.clone(), time, place, attributes, every })
    }
}
