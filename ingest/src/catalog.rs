//! All sources of all datasets: which of them a topic is for, and what to subscribe to.

use crate::decode::Plan;
use crate::pipeline::Direct;
use hashbrown::{HashMap, HashSet};
use schemas::source::{Decoder, Mapping, TimeSpec};
use schemas::{Dataset, Source, UnknownSensors};
use std::sync::Arc;

/// All sources of all datasets.
#[derive(Clone, Debug)]
pub struct Catalog {
    /// The datasets, in the order given.
    pub datasets: Vec<Arc<Dataset>>,
    /// Their sources, compiled.
    pub routes: Vec<Route>,
    /// Per dataset the listed sensors, if only those are welcome.
    listed: Vec<Option<HashSet<Arc<str>>>>,
}

/// A source and its compiled mapping.
#[derive(Clone, Debug)]
pub struct Route {
    /// Index of its dataset in the catalog.
    pub dataset: usize,
    /// Index of the source in its dataset.
    pub source: usize,
    /// Its mapping.
    pub plan: Plan,
    /// Whether its messages are SenML packs.
    pub packs: bool,
    /// Per entry of a wide mapping how its values are read where they are just short numbers.
    pub direct: Vec<Option<Direct>>,
}

/// What to subscribe to at a broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// The topic filter.
    pub filter: String,
    /// Whether replayed retained messages are of use: some source behind it takes the time from the payload.
    pub retained: bool,
}

impl Catalog {
    /// The catalog of these datasets.
    pub fn new(datasets: Vec<Arc<Dataset>>) -> Catalog {
        let routes = datasets.iter().enumerate().flat_map(|(dataset, of)| {
            of.sources.iter().enumerate().map(move |(source, spec)| {
                let entries = if let Mapping::Wide(entries) = &spec.map { &entries[..] } else { &[] };
                let direct = entries.iter().map(|entry| Direct::new(of, spec, entry.field, &entry.unit)).collect();
                let packs = matches!(spec.decoder, Decoder::Senml(_));
                Route { dataset, source, plan: Plan::new(spec), packs, direct }
            })
        });
        let listed = datasets.iter().map(|dataset| {
            let refuse = dataset.unknown_sensors == UnknownSensors::Refuse;
            refuse.then(|| dataset.sensors.iter().map(|sensor| sensor.id.clone()).collect())
        });
        Catalog { routes: routes.collect(), listed: listed.collect(), datasets }
    }

    /// The source a route stands for.
    pub fn source(&self, route: usize) -> &Source {
        let route = &self.routes[route];
        &self.datasets[route.dataset].sources[route.source]
    }

    /// The route of a dataset's source by index; nothing if there is no such.
    pub fn route(&self, dataset: &str, source: usize) -> Option<usize> {
        self.routes.iter().position(|route| route.source == source && *self.datasets[route.dataset].id == *dataset)
    }

    /// Routes whose pattern matches a topic. A message may be for several; all take it.
    pub fn matching(&self, topic: &str) -> Vec<usize> {
        let matches = |route: &usize| self.source(*route).mqtt.as_ref().is_some_and(|filter| filter.matches(topic));
        (0..self.routes.len()).filter(matches).collect()
    }

    /// Whether a dataset takes readings of a sensor.
    pub fn welcomes(&self, dataset: usize, sensor: &str) -> bool {
        self.listed[dataset].as_ref().is_none_or(|listed| listed.contains(sensor))
    }

    /// The fewest subscriptions that bring every source its messages: a filter inside another is left out, as a broker
    /// may send a message once per filter it matches.
    pub fn subscriptions(&self) -> Vec<Subscription> {
        let mut all: Vec<Subscription> = Vec::new();
        for route in 0..self.routes.len() {
            let source = self.source(route);
            let Some(filter) = &source.mqtt else { continue };
            let retained = !matches!(source.time, TimeSpec::Arrival);
            all.push(Subscription { filter: filter.as_str().to_owned(), retained });
        }
        let mut fewest: Vec<Subscription> = Vec::new();
        for (i, candidate) in all.iter().enumerate() {
            let inside = |other: &Subscription| covers(&other.filter, &candidate.filter);
            let earlier = all[..i].iter().any(|other| other.filter == candidate.filter);
            if earlier || all.iter().any(|other| other.filter != candidate.filter && inside(other)) {
                continue;
            }
            let retained = all.iter().any(|other| other.retained && covers(&candidate.filter, &other.filter));
            fewest.push(Subscription { filter: candidate.filter.clone(), retained });
        }
        fewest
    }
}

/// Whether every topic that `narrow` matches is matched by `wide` too.
fn covers(wide: &str, narrow: &str) -> bool {
    if narrow.starts_with('$') && wide.starts_with(['+', '#']) {
        return false; // MQTT 3.1.1, 4.7.2
    }
    let mut wide = wide.split('/');
    let mut narrow = narrow.split('/');
    loop {
        match (wide.next(), narrow.next()) {
            (Some("#"), _) | (None, None) => return true,
            (Some("+"), Some(level)) if level != "#" => {}
            (Some(a), Some(b)) if a == b => {}
            _ => return false,
        }
    }
}

/// Bytes of the longest topic whose routes are remembered; MQTT allows 65,535.
const REMEMBERED: usize = 512;

/// Remembers the routes of recent topics.
#[derive(Debug)]
pub struct Routes {
    known: HashMap<Arc<str>, Arc<[usize]>>,
    most: usize,
}

impl Routes {
    /// Remembers up to `most` topics.
    pub fn new(most: usize) -> Routes {
        Routes { known: HashMap::new(), most }
    }

    /// Routes of a topic.
    pub fn of(&mut self, catalog: &Catalog, topic: &Arc<str>) -> Arc<[usize]> {
        if let Some(routes) = self.known.get(topic) {
            return routes.clone();
        }
        let routes: Arc<[usize]> = catalog.matching(topic).into();
        if topic.len() <= REMEMBERED {
            if self.known.len() >= self.most {
                self.known.clear();
            }
            self.known.insert(topic.clone(), routes.clone());
        }
        routes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_covers_what_it_matches_and_no_more() {
        for (wide, narrow) in [("#", "a/b"), ("a/#", "a"), ("a/#", "a/+/c"), ("a/+", "a/b"), ("a/+", "a/+"), ("a", "a")]
        {
            assert!(covers(wide, narrow), "{wide} covers {narrow}");
        }
        for (wide, narrow) in [("a/+", "a/#"), ("a/b", "a/+"), ("a/+", "a"), ("a", "a/b"), ("+/b", "a/c"), ("a/b", "a")]
        {
            assert!(!covers(wide, narrow), "{wide} does not cover {narrow}");
        }
        for (wide, narrow) in [("#", "$SYS/#"), ("+/x", "$SYS/x")] {
            assert!(!covers(wide, narrow), "{wide} leaves out topics that begin with $");
        }
    }

    #[test]
    fn long_topics_are_not_remembered() {
        let (catalog, mut routes) = (Catalog::new(Vec::new()), Routes::new(10));
        for topic in ["a".repeat(REMEMBERED), "b".repeat(REMEMBERED + 1)] {
            assert!(routes.of(&catalog, &topic.into()).is_empty());
        }
        assert_eq!(routes.known.len(), 1);
    }
}
