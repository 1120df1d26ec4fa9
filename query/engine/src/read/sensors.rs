//! The registry: which sensors there are, where they stand, and what is said of them.

use super::latest::{ALWAYS, places};
use super::{Chosen, Planned, all, check_attributes};
use crate::Error;
use crate::answer::{Answer, Column, Meta, Values};
use crate::question::Sensors;
use schemas::time::HOUR;
use schemas::{Place, Sensor, Time};
use std::sync::Arc;
use std::time::Duration;
use store::{Reader, Snapshot};

/// Mean radius of the Earth in metres (IUGG).
const EARTH: f64 = 6_371_008.8;

/// A question to the registry, with everything found.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    snapshot: Arc<Snapshot>,
    asked: Sensors,
    /// Full hour as of which places and attributes are shown.
    hour: Time,
}

/// Plans it.
pub(crate) fn plan(reader: &Reader, asked: Sensors, now: Time) -> Result<Planned, Error> {
    let snapshot = super::snapshot(reader, &asked.dataset)?;
    check_attributes(&snapshot, &asked.attributes)?;
    let hour = Time(now.0 - now.0.rem_euclid(HOUR));
    let (registry, contract) = (snapshot.registry.version, snapshot.dataset.version);
    // Versions count from zero in each store; the log tells one store from another at the same address.
    let log = snapshot.stamp(ALWAYS).log;
    let key = format!("sensors|{asked:?}|{}|{log}|{registry}|{contract}", hour.0);
    let plan = Plan { snapshot, asked, hour };
    Ok(Planned { plan: super::Plan::Sensors(plan), key, max_age: Duration::from_secs(10) })
}

/// All sensors of a dataset as of an instant.
pub(crate) fn every(snapshot: Arc<Snapshot>, now: Time) -> Answer {
    answer(&Plan { snapshot, asked: Sensors::default(), hour: now.hour() })
}

/// Answers it: by id, or by distance where `near` is asked for.
pub(super) fn answer(plan: &Plan) -> Answer {
    let (registry, dataset) = (&plan.snapshot.registry, &plan.snapshot.dataset);
    let sensor = |id: &str| registry.get(id).map(|sensor| &**sensor);
    let mut found: Chosen = all(&plan.snapshot);
    found.retain(|(id, _)| plan.fits(id, sensor(id)));
    let distance = |id: &str| {
        let place = sensor(id).and_then(|sensor| sensor.place_at(plan.hour))?;
        Some(metres(plan.asked.near?.place, place))
    };
    if plan.asked.near.is_some() {
        let far = |id: &str| distance(id).unwrap_or(f64::INFINITY);
        found.sort_by(|(a, _), (b, _)| far(a).total_cmp(&far(b)).then_with(|| a.cmp(b)));
    }
    let mut columns = places(&plan.snapshot, &found, plan.hour);
    let mut column = |name: &str, values| columns.push(Column { name: name.to_owned(), values });
    let known = || found.iter().map(|(id, _)| sensor(id));
    column("registered", Values::Bool(known().map(|sensor| Some(sensor.is_some_and(|s| s.registered))).collect()));
    for (name, of) in [("since", (|s| s.since) as fn(&Sensor) -> Option<Time>), ("retired", |s| s.retired)] {
        let values = known().map(|sensor| sensor.and_then(of)).collect();
        column(name, Values::Time { zone: dataset.zone.clone(), values });
    }
    if plan.asked.near.is_some() {
        column("metres", Values::Real(found.iter().map(|(id, _)| distance(id).map(f64::round)).collect()));
    }
    let meta = Meta {
        dataset: Some(dataset.id.clone()),
        tz: Some(dataset.zone.clone()),
        license: Some(dataset.license.clone()),
        publisher: Some(dataset.publisher.clone()),
        ..Meta::default()
    };
    Answer { meta, rows: found.len(), columns }
}

impl Plan {
    /// Whether a sensor is asked for.
    fn fits(&self, id: &str, sensor: Option<&Sensor>) -> bool {
        let place = sensor.and_then(|sensor| sensor.place_at(self.hour));
        let attributes = sensor.and_then(|sensor| sensor.attributes_at(self.hour));
        let within = self.asked.bbox.is_none_or(|bbox| place.is_some_and(|place| inside(bbox, place)));
        let near =
            self.asked.near.is_none_or(|near| place.is_some_and(|place| metres(near.place, place) <= near.metres));
        let value = |name: &String| attributes.and_then(|attributes| attributes.get(name));
        let named = self.asked.attributes.iter().all(|(name, text)| value(name) == Some(text));
        let like = self.asked.q.as_ref().is_none_or(|q| {
            let q = q.to_lowercase();
            let mut texts =
                std::iter::once(id).chain(attributes.into_iter().flat_map(|a| a.values()).map(String::as_str));
            texts.any(|text| text.to_lowercase().contains(&q))
        });
        within && near && named && like
    }
}

/// Whether a place lies in west, south, east, north; a box whose west is above its east crosses the date line.
fn inside([west, south, east, north]: [f64; 4], place: Place) -> bool {
    let across = if west <= east { (west..=east).contains(&place.lon) } else { place.lon >= west || place.lon <= east };
    across && (south..=north).contains(&place.lat)
}

/// Great-circle distance in metres (haversine).
fn metres(a: Place, b: Place) -> f64 {
    let (north, east) = ((b.lat - a.lat).to_radians(), (b.lon - a.lon).to_radians());
    let h =
        (north / 2.0).sin().powi(2) + a.lat.to_radians().cos() * b.lat.to_radians().cos() * (east / 2.0).sin().powi(2);
    2.0 * EARTH * h.sqrt().min(1.0).asin()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_great_circles() {
        let (prague, brno) = (Place { lon: 14.4208, lat: 50.0880 }, Place { lon: 16.6080, lat: 49.1952 });
        assert!((metres(prague, brno) - 185_000.0).abs() < 1_500.0, "{}", metres(prague, brno));
        assert_eq!(metres(brno, brno), 0.0);
    }

    #[test]
    fn boxes_may_cross_the_date_line() {
        let fiji = Place { lon: 178.4, lat: -18.1 };
        assert!(inside([170.0, -30.0, -170.0, 0.0], fiji));
        assert!(!inside([-170.0, -30.0, 170.0, 0.0], fiji));
        assert!(inside([178.4, -18.1, 178.4, -18.1], fiji));
    }
}
