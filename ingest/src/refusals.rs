//! Refusals of one message for one source, turned into rejects.

use crate::normalize::Refusal;
use crate::parcel::{Parcel, Refused};
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
    /// The record that what follows is of, counted from 0, and its route.
    pub(crate) of: (u32, Option<usize>),
    seen: HashSet<(Reason, Arc<str>)>,
}

impl<'a> Refusals<'a> {
    /// For a message and the name of its source.
    pub(crate) fn new(message: &'a Message, source: &'a Arc<str>, now: Time, most: usize) -> Refusals<'a> {
        let topic = match message.topic.len() {
            ..=TOPIC => message.topic.clone(),
            _ => message.topic[..message.topic.floor_char_boundary(TOPIC)].into(),
        };
        Refusals { message, source, now, most, hash: None, topic, of: (0, None), seen: HashSet::new() }
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
        let reject = Reject {
            source: self.source.clone(),
            topic: self.topic.clone(),
            hash,
            reason: refusal.reason,
            field: field.clone(),
            detail: refusal.detail,
            payload,
            time: self.now,
        };
        gather.refuse(reject, self.of);
    }
}

/// The reject of a line that a door read, with its text. A long line is cut.
pub(crate) fn line_reject(parcel: &Parcel, source: Arc<str>, refused: Refused, now: Time, most: usize) -> Reject {
    let line = parcel.line(refused.at);
    let Refused { field, refusal: Refusal { reason, detail }, .. } = refused;
    let payload = line[..most.min(line.len())].to_vec();
    Reject { source, topic: parcel.topic.clone(), hash: hash::bytes(line), reason, field, detail, payload, time: now }
}
