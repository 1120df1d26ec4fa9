//! Refusals of one message for one source, turned into rejects.

use crate::normalize::Refusal;
use crate::{Gather, Message, hash};
use hashbrown::HashSet;
use schemas::{Reason, Reject, Time};
use std::sync::Arc;

/// Bytes of a topic kept with a reject. MQTT allows 65,535, and an array may give rise to a reject for every second byte.
const TOPIC: usize = 512;

/// Collects what was refused of a message. The store counts equal rejects, so of several with the same reason and field
/// only the first carries the payload: a large array of bad records stays small.
pub(crate) struct Refusals<'a> {
    message: &'a Message,
    source: &'a Arc<str>,
    now: Time,
    /// Bytes of the payload kept.
    most: usize,
    hash: Option<u64>,
    /// The topic as it is kept.
    topic: Arc<str>,
    seen: HashSet<(Reason, Arc<str>)>,
}

impl<'a> Refusals<'a> {
    /// For a message and the name of its source.
    pub(crate) fn new(message: &'a Message, source: &'a Arc<str>, now: Time, most: usize) -> Refusals<'a> {
        let topic = match message.topic.len() {
            ..=TOPIC => message.topic.clone(),
            _ => message.topic[..message.topic.floor_char_boundary(TOPIC)].into(),
        };
        Refusals { message, source, now, most, hash: None, topic, seen: HashSet::new() }
    }

    /// Refuses the message or a reading of it as a whole.
    pub(crate) fn whole(&mut self, gather: &mut Gather, refusal: Refusal) {
        self.push(gather, refusal, &"".into());
    }

    /// Refuses one field.
    pub(crate) fn push(&mut self, gather: &mut Gather, refusal: Refusal, field: &Arc<str>) {
        let message = self.message;
        let hash = *self.hash.get_or_insert_with(|| hash::payload(message));
        let mut payload = Vec::new();
        if self.seen.insert((refusal.reason, field.clone())) {
            payload.extend_from_slice(&message.payload[..self.most.min(message.payload.len())]);
        }
        gather.refuse(Reject {
            source: self.source.clone(),
            topic: self.topic.clone(),
            hash,
            reason: refusal.reason,
            field: field.clone(),
            detail: refusal.detail,
            payload,
            time: self.now,
        });
    }
}
