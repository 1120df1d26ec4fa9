//! Measurements: which sources take their lines, and what they want of them.

use super::keys::{Keys, Target};
use crate::Catalog;
use crate::decode::Quick;
use crate::normalize;
use hashbrown::HashMap;
use schemas::source::{Decoder, Mapping};
use schemas::template::{Piece, Pointer};
use schemas::{Cadence, Dataset, Source};
use std::sync::Arc;

/// What all readers of a catalog share.
#[derive(Debug)]
pub struct Measures {
    /// Measurement to its number.
    pub(super) names: HashMap<Box<str>, usize>,
    /// By number: those who take its lines, as a range of `takers`.
    pub(super) ranges: Vec<std::ops::Range<usize>>,
    /// By number: its fields. One more for the lines of no known measurement.
    pub(super) keys: Vec<Keys>,
    /// All who take lines, by measurement.
    pub(super) takers: Vec<Taker>,
}

/// A source that takes the lines of a measurement.
#[derive(Clone, Debug)]
pub(super) struct Taker {
    pub(super) route: usize,
    pub(super) dataset: Arc<Dataset>,
    source: usize,
    /// What to take off a stamp, in microseconds.
    pub(super) interval: i64,
    /// Its cadence, where that differs from the dataset's.
    pub(super) every: Option<Cadence>,
    /// What it wants to know of sensors.
    pub(super) wants: Vec<Want>,
}

/// Something a source wants to know of a sensor: a tag of the line, or a field.
#[derive(Clone, Debug)]
pub(super) struct Want {
    pub(super) what: What,
    /// Tag or field.
    pub(super) name: String,
}

/// What it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    Lon,
    Lat,
    Attribute(String),
}

impl Measures {
    /// All measurements that sources of the catalog take.
    pub fn new(catalog: &Catalog) -> Measures {
        let mut by_name: Vec<(&str, Vec<usize>)> = Vec::new();
        for route in 0..catalog.routes.len() {
            let Decoder::Line(name) = &catalog.source(route).decoder else { continue };
            match by_name.iter_mut().find(|(known, _)| *known == &**name) {
                Some((_, routes)) => routes.push(route),
                None => by_name.push((name, vec![route])),
            }
        }
        let (mut takers, mut ranges, mut keys) = (Vec::new(), Vec::new(), Vec::new());
        for (_, routes) in &by_name {
            let first = takers.len();
            takers.extend(routes.iter().map(|route| Taker::new(catalog, *route)));
            ranges.push(first..takers.len());
            keys.push(Keys::new(targets(&takers[first..], first)));
        }
        keys.push(Keys::new(Vec::new()));
        let names = by_name.iter().enumerate().map(|(i, (name, _))| ((*name).into(), i)).collect();
        Measures { names, ranges, keys, takers }
    }

    /// Whether no source takes lines.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }
}

impl Taker {
    fn new(catalog: &Catalog, route: usize) -> Taker {
        let (at, source) = (&catalog.routes[route], catalog.source(route));
        let dataset = catalog.datasets[at.dataset].clone();
        let interval = normalize::interval(source, &dataset);
        let want = |what: What, place: &Pointer| Want { what, name: place.parts.concat() };
        let place = source.place.iter().flat_map(|at| [want(What::Lon, &at.lon), want(What::Lat, &at.lat)]);
        let attributes = source.attributes.iter().map(|(name, at)| want(What::Attribute(name.clone()), at));
        Taker {
            route,
            source: at.source,
            interval,
            every: source.every.filter(|every| *every != dataset.every),
            wants: place.chain(attributes).collect(),
            dataset,
        }
    }

    pub(super) fn source(&self) -> &Source {
        &self.dataset.sources[self.source]
    }

    /// Whether it ever says anything of sensors.
    pub(super) fn says(&self) -> bool {
        self.every.is_some() || !self.wants.is_empty()
    }

    /// The pieces of a sensor's id: text, and tags.
    pub(super) fn pieces(&self) -> impl Iterator<Item = (&str, bool)> {
        self.source().sensor.pieces.iter().filter_map(|piece| match piece {
            Piece::Literal(text) => Some((text.as_str(), false)),
            Piece::Part(tag) => Some((tag.as_str(), true)),
            // Contracts see to it that lines are asked for no others.
            Piece::Topic(_) | Piece::Payload(_) => None,
        })
    }
}

/// Field of the line to who wants it for what.
fn targets(takers: &[Taker], first: usize) -> Vec<(String, Vec<Target>)> {
    let mut found: Vec<(String, Vec<Target>)> = Vec::new();
    let mut add = |name: &str, target: Target| match found.iter_mut().find(|(known, _)| known == name) {
        Some((_, targets)) => targets.push(target),
        None => found.push((name.to_owned(), vec![target])),
    };
    for (taker, of) in (first..).zip(takers) {
        let source = of.source();
        if let Mapping::Wide(entries) = &source.map {
            for (entry, mapped) in entries.iter().enumerate() {
                let quick = Quick::new(&of.dataset.fields[mapped.field], &mapped.unit, &source.missing);
                add(&mapped.path.parts.concat(), Target::Value { taker, entry, field: mapped.field, quick });
            }
        }
        for (want, wanted) in of.wants.iter().enumerate() {
            add(&wanted.name, Target::Said { taker, want });
        }
    }
    found
}
