//! Looking back: the newest reading of each meter before a span, to which the first growth in it is counted.

use crate::Error;
use crate::aggregate::cumulative::LONGEST_SILENCE;
use hashbrown::HashMap;
use schemas::time::DAY;
use schemas::{ABSENT, Span, Time};
use store::{SensorIx, Snapshot};

/// Newest readings before a span by (sensor, field): when, what.
pub(super) type Before = HashMap<(SensorIx, usize), (i64, i64)>;

/// Finds them for `sensors` and `fields` (indexes into the dataset's), looking back day by day, then over twice as many
/// days each time, as far as a growth is counted across.
pub(super) async fn before(
    snapshot: &Snapshot,
    from: Time,
    sensors: &[SensorIx],
    fields: &[usize],
) -> Result<Before, Error> {
    let mut found = Before::new();
    let Some((first, _)) = snapshot.extent() else { return Ok(found) };
    let end = from.plus(-LONGEST_SILENCE).max(first.day().start());
    let mut missing: Vec<(SensorIx, usize)> = Vec::new();
    for &sensor in sensors.iter().filter(|&&sensor| !begins_after(snapshot, sensor, from)) {
        // A field that a sensor has never reported is not looked for.
        let known = |field: &&usize| snapshot.latest.get(sensor, **field).is_some();
        missing.extend(fields.iter().filter(known).map(|&field| (sensor, field)));
    }
    let (mut to, mut days) = (from, 1);
    while to > end && !missing.is_empty() {
        let span = Span { from: to.plus(-days * DAY).max(end), to };
        if !snapshot.days(span).is_empty() {
            let mut asked: Vec<SensorIx> = missing.iter().map(|(sensor, _)| *sensor).collect();
            asked.dedup();
            let loaded = snapshot.load(span, Some(&asked), fields).await?;
            for &sensor in &asked {
                loaded.series(sensor, &mut |series| {
                    for (&field, values) in fields.iter().zip(series.columns) {
                        if let Some(row) = values.iter().rposition(|&value| value != ABSENT) {
                            found.entry((sensor, field)).or_insert((series.time[row], values[row]));
                        }
                    }
                });
            }
            missing.retain(|key| !found.contains_key(key));
        }
        (to, days) = (span.from, days * 2);
    }
    Ok(found)
}

/// Whether a sensor's first reading is known not to lie before an instant.
fn begins_after(snapshot: &Snapshot, sensor: SensorIx, from: Time) -> bool {
    let id = snapshot.sensors.ids.get(sensor as usize);
    let sensor = id.and_then(|id| snapshot.registry.get(id));
    sensor.is_some_and(|sensor| !sensor.listed.since && sensor.since.is_some_and(|since| since >= from))
}
