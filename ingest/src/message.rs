//! Bytes as they came through a door, with what the door knows of them.

use bytes::Bytes;
use schemas::Time;
use std::sync::Arc;

/// One message, as a door took it.
#[derive(Clone, Debug)]
pub struct Message {
    /// Topic or path it came by.
    pub topic: Arc<str>,
    /// Its payload; only the head of it when it was larger than the door keeps.
    pub payload: Bytes,
    /// Bytes of the whole payload; more than `payload` holds when the door kept only the head.
    pub size: usize,
    /// When the door read it.
    pub arrived: Time,
    /// Whether a broker replayed it from its retained messages.
    pub retained: bool,
    /// Whether its sender says that it may have sent it before.
    pub dup: bool,
}

impl Message {
    /// A message with its whole payload, neither retained nor sent again.
    pub fn new(topic: Arc<str>, payload: Bytes, arrived: Time) -> Message {
        let size = payload.len();
        Message { topic, payload, size, arrived, retained: false, dup: false }
    }

    /// What it weighs in queues, in bytes.
    pub fn weight(&self) -> usize {
        self.topic.len() + self.payload.len() + size_of::<Message>()
    }
}
