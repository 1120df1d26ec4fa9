//! What a door connection knows of the topics it has seen: whether it may publish to them, and how their messages are read.

use crate::Catalog;
use crate::decode::Decoded;
use crate::pipeline::{Habit, Plain};
use hashbrown::HashMap;
use schemas::Time;
use std::sync::Arc;

/// Stands for "not asked for yet".
const UNKNOWN: u32 = u32::MAX;

/// Number of a topic among those of its connection.
pub(crate) type TopicIx = u32;

/// The topics of one connection. Bounded by `most`.
#[derive(Debug)]
pub(crate) struct Topics {
    catalog: Arc<Catalog>,
    numbers: HashMap<Arc<str>, TopicIx>,
    list: Vec<Topic>,
    most: usize,
    /// Bytes of a payload that is taken.
    max_message: usize,
    /// The topic of the last message.
    last: TopicIx,
    decoded: Decoded,
    /// By route, those of the catalog that topics lead to.
    habits: Vec<(usize, Habit)>,
}

/// One topic.
#[derive(Debug)]
pub(crate) struct Topic {
    pub(crate) name: Arc<str>,
    /// Whether the connection may publish to it.
    pub(crate) allowed: bool,
    /// How its plain messages are read.
    pub(crate) plain: Option<Plain>,
    /// What the pipeline calls its sensor.
    sensor: u32,
    /// The topic that came after it the last time: gateways go round.
    next: TopicIx,
}

impl Topics {
    /// Remembers up to `most` topics of a catalog. Payloads of more than `max_message` bytes are never plain.
    pub(crate) fn new(catalog: Arc<Catalog>, most: usize, max_message: usize) -> Topics {
        let (numbers, list, decoded, habits) = (HashMap::new(), Vec::new(), Decoded::default(), Vec::new());
        Topics { catalog, numbers, list, most, max_message, last: 0, decoded, habits }
    }

    /// The number of a topic, if it is known.
    pub(crate) fn find(&mut self, name: &[u8]) -> Option<TopicIx> {
        let last = self.list.get_mut(self.last as usize)?;
        if last.name.as_bytes() == name {
            return Some(self.last);
        }
        let guess = last.next;
        if self.list[guess as usize].name.as_bytes() == name {
            self.last = guess;
            return Some(guess);
        }
        let found = *self.numbers.get(std::str::from_utf8(name).ok()?)?;
        self.list[self.last as usize].next = found;
        self.last = found;
        Some(found)
    }

    /// Adds a topic that is not known; nothing when there are as many as may be remembered.
    pub(crate) fn add(&mut self, name: &Arc<str>, allowed: bool) -> Option<TopicIx> {
        if self.list.len() >= self.most {
            return None;
        }
        let number = self.list.len() as TopicIx;
        let plain = if allowed { Plain::of(&self.catalog, name) } else { None };
        self.list.push(Topic { name: name.clone(), allowed, plain, sensor: UNKNOWN, next: number });
        self.numbers.insert(name.clone(), number);
        if let Some(last) = self.list.get_mut(self.last as usize) {
            last.next = number;
        }
        self.last = number;
        Some(number)
    }

    /// Whether there is room for another.
    pub(crate) fn is_full(&self) -> bool {
        self.list.len() >= self.most
    }

    /// Forgets all.
    pub(crate) fn clear(&mut self) {
        self.numbers.clear();
        self.list.clear();
        self.last = 0;
    }

    /// One of them.
    pub(crate) fn topic(&self, number: TopicIx) -> &Topic {
        &self.list[number as usize]
    }

    /// Reads a message of a topic, if it is plain: its time, with its values put behind `values`.
    pub(crate) fn read(&mut self, number: TopicIx, payload: &[u8], now: Time, values: &mut Vec<i64>) -> Option<Time> {
        if payload.len() > self.max_message {
            return None;
        }
        let Topics { catalog, list, decoded, habits, .. } = self;
        let plain = list[number as usize].plain.as_ref()?;
        let habit = match habits.iter().position(|(route, _)| *route == plain.route) {
            Some(at) => &mut habits[at].1,
            None => {
                habits.push((plain.route, Habit::default()));
                &mut habits.last_mut()?.1
            }
        };
        plain.read(catalog, payload, now, (decoded, habit), values)
    }

    /// The dataset of a topic's plain messages, and what the pipeline calls their sensor: asked for once.
    pub(crate) fn sensor(&mut self, number: TopicIx, ask: impl FnOnce(&Plain) -> Option<u32>) -> Option<(usize, u32)> {
        let topic = &mut self.list[number as usize];
        let plain = topic.plain.as_ref()?;
        if topic.sensor == UNKNOWN {
            topic.sensor = ask(plain)?;
        }
        Some((plain.dataset, topic.sensor))
    }
}
