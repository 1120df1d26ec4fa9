//! One device's connection: reads packets, submits messages, acknowledges what is durable.

use super::Shared;
use super::control::{Control, Stir, Told};
use super::gate::{Login, Permit};
use super::greeting::{Greeted, greet, limits, permit};
use super::packet::{self, Limits, PROTOCOL, Packet, Publish, Version, Wrong};
use super::reply;
use crate::Message;
use crate::doors::hold::Hold;
use access::Line;
use bytes::{Buf, BytesMut};
use schemas::Time;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

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
    /// Acks that are to be written.
    due: Vec<Ack>,
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
    stopped: watch::Receiver<bool>,
) {
    let peer = seat.peer;
    let keys = shared.gate.changes();
    let mut read = BytesMut::new();
    let greeting = tokio::select! {
        greeting = timeout(shared.config.patience, greet(&mut stream, &mut read, (number, peer), shared)) => greeting,
        () = seat.presence.dismissed() => return,
    };
    let Greeted { version, keep_alive, place, login, permit } = match greeting {
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
        hold: Hold::new(shared.intake.clone(), shared.metrics.clone(), shared.config.topics),
        skipping: None,
        due: Vec::new(),
        login,
        permit,
        keep_alive,
        deadline: Instant::now() + keep_alive,
        stopping: false,
    };
    let control = Control { place, keys, stopped, stopping: false };
    if let Err(End::Told(wrong)) = connection.run(control).await {
        shared.metrics.refused.inc();
        tracing::debug!(%peer, wrong.what, "MQTT connection closed");
        reply::disconnect(&mut connection.out, version, wrong.code);
        let _ = connection.flush().await;
    }
    // With TLS that writes what is left, for which a peer that does not read would be waited for ever.
    let _ = timeout(shared.config.patience, connection.stream.shutdown()).await;
}

/// What a turn of a connection brought.
enum Turn {
    /// Acks to write, or packets to take.
    Went,
    /// Something else.
    Told(Told, Control),
}

impl Connection<'_> {
    async fn run(&mut self, control: Control) -> Result<(), End> {
        let mut told = pin!(control.next(self.until()));
        let stir = Stir::new();
        let waker = Waker::from(stir.clone());
        loop {
            let taken = self.take();
            self.hold.submit();
            taken?;
            self.flush().await?;
            if self.stopping && !self.hold.is_waiting() {
                return Err(End::Told(Wrong { code: reply::SHUTTING_DOWN, what: "the server is going" }));
            }
            let reads = self.may_read();
            let turn = std::future::poll_fn(|cx| {
                if let Poll::Ready(went) = self.poll_went(cx, reads) {
                    return Poll::Ready(went.map(|()| Turn::Went));
                }
                if !stir.take(cx) {
                    return Poll::Pending;
                }
                let (told, control) = ready!(told.as_mut().poll(&mut Context::from_waker(&waker)));
                Poll::Ready(Ok(Turn::Told(told, control)))
            });
            if let Turn::Told(what, control) = turn.await? {
                self.told(what)?;
                told.set(control.next(self.until()));
                stir.again();
            }
            if !reads && self.may_read() {
                // Silence while the door did not listen is not the device's.
                self.deadline = Instant::now() + self.keep_alive;
            }
        }
    }

    /// Ready when acks have fallen due, what was held has gone in, or something was read.
    fn poll_went(&mut self, cx: &mut Context<'_>, reads: bool) -> Poll<Result<(), End>> {
        if let Poll::Ready(stepped) = self.hold.poll_step(cx, &mut self.due) {
            let ended = Wrong { code: reply::BUSY, what: "the intake has ended" };
            self.acknowledge();
            return Poll::Ready(stepped.map_err(|_| ended.into()));
        }
        if !reads {
            return Poll::Pending;
        }
        let read = ready!(self.poll_read(cx))?;
        self.deadline = Instant::now() + self.keep_alive;
        Poll::Ready(if read == 0 { Err(End::Gone) } else { Ok(()) })
    }

    /// Reads what is there. A silent connection has no buffer.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<std::io::Result<usize>> {
        if let Line::Plain(stream) = &self.stream
            && stream.poll_read_ready(cx).is_pending()
        {
            if self.read.is_empty() && !self.hold.is_waiting() {
                self.read = BytesMut::new();
            }
            return Poll::Pending;
        }
        self.read.reserve(READ);
        pin!(self.stream.read_buf(&mut self.read)).poll(cx)
    }

    /// When it has to be looked whether the device was silent for too long, or its key is taken no longer.
    fn until(&self) -> Instant {
        let Some(Time(until)) = self.permit.until else { return self.deadline };
        let Time(now) = self.shared.intake.now();
        let left = Duration::from_micros(until.saturating_sub(now).max(0) as u64);
        self.deadline.min(Instant::now() + left)
    }

    /// Sees to what happened besides.
    fn told(&mut self, told: Told) -> Result<(), End> {
        match told {
            Told::TakenOver => {
                return Err(Wrong { code: reply::TAKEN_OVER, what: "another connection has its client id" }.into());
            }
            Told::Keys => {
                self.permit = permit(self.shared, &self.login).map_err(|_| KEY_GONE)?;
                self.hold.forget();
            }
            Told::Stop => self.stopping = true,
            Told::Time => {
                if self.permit.until.is_some_and(|until| self.shared.intake.now() >= until) {
                    return Err(KEY_GONE.into());
                }
                let now = Instant::now();
                if !self.may_read() {
                    self.deadline = now + self.keep_alive;
                } else if now >= self.deadline {
                    let what = "silent for longer than its keep-alive";
                    return Err(Wrong { code: reply::KEEP_ALIVE, what }.into());
                }
            }
        }
        Ok(())
    }

    /// Whether more messages may be taken from this device now. On 3.1.1 not reading is all the back-pressure there is.
    fn may_read(&self) -> bool {
        !self.stopping && !self.hold.is_full() && self.hold.unacked() < usize::from(self.shared.config.in_flight)
    }

    /// Takes packets off what has been read, as far as messages may be taken.
    fn take(&mut self) -> Result<(), End> {
        let limits = limits(self.shared);
        while self.may_read() {
            if self.skipping.is_none() {
                self.publishes(limits);
            }
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

    /// Takes plain messages off the front of what has been read, where they lie.
    fn publishes(&mut self, limits: Limits) {
        if self.read.first().is_none_or(|first| first >> 4 != 3) {
            return;
        }
        let now = self.shared.intake.now();
        let mut at = 0;
        while self.may_read()
            && let Some(front) = packet::front(&self.read, at, self.version, limits)
        {
            let Connection { hold, permit, read, shared, .. } = self;
            let name = &read[front.topic.0..front.topic.1];
            let allowed = |name: &Arc<str>| {
                let valid = schemas::topic::is_name(name);
                valid.then(|| permit.allows(shared.intake.catalog(), name))
            };
            let Some((topic, true)) = hold.topic(name, allowed) else { break };
            let ack = || (front.id != 0).then_some(Ack { id: front.id, taken: true });
            if !hold.read(topic, (&read[..], front.payload.0, front.payload.1), now, ack) {
                break;
            }
            at = front.payload.1;
        }
        if at > 0 {
            self.hold.text(self.read.split_to(at).freeze());
        }
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
        let (topic, allowed) = self.topic(&publish);
        let ack = (publish.qos == 1).then_some(Ack { id: publish.id, taken: allowed });
        if allowed {
            let mut message = Message::new(topic, publish.payload, self.shared.intake.now());
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

    /// The topic of a PUBLISH, and whether it may be published to.
    fn topic(&mut self, publish: &Publish) -> (Arc<str>, bool) {
        let Connection { hold, permit, shared, .. } = self;
        let mut allows = |name: &Arc<str>| permit.allows(shared.intake.catalog(), name);
        if let Some((number, allowed)) = hold.topic(&publish.topic, |name| Some(allows(name))) {
            return (hold.name(number).clone(), allowed);
        }
        let name = String::from_utf8_lossy(&publish.topic).into();
        let allowed = allows(&name);
        (name, allowed)
    }

    fn enter(&mut self, taken: Taken) {
        match taken {
            Taken::In(message, ack) => self.hold.push(message, ack),
            Taken::Refused(ack) => self.hold.refuse(ack),
        }
    }

    /// Answers what is durable, and what was refused before it.
    fn acknowledge(&mut self) {
        let mut acked = 0;
        for Ack { id, taken } in self.due.drain(..) {
            match taken {
                true => reply::puback(&mut self.out, id),
                false => reply::puback_refused(&mut self.out, id, reply::FORBIDDEN),
            }
            acked += u64::from(taken);
        }
        self.shared.metrics.acked.inc_by(acked);
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
