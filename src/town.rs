//! A simulated town, the same for the same seed: some 300 sensors of the five shipped datasets around Písek.
//!
//! Pure: what a device sends at an instant follows from seed, device and instant alone, so that a week of history, live
//! devices and tests all see one town, in any order. Weather, traffic and people are shared by all its sensors; each adds
//! its own character and noise. Some devices misbehave, as devices do ([`Habit`]).

mod air;
mod chance;
mod device;
mod habit;
mod moment;
mod parking;
mod places;
mod registry;
mod sky;
mod sound;
mod traffic;
mod weather;

pub use device::Device;
pub use habit::Habit;

use crate::Message;
use chance::Chance;
use moment::Moment;
use schemas::{Span, Time};

/// The town: its devices and the chance that drives it.
#[derive(Clone, Debug)]
pub struct Town {
    chance: Chance,
    devices: Vec<Device>,
    zone: jiff::tz::TimeZone,
}

impl Town {
    /// The town of a seed.
    pub fn new(seed: u64) -> Town {
        let chance = Chance::new(seed);
        let mut devices = Vec::with_capacity(300);
        traffic::build(chance, &mut devices);
        air::build(chance, &mut devices);
        parking::build(chance, &mut devices);
        weather::build(chance, &mut devices);
        sound::build(chance, &mut devices);
        // The zone's rules are bundled in the binary, so the name is always known.
        let zone = jiff::tz::TimeZone::get("Europe/Prague").unwrap_or(jiff::tz::TimeZone::UTC);
        Town { chance, devices, zone }
    }

    /// Its devices, dataset by dataset.
    pub fn devices(&self) -> &[Device] {
        &self.devices
    }

    /// The instants of a span at which a device wakes up to send, ascending.
    pub fn wakes(&self, device: &Device, span: Span) -> impl Iterator<Item = Time> + use<> {
        let (every, phase) = (device.every, device.phase);
        let first = (span.from.0 - phase).div_euclid(every) + i64::from((span.from.0 - phase).rem_euclid(every) > 0);
        (first..).map(move |n| Time(n * every + phase)).take_while(move |time| *time < span.to)
    }

    /// What a device sends when it wakes up at `time`: one message as a rule, none or several if it misbehaves.
    pub fn messages(&self, device: &Device, time: Time) -> Vec<Message> {
        habit::send(self, device, time)
    }

    /// The honest payload of a device at one of its wakes, stamped `clock` microseconds off.
    fn payload(&self, device: &Device, time: Time, clock: i64) -> String {
        let stamp = device.stamp(time);
        let moment = Moment::at(stamp, &self.zone);
        let read = match device.what {
            device::What::Arm { .. } => traffic::read,
            device::What::Room { .. } | device::What::Station => air::read,
            device::What::Lot { .. } | device::What::Bay => parking::read,
            device::What::Mast => weather::read,
            device::What::Microphone { .. } => sound::read,
        };
        let mut json = format!("{{\"ts\":\"{}\"", stamp.plus(clock));
        read(self.chance, device, &moment, &mut json);
        json.push('}');
        json
    }
}

#[cfg(test)]
mod tests;
