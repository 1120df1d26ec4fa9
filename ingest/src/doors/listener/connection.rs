//! One device's connection: reads packets, submits messages, acknowledges what is durable.

use super::Shared;
use super::clients::Place;
use super::gate::{Login, Permit};
use super::greeting::{Greeted, greet, limits, permit};
use super::packet::{self, PROTOCOL, Packet, Publish, Version, Wrong};
use super::reply;
use crate::Message;
use crate::doors::hold::Hold;
use access::Line;
use bytes::{Buf, BytesMut};
use schemas::Time;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout};

/// Bytes read at once.
pub(super) const READ: usize = 16 << 10;

/// The end of a connection whose key is taken no longer.
const KEY_GONE: Wrong = Wrong { code: reply::FORBIDDEN, what: "its key is taken no longer" };

/// Why a connection ends.
pub(super) enum End {
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

/// What acknowledges a message.
struct Ack {
    id: u16,
    /// Whether it was taken.
    taken: bool,
}

/// What becomes of a PUBLISH.
enum Taken {
    /// It goes in.
    In(Message, Option<Ack>),
    /// It may not be published: its acknowledgement says so.
    Refused(Ack),
}

/// A connection that has been greeted.
struct Connection<'a> {
    shared: &'a Shared,
    stream: Line,
    read: BytesMut,
    out: Vec<u8>,
    version: Version,
    hold: Hold<Ack>,
    /// What is to become of a payload that is too large, and how many bytes of it are still to be passed over.
    skipping: Option<(Taken, usize)>,
    /// The last topic, and whether it may be published to: devices publish to few.
    topic: (Arc<str>, bool),
    login: Login,
    permit: Permit,
    keep_alive: Duration,
    /// When the device will have been silent for too long.
    deadline: Instant,
    stopping: bool,
}

/// Serves a connection until it ends.
pub(super) async fn serve(
    mut stream: Line,
    mut seat: access::Seat,
    number: u64,
    shared: &Shared,
    mut stopped: watch::Receiver<bool>,
) {
    let peer = seat.peer;
    let mut keys = shared.gate.changes();
    let mut read = BytesMut::new();
    let greeting = tokio::select! {
        greeting = timeout(shared.config.patience, greet(&mut stream, &mut read, number, shared)) => greeting,
        () = seat.presence.dismissed() => return,
    };
    let Greeted { version, keep_alive, mut place, login, permit } = match greeting {
        Ok(Ok(greeted)) => greeted,
        Ok(Err(End::Told(wrong))) => {
            shared.metrics.refused.inc();
            tracing::debug!(%peer, wrong.what, "MQTT connection refused");
            let _ = timeout(shared.config.patience, stream.shutdown()).await;
            return;
        }
        Ok(Err(End::Gone)) | Err(_) => return,
    };
    // From now on it is one of the door's own: silence is its right, and it stays when others want in.
    seat.settle();
    let mut connection = Connection {
        shared,
        stream,
        read,
        out: Vec::new(),
        version,
        hold: Hold::new(shared.intake.clone(), shared.metrics.clone()),
        skipping: None,
        topic: ("".into(), false),
        login,
        permit,
        keep_alive,
        deadline: Instant::now() + keep_alive,
        stopping: false,
    };
    if let Err(End::Told(wrong)) = connection.run(&mut place, &mut keys, &mut stopped).await {
        shared.metrics.refused.inc();
        tracing::debug!(%peer, wrong.what, "MQTT connection closed");
        reply::disconnect(&mut connection.out, version, wrong.code);
        let _ = connection.flush().await;
    }
    // With TLS that writes what is left, for which a peer that does not read would be waited for ever.
    let _ = timeout(shared.config.patience, connection.stream.shutdown()).await;
}

/// Ready at an instant of the store's clock; never where there is none.
async fn reached(until: Option<Time>, shared: &Shared) {
    let Some(Time(until)) = until else { return std::future::pending().await };
    let Time(now) = shared.intake.now();
    sleep(Duration::from_micros(until.saturating_sub(now).max(0) as u64)).await;
}

impl Connection<'_> {
    async fn run(
        &mut self,
        place: &mut Place,
        keys: &mut watch::Receiver<Arc<access::Keyring>>,
        stopped: &mut watch::Receiver<bool>,
    ) -> Result<(), End> {
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
            let until = self.permit.until;
            tokio::select! {
                due = self.hold.step() => {
                    let Ok(due) = due else {
                        return Err(End::Told(Wrong { code: reply::BUSY, what: "the intake has ended" }));
                    };
                    self.acknowledge(due);
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
                Ok(()) = keys.changed() => {
                    self.permit = permit(self.shared, &self.login).map_err(|_| KEY_GONE)?;
                    self.topic = ("".into(), false);
                }
                () = reached(until, self.shared) => return Err(KEY_GONE.into()),
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
            if let Some((taken, left)) = self.skipping.take() {
                let skipped = left.min(self.read.len());
                self.read.advance(skipped);
                if skipped < left {
                    self.skipping = Some((taken, left - skipped));
                    break;
                }
                self.enter(taken);
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
                let taken = self.message(publish)?;
                self.enter(taken);
            }
            Packet::Head(publish, rest) => self.skipping = Some((self.message(publish)?, rest)),
            Packet::Subscribe(id, filters) => reply::suback(&mut self.out, self.version, id, filters),
            Packet::Unsubscribe(id, filters) => reply::unsuback(&mut self.out, self.version, id, filters),
            Packet::Ping => reply::pong(&mut self.out),
            Packet::Other => {}
            Packet::Disconnect => return Err(End::Gone),
            Packet::Connect(_) => return Err(Wrong { code: PROTOCOL, what: "a second CONNECT" }.into()),
        }
        Ok(())
    }

    /// What becomes of a PUBLISH. A publisher's retain flag is a wish for a broker, not a sign that the message is a replay.
    fn message(&mut self, publish: Publish) -> Result<Taken, End> {
        if publish.qos > 1 {
            return Err(Wrong { code: reply::QOS, what: "QoS 2; the door takes QoS 0 and 1" }.into());
        }
        if self.topic.0.as_bytes() != &publish.topic[..] {
            let topic = String::from_utf8_lossy(&publish.topic).into();
            let allowed = self.permit.allows(self.shared.intake.catalog(), &topic);
            self.topic = (topic, allowed);
        }
        let (topic, allowed) = &self.topic;
        let ack = (publish.qos == 1).then_some(Ack { id: publish.id, taken: *allowed });
        if *allowed {
            let mut message = Message::new(topic.clone(), publish.payload, self.shared.intake.now());
            message.size = publish.size;
            message.dup = publish.dup;
            return Ok(Taken::In(message, ack));
        }
        self.shared.metrics.forbidden.inc();
        match ack {
            Some(ack) if self.version == Version::V5 => Ok(Taken::Refused(ack)),
            // There is no other way to say it.
            _ => Err(Wrong { code: reply::FORBIDDEN, what: "the key's scope does not allow this topic" }.into()),
        }
    }

    fn enter(&mut self, taken: Taken) {
        match taken {
            Taken::In(message, ack) => self.hold.push(message, ack),
            Taken::Refused(ack) => self.hold.refuse(ack),
        }
    }

    /// Answers what is durable, and what was refused before it.
    fn acknowledge(&mut self, due: Vec<Ack>) {
        for Ack { id, taken } in due {
            match taken {
                true => reply::puback(&mut self.out, id),
                false => reply::puback_refused(&mut self.out, id, reply::FORBIDDEN),
            }
            self.shared.metrics.acked.inc_by(u64::from(taken));
        }
    }

    /// Sends what is due. A peer that does not take it in time is gone.
    async fn flush(&mut self) -> Result<(), End> {
        if self.out.is_empty() {
            return Ok(());
        }
        let stream = &mut self.stream;
        let send = async {
            stream.write_all(&self.out).await?;
            stream.flush().await
        };
        let sent = timeout(self.shared.config.patience, send).await;
        self.out.clear();
        if self.out.capacity() > READ {
            self.out = Vec::new();
        }
        sent.map_err(|_| End::Gone)?.map_err(End::from)
    }
}
