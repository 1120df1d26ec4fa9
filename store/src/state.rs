//! What is saved beside a table: newest values, registry, stamps, newest filed instants, and how far it has seen each log.

use crate::error::below;
use crate::holding::Known;
use crate::late::Filed;
use crate::stamps::Stamps;
use crate::{Error, Kind, Latest, LogId, Position, SensorIx, SensorTable, Stamp, paths};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use schemas::{Dataset, Day, Registry};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A position in each of several logs.
pub(crate) type Positions = BTreeMap<LogId, Position>;

/// The format of saved state this program writes.
const FORMAT: u32 = 1;

/// Saved state of a dataset, as of the positions it names.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct State {
    format: u32,
    positions: Positions,
    /// Names of the fields that `times` and `values` are of.
    fields: Vec<Arc<str>>,
    /// Ids of the sensors that `filed`, `times` and `values` are of.
    sensors: Vec<Arc<str>>,
    filed: Vec<i64>,
    times: Vec<i64>,
    values: Vec<i64>,
    /// Newest values that are to be found again since an erasure took them: (sensor, field).
    #[serde(default)]
    owed: Vec<(SensorIx, usize)>,
    stamps: Vec<(Day, Stamp)>,
    /// Days that go, each with the record that said so.
    #[serde(default)]
    going: Vec<(Day, Position)>,
    registry: Registry,
}

/// What was saved of a dataset, in terms of its present contract.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) known: Known,
    pub(crate) filed: Filed,
    pub(crate) positions: Positions,
}

/// Saves state durably.
pub(crate) async fn save(
    objects: &dyn ObjectStore,
    dataset: &Dataset,
    known: &Known,
    filed: &Filed,
    positions: Positions,
) -> Result<(), Error> {
    let sensors = known.sensors.ids.clone();
    let state = State {
        format: FORMAT,
        positions,
        fields: dataset.fields.iter().map(|f| f.name.clone()).collect(),
        filed: (0..sensors.len() as SensorIx).map(|s| filed.of(s)).collect(),
        sensors,
        times: known.latest.times.clone(),
        values: known.latest.values.clone(),
        owed: known.latest.owed.keys().copied().collect(),
        stamps: known.stamps.iter().collect(),
        going: known.going.iter().map(|(day, position)| (*day, *position)).collect(),
        registry: (*known.registry).clone(),
    };
    write(objects, &newest(dataset), &state).await
}

/// Reads what was saved of a dataset; nothing saved is an empty state.
pub(crate) async fn load(objects: &dyn ObjectStore, dataset: &Dataset) -> Result<Found, Error> {
    let place = newest(dataset);
    let Some(state) = read::<State>(objects, &place).await? else {
        let latest = Latest { fields: dataset.fields.len(), ..Latest::default() };
        return Ok(Found { known: Known { latest: Arc::new(latest), ..Known::default() }, ..Found::default() });
    };
    let cells = state.sensors.len() * state.fields.len();
    if state.format != FORMAT || [state.times.len(), state.values.len()] != [cells; 2] {
        return Err(unreadable(&place, &format!("format {} with {} values", state.format, state.values.len())));
    }
    let mut latest = Latest { fields: dataset.fields.len(), ..Latest::default() };
    latest.grow(state.sensors.len());
    for (old, name) in state.fields.iter().enumerate() {
        let Some((new, _)) = dataset.field(name) else { continue };
        for sensor in 0..state.sensors.len() {
            let at = sensor * state.fields.len() + old;
            if state.values[at] != schemas::ABSENT {
                latest.set(sensor as SensorIx, new, state.times[at], state.values[at]);
            }
        }
    }
    for (sensor, old) in state.owed {
        let Some((new, _)) = state.fields.get(old).and_then(|name| dataset.field(name)) else { continue };
        latest.owed.insert((sensor, new), 0);
    }
    let mut stamps = Stamps::default();
    state.stamps.into_iter().for_each(|(day, stamp)| stamps.touch(day, stamp));
    let known = Known {
        sensors: Arc::new(SensorTable { ids: state.sensors }),
        registry: Arc::new(state.registry),
        latest: Arc::new(latest),
        stamps: Arc::new(stamps),
        going: Arc::new(state.going.into_iter().collect()),
    };
    Ok(Found { known, filed: Filed::new(state.filed), positions: state.positions })
}

/// How far the saved state of a dataset that may have no contract any more has seen a log.
pub(crate) async fn position(objects: &dyn ObjectStore, dataset: &str, log: LogId) -> Result<Position, Error> {
    let state = read::<State>(objects, &paths::state(dataset, "newest.json")).await?;
    Ok(state.and_then(|s| s.positions.get(&log).copied()).unwrap_or_default())
}

fn newest(dataset: &Dataset) -> Path {
    paths::state(&dataset.id, "newest.json")
}

pub(crate) fn unreadable(place: &Path, why: &str) -> Error {
    Error::new(
        Kind::Corrupt,
        format!("{place} in the data folder: {why}; restore it, or remove it to have it built from the files"),
    )
}

/// Writes a value as JSON, durably and all or nothing.
pub(crate) async fn write<T: Serialize>(objects: &dyn ObjectStore, place: &Path, value: &T) -> Result<(), Error> {
    let bytes = serde_json::to_vec(value).map_err(|e| unreadable(place, &e.to_string()))?;
    objects.put(place, bytes.into()).await.map_err(|e| stored(place, e))?;
    Ok(())
}

/// Reads a value that [`write()`] wrote; nothing if it never did.
pub(crate) async fn read<T: for<'a> Deserialize<'a>>(
    objects: &dyn ObjectStore,
    place: &Path,
) -> Result<Option<T>, Error> {
    let answer = match objects.get(place).await {
        Err(object_store::Error::NotFound { .. }) => return Ok(None),
        answer => answer.map_err(|e| stored(place, e))?,
    };
    let bytes = answer.bytes().await.map_err(|e| stored(place, e))?;
    serde_json::from_slice(&bytes).map(Some).map_err(|e| unreadable(place, &e.to_string()))
}

/// An error of the object store, at a place in the data folder.
pub(crate) fn stored(place: &Path, error: object_store::Error) -> Error {
    Error {
        kind: below(&error),
        message: format!("{place} in the data folder: {error}"),
        source: Some(Box::new(error)),
    }
}
