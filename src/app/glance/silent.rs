//! Sensors that should have sent and did not.

use schemas::{Cadence, Time};
use serde::{Deserialize, Serialize};
use store::{Reader, Snapshot};

/// Silent sensors named for each dataset, at most.
const NAMED: usize = 8;
/// A sensor is silent when nothing came for so many of its cadences.
const MISSED: i64 = 12;

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
