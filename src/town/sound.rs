//! Noise: microphones at crossings, squares and quiet corners.

use super::Habit;
use super::chance::Chance;
use super::device::{self, Device, What};
use super::moment::Moment;
use super::places::{STREETS, spread};
use schemas::time::SECOND;
use std::fmt::Write;

/// Microphones.
const MICROPHONES: usize = 40;
/// One message each five minutes.
const EVERY: i64 = 300 * SECOND;

/// Adds the microphones.
pub(super) fn build(chance: Chance, devices: &mut Vec<Device>) {
    for number in 0..MICROPHONES {
        let stream = device::stream(5, number);
        let what = What::Microphone {
            floor: chance.between(stream, 32.0, 44.0),
            traffic: chance.between(stream ^ 1, 14.0, 30.0),
        };
        devices.push(Device {
            id: format!("mic-{:02}", number + 1),
            dataset: "noise",
            level: "noise",
            place: spread(chance, stream, number, MICROPHONES, 1.8),
            attributes: vec![("street", STREETS[number % STREETS.len()].to_owned())],
            every: EVERY,
            phase: device::phase(chance, stream, 20),
            habit: match number {
                9 => Habit::Late,
                21 => Habit::Broken,
                34 => Habit::Wild,
                _ => Habit::Good,
            },
            stream,
            what,
        });
    }
}

/// Equivalent and greatest level of the interval that begins at the stamp.
pub(super) fn read(chance: Chance, device: &Device, moment: &Moment, json: &mut String) {
    let What::Microphone { floor, traffic } = device.what else { return };
    let slot = moment.time.0.div_euclid(device.every);
    let wobble = chance.smooth(device.stream, moment.time.0, 6 * EVERY);
    // Levels grow with the logarithm of what passes by.
    let laeq = floor
        + traffic * (1.0 + 9.0 * moment.bustle()).log10()
        + 2.0 * wobble
        + 0.8 * chance.normal(device.stream, slot);
    let peak = laeq + 6.0 + 14.0 * chance.unit(device.stream ^ 2, slot).powi(2);
    let _ = write!(json, ",\"laeq\":{laeq:.1},\"lamax\":{peak:.1}");
}
