//! Histories of places and attributes: what held from when, kept in order though it is told out of order.

use super::next_hour;
use crate::sensor::{Attributes, at};
use crate::{Place, Time};

/// Entries a history keeps; past it the oldest go, and the then oldest holds for the time before.
const MOST: usize = 1000;

/// A sensor that moved by less than this many degrees (some ten metres) stood still: receivers are no better.
const JITTER: f64 = 0.0001;

/// Whether two places are one within what a receiver can tell.
pub(super) fn near(a: Place, b: Place) -> bool {
    (a.lon - b.lon).abs() < JITTER && (a.lat - b.lat).abs() < JITTER
}

/// Enters a place said at `time`; `heard` is the newest instant anything was said. Whether it changed the history.
pub(super) fn place(history: &mut Vec<(Time, Place)>, time: Time, place: Place, heard: Option<Time>) -> bool {
    let known = at(history, time).copied();
    if known.is_some_and(|known| near(known, place)) {
        return false;
    }
    insert(history, time, place, heard);
    true
}

/// Enters attributes said at `time`, from the next full hour. Whether it changed the history.
pub(super) fn attributes(
    history: &mut Vec<(Time, Attributes)>,
    time: Time,
    mut said: Attributes,
    heard: Option<Time>,
) -> bool {
    let hour = next_hour(time);
    let known = at(history, hour).cloned().unwrap_or_default();
    if heard.is_some_and(|heard| time < heard && next_hour(heard) == hour) {
        said.retain(|name, _| !known.contains_key(name)); // within one hour the newest word stands
    }
    let mut all = known.clone();
    all.extend(said.clone());
    if all == known {
        return false;
    }
    insert(history, hour, all, heard.map(next_hour));
    for (_, later) in history.iter_mut().filter(|(from, _)| *from > hour) {
        for (name, value) in &said {
            later.entry(name.clone()).or_insert_with(|| value.clone());
        }
    }
    history.dedup_by(|later, earlier| later.1 == earlier.1);
    true
}

/// Enters a value from `from`. If it comes late, the value it interrupts holds again from where it was last heard.
fn insert<T: Clone + PartialEq>(history: &mut Vec<(Time, T)>, from: Time, value: T, heard: Option<Time>) {
    let interrupted = history.last().filter(|(last, _)| *last < from).map(|(_, known)| known.clone());
    put(history, from, value);
    if let (Some(known), Some(heard)) = (interrupted, heard.filter(|heard| *heard > from)) {
        put(history, heard, known);
    }
}

/// Sets the value from `from` to the next entry.
pub(super) fn put<T: PartialEq>(history: &mut Vec<(Time, T)>, from: Time, value: T) {
    let place = history.partition_point(|(earlier, _)| *earlier < from);
    match history.get_mut(place) {
        Some(same) if same.0 == from => same.1 = value,
        _ => history.insert(place, (from, value)),
    }
    history.dedup_by(|later, earlier| later.1 == earlier.1);
    if history.len() > MOST {
        history.remove(0);
    }
}
