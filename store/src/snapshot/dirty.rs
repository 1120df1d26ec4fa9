//! Quarter hours whose tier rows may not be used (rules 2, 9 and 14).

use super::Snapshot;
use super::load::{holds_any, ids};
use crate::file::FileMeta;
use crate::run::cut::Cut;
use crate::run::segment::runs;
use crate::{Error, Keys, SensorIx};
use schemas::time::HOUR;
use schemas::{Day, Span, Time};

/// Width of the windows of the finest tier in microseconds. Windows of the others are whole numbers of them: since 1972 no zone's
/// offset is anything else.
const QUARTER: i64 = HOUR / 4;

/// All time.
const ALWAYS: Span = Span { from: Time(-1 << 60), to: Time(1 << 60) };

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
    runs(&snapshot.memory).await?.iter().for_each(|run| add(&run.keys, span, only, &mut found));
    let late = || snapshot.shelf.late.values().chain(snapshot.shelf.stale.values()).flatten();
    let cuts = snapshot.cuts.iter().map(|(_, cut)| cut).chain(late().flat_map(|file| &file.cuts));
    add_cuts(snapshot, cuts.filter(|cut| only.is_none_or(|only| only.contains(&cut.sensor))), span, &mut found);
    let wanted = only.map(|numbers| ids(&snapshot.sensors, numbers));
    let number = snapshot.numbering();
    let late = late().map(|file| &file.meta).filter(|meta| meta.rows > 0);
    let touching = |meta: &&FileMeta| meta.max_time >= span.from.0 && meta.min_time < span.to.0;
    let meant = late.filter(touching).filter(|meta| wanted.as_ref().is_none_or(|ids| holds_any(meta, ids)));
    let meant: Vec<FileMeta> = meant.cloned().collect();
    for meta in meant {
        let keys = snapshot.cache.load(&snapshot.dataset, &meta, &[], None, &number).await?.keys;
        add(&keys, span, only, &mut found);
    }
    found.sort_unstable();
    found.dedup();
    let mut keys = Keys::default();
    found.into_iter().for_each(|(sensor, quarter)| keys.push(sensor, [quarter]));
    Ok(Dirty(keys))
}

/// Adds the quarters that erasures touch in the span, of days with rows or that had some when they were erased.
fn add_cuts<'a>(
    snapshot: &Snapshot,
    cuts: impl Iterator<Item = &'a Cut>,
    span: Span,
    found: &mut Vec<(SensorIx, i64)>,
) {
    let mut days: Option<Vec<Day>> = None;
    for Cut { sensor, span, .. } in cuts.filter_map(|cut| cut.within(span)) {
        let Some((first, last)) = span.days() else { continue };
        let days = days.get_or_insert_with(|| {
            let mut days = snapshot.days(ALWAYS);
            days.extend(snapshot.shelf.stale.keys());
            // Of frozen windows only the tiers tell (rule 15).
            days.retain(|day| !snapshot.shelf.gone.contains(day));
            days.sort_unstable();
            days.dedup();
            days
        });
        let inside = days.partition_point(|day| *day < first)..days.partition_point(|day| *day <= last);
        for day in &days[inside] {
            let (from, to) = (span.from.max(day.start()).0, span.to.min(day.span().to).0);
            let first = from - from.rem_euclid(QUARTER);
            found.extend((first..to).step_by(QUARTER as usize).map(|quarter| (sensor, quarter)));
        }
    }
}

/// Adds the quarters of the keys that lie in the span.
fn add(keys: &Keys, span: Span, only: Option<&[SensorIx]>, found: &mut Vec<(SensorIx, i64)>) {
    let mut one = |sensor: SensorIx, times: &[i64]| {
        let from = times.partition_point(|&time| time < span.from.0);
        let mut last = i64::MIN;
        for time in times[from..].iter().take_while(|&&time| time < span.to.0) {
            let quarter = time - time.rem_euclid(QUARTER);
            if quarter != last {
                found.push((sensor, quarter));
            }
            last = quarter;
        }
    };
    match only {
        Some(only) => only.iter().for_each(|&sensor| one(sensor, &keys.time[keys.rows(sensor)])),
        None => keys.each().for_each(|(sensor, rows)| one(sensor, &keys.time[rows])),
    }
}
