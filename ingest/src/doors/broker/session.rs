//! The session with a broker: its epoch, its subscriptions, and the acks that may still leave.

use super::Config;
use super::client::{Acker, Client, Publish};
use crate::{Message, Subscription};
use schemas::Time;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Acknowledges one message in the epoch it came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ack {
    epoch: u64,
    id: u16,
}

/// A message on its way from the polling half to the forwarding half.
#[derive(Debug)]
pub(super) struct Delivery {
    pub(super) message: Message,
    /// What acknowledges it; nothing for QoS 0.
    pub(super) ack: Option<Ack>,
}

impl Delivery {
    /// A publish that came in an epoch.
    pub(super) fn new(publish: Publish, epoch: u64, now: Time) -> Delivery {
        let mut message = Message::new(publish.topic, publish.payload, now);
        message.retained = publish.retain;
        message.dup = publish.dup;
        Delivery { message, ack: publish.id.map(|id| Ack { epoch, id }) }
    }
}

/// What both halves share.
pub(super) struct Session {
    acker: Acker,
    subscriptions: Vec<Subscription>,
    share: Option<String>,
    state: Mutex<State>,
}

struct State {
    /// Number of the connection, counted from 0.
    epoch: u64,
    /// Filters of SUBSCRIBE packets that wait for their SUBACK, oldest first.
    asked: VecDeque<Vec<String>>,
    leaving: bool,
}

impl Session {
    /// A session not yet connected.
    pub(super) fn new(acker: Acker, subscriptions: Vec<Subscription>, config: &Config) -> Session {
        let state = State { epoch: 0, asked: VecDeque::new(), leaving: false };
        Session { acker, subscriptions, share: config.share.clone(), state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Number of the present connection.
    pub(super) fn epoch(&self) -> u64 {
        self.state().epoch
    }

    /// Subscribes to everything, on each connection anew: a broker may have forgotten the session, and rumqttc clears what
    /// waits when it has.
    pub(super) fn subscribe(&self) {
        if self.subscriptions.is_empty() {
            return;
        }
        let wanted: Vec<Subscription> = self.subscriptions.iter().map(|wanted| self.shared(wanted)).collect();
        let mut state = self.state();
        // The client's queue has room for one of these beyond all acks; if not, the next connection asks again.
        if self.acker.subscribe(&wanted) {
            state.asked.push_back(wanted.into_iter().map(|wanted| wanted.filter).collect());
        } else {
            tracing::error!("cannot queue the subscriptions; the next connection tries again");
        }
    }

    /// The filters a SUBACK refuses.
    pub(super) fn subscribed(&self, accepted: &[bool]) -> Vec<String> {
        let asked = self.state().asked.pop_front().unwrap_or_default();
        asked.into_iter().zip(accepted).filter(|(_, accepted)| !**accepted).map(|(filter, _)| filter).collect()
    }

    /// Ends the epoch after a connection broke: no ack of it leaves any more, and those queued are dropped. Gives the
    /// epoch and the messages of it that the client had read but not yet handed out.
    ///
    /// The lock is what makes this safe: an ack is queued either before it is taken, and dropped here, or after, and then
    /// it is of an older epoch and not queued at all.
    pub(super) fn break_off(&self, client: &mut Client) -> (u64, Vec<Publish>) {
        let mut state = self.state();
        let epoch = state.epoch;
        state.epoch += 1;
        state.asked.clear();
        (epoch, client.clear())
    }

    /// Queues acks, in order, as far as they are of the present epoch, and empties the list. How many.
    pub(super) fn acknowledge(&self, due: &mut Vec<Ack>) -> usize {
        let state = self.state();
        let epoch = state.epoch;
        let current = due.drain(..).filter(|ack| ack.epoch == epoch);
        let mut count = 0;
        for ack in current {
            if !self.acker.ack(ack.id) {
                // The queue has room for every packet id there is: this broker reuses ids before they are acknowledged.
                tracing::error!("cannot queue an ack; the broker will send the message again on the next connection");
                break;
            }
            count += 1;
        }
        count
    }

    /// Says good-bye; the connection then ends.
    pub(super) fn leave(&self) {
        let mut state = self.state();
        state.leaving = true;
        self.acker.disconnect();
    }

    /// Whether good-bye has been said.
    pub(super) fn is_leaving(&self) -> bool {
        self.state().leaving
    }

    fn shared(&self, wanted: &Subscription) -> Subscription {
        match &self.share {
            Some(group) => Subscription { filter: format!("$share/{group}/{}", wanted.filter), ..wanted.clone() },
            None => wanted.clone(),
        }
    }
}
