//! What a door connection does with messages when the intake has no room, and with acks until messages are durable.

use crate::metrics::DoorMetrics;
use crate::{Error, Intake, Message, Ticket};
use schemas::Time;
use std::collections::VecDeque;
use std::time::Duration;

/// Messages on their way through the intake, and those that wait for room in front of it. `A` acknowledges one message.
///
/// Without room, messages nobody waits for (QoS 0) are dropped and counted; the others are held, and the door reads on
/// only when they have gone in.
#[derive(Debug)]
pub struct Hold<A> {
    intake: Intake,
    metrics: DoorMetrics,
    /// Messages just read, in arrival order; nothing in the place of one that may not go in.
    messages: Vec<Option<Message>>,
    /// Per message: what acknowledges it; nothing for QoS 0.
    acks: Vec<Option<A>>,
    /// Whether these messages found no room, and all that are left want an ack.
    full: bool,
    /// Under way.
    tickets: VecDeque<Submitted<A>>,
    unacked: usize,
}

/// Messages submitted together.
#[derive(Debug)]
struct Submitted<A> {
    ticket: Ticket,
    /// The acks due when it resolves.
    acks: Vec<A>,
    /// When the first of the messages was read.
    read: Time,
}

impl<A> Hold<A> {
    /// Nothing held yet, in front of an intake.
    pub fn new(intake: Intake, metrics: DoorMetrics) -> Hold<A> {
        let (messages, acks) = (Vec::new(), Vec::new());
        Hold { intake, metrics, messages, acks, full: false, tickets: VecDeque::new(), unacked: 0 }
    }

    /// Adds a message that was read. To be followed by [`Hold::submit`].
    pub fn push(&mut self, message: Message, ack: Option<A>) {
        self.metrics.messages.inc();
        self.metrics.bytes.inc_by(message.size as u64);
        self.unacked += usize::from(ack.is_some());
        self.messages.push(Some(message));
        self.acks.push(ack);
    }

    /// Adds the ack of a message that may not go in: due as soon as all before it are.
    pub fn refuse(&mut self, ack: A) {
        self.unacked += 1;
        self.messages.push(None);
        self.acks.push(Some(ack));
    }

    /// Submits what was read, or holds it. Whether there was room.
    pub fn submit(&mut self) -> bool {
        if self.messages.is_empty() {
            return true;
        }
        if let Some(room) = self.intake.try_room(self.weight()) {
            self.enter(room);
            return true;
        }
        self.drop_unacknowledged();
        self.full = !self.messages.is_empty();
        !self.full
    }

    /// Whether messages are held for want of room: the door must not read on.
    pub fn is_full(&self) -> bool {
        self.full
    }

    /// Messages read that are not acknowledged yet.
    pub fn unacked(&self) -> usize {
        self.unacked
    }

    /// Whether anything is under way.
    pub fn is_waiting(&self) -> bool {
        !self.tickets.is_empty()
    }

    /// Waits for the next thing to happen: acks fall due, which it gives in arrival order, or what is held goes in.
    /// Never ready while nothing is held or under way. Cancelling it is safe. `Kind::Closed` when the intake has ended.
    pub async fn step(&mut self) -> Result<Vec<A>, Error> {
        let weight = self.weight();
        let due = tokio::select! {
            due = due(&mut self.tickets) => self.timed(due?),
            room = self.intake.room(weight), if self.full => {
                self.enter(room?);
                Vec::new()
            }
        };
        self.unacked -= due.len();
        Ok(due)
    }

    /// The acks of what is durable now; how long they took is counted.
    fn timed(&self, due: Vec<Submitted<A>>) -> Vec<A> {
        let now = self.intake.now();
        for Submitted { acks, read, .. } in due.iter().filter(|submitted| !submitted.acks.is_empty()) {
            // The machine's clock may have been set back meanwhile.
            let micros = u64::try_from(now.0 - read.0).unwrap_or(0);
            self.metrics.ack_duration.0.count(Duration::from_micros(micros), acks.len() as u64);
        }
        due.into_iter().flat_map(|submitted| submitted.acks).collect()
    }

    fn weight(&self) -> usize {
        self.messages.iter().flatten().map(Message::weight).sum()
    }

    fn enter(&mut self, room: crate::intake::Room) {
        self.full = false;
        let messages: Vec<Message> = self.messages.drain(..).flatten().collect();
        let acks = self.acks.drain(..).flatten().collect();
        let read = messages.first().map_or_else(|| self.intake.now(), |message| message.arrived);
        let ticket = if messages.is_empty() { Ticket::durable() } else { self.intake.submit(room, messages) };
        self.tickets.push_back(Submitted { ticket, acks, read });
    }

    fn drop_unacknowledged(&mut self) {
        let before = self.messages.len();
        let mut wanted = self.acks.iter().map(Option::is_some);
        self.messages.retain(|_| wanted.next().unwrap_or_default());
        self.acks.retain(Option::is_some);
        self.metrics.dropped.inc_by((before - self.messages.len()) as u64);
    }
}

/// What is durable now: waits for the oldest submission, then takes all that are durable with it.
async fn due<A>(tickets: &mut VecDeque<Submitted<A>>) -> Result<Vec<Submitted<A>>, Error> {
    let Some(oldest) = tickets.front_mut() else {
        return std::future::pending().await;
    };
    // Stays in front until it resolves: cancelling loses nothing.
    (&mut oldest.ticket).await?;
    let durable = 1 + tickets.iter().skip(1).take_while(|submitted| submitted.ticket.is_durable()).count();
    Ok(tickets.drain(..durable).collect())
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
        let mut tickets = VecDeque::from([submitted(first, vec![1, 2]), submitted(second, vec![3])]);
        assert!(durable.send(crate::Outcome::default()).is_ok());
        drop(refused);
        let acks = due(&mut tickets).await.map(|due| due.into_iter().flat_map(|s| s.acks).collect::<Vec<_>>());
        assert_eq!(acks.ok(), Some(vec![1, 2]));
        assert_eq!(due(&mut tickets).await.err().map(|error| error.kind), Some(Kind::Closed));
    }
}
