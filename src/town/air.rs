//! Air quality: rooms on floors of public buildings, and stations in streets.

use super::chance::Chance;
use super::device::{self, Device, What};
use super::moment::Moment;
use super::places::{STREETS, beside, spread};
use super::{Habit, sky};
use schemas::time::{HOUR, SECOND};
use std::fmt::Write;

/// Buildings: id, name, floors, people's hours against the usual.
const BUILDINGS: [(&str, &str, usize, f64); 5] = [
    ("radnice", "Radnice", 3, 0.3),
    ("zs-svobody", "ZŠ T. Šobra", 4, -0.4),
    ("gymnazium", "Gymnázium Písek", 4, -0.2),
    ("knihovna", "Městská knihovna", 4, 1.6),
    ("technopark", "Technologické centrum", 5, 0.8),
];
/// Rooms on each floor.
const ROOMS: usize = 5;
/// Stations in streets.
const STATIONS: usize = 20;
/// One message each five minutes.
const EVERY: i64 = 300 * SECOND;

/// Adds rooms and stations.
pub(super) fn build(chance: Chance, devices: &mut Vec<Device>) {
    let mut number = 0;
    for (b, (id, name, floors, late)) in BUILDINGS.into_iter().enumerate() {
        let house = spread(chance, 0xa_0000 + b as u64, b, BUILDINGS.len(), 0.8);
        for (floor, room) in (0..floors).flat_map(|floor| (0..ROOMS).map(move |room| (floor, room))) {
            let stream = device::stream(2, number);
            let what = What::Room {
                crowd: chance.between(stream, 350.0, 1150.0),
                shift: late + chance.between(stream ^ 1, -0.5, 0.5),
            };
            let attributes = vec![
                ("building", name.to_owned()),
                ("floor", floor.to_string()),
                ("room", format!("{floor}{:02}", room + 1)),
            ];
            let place = beside(house, 0.008 * room as f64, 0.0);
            devices.push(sensor(chance, format!("{id}-{floor}{:02}", room + 1), place, attributes, number, what));
            number += 1;
        }
    }
    for (station, street) in STREETS.iter().enumerate().take(STATIONS) {
        let place = spread(chance, 0xa_1000 + station as u64, station, STATIONS, 2.1);
        let attributes = vec![("street", (*street).to_owned())];
        devices.push(sensor(chance, format!("air-{:02}", station + 1), place, attributes, number, What::Station));
        number += 1;
    }
}

fn sensor(
    chance: Chance,
    id: String,
    place: schemas::Place,
    attributes: Vec<(&'static str, String)>,
    number: usize,
    what: What,
) -> Device {
    let stream = device::stream(2, number);
    let phase = device::phase(chance, stream, 300);
    let habit = match number {
        17 => Habit::Late,
        29 => Habit::Twice,
        42 => Habit::Wild,
        66 => Habit::Broken,
        88 => Habit::Silent,
        103 => Habit::Wild,
        110 => Habit::Ahead,
        _ => Habit::Good,
    };
    Device { id, dataset: "air_quality", level: "air", place, attributes, every: EVERY, phase, habit, stream, what }
}

/// CO2 and climate of a room; particulates and climate of a station.
pub(super) fn read(chance: Chance, device: &Device, moment: &Moment, json: &mut String) {
    let slot = moment.time.0.div_euclid(device.every);
    let wobble = chance.smooth(device.stream, moment.time.0, HOUR);
    let jitter = chance.normal(device.stream ^ 0x71, slot);
    if let What::Room { crowd, shift } = device.what {
        // People breathe the room full while they are in; it airs out over the two hours after.
        let stay = moment.working(shift).max(0.5 * moment.working(shift + 1.0)).max(0.2 * moment.working(shift + 2.0));
        let co2 = (425.0 + 40.0 * sky::stale(chance, moment) + crowd * stay * (1.0 + 0.25 * wobble) + 5.0 * jitter)
            .max(400.0);
        let temperature = 20.6 - 0.8 * moment.winter + 1.4 * stay + 0.5 * wobble;
        let humidity = (0.35 * sky::humidity(chance, moment) + 14.0 + 6.0 * stay + 2.0 * wobble).clamp(15.0, 80.0);
        let _ = write!(json, ",\"co2_ppm\":{co2:.0},\"temp_c\":{temperature:.1},\"rh\":{humidity:.1}");
        return;
    }
    let fumes = 6.0 + 26.0 * sky::stale(chance, moment) + 16.0 * moment.bustle() * (1.0 + 0.3 * wobble);
    let pm10 = (fumes + 1.2 * jitter).max(1.0);
    let pm2_5 = pm10 * (0.58 + 0.1 * moment.winter);
    let no2 = (8.0 + 30.0 * moment.bustle() + 5.0 * wobble + jitter).max(0.5);
    let (temperature, humidity) = (sky::temperature(chance, moment) + 0.4 * wobble, sky::humidity(chance, moment));
    let _ = write!(json, ",\"pm10\":{pm10:.1},\"pm2_5\":{pm2_5:.1},\"no2\":{no2:.1}");
    let _ = write!(json, ",\"temp_c\":{temperature:.1},\"rh\":{humidity:.1}");
}
