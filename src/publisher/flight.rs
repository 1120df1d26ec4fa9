//! Messages on their way: sent or about to be, not yet acknowledged, in order.

use crate::Message;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The messages of one connection that are not done with.
#[derive(Debug)]
pub(super) struct Flight {
    entries: VecDeque<Entry>,
    /// How many of the entries, from the front, have gone out on this connection.
    gone: usize,
    done: Arc<AtomicU64>,
}

#[derive(Debug)]
struct Entry {
    message: Message,
    id: u16,
    acknowledged: bool,
}

impl Flight {
    /// An empty flight that counts into `done`.
    pub(super) fn new(done: Arc<AtomicU64>) -> Flight {
        Flight { entries: VecDeque::new(), gone: 0, done }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn done(&self) -> u64 {
        self.done.load(Ordering::Acquire)
    }

    pub(super) fn messages(&self) -> impl Iterator<Item = &Message> {
        self.entries.iter().map(|entry| &entry.message)
    }

    /// A message has been handed to the connection.
    pub(super) fn push(&mut self, message: Message) {
        self.entries.push_back(Entry { message, id: 0, acknowledged: false });
    }

    /// The next message has gone out, as packet `id`.
    pub(super) fn sent(&mut self, id: u16) {
        if let Some(entry) = self.entries.get_mut(self.gone) {
            entry.id = id;
            self.gone += 1;
        }
    }

    /// Packet `id` is done with. Messages count in order: one that overtook waits for those before it.
    pub(super) fn acknowledged(&mut self, id: u16) {
        let waiting = self.entries.iter_mut().take(self.gone);
        if let Some(entry) = waiting.into_iter().find(|entry| entry.id == id && !entry.acknowledged) {
            entry.acknowledged = true;
        }
        while self.entries.front().is_some_and(|entry| entry.acknowledged) {
            self.entries.pop_front();
            self.gone -= 1;
            self.done.fetch_add(1, Ordering::Release);
        }
    }

    /// The connection is gone: all that is left goes out again on the next.
    pub(super) fn again(&mut self) {
        self.gone = 0;
        self.entries.iter_mut().for_each(|entry| entry.acknowledged = false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flight(messages: usize) -> Flight {
        let mut flight = Flight::new(Arc::default());
        for n in 0..messages {
            flight.push(Message { topic: n.to_string(), payload: Vec::new().into() });
        }
        flight
    }

    fn left(flight: &Flight) -> Vec<&str> {
        flight.messages().map(|m| m.topic.as_str()).collect()
    }

    #[test]
    fn acknowledgements_count_in_order() {
        let mut flight = flight(3);
        (1..=3).for_each(|id| flight.sent(id));
        flight.acknowledged(2);
        assert_eq!((flight.done(), flight.len()), (0, 3));
        flight.acknowledged(1);
        assert_eq!((flight.done(), left(&flight)), (2, vec!["2"]));
    }

    #[test]
    fn what_was_not_acknowledged_goes_again_in_order() {
        let mut flight = flight(4);
        (1..=3).for_each(|id| flight.sent(id));
        flight.acknowledged(1);
        flight.acknowledged(3);
        flight.again();
        assert_eq!(left(&flight), ["1", "2", "3"]);
        (5..=7).for_each(|id| flight.sent(id));
        // An id of the connection before means nothing now.
        flight.acknowledged(2);
        assert_eq!(flight.done(), 1);
        (5..=7).for_each(|id| flight.acknowledged(id));
        assert_eq!((flight.done(), flight.is_empty()), (4, true));
    }
}
