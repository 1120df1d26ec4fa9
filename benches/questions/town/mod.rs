//! The generated town: 1,000 crossings and 1,000 air stations, each with one reading a minute.
//!
//! Pure: a value follows from sensor, field and minute alone, so any stretch can be made by itself, in any order. Counts
//! are Poisson numbers around the rhythm of day and week; air walks slowly and its sensors are noisy in the last digit, as
//! real ones are. Each device has its own second of the minute, and now and then is one early or late. Values are whole
//! steps of the field's resolution.
//!
//! How noisy values and clocks are was chosen, in four tries, so that VictoriaMetrics needs the 0.75 to 0.79 bytes a value
//! that the goals for sizes were set beside: 0.76 at 2 days (but 0.71 at 30). Without the early and late it was 0.55.
//! So sizes here compare systems on this town; they say little about another.

mod air;
mod noise;
mod traffic;

pub(crate) use noise::mix;
use std::ops::Range;

/// Sensors of each dataset.
pub(crate) const SENSORS: usize = 1_000;
/// Minutes of a day.
pub(crate) const DAY: i64 = 1_440;
/// End of what is asked about, as a minute since the epoch: midnight after 30 June 2025 in Prague (22:00 UTC). June is a civil
/// month of 30 days without a change of clocks.
pub(crate) const END: i64 = 1_751_320_800 / 60;
/// End of all readings: the town goes on for an hour, so that the windows of what is asked about are over.
pub(crate) const LAST: i64 = END + 60;

/// Chance of clocks.
const CLOCK: u64 = 0xc10c << 40;

/// A quantity: its name, and digits after the point.
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) digits: u32,
}

/// One of the two datasets.
pub(crate) struct Dataset {
    pub(crate) id: &'static str,
    /// First letter of its sensors' ids.
    letter: char,
    pub(crate) fields: &'static [Field],
    fill: fn(&mut Filler<'_>),
}

/// Crossings.
pub(crate) const TRAFFIC: Dataset =
    Dataset { id: "traffic", letter: 'x', fields: traffic::FIELDS, fill: traffic::fill };
/// Air stations.
pub(crate) const AIR: Dataset = Dataset { id: "air", letter: 's', fields: air::FIELDS, fill: air::fill };
/// Both.
pub(crate) const DATASETS: [Dataset; 2] = [TRAFFIC, AIR];

/// What fills a stretch of one sensor's values.
struct Filler<'a> {
    /// Chance of this sensor.
    seed: u64,
    minutes: Range<i64>,
    /// Field after field, minute after minute.
    values: &'a mut [i32],
}

impl Filler<'_> {
    /// The values of a field.
    fn field(&mut self, field: usize) -> &mut [i32] {
        let minutes = (self.minutes.end - self.minutes.start) as usize;
        &mut self.values[field * minutes..(field + 1) * minutes]
    }

    /// Chance of one of the sensor's fields.
    fn chance(&self, field: usize) -> u64 {
        mix(self.seed ^ (field as u64 + 1) << 48)
    }
}

impl Dataset {
    /// The name of a sensor.
    pub(crate) fn sensor(&self, sensor: usize) -> String {
        format!("{}{sensor:04}", self.letter)
    }

    /// The instant of a sensor's reading in a minute, in seconds since the epoch: each device has its own second, give or
    /// take one.
    pub(crate) fn second(&self, sensor: usize, minute: i64) -> i64 {
        let seed = self.seed(sensor);
        let late = match mix(seed ^ minute as u64 ^ CLOCK) >> 60 {
            0 => 0,
            15 => 2,
            _ => 1,
        };
        minute * 60 + (seed >> 32) as i64 % 58 + late
    }

    /// The place of a field.
    pub(crate) fn field(&self, name: &str) -> usize {
        self.fields.iter().position(|field| field.name == name).expect("a field of the dataset")
    }

    /// A sensor's values of some minutes: field after field, minute after minute.
    pub(crate) fn readings(&self, sensor: usize, minutes: Range<i64>, values: &mut Vec<i32>) {
        values.clear();
        values.resize(self.fields.len() * (minutes.end - minutes.start) as usize, 0);
        (self.fill)(&mut Filler { seed: self.seed(sensor), minutes, values });
    }

    fn seed(&self, sensor: usize) -> u64 {
        mix((self.letter as u64) << 32 | sensor as u64)
    }
}
