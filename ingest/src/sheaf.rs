//! What a door connection has read and not handed over yet, in order of arrival: readings of plain messages, with the bytes they
//! were read from should they be needed, and messages that are not plain.

use crate::Message;
use crate::topics::{TopicIx, Topics};
use bytes::Bytes;
use schemas::Time;

/// What was read together.
#[derive(Debug, Default)]
pub(crate) struct Sheaf {
    pub(crate) items: Vec<Item>,
    /// Values of all rows, one row after the other.
    pub(crate) values: Vec<i64>,
    /// What rows were read from.
    texts: Vec<Bytes>,
    weight: usize,
    /// When the first of it was read.
    arrived: Option<Time>,
}

/// One thing read.
#[derive(Debug)]
pub(crate) enum Item {
    /// The reading of a plain message.
    Row(Row),
    /// A message.
    Message(Box<Message>),
    /// A message that may not go in.
    Refused,
}

/// A reading.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) topic: TopicIx,
    /// Where its values begin.
    pub(crate) values: u32,
    pub(crate) time: Time,
    /// When it was read.
    pub(crate) arrived: Time,
    /// Number of its text, and where in it the payload begins and ends.
    text: u32,
    payload: (u32, u32),
}

impl Sheaf {
    /// Whether nothing is in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Things read, those included that may not go in.
    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    /// What it weighs in queues, in bytes.
    pub(crate) fn weight(&self) -> usize {
        self.weight
    }

    /// When the first of it was read.
    pub(crate) fn arrived(&self) -> Option<Time> {
        self.arrived
    }

    /// Adds a message.
    pub(crate) fn push(&mut self, message: Message) {
        self.arrived.get_or_insert(message.arrived);
        self.weight += message.weight();
        self.items.push(Item::Message(Box::new(message)));
    }

    /// Adds what may not go in.
    pub(crate) fn refuse(&mut self) {
        self.items.push(Item::Refused);
    }

    /// Adds the reading of a plain message that lies in the text to be given next; nothing, if it is not plain. Whether it is.
    pub(crate) fn read(
        &mut self,
        topics: &mut Topics,
        topic: TopicIx,
        (text, from, to): (&[u8], usize, usize),
        now: Time,
    ) -> bool {
        let values = self.values.len() as u32;
        let Some(time) = topics.read(topic, &text[from..to], now, &mut self.values) else { return false };
        self.arrived.get_or_insert(now);
        // As its message would weigh.
        self.weight += topics.topic(topic).name.len() + (to - from) + size_of::<Message>();
        let (text, payload) = (self.texts.len() as u32, (from as u32, to as u32));
        self.items.push(Item::Row(Row { topic, values, time, arrived: now, text, payload }));
        true
    }

    /// Gives the text of the rows added since the one before.
    pub(crate) fn text(&mut self, text: Bytes) {
        self.texts.push(text);
    }

    /// Leaves the items to keep.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut() -> bool) {
        let mut weight = 0;
        let mut items = std::mem::take(&mut self.items);
        items.retain(|item| {
            let kept = keep();
            if let (true, Item::Message(message)) = (kept, item) {
                weight += message.weight();
            }
            if let (true, Item::Row(row)) = (kept, item) {
                weight += (row.payload.1 - row.payload.0) as usize + size_of::<Message>();
            }
            kept
        });
        (self.items, self.weight) = (items, weight);
    }

    /// The message that a row was read from.
    pub(crate) fn message(&self, row: &Row, topics: &Topics) -> Message {
        let (from, to) = row.payload;
        let payload = self.texts[row.text as usize].slice(from as usize..to as usize);
        Message::new(topics.topic(row.topic).name.clone(), payload, row.arrived)
    }

    /// Makes messages of all rows.
    pub(crate) fn unread(&mut self, topics: &Topics) {
        let mut items = std::mem::take(&mut self.items);
        for item in &mut items {
            if let Item::Row(row) = item {
                *item = Item::Message(Box::new(self.message(row, topics)));
            }
        }
        self.items = items;
    }

    /// All of it as messages; those that may not go in are left out.
    pub(crate) fn messages(&mut self, topics: &Topics) -> Vec<Message> {
        let items = std::mem::take(&mut self.items);
        let messages = items.into_iter().filter_map(|item| match item {
            Item::Row(row) => Some(self.message(&row, topics)),
            Item::Message(message) => Some(*message),
            Item::Refused => None,
        });
        let messages = messages.collect();
        self.clear();
        messages
    }

    /// Empties it; its room stays.
    pub(crate) fn clear(&mut self) {
        self.items.clear();
        self.values.clear();
        self.texts.clear();
        self.weight = 0;
        self.arrived = None;
    }
}
