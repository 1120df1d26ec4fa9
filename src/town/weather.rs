//! Weather: masts around the town.

use super::Habit;
use super::chance::Chance;
use super::device::{self, Device, What};
use super::moment::Moment;
use super::places::spread;
use super::sky;
use schemas::time::{HOUR, SECOND};
use std::fmt::Write;

/// Masts.
const MASTS: usize = 20;
/// One message each ten minutes.
const EVERY: i64 = 600 * SECOND;

/// Adds the masts.
pub(super) fn build(chance: Chance, devices: &mut Vec<Device>) {
    for mast in 0..MASTS {
        let stream = device::stream(4, mast);
        let height = chance.between(stream, 360.0, 480.0);
        devices.push(Device {
            id: format!("mast-{:02}", mast + 1),
            dataset: "weather",
            level: "weather",
            place: spread(chance, stream, mast, MASTS, 4.5),
            attributes: vec![("height", format!("{height:.0}"))],
            every: EVERY,
            phase: device::phase(chance, stream, 600),
            habit: match mast {
                5 => Habit::Late,
                12 => Habit::Silent,
                16 => Habit::Wild,
                _ => Habit::Good,
            },
            stream,
            what: What::Mast,
        });
    }
}

/// Temperature, humidity, pressure, wind and rain.
pub(super) fn read(chance: Chance, device: &Device, moment: &Moment, json: &mut String) {
    let own = chance.between(device.stream ^ 2, -1.0, 1.0);
    let wobble = chance.smooth(device.stream, moment.time.0, HOUR);
    let gust = chance.unit(device.stream ^ 3, moment.time.0);
    let wind = (sky::wind(chance, moment) * (1.0 + 0.2 * own + 0.2 * wobble)).max(0.0);
    let direction = (sky::wind_direction(chance, moment) + 12.0 * own + 18.0 * wobble).rem_euclid(360.0);
    let _ = write!(
        json,
        ",\"temperature\":{:.1},\"humidity\":{:.1},\"pressure\":{:.1},\"wind_speed\":{wind:.1},\"wind_gust\":{:.1}",
        sky::temperature(chance, moment) + 0.8 * own + 0.4 * wobble,
        (sky::humidity(chance, moment) - 3.0 * own).clamp(15.0, 100.0),
        sky::pressure(chance, moment) + 0.3 * own,
        wind * (1.3 + 0.6 * gust),
    );
    let rain = sky::rain_today(chance, moment) * (1.0 + 0.15 * own);
    let _ = write!(json, ",\"wind_direction\":{:.0},\"rain_mm\":{rain:.1}", direction.floor());
}
