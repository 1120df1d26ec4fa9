//! Erasures on their way into late files, and back (rules 7 and 14). A file says them as JSON in its footer.

use super::{Closed, Filed};
use crate::file::{Effort, FileMeta, encode, encode_noted, inspect, note};
use crate::paths::FileName;
use crate::run::cut::Cut;
use crate::{Error, Kind, Run, SensorIx, SensorTable};
use bytes::Bytes;
use schemas::{Dataset, Day, Span, Time};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Figures of a late file, and the erasures in it.
pub(crate) type Told = (FileMeta, Vec<Cut>);

/// An erasure as a late file says it.
#[derive(Serialize, Deserialize)]
struct Written {
    sensor: Arc<str>,
    /// First instant, in microseconds.
    from: i64,
    /// Instant after the last.
    to: i64,
    /// Names of fields; none stands for whole rows.
    fields: Vec<Arc<str>>,
}

/// Erasures by day, each cut at the last instant that is late for its sensor: fresh rows lie in files, below late ones,
/// whether they came before it or after. Only in `days`: others have no rows. What concerns days that are `gone` goes to the first
/// of them as a whole: it is for the tiers alone.
pub(crate) fn sort(
    cuts: &[Cut],
    filed: &Filed,
    closed: Closed,
    (days, gone): (&BTreeSet<Day>, &BTreeSet<Day>),
) -> BTreeMap<Day, Vec<Cut>> {
    let mut sorted: BTreeMap<Day, Vec<Cut>> = BTreeMap::new();
    for cut in cuts {
        let late = Span { from: Time(i64::MIN), to: Time(filed.limit(cut.sensor, closed).saturating_add(1)) };
        let Some(cut) = cut.within(late) else { continue };
        let Some((first, last)) = cut.span.days() else { continue };
        for &day in days.range(first..=last) {
            sorted.entry(day).or_default().extend(cut.within(day.span()));
        }
        let mut gone = gone.range(first..=last);
        if let Some(&first) = gone.next() {
            let last = gone.next_back().unwrap_or(&first);
            let frozen = cut.within(Span { from: first.start(), to: last.span().to });
            sorted.entry(first).or_default().extend(frozen);
        }
    }
    sorted
}

/// A late file: rows, erasures that hold for all below them, or both.
pub(crate) fn write(
    dataset: &Dataset,
    (run, cuts): (&Run, &[Cut]),
    sensors: &SensorTable,
    name: FileName,
) -> Result<(FileMeta, Bytes), Error> {
    if cuts.is_empty() {
        return encode(dataset, run, sensors, name, Effort::Quick);
    }
    let broken = |e: String| Error::new(Kind::Io, format!("{}/{}: cannot be encoded: {e}", dataset.id, name.path()));
    let mut written = Vec::with_capacity(cuts.len());
    for Cut { sensor, span, fields } in cuts {
        let id =
            sensors.ids.get(*sensor as usize).ok_or_else(|| broken(format!("sensor number {sensor} has no id")))?;
        let fields = fields.iter().map(|&field| dataset.fields[field].name.clone()).collect();
        written.push(Written { sensor: id.clone(), from: span.from.0, to: span.to.0, fields });
    }
    let text = serde_json::to_string(&written).map_err(|e| broken(e.to_string()))?;
    if !run.is_empty() {
        return encode_noted(dataset, run, sensors, name, (Effort::Quick, Some(&text)));
    }
    let bytes = note::alone(&text).map_err(|e| broken(e.to_string()))?;
    Ok((bare(name, bytes.len(), cuts), bytes))
}

/// The figures of a file without rows. It spans its erasures.
fn bare(name: FileName, bytes: usize, cuts: &[Cut]) -> FileMeta {
    FileMeta {
        name,
        bytes: bytes as u64,
        rows: 0,
        min_time: cuts.iter().map(|cut| cut.span.from.0).min().unwrap_or_default(),
        max_time: cuts.iter().map(|cut| cut.span.to.0 - 1).max().unwrap_or_default(),
        min_sensor: String::new(),
        max_sensor: String::new(),
    }
}

/// Figures and erasures of a late file. `number` gives the numbers of sensors. Of fields that the contract no longer has
/// nothing is left to erase.
pub(crate) fn read(
    dataset: &Dataset,
    name: FileName,
    bytes: &Bytes,
    number: &mut dyn FnMut(&Arc<str>) -> SensorIx,
) -> Result<Told, Error> {
    let path = format!("{}/{}", dataset.id, name.path());
    let (rows, text) = note::read(&path, bytes)?;
    let Some(text) = text else { return Ok((inspect(&dataset.id, name, bytes)?, Vec::new())) };
    let written: Vec<Written> = serde_json::from_str(&text).map_err(|e| {
        Error::new(Kind::Corrupt, format!("{path} is damaged: its erasures: {e}; put the file back from a backup"))
    })?;
    let cut = |written: Written| {
        let known = |name: &Arc<str>| dataset.field(name).map(|(field, _)| field);
        let fields: Arc<[usize]> = written.fields.iter().filter_map(known).collect();
        let span = Span { from: Time(written.from), to: Time(written.to) };
        let sensor = number(&written.sensor);
        (written.fields.is_empty() || !fields.is_empty()).then_some(Cut { sensor, span, fields })
    };
    let cuts: Vec<Cut> = written.into_iter().filter_map(cut).collect();
    let meta = if rows == 0 { bare(name, bytes.len(), &cuts) } else { inspect(&dataset.id, name, bytes)? };
    Ok((meta, cuts))
}
