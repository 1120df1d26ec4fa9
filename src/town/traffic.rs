//! Traffic: twenty crossings with a counter on each arm.

use super::chance::Chance;
use super::device::{Device, What};
use super::moment::Moment;
use super::places::{STREETS, beside, spread};
use super::{Habit, device, sky};
use schemas::time::SECOND;
use std::fmt::Write;

/// Crossings.
const CROSSINGS: usize = 20;
/// Arms: name, and kilometres east and north of the middle.
const ARMS: [(&str, f64, f64); 4] =
    [("north", 0.0, 0.03), ("east", 0.03, 0.0), ("south", 0.0, -0.03), ("west", -0.03, 0.0)];
/// One message each five minutes.
const EVERY: i64 = 300 * SECOND;

/// Adds the counters.
pub(super) fn build(chance: Chance, devices: &mut Vec<Device>) {
    for crossing in 0..CROSSINGS {
        let (first, second) = (STREETS[crossing], STREETS[(crossing * 7 + 3) % STREETS.len()]);
        let middle = spread(chance, 0x7_0000 + crossing as u64, crossing, CROSSINGS, 1.9);
        let busy = chance.between(0x7_1000 + crossing as u64, 25.0, 120.0);
        for (arm, (direction, east, north)) in ARMS.into_iter().enumerate() {
            let number = crossing * ARMS.len() + arm;
            let stream = device::stream(1, number);
            let street = if arm % 2 == 0 { first } else { second };
            let flow = busy * chance.between(stream, 0.7, 1.2) * if arm % 2 == 0 { 1.0 } else { 0.6 };
            devices.push(Device {
                id: format!("x{:02}-{direction}", crossing + 1),
                dataset: "traffic",
                level: "traffic",
                place: beside(middle, east, north),
                attributes: vec![
                    ("crossing", format!("{first} × {second}")),
                    ("street", street.to_owned()),
                    ("direction", direction.to_owned()),
                ],
                every: EVERY,
                phase: device::phase(chance, stream, 20),
                habit: habit(number),
                stream,
                what: What::Arm { flow, towards_centre: arm < 2, crossing },
            });
        }
    }
}

/// Some counters misbehave.
fn habit(number: usize) -> Habit {
    match number {
        13 => Habit::Late,
        22 => Habit::Twice,
        31 => Habit::Wild,
        44 => Habit::Broken,
        57 => Habit::Silent,
        63 => Habit::Ahead,
        _ => Habit::Good,
    }
}

/// Crossings whose counters know people on foot too.
const ON_FOOT: usize = 6;

/// Vehicles and bicycles in the interval that begins at the stamp, the vehicles' mean speed, and people on foot.
pub(super) fn read(chance: Chance, device: &Device, moment: &Moment, json: &mut String) {
    let What::Arm { flow, towards_centre, crossing } = device.what else { return };
    let slot = moment.time.0.div_euclid(device.every);
    let tide = if towards_centre { moment.bell(7.4, 1.5) } else { moment.bell(15.9, 2.0) };
    let load =
        moment.bustle() * (0.8 + 0.35 * tide) * (1.0 + 0.12 * chance.smooth(device.stream, moment.time.0, 8 * EVERY));
    // A count varies like a Poisson number: its deviation is the root of its mean.
    let count = |own: u64, mean: f64| (mean + mean.sqrt() * chance.normal(device.stream ^ own, slot)).round().max(0.0);
    let vehicles = count(0, flow * load);
    let warm = ((sky::temperature(chance, moment) + 5.0) / 25.0).clamp(0.1, 1.2);
    let _ = write!(json, ",\"vehicles\":{vehicles},\"bicycles\":{}", count(1, 0.12 * flow * load * warm));
    if crossing < ON_FOOT {
        let _ = write!(json, ",\"pedestrians\":{}", count(2, 60.0 * moment.bustle() * (0.4 + 0.6 * warm)));
    }
    if vehicles > 0.0 {
        let speed = (51.0 - 19.0 * load.powi(2) + 2.5 * chance.normal(device.stream ^ 0x5eed, slot)).max(4.0);
        let _ = write!(json, ",\"speed_kmh\":{speed:.1}");
    }
}
