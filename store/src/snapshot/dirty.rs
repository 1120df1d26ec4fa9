//! Quarter hours whose tier rows may not be used (rules 2 and 9).

use super::Snapshot;
use super::load::{holds_any, ids};
use crate::{Error, Keys, SensorIx};
use schemas::Span;
use schemas::time::HOUR;

/// Width of the windows of the finest tier in microseconds. Windows of the others are whole numbers of them: since 1972 no zone's
/// offset is anything else.
const QUARTER: i64 = HOUR / 4;

/// By sensor the quarter hours, from the full UTC hour, in which rows are that tiers do not have.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dirty(Keys);

impl Dirty {
    /// Whether every window is clean.
    pub fn is_empty(&self) -> bool {
        self.0.time.is_empty()
    }

    /// Sensors with dirty windows, ascending.
    pub fn sensors(&self) -> &[SensorIx] {
        &self.0.sensors
    }

    /// Starts of a sensor's dirty quarter hours, ascending.
    pub fn of(&self, sensor: SensorIx) -> &[i64] {
        &self.0.time[self.0.rows(sensor)]
    }

    /// Starts of the dirty quarter hours of all sensors, in no order.
    pub fn quarters(&self) -> &[i64] {
        &self.0.time
    }
}

/// Finds them in a span.
pub(super) async fn find(snapshot: &Snapshot, span: Span, only: Option<&[SensorIx]>) -> Result<Dirty, Error> {
    let mut found = Vec::new();
    if span.is_empty() {
        return Ok(Dirty::default());
    }
    snapshot.memory.iter().for_each(|run| add(&run.keys, span, only, &mut found));
    let wanted = only.map(|numbers| ids(&snapshot.sensors, numbers));
    let number = snapshot.numbering();
    let late = snapshot.shelf.late.values().chain(snapshot.shelf.stale.values()).flatten().map(|file| &file.meta);
    let touching = |meta: &&crate::file::FileMeta| meta.max_time >= span.from.0 && meta.min_time < span.to.0;
    for meta in late.filter(touching).filter(|meta| wanted.as_ref().is_none_or(|ids| holds_any(meta, ids))) {
        let keys = snapshot.cache.load(&snapshot.dataset, meta, &[], &number).await?.keys;
        add(&keys, span, only, &mut found);
    }
    found.sort_unstable();
    found.dedup();
    let mut keys = Keys::default();
    found.into_iter().for_each(|(sensor, quarter)| keys.push(sensor, [quarter]));
    Ok(Dirty(keys))
}

/// Adds the quarters of the keys that lie in the span.
fn add(keys: &Keys, span: Span, only: Option<&[SensorIx]>, found: &mut Vec<(SensorIx, i64)>) {
    for (sensor, rows) in keys.each() {
        let times = &keys.time[rows];
        let from = times.partition_point(|&time| time < span.from.0);
        let inside = times[from..].iter().take_while(|&&time| time < span.to.0);
        if from == times.len() || only.is_some_and(|only| !only.contains(&sensor)) {
            continue;
        }
        let before = found.len();
        for time in inside {
            let quarter = (sensor, time - time.rem_euclid(QUARTER));
            if found.len() == before || found.last() != Some(&quarter) {
                found.push(quarter);
            }
        }
    }
}
