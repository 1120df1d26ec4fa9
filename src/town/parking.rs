//! Parking: car parks that count their spaces, and single bays at the kerb.

use super::Habit;
use super::chance::Chance;
use super::device::{self, Device, What};
use super::moment::Moment;
use super::places::{STREETS, spread};
use schemas::time::{HOUR, SECOND};
use std::fmt::Write;

/// Car parks: id, name, spaces, whether for shoppers.
const LOTS: [(&str, &str, i64, bool); 12] = [
    ("p-namesti", "Velké náměstí", 62, true),
    ("p-nadrazi", "Nádraží", 240, false),
    ("p-nemocnice", "Nemocnice", 180, false),
    ("p-plavecak", "Plavecký stadion", 130, true),
    ("p-vystaviste", "Výstaviště", 320, false),
    ("p-sladovna", "Sladovna", 44, true),
    ("p-kino", "Kino Portyč", 58, true),
    ("p-dukla", "Dukla", 150, false),
    ("p-zimni", "Zimní stadion", 96, true),
    ("p-technopark", "Technopark", 210, false),
    ("p-palac", "Palackého sady", 75, true),
    ("p-ostrov", "Městský ostrov", 88, true),
];
/// Single bays.
const BAYS: usize = 28;
/// One message each five minutes.
const EVERY: i64 = 300 * SECOND;

/// Adds car parks and bays.
pub(super) fn build(chance: Chance, devices: &mut Vec<Device>) {
    for (n, (id, name, capacity, shops)) in LOTS.into_iter().enumerate() {
        let attributes = vec![("name", name.to_owned()), ("capacity", capacity.to_string())];
        devices.push(sensor(chance, id.to_owned(), n, attributes, What::Lot { capacity, shops }));
    }
    for bay in 0..BAYS {
        let attributes = vec![("street", STREETS[bay % 7].to_owned()), ("bay", (bay + 1).to_string())];
        devices.push(sensor(chance, format!("bay-{:02}", bay + 1), LOTS.len() + bay, attributes, What::Bay));
    }
}

fn sensor(chance: Chance, id: String, number: usize, attributes: Vec<(&'static str, String)>, what: What) -> Device {
    let stream = device::stream(3, number);
    let place = spread(chance, stream, number, LOTS.len() + BAYS, 1.2);
    let phase = device::phase(chance, stream, 300);
    let habit = match number {
        8 => Habit::Twice,
        19 => Habit::Silent,
        33 => Habit::Broken,
        _ => Habit::Good,
    };
    Device { id, dataset: "parking", level: "parking", place, attributes, every: EVERY, phase, habit, stream, what }
}

/// Occupied spaces of a car park, or the state of a bay.
pub(super) fn read(chance: Chance, device: &Device, moment: &Moment, json: &mut String) {
    let wobble = chance.smooth(device.stream, moment.time.0, 2 * HOUR);
    match device.what {
        What::Lot { capacity, shops } => {
            let full = match shops {
                true => {
                    0.12 + 0.75
                        * moment.bell(11.5, 3.5).max(moment.bell(17.0, 2.2))
                        * if moment.weekend { 0.8 } else { 1.0 }
                }
                false => 0.08 + 0.86 * moment.working(0.0),
            };
            let occupied = (capacity as f64 * (full + 0.08 * wobble)).round().clamp(0.0, capacity as f64);
            let _ = write!(
                json,
                ",\"occupied\":{occupied},\"free\":{},\"capacity\":{capacity}",
                capacity as f64 - occupied
            );
        }
        _ => {
            // Whoever parks stays a good half hour: the state is drawn anew at each of those.
            let stay = moment.time.0.div_euclid(35 * 60 * SECOND);
            let taken = chance.unit(device.stream, stay) < 0.15 + 0.7 * moment.bustle();
            let _ = write!(json, ",\"state\":\"{}\"", if taken { "occupied" } else { "free" });
        }
    }
}
