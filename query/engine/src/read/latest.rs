//! The newest value of every field of every sensor, and its time.

use super::readings::meta_fields;
use super::table::plain;
use super::{Chosen, Planned, all, check_attributes, check_limit, named, zone};
use crate::answer::{Answer, Column, Meta, Values};
use crate::question::Latest;
use crate::{Error, Order, columns};
use schemas::time::HOUR;
use schemas::{Sensor, Span, Time, Zone};
use std::sync::Arc;
use std::time::Duration;
use store::{Reader, Snapshot, Stamp};

/// Newest values, with everything found.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    snapshot: Arc<Snapshot>,
    stamp: Stamp,
    fields: Vec<usize>,
    named: Option<Chosen>,
    zone: Zone,
    order: Option<Order>,
    limit: Option<usize>,
    /// Full hour as of which places and attributes are shown.
    hour: Time,
}

/// All time that readings are taken from: 2000 to 2200.
pub(super) const ALWAYS: Span = Span { from: Time::EARLIEST, to: Time(7_258_118_400_000_000) };

/// Plans newest values.
pub(crate) fn plan(reader: &Reader, asked: Latest, now: Time) -> Result<Planned, Error> {
    let snapshot = super::snapshot(reader, &asked.dataset)?;
    let fields = columns::plain(&snapshot.dataset, &asked.fields)?;
    check_attributes(&snapshot, &asked.attributes)?;
    asked.order.iter().try_for_each(|order| check_order(order, &snapshot, &fields))?;
    let mut named = if asked.sensors.is_empty() { None } else { Some(named(&snapshot, &asked.sensors)?) };
    let (zone, hour) = (zone(asked.tz, &snapshot.dataset), Time(now.0 - now.0.rem_euclid(HOUR)));
    if !asked.attributes.is_empty() {
        let mut chosen = named.unwrap_or_else(|| all(&snapshot));
        chosen.retain(|(id, _)| has(&snapshot, id, hour, &asked.attributes));
        named = Some(chosen);
    }
    // Any reading may be the newest of its sensor.
    let stamp = snapshot.stamp(ALWAYS);
    let key = format!(
        "latest|{}|{fields:?}|{:?}|{:?}|{:?}|{:?}|{}|{}|{}|{}|{}|{}",
        snapshot.dataset.id,
        asked.sensors,
        asked.attributes,
        asked.order,
        asked.limit,
        zone.name(),
        hour.0,
        stamp.log,
        stamp.position.0,
        snapshot.registry.version,
        snapshot.dataset.version,
    );
    let (order, limit) = (asked.order, asked.limit);
    let plan = Plan { snapshot, stamp, fields, named, zone, order, limit, hour };
    Ok(Planned { plan: super::Plan::Latest(plan), key, max_age: Duration::from_secs(1) })
}

/// Answers it.
pub(super) fn answer(plan: &Plan) -> Result<Answer, Error> {
    let (snapshot, dataset) = (&plan.snapshot, &plan.snapshot.dataset);
    let sensors = plan.named.clone().unwrap_or_else(|| all(snapshot));
    let mut columns = places(snapshot, &sensors, plan.hour);
    let values = |field: usize| sensors.iter().map(move |(_, ix)| ix.and_then(|ix| snapshot.latest.get(ix, field)));
    let mut last: Vec<Option<Time>> = vec![None; sensors.len()];
    for &field in &plan.fields {
        last.iter_mut().zip(values(field)).for_each(|(last, found)| *last = found.map(|(time, _)| time).max(*last));
    }
    columns.push(Column { name: "time".to_owned(), values: Values::Time { zone: plan.zone.clone(), values: last } });
    for &field in &plan.fields {
        let newest: Vec<Option<(Time, i64)>> = values(field).collect();
        let times = newest.iter().map(|found| found.map(|(time, _)| time)).collect();
        let field = &dataset.fields[field];
        let values = plain(field, newest.iter().map(|found| found.map(|(_, value)| value)));
        columns.push(Column { name: field.name.to_string(), values });
        let values = Values::Time { zone: plan.zone.clone(), values: times };
        columns.push(Column { name: format!("{}_time", field.name), values });
    }
    let meta = Meta {
        dataset: Some(dataset.id.clone()),
        tz: Some(plan.zone.clone()),
        fields: meta_fields(dataset, &plan.fields),
        stamp: Some(plan.stamp),
        license: Some(dataset.license.clone()),
        publisher: Some(dataset.publisher.clone()),
        ..Meta::default()
    };
    let mut answer = Answer { meta, rows: sensors.len(), columns };
    match (&plan.order, plan.limit) {
        (Some(order), limit) => order.apply(&mut answer, limit),
        (None, Some(limit)) => check_limit(answer.rows, limit)?,
        (None, None) => {}
    }
    Ok(answer)
}

/// Refuses an order by what is no column, or by attributes, which have none.
fn check_order(order: &Order, snapshot: &Snapshot, fields: &[usize]) -> Result<(), Error> {
    let names: Vec<&str> = fields.iter().map(|&field| &*snapshot.dataset.fields[field].name).collect();
    let times: Vec<String> = names.iter().map(|name| format!("{name}_time")).collect();
    let all = ["sensor", "lon", "lat", "time"].into_iter().chain(names).chain(times.iter().map(String::as_str));
    order.check(all)
}

/// Whether a sensor's attributes have these values at an instant.
fn has(snapshot: &Snapshot, id: &str, at: Time, wanted: &[(String, String)]) -> bool {
    let attributes = snapshot.registry.get(id).and_then(|sensor| sensor.attributes_at(at));
    wanted.iter().all(|(name, value)| attributes.and_then(|attributes| attributes.get(name)) == Some(value))
}

/// Columns `sensor`, `lon`, `lat`, `attributes` as of an instant.
pub(super) fn places(snapshot: &Snapshot, sensors: &Chosen, at: Time) -> Vec<Column> {
    let known: Vec<Option<&Arc<Sensor>>> = sensors.iter().map(|(id, _)| snapshot.registry.get(id)).collect();
    let place = || known.iter().map(|sensor| sensor.and_then(|sensor| sensor.place_at(at)));
    let attributes = known.iter().map(|sensor| sensor.and_then(|sensor| sensor.attributes_at(at)).cloned());
    let column = |name: &str, values| Column { name: name.to_owned(), values };
    vec![
        column("sensor", Values::Text(sensors.iter().map(|(id, _)| Some(id.clone())).collect())),
        column("lon", Values::Real(place().map(|place| place.map(|p| p.lon)).collect())),
        column("lat", Values::Real(place().map(|place| place.map(|p| p.lat)).collect())),
        column("attributes", Values::Map(attributes.collect())),
    ]
}
