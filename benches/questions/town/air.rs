//! Air: walks that are slow and a daily rhythm, with the noise of sensors in the last digit.

use super::noise::{between, jitter, round, walk};
use super::{DAY, Field, Filler};
use std::ops::Range;

/// What a station measures.
pub(super) const FIELDS: &[Field] = &[
    Field { name: "co2", digits: 0 },
    Field { name: "temperature", digits: 1 },
    Field { name: "humidity", digits: 0 },
    Field { name: "pm2_5", digits: 1 },
    Field { name: "pressure", digits: 1 },
];

/// How a quantity behaves; all in steps of its resolution but where 1/256 of it is said.
struct Habit {
    /// Where stations lie.
    middle: [i32; 2],
    /// How far the day takes it up in the afternoon and down before dawn.
    day: i32,
    /// How far the weather takes all stations together.
    weather: i32,
    /// Greatest height of walks over 2048, 512, 128 and 32 minutes, in 1/256.
    walks: [i32; 4],
    /// Deviation of the sensor's noise, in 1/256.
    noise: i32,
    /// Least and greatest value.
    bounds: [i32; 2],
}

const HABITS: [Habit; 5] = [
    Habit {
        middle: [430, 640],
        day: 60,
        weather: 20,
        walks: [40 << 8, 60 << 8, 40 << 8, 8 << 8],
        noise: 1024,
        bounds: [380, 5000],
    },
    Habit {
        middle: [150, 210],
        day: 40,
        weather: 60,
        walks: [10 << 8, 10 << 8, 6 << 8, 2 << 8],
        noise: 300,
        bounds: [-300, 500],
    },
    Habit {
        middle: [45, 65],
        day: -12,
        weather: 15,
        walks: [5 << 8, 5 << 8, 3 << 8, 256],
        noise: 200,
        bounds: [5, 100],
    },
    Habit {
        middle: [60, 160],
        day: 0,
        weather: 50,
        walks: [30 << 8, 30 << 8, 20 << 8, 6 << 8],
        noise: 2500,
        bounds: [0, 9_000],
    },
    Habit {
        middle: [9_400, 9_900],
        day: 3,
        weather: 120,
        walks: [256, 256, 128, 64],
        noise: 500,
        bounds: [8_500, 10_800],
    },
];
/// Chance of the weather, the same for all stations.
const WEATHER: u64 = 0x5eed_0000_0000_0001;

/// Fills all fields.
pub(super) fn fill(filler: &mut Filler<'_>) {
    let minutes = filler.minutes.clone();
    for (field, habit) in HABITS.iter().enumerate() {
        let chance = filler.chance(field);
        let values = filler.field(field);
        values.fill(between(chance, habit.middle[0], habit.middle[1]) << 8);
        walk(WEATHER ^ (field as u64) << 8, minutes.clone(), 2880, habit.weather << 8, values);
        for (period, most) in [2048, 512, 128, 32].into_iter().zip(habit.walks) {
            walk(chance, minutes.clone(), period, most, values);
        }
        sway(minutes.clone(), habit.day << 8, values);
        jitter(chance, minutes.clone(), habit.noise, values);
        round(habit.bounds[0], habit.bounds[1], values);
    }
}

/// Adds the day: two parabolas that join, greatest at 15:00 and least at 03:00 local time (about UTC + 1).
fn sway(minutes: Range<i64>, most: i32, values: &mut [i32]) {
    for (value, minute) in values.iter_mut().zip(minutes) {
        let at = (minute + 60 - 9 * 60).rem_euclid(DAY);
        let half = DAY / 2;
        let part = at % half;
        let height = i64::from(most) * 4 * part * (half - part) / (half * half);
        *value += if at < half { height } else { -height } as i32;
    }
}
