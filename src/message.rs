//! A message on its way to a broker or a door.

use bytes::Bytes;

/// Topic and payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// MQTT topic name.
    pub topic: String,
    /// Bytes as they go.
    pub payload: Bytes,
}
