//! Packets a device gets back.

use super::packet::{Connect, Version, Wrong};

/// QoS 2 towards a door that takes QoS 0 and 1.
pub(super) const QOS: u8 = 0x9b;
/// Another connection with the same client id has come.
pub(super) const TAKEN_OVER: u8 = 0x8e;
/// Nothing was heard for one and a half times the keep-alive.
pub(super) const KEEP_ALIVE: u8 = 0x8d;
/// The server is going.
pub(super) const SHUTTING_DOWN: u8 = 0x8b;
/// Quota exceeded; "server unavailable" in 3.1.1.
pub(super) const QUOTA: u8 = 0x97;
/// No login, or one that is not known.
pub(super) const LOGIN: u8 = 0x86;
/// The login does not allow this.
pub(super) const FORBIDDEN: u8 = 0x87;
/// The server cannot take more for now.
pub(super) const BUSY: u8 = 0x89;

/// What a CONNACK of MQTT 5 says of the door.
#[derive(Clone, Copy, Debug)]
pub(super) struct Promise {
    /// QoS 1 messages that may be under way.
    pub(super) receive_maximum: u16,
    /// Bytes of a packet.
    pub(super) packet: u32,
    /// Number for a client id, if the client has none.
    pub(super) assigned: Option<u64>,
}

/// CONNACK with success: no session is kept.
pub(super) fn connack(out: &mut Vec<u8>, version: Version, promise: Promise) {
    if version == Version::V311 {
        out.extend([0x20, 2, 0, 0]);
        return;
    }
    // Receive Maximum, Maximum QoS 1, Retain Available 0, Maximum Packet Size; topic aliases: none, by default.
    let mut properties = vec![0x21];
    properties.extend(promise.receive_maximum.to_be_bytes());
    properties.extend([0x24, 1, 0x25, 0, 0x27]);
    properties.extend(promise.packet.to_be_bytes());
    // Session Expiry Interval 0: whatever the client asked for, nothing is kept.
    properties.extend([0x11, 0, 0, 0, 0]);
    if let Some(number) = promise.assigned {
        let name = format!("lamppost-{number}");
        properties.push(0x12);
        properties.extend((name.len() as u16).to_be_bytes());
        properties.extend(name.as_bytes());
    }
    out.extend([0x20, properties.len() as u8 + 3, 0, 0, properties.len() as u8]);
    out.extend(properties);
}

/// CONNACK with refusal.
pub(super) fn refuse(out: &mut Vec<u8>, version: Version, wrong: Wrong) {
    match version {
        // 3.1.1 has codes for a version, a client id, a login, a lack of rights, and else the server's state.
        Version::V311 => {
            let code = match wrong.code {
                0x84 => 1,
                0x85 => 2,
                LOGIN => 4,
                FORBIDDEN => 5,
                _ => 3,
            };
            out.extend([0x20, 2, 0, code]);
        }
        Version::V5 => out.extend([0x20, 3, 0, wrong.code, 0]),
    }
}

/// Whether a client must be refused for its id: 3.1.1 wants one from a client that asks for a session.
pub(super) fn check(connect: &Connect) -> Result<(), Wrong> {
    if connect.version == Version::V311 && connect.client.is_empty() && !connect.clean {
        return Err(Wrong { code: 0x85, what: "a client id is wanted unless the session is clean" });
    }
    Ok(())
}

/// PUBACK.
pub(super) fn puback(out: &mut Vec<u8>, id: u16) {
    let [high, low] = id.to_be_bytes();
    out.extend([0x40, 2, high, low]);
}

/// PUBACK of a message that was not taken. Only MQTT 5 can say so.
pub(super) fn puback_refused(out: &mut Vec<u8>, id: u16, code: u8) {
    let [high, low] = id.to_be_bytes();
    out.extend([0x40, 3, high, low, code]);
}

/// PINGRESP.
pub(super) fn pong(out: &mut Vec<u8>) {
    out.extend([0xd0, 0]);
}

/// SUBACK that refuses every filter. The connection stays: firmware subscribes as a matter of course.
pub(super) fn suback(out: &mut Vec<u8>, version: Version, id: u16, filters: usize) {
    // 0x80 is 3.1.1's failure; 5 has 0x83, implementation specific error.
    let (properties, code): (&[u8], u8) = match version {
        Version::V311 => (&[], 0x80),
        Version::V5 => (&[0], 0x83),
    };
    with_codes(out, 0x90, id, properties, code, filters);
}

/// UNSUBACK: there was nothing to end.
pub(super) fn unsuback(out: &mut Vec<u8>, version: Version, id: u16, filters: usize) {
    match version {
        Version::V311 => with_codes(out, 0xb0, id, &[], 0, 0),
        Version::V5 => with_codes(out, 0xb0, id, &[0], 0x11, filters),
    }
}

fn with_codes(out: &mut Vec<u8>, first: u8, id: u16, properties: &[u8], code: u8, count: usize) {
    out.push(first);
    let mut length = 2 + properties.len() + count;
    loop {
        let byte = (length & 0x7f) as u8;
        length >>= 7;
        out.push(if length > 0 { byte | 0x80 } else { byte });
        if length == 0 {
            break;
        }
    }
    out.extend(id.to_be_bytes());
    out.extend(properties);
    out.extend(std::iter::repeat_n(code, count));
}

/// DISCONNECT with a reason; 3.1.1 has none for servers, the connection just ends.
pub(super) fn disconnect(out: &mut Vec<u8>, version: Version, code: u8) {
    if version == Version::V5 {
        out.extend([0xe0, 2, code, 0]);
    }
}
