//! MQTT 3.1.1 as a device speaks it: CONNECT, PUBLISH with QoS 1, PUBACK; nothing else.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long an answer may take before the test gives up.
const PATIENCE: Duration = Duration::from_secs(60);

/// A connection that was welcomed.
pub(crate) struct Line {
    stream: TcpStream,
    read: Vec<u8>,
    out: Vec<u8>,
}

impl Line {
    /// Connects with a clean session and without keep-alive.
    pub(crate) fn connect(place: SocketAddr, client: &str) -> io::Result<Line> {
        let stream = TcpStream::connect(place)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut line = Line { stream, read: Vec::new(), out: Vec::new() };
        let mut body = vec![0, 4, b'M', b'Q', b'T', b'T', 4, 2, 0, 0];
        text(&mut body, client);
        packet(&mut line.out, 0x10, &[&body]);
        line.flush()?;
        let mut answer = [0; 4];
        line.stream.read_exact(&mut answer)?;
        assert_eq!(answer[..2], [0x20, 2], "a CONNACK");
        match answer[3] {
            0 => Ok(line),
            code => Err(io::Error::other(format!("refused with {code}"))),
        }
    }

    /// Writes a PUBLISH, to leave with the next [`Line::flush`].
    pub(crate) fn publish(&mut self, topic: &str, payload: &[u8], id: u16, again: bool) {
        put_publish(&mut self.out, topic, payload, id, again);
    }

    /// Sends what was written.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.stream.write_all(&self.out)?;
        self.out.clear();
        Ok(())
    }

    /// Waits for PUBACKs: at least one, in the order they came.
    pub(crate) fn acks(&mut self) -> io::Result<Vec<u16>> {
        let mut ids = Vec::new();
        while ids.is_empty() {
            let mut bytes = [0; 4096];
            match self.stream.read(&mut bytes) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(length) => self.read.extend_from_slice(&bytes[..length]),
                Err(e) if matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                    panic!("no PUBACK within {PATIENCE:?}")
                }
                Err(e) => return Err(e),
            }
            let whole = self.read.len() / 4 * 4;
            for ack in self.read[..whole].chunks_exact(4) {
                assert_eq!(ack[..2], [0x40, 2], "a PUBACK");
                ids.push(u16::from_be_bytes([ack[2], ack[3]]));
            }
            self.read.drain(..whole);
        }
        Ok(ids)
    }
}

/// Appends a PUBLISH with QoS 1.
pub(crate) fn put_publish(out: &mut Vec<u8>, topic: &str, payload: &[u8], id: u16, again: bool) {
    let mut head = Vec::with_capacity(topic.len() + 4);
    text(&mut head, topic);
    head.extend(id.to_be_bytes());
    packet(out, 0x32 | u8::from(again) << 3, &[&head, payload]);
}

fn text(out: &mut Vec<u8>, text: &str) {
    out.extend((text.len() as u16).to_be_bytes());
    out.extend(text.as_bytes());
}

fn packet(out: &mut Vec<u8>, first: u8, parts: &[&[u8]]) {
    let mut length: usize = parts.iter().map(|part| part.len()).sum();
    out.push(first);
    loop {
        let byte = (length & 0x7f) as u8;
        length >>= 7;
        out.push(if length > 0 { byte | 0x80 } else { byte });
        if length == 0 {
            break;
        }
    }
    parts.iter().for_each(|part| out.extend_from_slice(part));
}
