//! One device's connection: reads packets, submits messages, acknowledges what is durable.

use super::Shared;
use super::clients::Place;
use super::packet::{self, Limits, PROTOCOL, Packet, Publish, Version, Wrong};
use super::reply;
use crate::Message;
use crate::doors::hold::Hold;
use bytes::{Buf, BytesMut};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

/// Bytes read at once.
const READ: usize = 16 << 10;

/// Why a connection ends.
enum End {
    /// The device said so, or hung up.
    Gone,
    /// What it sent was wrong, or it must go for another reason; with the code MQTT 5 has for it.
    Told(Wrong),
}

impl From<Wrong> for End {
    fn from(wrong: Wrong) -> End {
        End::Told(wrong)
    }
}

impl From<std::io::Error> for End {
    fn from(_: std::io::Error) -> End {
        End::Gone
    }
}

/// A connection that has been greeted.
struct Connection<'a> {
    shared: &'a Shared,
    stream: TcpStream,
    read: BytesMut,
    out: Vec<u8>,
    version: Version,
    hold: Hold<u16>,
    /// A message whose payload is too large, and how many bytes of it are still to be passed over.
    skipping: Option<(Message, Option<u16>, usize)>,
    /// The last topic: devices publish to few.
    topic: Arc<str>,
    keep_alive: Duration,
    /// When the device will have been silent for too long.
    deadline: Instant,
    stopping: bool,
}

/// Serves a connection until it ends.
pub(super) async fn serve(
    mut stream: TcpStream,
    peer: SocketAddr,
    number: u64,
    shared: &Shared,
    mut stopped: watch::Receiver<bool>,
) {
    // Acks are written whole: waiting to gather more only delays them.
    let _ = stream.set_nodelay(true);
    let mut read = BytesMut::new();
    let greeting = timeout(shared.config.patience, greet(&mut stream, &mut read, number, shared)).await;
    let (version, keep_alive, mut place) = match greeting {
        Ok(Ok(greeted)) => greeted,
        Ok(Err(End::Told(wrong))) => {
            shared.metrics.refused.inc();
            tracing::debug!(%peer, wrong.what, "MQTT connection refused");
            return;
        }
        Ok(Err(End::Gone)) | Err(_) => return,
    };
    let mut connection = Connection {
        shared,
        stream,
        read,
        out: Vec::new(),
        version,
        hold: Hold::new(shared.intake.clone(), shared.metrics.clone()),
        skipping: None,
        topic: "".into(),
        keep_alive,
        deadline: Instant::now() + keep_alive,
        stopping: false,
    };
    if let Err(End::Told(wrong)) = connection.run(&mut place, &mut stopped).await {
        shared.metrics.refused.inc();
        tracing::debug!(%peer, wrong.what, "MQTT connection closed");
        reply::disconnect(&mut connection.out, version, wrong.code);
        let _ = connection.flush().await;
    }
    let _ = connection.stream.shutdown().await;
}

/// Reads CONNECT and answers it.
async fn greet(
    stream: &mut TcpStream,
    read: &mut BytesMut,
    number: u64,
    shared: &Shared,
) -> Result<(Version, Duration, Place), End> {
    let connect = loop {
        match packet::take(read, None, limits(shared)) {
            Ok(Some(Packet::Connect(connect))) => break connect,
            Ok(_) => {
                read.reserve(READ);
                if stream.read_buf(read).await? == 0 {
                    return Err(End::Gone);
                }
            }
            Err(wrong) => {
                let mut out = Vec::new();
                // An unknown version is told in the words of 3.1.1, which both sides may know.
                reply::refuse(&mut out, Version::V311, wrong);
                let _ = stream.write_all(&out).await;
                return Err(End::Told(wrong));
            }
        }
    };
    let mut out = Vec::new();
    if let Err(wrong) = reply::check(&connect) {
        reply::refuse(&mut out, connect.version, wrong);
        let _ = stream.write_all(&out).await;
        return Err(End::Told(wrong));
    }
    let config = &shared.config;
    let promise = reply::Promise {
        receive_maximum: config.in_flight,
        packet: config.max_packet,
        assigned: connect.client.is_empty().then_some(number),
    };
    reply::connack(&mut out, connect.version, promise);
    let name = if connect.client.is_empty() { format!("lamppost-{number}") } else { connect.client };
    let place = shared.clients.enter(name, number);
    stream.write_all(&out).await?;
    // One and a half times what the client promised (3.1.2.10).
    let keep_alive = match connect.keep_alive {
        0 => config.idle,
        seconds => Duration::from_millis(1500) * u32::from(seconds),
    };
    Ok((connect.version, keep_alive, place))
}

fn limits(shared: &Shared) -> Limits {
    let config = &shared.config;
    Limits { packet: config.max_packet as usize, payload: config.max_message, head: config.reject_bytes }
}

impl Connection<'_> {
    async fn run(&mut self, place: &mut Place, stopped: &mut watch::Receiver<bool>) -> Result<(), End> {
        loop {
            let taken = self.take();
            self.hold.submit();
            taken?;
            self.flush().await?;
            if self.stopping && !self.hold.is_waiting() {
                return Err(End::Told(Wrong { code: reply::SHUTTING_DOWN, what: "the server is going" }));
            }
            let reads = self.may_read();
            self.read.reserve(if reads { READ } else { 0 });
            tokio::select! {
                due = self.hold.step() => {
                    let Ok(due) = due else {
                        return Err(End::Told(Wrong { code: reply::BUSY, what: "the intake has ended" }));
                    };
                    self.shared.metrics.acked.inc_by(due.len() as u64);
                    due.into_iter().for_each(|id| reply::puback(&mut self.out, id));
                }
                read = self.stream.read_buf(&mut self.read), if reads => {
                    if read? == 0 {
                        return Err(End::Gone);
                    }
                    self.deadline = Instant::now() + self.keep_alive;
                }
                () = place.taken() => {
                    return Err(End::Told(Wrong { code: reply::TAKEN_OVER, what: "another connection has its client id" }));
                }
                () = sleep_until(self.deadline), if reads => {
                    return Err(End::Told(Wrong { code: reply::KEEP_ALIVE, what: "silent for longer than its keep-alive" }));
                }
                _ = stopped.wait_for(|stopped| *stopped), if !self.stopping => self.stopping = true,
            }
            if !reads && self.may_read() {
                // Silence while the door did not listen is not the device's.
                self.deadline = Instant::now() + self.keep_alive;
            }
        }
    }

    /// Whether more messages may be taken from this device now. On 3.1.1 not reading is all the back-pressure there is.
    fn may_read(&self) -> bool {
        !self.stopping && !self.hold.is_full() && self.hold.unacked() < usize::from(self.shared.config.in_flight)
    }

    /// Takes packets off what has been read, as far as messages may be taken.
    fn take(&mut self) -> Result<(), End> {
        let limits = limits(self.shared);
        while self.may_read() {
            if let Some((message, publish, left)) = self.skipping.take() {
                let skipped = left.min(self.read.len());
                self.read.advance(skipped);
                if skipped < left {
                    self.skipping = Some((message, publish, left - skipped));
                    break;
                }
                self.hold.push(message, publish);
                continue;
            }
            match packet::take(&mut self.read, Some(self.version), limits)? {
                Some(packet) => self.packet(packet)?,
                None => break,
            }
        }
        Ok(())
    }

    fn packet(&mut self, packet: Packet) -> Result<(), End> {
        match packet {
            Packet::Publish(publish) => {
                let (message, ack) = self.message(publish)?;
                self.hold.push(message, ack);
            }
            Packet::Head(publish, rest) => {
                let (message, ack) = self.message(publish)?;
                self.skipping = Some((message, ack, rest));
            }
            Packet::Subscribe(id, filters) => reply::suback(&mut self.out, self.version, id, filters),
            Packet::Unsubscribe(id, filters) => reply::unsuback(&mut self.out, self.version, id, filters),
            Packet::Ping => reply::pong(&mut self.out),
            Packet::Other => {}
            Packet::Disconnect => return Err(End::Gone),
            Packet::Connect(_) => return Err(Wrong { code: PROTOCOL, what: "a second CONNECT" }.into()),
        }
        Ok(())
    }

    /// The message a PUBLISH carries, and the packet id that acknowledges it. A publisher's retain flag is a wish for a
    /// broker, not a sign that the message is a replay.
    fn message(&mut self, publish: Publish) -> Result<(Message, Option<u16>), End> {
        if publish.qos > 1 {
            return Err(Wrong { code: reply::QOS, what: "QoS 2; the door takes QoS 0 and 1" }.into());
        }
        if self.topic.as_bytes() != &publish.topic[..] {
            self.topic = String::from_utf8_lossy(&publish.topic).into();
        }
        let mut message = Message::new(self.topic.clone(), publish.payload, self.shared.intake.now());
        message.size = publish.size;
        message.dup = publish.dup;
        Ok((message, (publish.qos == 1).then_some(publish.id)))
    }

    /// Sends what is due. A peer that does not take it in time is gone.
    async fn flush(&mut self) -> Result<(), End> {
        if self.out.is_empty() {
            return Ok(());
        }
        let sent = timeout(self.shared.config.patience, self.stream.write_all(&self.out)).await;
        self.out.clear();
        if self.out.capacity() > READ {
            self.out = Vec::new();
        }
        sent.map_err(|_| End::Gone)?.map_err(End::from)
    }
}
