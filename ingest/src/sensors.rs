//! What this process knows of a dataset's sensors: how many there are, and what was last said of each.

use hashbrown::HashMap;
use schemas::sensor::Attributes;
use schemas::{Cadence, Note, Place, Time};
use std::sync::Arc;

/// The sensors of one dataset. Bounded by the contract's `max_sensors`.
#[derive(Debug, Default)]
pub struct Sensors {
    known: HashMap<Arc<str>, Known>,
}

/// One sensor.
#[derive(Debug, Default)]
struct Known {
    /// The gather in which it last had a row, and its number there.
    row: (u64, u32),
    /// The last place said.
    place: Option<Place>,
    /// The last attributes said.
    attributes: Attributes,
    /// The last cadence said.
    every: Option<Cadence>,
}

/// What a payload and its source say of a sensor.
#[derive(Debug, Default)]
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
        Sensors { known: ids.into_iter().map(|id| (id, Known::default())).collect() }
    }

    /// Whether there is room for a sensor: it is known, or fewer than `most` are.
    pub fn admits(&self, id: &str, most: usize) -> bool {
        self.known.len() < most || self.known.contains_key(id)
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
        self.known.contains_key(id)
    }

    /// The sensor's number in a gather's batch, whose list of sensors it joins at its first row.
    /// Gathers are counted from 1.
    pub fn number(&mut self, id: &str, gather: u64, batch: &mut Vec<Arc<str>>) -> u32 {
        let (id, known) = match self.known.get_key_value_mut(id) {
            Some(entry) => entry,
            None => {
                let id: Arc<str> = id.into();
                self.known.insert(id.clone(), Known { row: (gather, batch.len() as u32), ..Known::default() });
                batch.push(id);
                return batch.len() as u32 - 1;
            }
        };
        if known.row.0 != gather {
            known.row = (gather, batch.len() as u32);
            batch.push(id.clone());
        }
        known.row.1
    }

    /// What of that is news; nothing when all of it was said before.
    pub fn news(&mut self, id: &Arc<str>, time: Time, said: Said) -> Option<Note> {
        let known = self.known.get_mut(id)?;
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
