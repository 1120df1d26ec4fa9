//! One kind of observation the city publishes. Built only from a contract, so it cannot be wrong.

use crate::{Field, Source, Time, Zone};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Text for people by language tag: `en`, `cs`, `de`.
pub type Text = BTreeMap<String, String>;

/// A dataset, as its contract declares it.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// Name in paths, API and SQL: `air_quality`.
    pub id: Arc<str>,
    /// Title for people.
    pub title: Text,
    /// Description for people.
    pub description: Text,
    /// SPDX licence id.
    pub license: String,
    /// Who publishes it.
    pub publisher: String,
    /// Who may read it.
    pub access: Access,
    /// Zone of its civil days.
    pub zone: Zone,
    /// Expected cadence of one sensor.
    pub every: Cadence,
    /// Whether sensors the registry does not list are accepted.
    pub unknown_sensors: UnknownSensors,
    /// Past this many sensors a new one is rejected: `too_many_sensors`.
    pub max_sensors: usize,
    /// How long each tier is kept.
    pub keep: Keeps,
    /// Its fields, in the contract's order. A field's index here is its number everywhere.
    pub fields: Vec<Field>,
    /// How readings arrive.
    pub sources: Vec<Source>,
    /// Registry file, as written in the contract (relative to the contract's folder).
    pub sensors_file: Option<String>,
    /// Sensors of the registry file, already parsed; empty without one.
    pub sensors: Vec<crate::Sensor>,
    /// Hash of the contract's text and registry file: the contract version in cache keys.
    pub version: u64,
}

impl Dataset {
    /// Index and field of that name.
    pub fn field(&self, name: &str) -> Option<(usize, &Field)> {
        self.fields.iter().enumerate().find(|(_, f)| &*f.name == name)
    }

    /// `settle` of the store's rules: 3 × `every`, 15 minutes for event datasets, in microseconds.
    pub fn settle(&self) -> i64 {
        match self.every {
            Cadence::Every(micros) => 3 * micros,
            Cadence::Event => 15 * 60 * crate::time::SECOND,
        }
    }

    /// The newest instant before which a dataset's answers no longer change by readings that arrive on time.
    pub fn settled(&self, now: Time) -> Time {
        now.plus(-self.settle())
    }
}

/// Who may read a dataset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anyone.
    Public,
    /// Holders of a key with a read scope for it.
    Restricted,
}

/// Expected cadence of one sensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cadence {
    /// One reading each so many microseconds.
    Every(i64),
    /// A reading when something happens: no expectation, coverage is null.
    Event,
}

/// What to do with a sensor that the registry file does not list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownSensors {
    /// Take its readings and list it as unregistered.
    Accept,
    /// Reject its readings: `unknown_sensor`.
    Refuse,
}

/// How long one tier is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// For so many microseconds.
    For(i64),
    /// For ever.
    Forever,
}

/// How long each tier is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keeps {
    /// Raw readings.
    pub raw: Keep,
    /// Quarter hours.
    pub quarter: Keep,
    /// Hours.
    pub hour: Keep,
    /// Civil days.
    pub day: Keep,
}
