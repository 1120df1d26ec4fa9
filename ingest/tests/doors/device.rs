//! A device that speaks raw MQTT, byte by byte, so that tests decide everything it sends.

use crate::ground::PATIENCE;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// One connection.
pub(crate) struct Device {
    pub(crate) stream: TcpStream,
    pub(crate) v5: bool,
}

/// A packet as bytes: first byte and body.
pub(crate) fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    let mut length = body.len();
    loop {
        let byte = (length & 0x7f) as u8;
        length >>= 7;
        bytes.push(if length > 0 { byte | 0x80 } else { byte });
        if length == 0 {
            break;
        }
    }
    bytes.extend(body);
    bytes
}

/// A text with its length in front.
pub(crate) fn text(text: &str) -> Vec<u8> {
    let mut bytes = (text.len() as u16).to_be_bytes().to_vec();
    bytes.extend(text.as_bytes());
    bytes
}

/// A CONNECT with user and password.
pub(crate) fn connect(v5: bool, client: &str, clean: bool, keep_alive: u16) -> Vec<u8> {
    connect_with(v5, client, clean, keep_alive, "password")
}

/// The same with this password.
pub(crate) fn connect_with(v5: bool, client: &str, clean: bool, keep_alive: u16, password: &str) -> Vec<u8> {
    let mut body = text("MQTT");
    body.push(if v5 { 5 } else { 4 });
    body.push(0xc0 | if clean { 2 } else { 0 });
    body.extend(keep_alive.to_be_bytes());
    if v5 {
        body.extend([5, 0x11, 0, 0, 0, 60]);
    }
    for part in [client, "user", password] {
        body.extend(text(part));
    }
    packet(0x10, &body)
}

/// A PUBLISH; `id` is used for QoS 1 and 2.
pub(crate) fn publish(v5: bool, topic: &str, payload: &[u8], qos: u8, id: u16, dup: bool) -> Vec<u8> {
    let mut body = text(topic);
    if qos > 0 {
        body.extend(id.to_be_bytes());
    }
    if v5 {
        // Content type, which the door passes over.
        body.extend([7, 0x03, 0, 4]);
        body.extend(b"json");
    }
    body.extend(payload);
    packet(0x30 | qos << 1 | u8::from(dup) << 3, &body)
}

impl Device {
    /// Connects, and checks that it is welcome.
    pub(crate) async fn new(address: SocketAddr, v5: bool, client: &str) -> Device {
        let mut device = Device::bare(address, v5).await;
        device.send(&connect(v5, client, true, 60)).await;
        let (first, body) = device.packet().await.expect("a CONNACK");
        assert_eq!((first, body[1]), (0x20, 0), "welcome: {body:?}");
        device
    }

    /// A connection on which nothing was sent yet.
    pub(crate) async fn bare(address: SocketAddr, v5: bool) -> Device {
        Device { stream: TcpStream::connect(address).await.expect("the door listens"), v5 }
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.expect("the door reads");
    }

    /// Sends to a peer that may hang up before it has read everything.
    pub(crate) async fn send_what_it_takes(&mut self, bytes: &[u8]) {
        if let Err(e) = self.stream.write_all(bytes).await {
            assert!(matches!(e.kind(), std::io::ErrorKind::ConnectionReset | std::io::ErrorKind::BrokenPipe), "{e}");
        }
    }

    pub(crate) async fn publish(&mut self, topic: &str, payload: &str, id: u16) {
        self.send(&publish(self.v5, topic, payload.as_bytes(), 1, id, false)).await;
    }

    /// The next packet, first byte and body; nothing when the door closed the connection.
    pub(crate) async fn packet(&mut self) -> Option<(u8, Vec<u8>)> {
        timeout(PATIENCE, self.read()).await.expect("the door answers in time")
    }

    async fn read(&mut self) -> Option<(u8, Vec<u8>)> {
        let first = self.stream.read_u8().await.ok()?;
        let (mut length, mut shift) = (0, 0);
        loop {
            let byte = self.stream.read_u8().await.ok()?;
            length |= usize::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                break;
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await.ok()?;
        Some((first, body))
    }

    /// Publishes with QoS 1 and waits for its PUBACK.
    pub(crate) async fn say(&mut self, topic: &str, payload: &str, id: u16) {
        self.publish(topic, payload, id).await;
        assert_eq!(self.packet().await, Some(puback(id)));
    }
}

/// A PUBACK as it is read.
pub(crate) fn puback(id: u16) -> (u8, Vec<u8>) {
    (0x40, id.to_be_bytes().to_vec())
}
