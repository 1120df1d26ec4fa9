//! Refusals of one message for one source, turned into rejects.

use crate::normalize::Refusal;
use crate::{Gather, Message, hash};
use schemas::{Reason, Reject, Time};
use std::sync::Arc;

/// Collects what was refused of a message. The store counts equal rejects, so of several with the same reason and field
/// only the first carries the payload: a large array of bad records stays small.
pub(crate) struct Refusals<'a> {
    message: &'a Message,
    source: &'a Arc<str>,
    now: Time,
    /// Bytes of the payload kept.
    most: usize,
    hash: Option<u64>,
    seen: Vec<(Reason, Arc<str>)>,
}

impl<'a> Refusals<'a> {
    /// For a message and the name of its source.
    pub(crate) fn new(message: &'a Message, source: &'a Arc<str>, now: Time, most: usize) -> Refusals<'a> {
        Refusals { message, source, now, most, hash: None, seen: Vec::new() }
    }

    /// Refuses the message or a reading of it as a whole.
    pub(crate) fn whole(&mut self, gather: &mut Gather, refusal: Refusal) {
        self.push(gather, refusal, &"".into());
    }

    /// Refuses one field.
    pub(crate) fn push(&mut self, gather: &mut Gather, refusal: Refusal, field: &Arc<str>) {
        let message = self.message;
        let hash = *self.hash.get_or_insert_with(|| hash::payload(message));
        let first = !self.seen.iter().any(|(reason, seen)| *reason == refusal.reason && seen == field);
        let mut payload = Vec::new();
        if first {
            self.seen.push((refusal.reason, field.clone()));
            payload.extend_from_slice(&message.payload[..self.most.min(message.payload.len())]);
        }
        gather.rejects.push(Reject {
            source: self.source.clone(),
            topic: message.topic.clone(),
            hash,
            reason: refusal.reason,
            field: field.clone(),
            detail: refusal.detail,
            payload,
            time: self.now,
        });
    }
}
