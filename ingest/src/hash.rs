//! Hashes that mean the same after a restart: for rejects and for recognising redeliveries.

use crate::Message;
use foldhash::quality::FixedState;
use std::hash::{BuildHasher, Hasher};

/// The seed, fixed so that hashes in the log and the rejects table keep their meaning.
const SEED: FixedState = FixedState::with_seed(0x6c61_6d70_706f_7374);

/// Hash of a whole payload; of head and size when the door kept only the head.
pub fn payload(message: &Message) -> u64 {
    let mut hasher = SEED.build_hasher();
    hasher.write_usize(message.size);
    hasher.write(&message.payload);
    hasher.finish()
}

/// Hash of bytes.
pub fn bytes(bytes: &[u8]) -> u64 {
    let mut hasher = SEED.build_hasher();
    hasher.write(bytes);
    hasher.finish()
}

/// Hash of topic and payload: two messages with the same are taken for the same when one is marked as sent again.
pub fn message(message: &Message) -> u64 {
    let mut hasher = SEED.build_hasher();
    hasher.write_usize(message.topic.len());
    hasher.write(message.topic.as_bytes());
    hasher.write(&message.payload);
    hasher.finish()
}
