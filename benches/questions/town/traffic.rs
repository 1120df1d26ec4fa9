//! Traffic: counts around the rhythm of day and week, spread as Poisson numbers are.

use super::noise::{between, mix, walk};
use super::{DAY, Field, Filler};
use std::sync::LazyLock;

/// What a crossing counts.
pub(super) const FIELDS: &[Field] = &[
    Field { name: "bicycles", digits: 0 },
    Field { name: "cars", digits: 0 },
    Field { name: "trucks", digits: 0 },
    Field { name: "pedestrians", digits: 0 },
];

/// Least and greatest level of the crossings, by field, at the busiest hour. A level of 24 times l means l² a minute: its root,
/// so that few levels tell much apart where counts are small. 240 are 100 cars a minute.
const BUSY: [[i32; 2]; 4] = [[24, 90], [70, 240], [24, 90], [30, 170]];

/// Root of the flow of each hour, of 256, on working days and weekends.
const HOURS: [[i32; 24]; 2] = [
    [60, 48, 42, 42, 58, 110, 180, 240, 246, 216, 205, 210, 216, 216, 222, 240, 256, 252, 228, 196, 164, 134, 108, 82],
    [82, 70, 60, 52, 50, 58, 78, 106, 140, 170, 192, 204, 206, 200, 198, 200, 204, 200, 190, 172, 148, 126, 108, 92],
];

/// Levels whose square is one a minute.
const SCALE: f64 = 24.0;
/// Levels that are told apart.
const LEVELS: usize = 256;
/// Equally likely numbers of a level.
const CHANCES: usize = 4096;

/// For each level its Poisson numbers, each as often as it is likely.
static POISSON: LazyLock<Vec<u8>> = LazyLock::new(|| (0..LEVELS).flat_map(poisson).collect());

/// Inverts the distribution of a level: at each of 4096 equal parts of likelihood the number that stands there.
fn poisson(level: usize) -> impl Iterator<Item = u8> {
    let mean = (level as f64 / SCALE).powi(2);
    let (mut number, mut likely) = (0_u8, (-mean).exp());
    let mut below = likely;
    (0..CHANCES).map(move |chance| {
        let place = (chance as f64 + 0.5) / CHANCES as f64;
        while below < place && number < u8::MAX {
            number += 1;
            likely *= mean / f64::from(number);
            below += likely;
        }
        number
    })
}

/// Fills all fields.
pub(super) fn fill(filler: &mut Filler<'_>) {
    let minutes = filler.minutes.clone();
    let table = &*POISSON;
    for (field, [low, high]) in BUSY.into_iter().enumerate() {
        let chance = filler.chance(field);
        let busy = between(chance, low, high);
        let values = filler.field(field);
        // What is on in this quarter of the town, for hours.
        walk(chance, minutes.clone(), 300, 18 << 8, values);
        for (value, minute) in values.iter_mut().zip(minutes.clone()) {
            let level = (busy * (rhythm(minute) + (*value >> 8))) >> 8;
            let place = (mix(chance ^ minute as u64) >> 52) as usize;
            *value = i32::from(table[level.clamp(0, LEVELS as i32 - 1) as usize * CHANCES + place]);
        }
    }
}

/// Root of the flow at a minute, of 256: a straight line from hour to hour.
fn rhythm(minute: i64) -> i32 {
    // Local time is about UTC + 1; 1 January 1970 was a Thursday.
    let local = minute + 60;
    let week_day = (local.div_euclid(DAY) + 3).rem_euclid(7);
    let hours = &HOURS[usize::from(week_day >= 5)];
    let at = local.rem_euclid(DAY);
    let (hour, part) = ((at / 60) as usize, (at % 60) as i32);
    hours[hour] + (hours[(hour + 1) % 24] - hours[hour]) * part / 60
}
