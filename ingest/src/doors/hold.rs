//! What a door connection does with messages when the intake has no room, and with acks until messages are durable.

use crate::intake::Room;
use crate::metrics::DoorMetrics;
use crate::sheaf::Sheaf;
use crate::topics::{TopicIx, Topics};
use crate::{Error, Intake, Message, Ticket};
use bytes::Bytes;
use schemas::Time;
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

/// Messages on their way through the intake, and those that wait for room in front of it. `A` acknowledges one message.
///
/// Without room, messages nobody waits for (QoS 0) are dropped and counted; the others are held, and the door reads on
/// only when they have gone in.
pub struct Hold<A> {
    intake: Intake,
    metrics: DoorMetrics,
    topics: Topics,
    /// What was just read, in arrival order.
    sheaf: Sheaf,
    /// Per message: what acknowledges it; nothing for QoS 0.
    acks: Vec<Option<A>>,
    /// Messages just read that may go in, and bytes of their payloads.
    fresh: (u64, u64),
    /// The room that is waited for, when these messages found none; all that are left want an ack then.
    full: Option<Waited>,
    /// Under way.
    tickets: VecDeque<Submitted<A>>,
    unacked: usize,
    /// Room that is used again.
    spare: Vec<Option<A>>,
}

/// Room that is waited for.
type Waited = Pin<Box<dyn Future<Output = Result<Room, Error>> + Send>>;

/// Messages submitted together.
#[derive(Debug)]
struct Submitted<A> {
    ticket: Ticket,
    /// Per message the ack that is due when it resolves.
    acks: Vec<Option<A>>,
    /// When the first of the messages was read.
    read: Time,
}

impl<A> Hold<A> {
    /// Nothing held yet, in front of an intake. Remembers up to so many topics.
    pub fn new(intake: Intake, metrics: DoorMetrics, topics: usize) -> Hold<A> {
        let topics = Topics::new(intake.catalog().clone(), topics, intake.max_message());
        let (sheaf, acks, tickets) = (Sheaf::default(), Vec::new(), VecDeque::new());
        let (fresh, full, unacked, spare) = ((0, 0), None, 0, Vec::new());
        Hold { intake, metrics, topics, sheaf, acks, fresh, full, tickets, unacked, spare }
    }

    /// A topic's number, and whether it may be published to, which `allowed` says of a topic seen for the first time. Nothing
    /// when there is no room for another: it has to wait for the next submission then.
    pub(crate) fn topic(
        &mut self,
        name: &[u8],
        allowed: impl FnOnce(&Arc<str>) -> Option<bool>,
    ) -> Option<(TopicIx, bool)> {
        if let Some(known) = self.topics.find(name) {
            return Some((known, self.topics.topic(known).allowed));
        }
        if self.topics.is_full() && self.sheaf.is_empty() {
            self.topics.clear();
        }
        let name: Arc<str> = std::str::from_utf8(name).ok()?.into();
        let allowed = allowed(&name)?;
        self.topics.add(&name, allowed).map(|number| (number, allowed))
    }

    /// The name of a topic.
    pub(crate) fn name(&self, topic: TopicIx) -> &Arc<str> {
        &self.topics.topic(topic).name
    }

    /// Forgets what was known of topics.
    pub(crate) fn forget(&mut self) {
        self.sheaf.unread(&self.topics);
        self.topics.clear();
    }

    /// Adds a message of a topic that lies at `from..to` of a text, if it is plain; [`Hold::text`] must give the text then. Whether
    /// it is. To be followed by [`Hold::submit`].
    pub(crate) fn read(
        &mut self,
        topic: TopicIx,
        payload: (&[u8], usize, usize),
        now: Time,
        ack: impl FnOnce() -> Option<A>,
    ) -> bool {
        if !self.sheaf.read(&mut self.topics, topic, payload, now) {
            return false;
        }
        self.count(payload.2 - payload.1, ack());
        true
    }

    /// The text of what was read since the last.
    pub(crate) fn text(&mut self, text: Bytes) {
        self.sheaf.text(text);
    }

    /// Adds a message that was read. To be followed by [`Hold::submit`].
    pub fn push(&mut self, message: Message, ack: Option<A>) {
        self.count(message.size, ack);
        self.sheaf.push(message);
    }

    fn count(&mut self, bytes: usize, ack: Option<A>) {
        self.fresh.0 += 1;
        self.fresh.1 += bytes as u64;
        self.unacked += usize::from(ack.is_some());
        self.acks.push(ack);
    }

    /// Adds the ack of a message that may not go in: due as soon as all before it are.
    pub fn refuse(&mut self, ack: A) {
        self.unacked += 1;
        self.sheaf.refuse();
        self.acks.push(Some(ack));
    }

    /// Submits what was read, or holds it. Whether there was room.
    pub fn submit(&mut self) -> bool {
        if self.sheaf.is_empty() || self.full.is_some() {
            return self.full.is_none();
        }
        let (messages, bytes) = std::mem::take(&mut self.fresh);
        self.metrics.messages.inc_by(messages);
        self.metrics.bytes.inc_by(bytes);
        if let Some(room) = self.intake.try_room(self.sheaf.weight()) {
            self.enter(room);
            return true;
        }
        self.drop_unacknowledged();
        if !self.sheaf.is_empty() {
            self.full = Some(Box::pin(self.intake.room(self.sheaf.weight())));
        }
        self.full.is_none()
    }

    /// Whether messages are held for want of room: the door must not read on.
    pub fn is_full(&self) -> bool {
        self.full.is_some()
    }

    /// Messages read that are not acknowledged yet.
    pub fn unacked(&self) -> usize {
        self.unacked
    }

    /// Whether anything is under way.
    pub fn is_waiting(&self) -> bool {
        !self.tickets.is_empty()
    }

    /// Waits for the next thing to happen: acks fall due, which are put behind `due` in arrival order, or what is held goes in.
    /// Never ready while nothing is held or under way. Cancelling it is safe. `Kind::Closed` when the intake has ended.
    pub async fn step(&mut self, due: &mut Vec<A>) -> Result<(), Error> {
        std::future::poll_fn(|cx| self.poll_step(cx, due)).await
    }

    /// [`Hold::step`], by hand.
    pub(crate) fn poll_step(&mut self, cx: &mut Context<'_>, due: &mut Vec<A>) -> Poll<Result<(), Error>> {
        match poll_due(&mut self.tickets, cx) {
            Poll::Ready(durable) => {
                self.settle(durable?, due);
                return Poll::Ready(Ok(()));
            }
            Poll::Pending => {}
        }
        let Some(full) = &mut self.full else { return Poll::Pending };
        let room = ready!(full.as_mut().poll(cx))?;
        self.full = None;
        self.enter(room);
        Poll::Ready(Ok(()))
    }

    /// Gives the acks of the oldest submissions, which are durable now; how long they took is counted.
    fn settle(&mut self, durable: usize, due: &mut Vec<A>) {
        let now = self.intake.now();
        for Submitted { mut acks, read, .. } in self.tickets.drain(..durable) {
            let before = due.len();
            due.extend(acks.drain(..).flatten());
            let count = due.len() - before;
            self.unacked -= count;
            if count > 0 {
                // The machine's clock may have been set back meanwhile.
                let micros = u64::try_from(now.0 - read.0).unwrap_or(0);
                self.metrics.ack_duration.0.count(Duration::from_micros(micros), count as u64);
            }
            if acks.capacity() <= SPARE {
                self.spare = acks;
            }
        }
    }

    fn enter(&mut self, room: Room) {
        let acks = std::mem::replace(&mut self.acks, std::mem::take(&mut self.spare));
        let nothing = self.sheaf.arrived().is_none();
        let read = self.sheaf.arrived().unwrap_or_else(|| self.intake.now());
        let ticket = if nothing {
            self.sheaf.clear();
            Ticket::durable()
        } else {
            self.intake.submit_sheaf(room, &mut self.sheaf, &mut self.topics)
        };
        self.tickets.push_back(Submitted { ticket, acks, read });
    }

    fn drop_unacknowledged(&mut self) {
        let before = self.sheaf.len();
        let mut wanted = self.acks.iter().map(Option::is_some);
        self.sheaf.retain(|| wanted.next().unwrap_or_default());
        self.acks.retain(Option::is_some);
        self.metrics.dropped.inc_by((before - self.sheaf.len()) as u64);
        if self.sheaf.is_empty() {
            self.sheaf.clear();
        }
    }
}

/// Acks for which room is kept while nothing is under way.
const SPARE: usize = 1024;

/// How many of the oldest submissions are durable: ready when the first is.
fn poll_due<A>(tickets: &mut VecDeque<Submitted<A>>, cx: &mut Context<'_>) -> Poll<Result<usize, Error>> {
    let Some(oldest) = tickets.front_mut() else { return Poll::Pending };
    // Stays in front until it resolves: cancelling loses nothing.
    ready!(Pin::new(&mut oldest.ticket).poll(cx))?;
    Poll::Ready(Ok(1 + tickets.iter().skip(1).take_while(|submitted| submitted.ticket.is_durable()).count()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kind;

    /// The store takes one append and refuses the next: what it took is acknowledged, then the door learns of the end.
    #[tokio::test]
    async fn what_is_durable_falls_due_before_the_end_of_the_intake_is_told() {
        let (durable, first) = Ticket::pair();
        let (refused, second) = Ticket::pair();
        let submitted = |ticket, acks| Submitted { ticket, acks, read: Time(0) };
        let mut tickets = VecDeque::from([submitted(first, vec![Some(1), None]), submitted(second, vec![Some(3)])]);
        assert!(durable.send(crate::Outcome::default()).is_ok());
        drop(refused);
        let due = std::future::poll_fn(|cx| poll_due(&mut tickets, cx)).await;
        assert_eq!(due.ok(), Some(1));
        tickets.pop_front();
        let end = std::future::poll_fn(|cx| poll_due(&mut tickets, cx)).await;
        assert_eq!(end.err().map(|error| error.kind), Some(Kind::Closed));
    }
}
