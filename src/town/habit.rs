//! How devices behave, and how some misbehave.

use super::{Device, Town};
use crate::Message;
use schemas::time::{DAY, HOUR, SECOND};
use schemas::{Span, Time};

/// How a device behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Habit {
    /// One message at each wake.
    Good,
    /// Keeps its readings and uploads those of half an hour, a day late.
    Late,
    /// Sends each message twice, and the one before once more.
    Twice,
    /// Now and then a value that cannot be.
    Wild,
    /// Now and then half a message.
    Broken,
    /// Falls silent for hours.
    Silent,
    /// Its clock is seven minutes ahead.
    Ahead,
}

/// Readings a late device uploads together.
const BUFFER: i64 = HOUR / 2;

/// What a device sends at a wake.
pub(super) fn send(town: &Town, device: &Device, wake: Time) -> Vec<Message> {
    let honest = |time: Time| message(device, town.payload(device, time, 0));
    let rarely = town.chance.unit(device.stream ^ 0xbad, wake.0) < 0.08;
    match device.habit {
        Habit::Late => late(town, device, wake),
        Habit::Twice => {
            let before = honest(wake.plus(-device.every));
            vec![honest(wake), honest(wake), before]
        }
        Habit::Wild if rarely => vec![message(device, wild(town.payload(device, wake, 0)))],
        Habit::Broken if rarely => {
            let mut half = honest(wake);
            half.payload.truncate(half.payload.len() / 2);
            vec![half]
        }
        Habit::Silent if town.chance.unit(device.stream ^ 0x511e, wake.0.div_euclid(6 * HOUR)) < 0.4 => Vec::new(),
        Habit::Ahead => vec![message(device, town.payload(device, wake, 420 * SECOND))],
        Habit::Good | Habit::Wild | Habit::Broken | Habit::Silent => vec![honest(wake)],
    }
}

/// At the first wake of each half hour: what was measured in the half hour before, one day ago.
fn late(town: &Town, device: &Device, wake: Time) -> Vec<Message> {
    let half = wake.0.div_euclid(BUFFER);
    if wake.plus(-device.every).0.div_euclid(BUFFER) == half {
        return Vec::new();
    }
    let to = Time(half * BUFFER - DAY);
    let wakes = town.wakes(device, Span { from: to.plus(-BUFFER), to });
    wakes.map(|time| message(device, town.payload(device, time, 0))).collect()
}

/// The payload with each number a thousandfold.
fn wild(honest: String) -> String {
    let (stamp, values) = honest.split_at(honest.find(',').unwrap_or(honest.len()));
    let mut text = stamp.to_owned();
    for pair in values.split_inclusive([',', '}']) {
        let (pair, end) = pair.split_at(pair.len() - 1);
        text.push_str(pair);
        if pair.ends_with(|c: char| c.is_ascii_digit()) {
            text.push_str("e3");
        }
        text.push_str(end);
    }
    text
}

fn message(device: &Device, payload: String) -> Message {
    Message { topic: device.topic(), payload: payload.into() }
}
