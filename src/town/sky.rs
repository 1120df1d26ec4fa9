//! The weather all devices of the town share.

use super::chance::Chance;
use super::moment::Moment;
use schemas::time::{DAY, HOUR};

const WARMTH: u64 = 0x51_0001;
const DAMP: u64 = 0x51_0002;
const WEIGHT: u64 = 0x51_0003;
const BREEZE: u64 = 0x51_0004;
const TURN: u64 = 0x51_0005;
const RAIN: u64 = 0x51_0006;

/// Air temperature in °C: season, time of day, and spells of some days.
pub(super) fn temperature(chance: Chance, moment: &Moment) -> f64 {
    let swing = 2.0 + 3.5 * (1.0 - moment.winter) / 2.0;
    let day = swing * (2.0 * moment.bell(15.0, 5.0) - 0.8);
    9.0 - 10.0 * moment.winter + day + 5.0 * chance.smooth(WARMTH, moment.time.0, 3 * DAY)
}

/// Relative humidity in %.
pub(super) fn humidity(chance: Chance, moment: &Moment) -> f64 {
    (72.0 + 6.0 * moment.winter - 16.0 * moment.bell(15.0, 4.5) + 18.0 * chance.smooth(DAMP, moment.time.0, DAY))
        .clamp(18.0, 100.0)
}

/// Air pressure at sea level in hPa.
pub(super) fn pressure(chance: Chance, moment: &Moment) -> f64 {
    1015.0 + 14.0 * chance.smooth(WEIGHT, moment.time.0, 4 * DAY)
}

/// Wind speed in m/s.
pub(super) fn wind(chance: Chance, moment: &Moment) -> f64 {
    let breeze = 3.2 + 2.6 * chance.smooth(BREEZE, moment.time.0, 9 * HOUR);
    (breeze * (0.7 + 0.4 * moment.bell(14.0, 5.0))).max(0.2)
}

/// Where the wind comes from, in degrees: it veers around the west and now and then through north.
pub(super) fn wind_direction(chance: Chance, moment: &Moment) -> f64 {
    (270.0 + 140.0 * chance.smooth(TURN, moment.time.0, DAY)).rem_euclid(360.0)
}

/// Rain since UTC midnight in mm: the gauge empties itself then. Each hour rains evenly.
pub(super) fn rain_today(chance: Chance, moment: &Moment) -> f64 {
    let midnight = moment.time.day().start().0;
    let fallen = |from: i64, to: i64| {
        let wet = chance.smooth(RAIN, from, 10 * HOUR) - 0.35;
        6.0 * wet.max(0.0) * (to - from) as f64 / HOUR as f64
    };
    let hours = (0..24).map(|h| midnight + h * HOUR).take_while(|from| *from < moment.time.0);
    hours.map(|from| fallen(from, moment.time.0.min(from + HOUR))).sum()
}

/// How stale the air lies over the town, 0 to 1: calm and cold spells.
pub(super) fn stale(chance: Chance, moment: &Moment) -> f64 {
    (0.45 + 0.25 * moment.winter + 0.35 * chance.smooth(WEIGHT, moment.time.0, 4 * DAY) - 0.05 * wind(chance, moment))
        .clamp(0.0, 1.0)
}
