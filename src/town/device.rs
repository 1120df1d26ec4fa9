//! A device of the town.

use super::Habit;
use schemas::{Place, Time};

/// A device: one sensor of one dataset.
#[derive(Clone, Debug)]
pub struct Device {
    /// Its id, which is its sensor's id.
    pub id: String,
    /// Its dataset.
    pub dataset: &'static str,
    /// Last level of its topic.
    pub(super) level: &'static str,
    /// Where it hangs.
    pub place: Place,
    /// Attributes for the registry: street, floor.
    pub attributes: Vec<(&'static str, String)>,
    /// Cadence in microseconds.
    pub every: i64,
    /// When within its cadence it wakes up, in microseconds.
    pub phase: i64,
    /// How it behaves.
    pub habit: Habit,
    /// Its own stream of chance.
    pub(super) stream: u64,
    /// What it measures, and the character of the place.
    pub(super) what: What,
}

/// What a device measures.
#[derive(Clone, Copy, Debug)]
pub(super) enum What {
    /// One arm of a crossing.
    Arm {
        /// Vehicles in five minutes of full bustle.
        flow: f64,
        /// Decides which rush is heavier.
        towards_centre: bool,
        /// Number of the crossing, from the centre out.
        crossing: usize,
    },
    /// A room with people in it.
    Room {
        /// CO2 above outdoors when full, in ppm.
        crowd: f64,
        /// Hours its people come later than usual.
        shift: f64,
    },
    /// An air station in a street.
    Station,
    /// A car park.
    Lot {
        /// Spaces.
        capacity: i64,
        /// Whether shoppers use it rather than commuters.
        shops: bool,
    },
    /// One bay at the kerb.
    Bay,
    /// A weather mast.
    Mast,
    /// A microphone.
    Microphone {
        /// Decibels of a quiet night.
        floor: f64,
        /// Decibels that bustle adds.
        traffic: f64,
    },
}

impl What {
    /// Whether a reading speaks of the interval that begins at its stamp.
    fn of_interval(self) -> bool {
        matches!(self, What::Arm { .. } | What::Microphone { .. })
    }
}

impl Device {
    /// The stamp of what is sent at a wake: the start of the interval that just ended, or the wake itself.
    pub(super) fn stamp(&self, wake: Time) -> Time {
        match self.what.of_interval() {
            true => Time((wake.0 - self.phase) - self.every),
            false => wake,
        }
    }

    /// Its topic.
    pub fn topic(&self) -> String {
        format!("city/{}/{}", self.id, self.level)
    }
}

/// The stream of chance of the `number`-th device of the `kind`-th dataset; its low bits are free for the device's own use.
pub(super) fn stream(kind: u64, number: usize) -> u64 {
    (kind << 40) | ((number as u64) << 16)
}

/// A whole second within the first `seconds` of a device's cadence.
pub(super) fn phase(chance: super::chance::Chance, stream: u64, seconds: i64) -> i64 {
    chance.between(stream ^ 0x9a5e, 0.0, seconds as f64) as i64 * schemas::time::SECOND
}
