//! MQTT packets a device sends, and those it gets back: 3.1.1 (OASIS, 2014) and 5.0 (OASIS, 2019).
//!
//! Only what a door for publishing needs; a reader that takes large payloads apart before they are whole.

use super::gate::Login;
use super::wire::{Cut, varint};
use bytes::{Bytes, BytesMut};

/// The protocol version a connection speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// MQTT 3.1.1.
    V311,
    /// MQTT 5.0.
    V5,
}

/// A packet from a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Packet {
    /// CONNECT.
    Connect(Connect),
    /// PUBLISH with its whole payload.
    Publish(Publish),
    /// PUBLISH whose payload is larger than wanted: the head of it; so many bytes follow.
    Head(Publish, usize),
    /// SUBSCRIBE: packet id and number of filters.
    Subscribe(u16, usize),
    /// UNSUBSCRIBE: packet id and number of filters.
    Unsubscribe(u16, usize),
    /// PINGREQ.
    Ping,
    /// DISCONNECT.
    Disconnect,
    /// An acknowledgement of something never sent: passed over.
    Other,
}

/// What of a CONNECT matters here. Will and session wishes are read and passed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connect {
    /// Its version.
    pub version: Version,
    /// Client id; may be empty.
    pub client: String,
    /// Whether the session may start anew.
    pub clean: bool,
    /// Seconds within which something is sent; 0 for no promise.
    pub keep_alive: u16,
    /// User and password.
    pub login: Login,
}

/// A PUBLISH.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publish {
    /// Topic name.
    pub topic: Bytes,
    /// Payload, or the head of it.
    pub payload: Bytes,
    /// Bytes of the whole payload.
    pub size: usize,
    /// Quality of service, 0 to 2.
    pub qos: u8,
    /// Packet id; 0 for QoS 0.
    pub id: u16,
    /// Whether it may have been sent before.
    pub dup: bool,
}

/// Why a connection ends, with the reason code MQTT 5 has for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// Reason code of a DISCONNECT or CONNACK.
    pub code: u8,
    /// What was wrong and what would be right.
    pub what: &'static str,
}

/// Bytes that are no packet.
pub(super) const MALFORMED: u8 = 0x81;
/// A packet that does not belong here.
pub(super) const PROTOCOL: u8 = 0x82;
/// A version this door does not speak.
const VERSION: u8 = 0x84;
/// A topic name that is none.
const TOPIC: u8 = 0x90;
/// A packet above the limit.
const TOO_LARGE: u8 = 0x95;

/// Limits of a reader.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of a packet; a larger one ends the connection.
    pub packet: usize,
    /// Bytes of a payload that is wanted whole.
    pub payload: usize,
    /// Bytes kept of a larger one.
    pub head: usize,
}

/// Bytes of topic, id and properties of a PUBLISH at most.
const MAX_HEADER: usize = 128 << 10;

/// Takes the next packet from the front of what has been read; nothing when more is needed.
/// `version` is nothing before CONNECT.
pub fn take(buffer: &mut BytesMut, version: Option<Version>, limits: Limits) -> Result<Option<Packet>, Wrong> {
    let Some(&first) = buffer.first() else { return Ok(None) };
    let Some((length, header)) = varint(&buffer[1..])? else { return Ok(None) };
    let header = 1 + header;
    if length > limits.packet {
        return Err(Wrong { code: TOO_LARGE, what: "the packet is larger than the door takes" });
    }
    let Some(version) = version else {
        if first != 0x10 {
            return Err(Wrong { code: PROTOCOL, what: "the first packet must be CONNECT" });
        }
        // A CONNECT carries a will and credentials; none of it needs more than this.
        if length > MAX_HEADER {
            return Err(Wrong { code: TOO_LARGE, what: "CONNECT is larger than 128 KiB" });
        }
        return whole(buffer, header, length).map(|body| connect(&body).map(Packet::Connect)).transpose();
    };
    if first >> 4 == 3 && length > limits.payload {
        return large(buffer, first, header, length, version, limits);
    }
    if first >> 4 != 3 && length > MAX_HEADER {
        return Err(Wrong { code: TOO_LARGE, what: "a packet other than PUBLISH is larger than 128 KiB" });
    }
    let Some(body) = whole(buffer, header, length) else { return Ok(None) };
    match (first >> 4, first & 0x0f) {
        (3, flags) => {
            let (mut publish, topic, at) = publish(&body, flags, version)?;
            publish.payload = body.slice(at..);
            publish.size = publish.payload.len();
            publish.topic = body.slice(2..2 + topic);
            Ok(Some(Packet::Publish(publish)))
        }
        (4..=7, _) => Ok(Some(Packet::Other)),
        (8, 2) => filters(&body, version, 1).map(|(id, count)| Some(Packet::Subscribe(id, count))),
        (10, 2) => filters(&body, version, 0).map(|(id, count)| Some(Packet::Unsubscribe(id, count))),
        (12, 0) => Ok(Some(Packet::Ping)),
        (14, 0) => Ok(Some(Packet::Disconnect)),
        (1, _) => Err(Wrong { code: PROTOCOL, what: "a second CONNECT on one connection" }),
        _ => Err(Wrong { code: MALFORMED, what: "not a packet that a client may send" }),
    }
}

/// A PUBLISH of QoS 0 or 1 that stands whole at the front of what has been read, told by where its parts are.
pub(super) struct Front {
    /// Bytes of its topic; whether that is a name is for the reader to say.
    pub(super) topic: (usize, usize),
    /// Bytes of its payload.
    pub(super) payload: (usize, usize),
    /// Packet id; 0 for QoS 0.
    pub(super) id: u16,
}

/// The PUBLISH at `at` of what has been read; nothing for whatever [`take`] should look at: another packet, one that is
/// large, not whole or not right.
pub(super) fn front(bytes: &[u8], at: usize, version: Version, limits: Limits) -> Option<Front> {
    let rest = bytes.get(at..)?;
    let first = *rest.first()?;
    if !matches!(first & 0xf6, 0x30 | 0x32) {
        return None;
    }
    let (length, header) = varint(&rest[1..]).ok()??;
    if length > limits.packet.min(limits.payload) {
        return None;
    }
    let begin = at + 1 + header;
    let mut cut = Cut(bytes.get(begin..begin + length)?);
    let topic = cut.bytes().ok()?.len();
    let id = if first & 2 == 0 { 0 } else { cut.id().ok()? };
    if version == Version::V5 {
        cut.properties().ok()?;
    }
    let end = begin + length;
    Some(Front { topic: (begin + 2, begin + 2 + topic), payload: (end - cut.0.len(), end), id })
}

/// Cuts a whole packet off the buffer and gives its body.
fn whole(buffer: &mut BytesMut, header: usize, length: usize) -> Option<Bytes> {
    if buffer.len() < header + length {
        return None;
    }
    Some(buffer.split_to(header + length).freeze().slice(header..))
}

/// A PUBLISH that is larger than a wanted payload: whole if the payload itself is not, else its head.
fn large(
    buffer: &mut BytesMut,
    first: u8,
    header: usize,
    length: usize,
    version: Version,
    limits: Limits,
) -> Result<Option<Packet>, Wrong> {
    let there = &buffer[header..(header + length).min(buffer.len())];
    let (mut publish, topic, at) = match publish(there, first & 0x0f, version) {
        Ok(found) => found,
        // What is there may end within the header.
        Err(_) if there.len() < length && there.len() < MAX_HEADER => return Ok(None),
        Err(wrong) => return Err(wrong),
    };
    publish.size = length - at;
    let head = if publish.size > limits.payload { limits.head.min(publish.size) } else { publish.size };
    let Some(body) = whole(buffer, header, at + head) else { return Ok(None) };
    publish.topic = body.slice(2..2 + topic);
    publish.payload = body.slice(at..);
    let rest = publish.size - head;
    Ok(Some(if rest == 0 { Packet::Publish(publish) } else { Packet::Head(publish, rest) }))
}

/// Reads CONNECT (3.1 of both standards).
fn connect(body: &[u8]) -> Result<Connect, Wrong> {
    let mut cut = Cut(body);
    let name = cut.bytes()?;
    let level = cut.byte()?;
    let version = match (name, level) {
        (b"MQTT", 4) => Version::V311,
        (b"MQTT", 5) => Version::V5,
        _ => return Err(Wrong { code: VERSION, what: "the door speaks MQTT 3.1.1 and 5" }),
    };
    let flags = cut.byte()?;
    if flags & 1 != 0 {
        return Err(Wrong { code: MALFORMED, what: "a reserved flag of CONNECT is set" });
    }
    let keep_alive = cut.pair()?;
    if version == Version::V5 {
        cut.properties()?;
    }
    let client = cut.text()?.to_owned();
    if flags & 0b100 != 0 {
        if version == Version::V5 {
            cut.properties()?;
        }
        cut.text()?;
        cut.bytes()?;
    }
    let user = if flags & 0x80 != 0 { Some(cut.text()?.to_owned()) } else { None };
    let password = if flags & 0x40 != 0 { Some(cut.bytes()?.to_vec()) } else { None };
    Ok(Connect { version, client, clean: flags & 0b10 != 0, keep_alive, login: Login { user, password } })
}

/// Reads a PUBLISH up to its payload: how long its topic is, and where the payload begins. Both are for the caller to cut.
fn publish(body: &[u8], flags: u8, version: Version) -> Result<(Publish, usize, usize), Wrong> {
    let mut cut = Cut(body);
    let topic = cut.text()?;
    if !schemas::topic::is_name(topic) {
        // An empty name would be a topic alias; none are allowed, as CONNACK says.
        return Err(Wrong { code: TOPIC, what: "the topic name is empty or has a wildcard" });
    }
    let qos = (flags >> 1) & 3;
    let id = match qos {
        0 => 0,
        3 => return Err(Wrong { code: MALFORMED, what: "QoS 3 does not exist" }),
        _ => cut.id()?,
    };
    if version == Version::V5 {
        cut.properties()?;
    }
    let at = body.len() - cut.0.len();
    let dup = flags & 8 != 0;
    let bare = Publish { topic: Bytes::new(), payload: Bytes::new(), size: 0, qos, id, dup };
    Ok((bare, topic.len(), at))
}

/// Counts the filters of SUBSCRIBE (one option byte each) or UNSUBSCRIBE (none).
fn filters(body: &[u8], version: Version, options: usize) -> Result<(u16, usize), Wrong> {
    let mut cut = Cut(body);
    let id = cut.id()?;
    if version == Version::V5 {
        cut.properties()?;
    }
    let mut count = 0;
    while !cut.0.is_empty() {
        cut.text()?;
        for _ in 0..options {
            cut.byte()?;
        }
        count += 1;
    }
    if count == 0 {
        return Err(Wrong { code: PROTOCOL, what: "SUBSCRIBE and UNSUBSCRIBE name at least one filter" });
    }
    Ok((id, count))
}

#[cfg(test)]
mod tests;
