//! What readings come from.

use crate::{Cadence, Place, Time};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Attributes of a sensor: `street`, `floor`.
pub type Attributes = BTreeMap<String, String>;

/// A sensor of one dataset, with the history of its place and attributes.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Sensor {
    /// Its id, unique in its dataset.
    pub id: Arc<str>,
    /// Whether the registry file lists it.
    pub registered: bool,
    /// From when coverage counts it: registration date of the file, else its first reading.
    pub since: Option<Time>,
    /// From when it is out of service.
    pub retired: Option<Time>,
    /// Its own expected cadence, where its source differs from the dataset; serves coverage only.
    #[serde(default)]
    pub every: Option<Cadence>,
    /// Places, each with the instant it holds from, oldest first. The first holds for all time before too.
    pub places: Vec<(Time, Place)>,
    /// Attributes, each set with the full UTC hour it holds from, oldest first. The first holds for all time before too.
    pub attributes: Vec<(Time, Attributes)>,
    /// What the registry file says of it, so that payloads do not say otherwise.
    #[serde(default)]
    pub listed: Listed,
    /// The newest reading whose payload spoke of it.
    #[serde(default)]
    pub heard: Option<Time>,
}

/// Which of a sensor's properties its registry file gives.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Listed {
    /// Its registration date.
    pub since: bool,
    /// Its place.
    pub place: bool,
    /// These attributes.
    pub attributes: BTreeSet<String>,
}

/// Bytes of a sensor's id at most.
pub const LONGEST_ID: usize = 200;

/// Whether `id` can name a sensor; the error says what would be right.
pub fn check_id(id: &str) -> Result<(), String> {
    let right = !id.trim().is_empty() && id.len() <= LONGEST_ID && !id.chars().any(char::is_control);
    right.then_some(()).ok_or_else(|| format!("a sensor's id has 1 to {LONGEST_ID} bytes and no control characters"))
}

impl Sensor {
    /// A sensor of which only the id is known.
    pub fn new(id: Arc<str>) -> Sensor {
        Sensor {
            id,
            registered: false,
            since: None,
            retired: None,
            every: None,
            places: Vec::new(),
            attributes: Vec::new(),
            listed: Listed::default(),
            heard: None,
        }
    }

    /// Where it stood at `time`.
    pub fn place_at(&self, time: Time) -> Option<Place> {
        at(&self.places, time).copied()
    }

    /// Its attributes at `time`.
    pub fn attributes_at(&self, time: Time) -> Option<&Attributes> {
        at(&self.attributes, time)
    }
}

/// The entry in force at `time`: the last that begins at or before it, else the first.
pub(crate) fn at<T>(history: &[(Time, T)], time: Time) -> Option<&T> {
    let after = history.partition_point(|(from, _)| *from <= time);
    history.get(after.saturating_sub(1)).map(|(_, value)| value)
}

/// What a payload said of its sensor. The store logs it with the batch and applies it to the registry.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Note {
    /// The sensor.
    pub sensor: Arc<str>,
    /// When the reading that said so was taken.
    pub time: Time,
    /// Where it stands, if said.
    pub place: Option<Place>,
    /// Attributes said; those not named stay as they were.
    pub attributes: Attributes,
    /// The cadence of the source it came by, where that differs from the dataset's (`Source::every`).
    #[serde(default)]
    pub every: Option<Cadence>,
}
