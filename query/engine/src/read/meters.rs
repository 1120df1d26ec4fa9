//! Looking back: the newest reading of each meter before a span, to which the first growth in it is counted.

use super::aggregates::Plan;
use crate::Error;
use crate::aggregate::cumulative::LONGEST_SILENCE;
use crate::aggregate::cut::Segment;
use crate::columns::Output;
use crate::tiers::ways::Path;
use crate::tiers::{Rungs, Wanted, Ways};
use hashbrown::HashMap;
use schemas::time::DAY;
use schemas::{ABSENT, Span, Time};
use store::tier::columns::Part;
use store::{SensorIx, Snapshot};

/// Newest readings before a span by (sensor, field): when, what.
pub(super) type Before = HashMap<(SensorIx, usize), (i64, i64)>;

/// A sensor that belongs to one group for ever.
const ALWAYS: [Segment; 1] = [Segment { from: i64::MIN, to: i64::MAX, group: 0 }];

/// Finds them for `sensors` and the meters among `outputs`, looking back day by day, then over twice as many days each time,
/// as far as a growth is counted across: in tiers where these hold what there was.
pub(super) async fn before(plan: &Plan, sensors: &[SensorIx], outputs: &[Output]) -> Result<Before, Error> {
    let (snapshot, from) = (&*plan.snapshot, plan.span.from);
    let mut found = Before::new();
    let wanted = Wanted::of(&snapshot.dataset, outputs);
    let Some(end) = earliest(snapshot, from).filter(|_| !outputs.is_empty()) else { return Ok(found) };
    let mut missing: Vec<(SensorIx, usize)> = Vec::new();
    for &sensor in sensors.iter().filter(|&&sensor| !begins_after(snapshot, sensor, from)) {
        // A field that a sensor has never reported is not looked for.
        let known = |field: &&usize| snapshot.latest.get(sensor, **field).is_some();
        missing.extend(wanted.fields.iter().filter(known).map(|&field| (sensor, field)));
    }
    let (mut to, mut days) = (from, 1);
    while to > end && !missing.is_empty() {
        // Tiers have whole hours.
        let before = Span { from: to.plus(-days * DAY).max(end).hour(), to };
        let any = Rungs::all(snapshot, before, |_| true);
        let path = Path { before, any: &any, span: Span { from: to, to }, rungs: &Rungs::default() };
        let mut asked: Vec<SensorIx> = missing.iter().map(|(sensor, _)| *sensor).collect();
        asked.dedup();
        let alone: Vec<(SensorIx, &[Segment])> = asked.iter().map(|&sensor| (sensor, &ALWAYS[..])).collect();
        asked.sort_unstable();
        let covers = path.covers(snapshot, &alone, &HashMap::new()).await?;
        let ways = covers.load(snapshot, Some(&asked), &wanted).await?;
        for &(sensor, field) in &missing {
            if let Some(reading) = newest(&ways, (sensor, field), &any, &wanted) {
                found.insert((sensor, field), reading);
            }
        }
        missing.retain(|key| !found.contains_key(key));
        (to, days) = (before.from, days * 2);
    }
    Ok(found)
}

/// The newest reading of a meter in what was loaded.
fn newest(ways: &Ways, (sensor, field): (SensorIx, usize), any: &Rungs, wanted: &Wanted) -> Option<(i64, i64)> {
    let (stretches, stock) = ways.of(sensor);
    let place = wanted.fields.iter().position(|own| *own == field)?;
    stretches.iter().rev().find_map(|stretch| {
        let mut found: Option<(i64, i64)> = None;
        match stretch.tier {
            None => stock.rows(sensor, stretch, &mut |series| {
                let inside = series.time.partition_point(|&time| time < stretch.to);
                let row = series.columns[place][..inside].iter().rposition(|&value| value != ABSENT);
                found = row.map(|row| (series.time[row], series.columns[place][row]));
                found = found.filter(|(time, _)| *time >= stretch.from);
            }),
            Some(tier) => {
                for strip in stock.strips(tier, sensor, stretch, wanted, any.windows(tier)?) {
                    let columns = strip.columns(field);
                    let last = strip.rows.clone().rev().find(|&row| columns.n(row..row + 1) > 0);
                    let reading = last.map(|row| (columns.long(Part::LastAt, row), columns.long(Part::Last, row)));
                    found = found.max(reading);
                }
            }
        }
        found
    })
}

/// The instant before which no reading is looked for; nothing while there are none at all.
fn earliest(snapshot: &Snapshot, from: Time) -> Option<Time> {
    let end = from.plus(-LONGEST_SILENCE);
    // Raw rows that are gone may be in tiers.
    let gone = |to: Time| snapshot.gone(Span { from: end, to }).is_some();
    match snapshot.extent() {
        Some((first, _)) if !gone(first) => Some(end.max(first)),
        None if !gone(from) => None,
        _ => Some(end),
    }
}

/// Whether a sensor's first reading is known not to lie before an instant.
fn begins_after(snapshot: &Snapshot, sensor: SensorIx, from: Time) -> bool {
    let id = snapshot.sensors.ids.get(sensor as usize);
    let sensor = id.and_then(|id| snapshot.registry.get(id));
    sensor.is_some_and(|sensor| !sensor.listed.since && sensor.since.is_some_and(|since| since >= from))
}
