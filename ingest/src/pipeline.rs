//! Message → batch: the pure core of the way in.
//!
//! Each message gives rise to readings, to rejects, or to both; never to nothing (but for names a long mapping ignores).

mod direct;
mod pack;
mod parcel;
mod plain;
mod record;
mod sheaf;
#[cfg(test)]
mod tests;

pub use direct::Direct;
pub(crate) use plain::{Habit, Plain};

use crate::catalog::Routes;
use crate::decode::Decoded;
use crate::decode::points::Names;
use crate::normalize::Refusal;
use crate::refusals::Refusals;
use crate::sensors::Sensors;
use crate::{Catalog, Config, Gather, Message, hash};
use hashbrown::HashMap;
use schemas::source::TimeSpec;
use schemas::{Mark, Reason, Source, Time};
use std::sync::Arc;

/// What the store knows of the past, asked while a message is taken.
#[derive(Clone, Copy)]
pub struct Past<'a> {
    /// The time given to a recent message with this hash of topic and payload.
    pub mark: &'a dyn Fn(u64) -> Option<Time>,
    /// Whether a dataset's window at that time has lost its raw readings.
    pub too_old: &'a dyn Fn(&str, Time) -> bool,
}

/// Turns messages into gathers. Holds only memories with bounds: topics, sensors, the marks not yet durable.
#[derive(Debug)]
pub struct Pipeline {
    catalog: Arc<Catalog>,
    config: Config,
    routes: Routes,
    sensors: Vec<Sensors>,
    /// The last instant given to a message without time; the next gets a later one.
    last_arrival: Time,
    /// Marks of the gather under way and of the one on its way to the log.
    marks: [HashMap<u64, Time>; 2],
    gathers: u64,
    /// What names in packs mean, by the routes a topic leads to.
    names: HashMap<Box<[usize]>, Names>,
    /// Room that is used again from message to message.
    decoded: Decoded,
    id: String,
    values: Vec<i64>,
}

impl Pipeline {
    /// A pipeline for a catalog. `known` lists per dataset of the catalog the sensors the store has already.
    pub fn new(catalog: Arc<Catalog>, config: Config, known: &[Vec<Arc<str>>]) -> Pipeline {
        let sensors = catalog.datasets.iter().enumerate().map(|(i, dataset)| {
            let listed = dataset.sensors.iter().map(|sensor| sensor.id.clone());
            Sensors::new(listed.chain(known.get(i).into_iter().flatten().cloned()))
        });
        Pipeline {
            sensors: sensors.collect(),
            routes: Routes::new(config.max_topics),
            catalog,
            config,
            last_arrival: Time(i64::MIN),
            marks: Default::default(),
            gathers: 0,
            names: HashMap::new(),
            decoded: Decoded::default(),
            id: String::new(),
            values: Vec::new(),
        }
    }

    /// Begins the next gather. The one before may still be on its way to the log; the one before that is durable.
    pub fn begin(&mut self) -> Gather {
        self.gathers += 1;
        self.marks.swap(0, 1);
        self.marks[0].clear();
        Gather::new(self.gathers, &self.catalog.datasets)
    }

    /// Takes a message for every source its topic matches. `now` is the store's clock.
    pub fn take(&mut self, message: &Message, now: Time, past: Past<'_>, gather: &mut Gather) {
        let routes = self.routes.of(&self.catalog, &message.topic);
        if routes.is_empty() {
            let detail = "no contract has a source for this topic; a source's `mqtt` filter must match it";
            let refusal = Refusal::new(Reason::UnknownTopic, detail);
            Refusals::new(message, &"".into(), now, self.config.reject_bytes).whole(gather, refusal);
        }
        let mut arrival = None;
        let mut packs = false;
        for route in routes.iter() {
            match self.catalog.routes[*route].packs {
                true => packs = true,
                false => self.take_once(*route, message, now, past, &mut arrival, gather),
            }
        }
        if packs {
            self.take_pack(&routes, message, now, past, gather);
        }
    }

    /// Takes a message for one route, whatever its topic: for imports.
    pub fn take_for(&mut self, route: usize, message: &Message, now: Time, past: Past<'_>, gather: &mut Gather) {
        match self.catalog.routes[route].packs {
            true => self.take_pack(&[route], message, now, past, gather),
            false => self.take_once(route, message, now, past, &mut None, gather),
        }
    }

    /// `arrival`: the time this message got at an earlier route, as all its sources without time share one.
    fn take_once(
        &mut self,
        route: usize,
        message: &Message,
        now: Time,
        past: Past<'_>,
        arrival: &mut Option<Time>,
        gather: &mut Gather,
    ) {
        let catalog = self.catalog.clone();
        let source = catalog.source(route);
        let mut refusals = Refusals::new(message, &source.name, now, self.config.reject_bytes);
        let mut decoded = std::mem::take(&mut self.decoded);
        match self.open(route, source, message, &mut decoded) {
            Err(refusal) => refusals.whole(gather, refusal),
            Ok(text) => {
                for index in &decoded.odd {
                    refusals.of = (*index as u32, Some(route));
                    let detail = format!("element {index} is no object; an array of objects is expected");
                    refusals.whole(gather, Refusal::new(Reason::InvalidPayload, detail));
                }
                let mut stamp = None;
                if matches!(source.time, TimeSpec::Arrival) {
                    let time = *arrival.get_or_insert_with(|| self.arrival(message, decoded.records(), past));
                    let mark = Mark { hash: hash::message(message), time };
                    gather.batches[catalog.routes[route].dataset].marks.push(mark);
                    stamp = Some(time);
                }
                let taking = record::Taking { route: &catalog.routes[route], source, text, message, now, stamp, past };
                for record in 0..decoded.records() {
                    refusals.of = (record as u32, Some(route));
                    self.record(&taking, &decoded, record, &mut refusals, gather);
                }
            }
        }
        self.decoded = decoded;
    }

    /// Decodes a message for a source.
    fn open<'m>(
        &self,
        route: usize,
        source: &Source,
        message: &'m Message,
        decoded: &mut Decoded,
    ) -> Result<&'m str, Refusal> {
        self.fits(message)?;
        if message.retained && matches!(source.time, TimeSpec::Arrival) {
            let detail = "a retained message does not say when it was measured and its payload has no time; \
                          publish without the retain flag or with a time";
            return Err(Refusal::new(Reason::RetainedWithoutTime, detail));
        }
        let text = std::str::from_utf8(&message.payload).map_err(|fault| {
            let detail = format!("not UTF-8 at byte {}; JSON in UTF-8 is expected", fault.valid_up_to());
            Refusal::new(Reason::InvalidPayload, detail)
        })?;
        decoded
            .read(&self.catalog.routes[route].plan.shape, text)
            .map_err(|fault| Refusal::new(Reason::InvalidPayload, fault.to_string()))?;
        if decoded.array && decoded.records() == 0 && decoded.odd.is_empty() {
            return Err(Refusal::new(Reason::InvalidPayload, "an empty array; at least one object is expected"));
        }
        Ok(text)
    }

    /// Whether a message came whole and is not too large.
    fn fits(&self, message: &Message) -> Result<(), Refusal> {
        let (size, most) = (message.size, self.config.max_message);
        if size <= most && size <= message.payload.len() {
            return Ok(());
        }
        Err(Refusal::new(Reason::TooLarge, format!("the payload has {size} bytes; at most {most} are taken")))
    }

    /// The time of a message without one: that of its first arrival if it was sent again, else its own, never one that
    /// another message got. Its records follow each other by a microsecond.
    fn arrival(&mut self, message: &Message, records: usize, past: Past<'_>) -> Time {
        let hash = hash::message(message);
        let mut first = None;
        if message.dup {
            first = self.marks.iter().find_map(|marks| marks.get(&hash).copied()).or_else(|| (past.mark)(hash));
        }
        let time = first.unwrap_or_else(|| message.arrived.max(self.last_arrival.plus(1)));
        self.last_arrival = self.last_arrival.max(time.plus(records as i64 - 1));
        self.marks[0].insert(hash, time);
        time
    }
}
