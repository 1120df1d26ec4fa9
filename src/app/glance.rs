//! The running server at a glance: what `/status` tells operators and `lamppost status` prints.

use super::sockets::{self, Sockets};
use crate::{Config, Error};
use schemas::{Cadence, Time};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use store::{Reader, Snapshot};

/// Silent sensors named for each dataset, at most.
const NAMED: usize = 8;
/// Characters of a rejected payload shown.
const SHOWN: usize = 200;
/// A sensor is silent when nothing came for so many of its cadences.
const MISSED: i64 = 12;

/// The server at a glance.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Glance {
    /// Version of the binary.
    pub version: String,
    /// When it was looked at.
    pub now: String,
    /// When the server started.
    pub started: String,
    /// Log and datasets, as the store tells them.
    pub store: serde_json::Value,
    /// What stands in the way of being ready.
    pub unready: Vec<String>,
    /// Rejects by source, reason and field, the most frequent first.
    pub rejects: Vec<Rejected>,
    /// Sensors that went silent, by dataset.
    pub silent: Vec<Silent>,
    /// Doors and what they took since the start.
    pub doors: Vec<Door>,
}

/// Rejects of one source, reason and field.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Rejected {
    /// The source: `air_quality/0`; empty when none matched.
    pub source: String,
    /// The reason's word.
    pub reason: String,
    /// The field; empty for a whole reading or message.
    pub field: String,
    /// Different messages.
    pub messages: u64,
    /// How often, repetitions included.
    pub count: u64,
    /// Topic of the newest.
    pub topic: String,
    /// What was wrong with it.
    pub detail: String,
    /// The beginning of its payload.
    pub payload: String,
    /// When it was last seen.
    pub last_seen: String,
}

/// Silent sensors of a dataset.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Silent {
    /// The dataset.
    pub dataset: String,
    /// How many are silent.
    pub count: usize,
    /// Some of them.
    pub sensors: Vec<String>,
}

/// One door.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Door {
    /// Its name.
    pub name: String,
    /// Where it listens, or the broker it subscribes at.
    pub address: String,
    /// Messages taken.
    pub messages: u64,
    /// Messages acknowledged.
    pub acked: u64,
    /// Connections open now.
    pub connections: i64,
}

/// Rejects by source, reason and field.
pub fn rejects(reader: &Reader) -> Vec<Rejected> {
    let mut sorts: BTreeMap<_, Rejected> = BTreeMap::new();
    // Newest first: the first of each sort is the example.
    for row in reader.rejects() {
        let first = &row.first;
        let sort = (first.source.clone(), first.reason, first.field.clone());
        let entry = sorts.entry(sort).or_insert_with(|| Rejected {
            source: first.source.to_string(),
            reason: first.reason.name().to_owned(),
            field: first.field.to_string(),
            messages: 0,
            count: 0,
            topic: first.topic.to_string(),
            detail: first.detail.clone(),
            payload: String::from_utf8_lossy(&first.payload).chars().take(SHOWN).collect(),
            last_seen: row.last_seen.to_string(),
        });
        entry.messages += 1;
        entry.count += row.count;
    }
    let mut rejects: Vec<Rejected> = sorts.into_values().collect();
    rejects.sort_by_key(|rejected| std::cmp::Reverse(rejected.count));
    rejects
}

/// Sensors that should have sent and did not, for the datasets that have any.
pub fn silent(reader: &Reader, now: Time) -> Vec<Silent> {
    let snapshots = reader.datasets().iter().filter_map(|dataset| reader.snapshot(&dataset.id).ok());
    snapshots.filter_map(|snapshot| silent_in(&snapshot, now)).collect()
}

fn silent_in(snapshot: &Snapshot, now: Time) -> Option<Silent> {
    let Cadence::Every(every) = snapshot.dataset.every else { return None };
    let since = now.plus(-MISSED * every);
    let heard = |id: &str| {
        let number = snapshot.sensor(id)?;
        (0..snapshot.dataset.fields.len())
            .filter_map(|field| snapshot.latest.get(number, field))
            .map(|(time, _)| time)
            .max()
    };
    let quiet: Vec<&str> = snapshot
        .registry
        .sensors
        .values()
        .filter(|sensor| sensor.retired.is_none_or(|retired| retired > now))
        .map(|sensor| &*sensor.id)
        .filter(|id| heard(id).is_none_or(|time| time < since))
        .collect();
    (!quiet.is_empty()).then(|| Silent {
        dataset: snapshot.dataset.id.to_string(),
        count: quiet.len(),
        sensors: quiet.iter().take(NAMED).map(|&id| id.to_owned()).collect(),
    })
}

/// The doors there are, and where their counters stand.
#[derive(Clone, Debug)]
pub struct Doors(Vec<(String, String, ingest::metrics::DoorMetrics)>);

impl Doors {
    /// The doors of a config.
    pub fn new(config: &Config, sockets: &Sockets, metrics: &ingest::Metrics) -> Result<Doors, Error> {
        let mut doors = Vec::new();
        if let Some(socket) = &sockets.mqtt {
            let address = format!("mqtt://{}", sockets::address(socket)?);
            doors.push(("listener".to_owned(), address, metrics.door("listener")));
        }
        for broker in &config.brokers {
            let name = broker.name();
            doors.push((format!("broker {name}"), broker.url.to_string(), metrics.door(&name)));
        }
        Ok(Doors(doors))
    }

    fn look(&self) -> Vec<Door> {
        let door = |(name, address, metrics): &(String, String, ingest::metrics::DoorMetrics)| Door {
            name: name.clone(),
            address: address.clone(),
            messages: metrics.messages.get(),
            acked: metrics.acked.get(),
            connections: metrics.connections.get(),
        };
        self.0.iter().map(door).collect()
    }
}

/// Why the server cannot take readings in or answer, if so.
pub fn unready(reader: &Reader) -> Vec<String> {
    reader.status().stopped.into_iter().collect()
}

impl Glance {
    /// A look at the server now.
    pub fn look(reader: &Reader, doors: &Doors, started: Time, now: Time) -> Glance {
        Glance {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            now: now.to_string(),
            started: started.to_string(),
            // A figure that cannot be written as JSON would be a fault of the store's types; null tells so.
            store: serde_json::to_value(reader.status()).unwrap_or_default(),
            unready: unready(reader),
            rejects: rejects(reader),
            silent: silent(reader, now),
            doors: doors.look(),
        }
    }

    /// As JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}
