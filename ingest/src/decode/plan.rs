//! A source's mapping, compiled: which slot of a record holds what.

use super::shape::Shape;
use schemas::Source;
use schemas::source::{Mapping, TimeSpec};
use schemas::template::{Piece, Pointer};
use std::collections::BTreeMap;

/// A source's mapping with places in the payload replaced by slots.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The wanted places.
    pub shape: Shape,
    /// Pieces of the sensor's id.
    pub sensor: Vec<Part>,
    /// Slot of the time; nothing when it is the arrival.
    pub time: Option<usize>,
    /// Slots of the values.
    pub values: Values,
    /// Slots of longitude and latitude.
    pub place: Option<(usize, usize)>,
    /// Attributes and their slots.
    pub attributes: Vec<(String, usize)>,
}

/// A piece of a sensor's id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Text as it stands.
    Literal(String),
    /// A level of the topic.
    Topic(usize),
    /// A payload value.
    Slot(usize),
    /// A part of what names the record: a tag, or a part of a pattern.
    Named(String),
}

/// Where values are.
#[derive(Clone, Debug)]
pub enum Values {
    /// One slot per entry of the wide mapping, in its order.
    Wide(Vec<usize>),
    /// Slots of a long mapping.
    Long {
        /// Slot of the name.
        by: usize,
        /// Slot of the value.
        value: usize,
        /// Name to its entry in the mapping.
        names: BTreeMap<String, usize>,
    },
}

impl Plan {
    /// Compiles a source's mapping.
    pub fn new(source: &Source) -> Plan {
        let pointers = pointers(source);
        let (shape, slots) = Shape::new(&pointers);
        let slot = |pointer: &Pointer| {
            let found = pointers.iter().position(|known| *known == pointer);
            found.map_or(0, |i| slots[i])
        };
        let sensor = source.sensor.pieces.iter().map(|piece| match piece {
            Piece::Literal(text) => Part::Literal(text.clone()),
            Piece::Topic(level) => Part::Topic(*level),
            Piece::Payload(pointer) => Part::Slot(slot(pointer)),
            Piece::Part(name) => Part::Named(name.clone()),
        });
        let values = match &source.map {
            Mapping::Wide(mapped) => Values::Wide(mapped.iter().map(|entry| slot(&entry.path)).collect()),
            Mapping::Long { by, value, names, .. } => Values::Long {
                by: slot(by),
                value: slot(value),
                names: names.iter().enumerate().map(|(i, entry)| (entry.name.clone(), i)).collect(),
            },
        };
        let time = match &source.time {
            TimeSpec::Arrival | TimeSpec::Record => None,
            TimeSpec::Payload { path, .. } => Some(slot(path)),
        };
        Plan {
            sensor: sensor.collect(),
            time,
            values,
            place: source.place.as_ref().map(|place| (slot(&place.lon), slot(&place.lat))),
            attributes: source.attributes.iter().map(|(name, path)| (name.clone(), slot(path))).collect(),
            shape,
        }
    }
}

/// All places of the payload a source wants.
fn pointers(source: &Source) -> Vec<&Pointer> {
    let mut pointers = Vec::new();
    for piece in &source.sensor.pieces {
        if let Piece::Payload(pointer) = piece {
            pointers.push(pointer);
        }
    }
    if let TimeSpec::Payload { path, .. } = &source.time {
        pointers.push(path);
    }
    match &source.map {
        Mapping::Wide(mapped) => pointers.extend(mapped.iter().map(|entry| &entry.path)),
        Mapping::Long { by, value, .. } => pointers.extend([by, value]),
    }
    if let Some(place) = &source.place {
        pointers.extend([&place.lon, &place.lat]);
    }
    pointers.extend(source.attributes.values());
    pointers
}
