//! The seats of a door: how many may be in at once, how many of one address, and who makes room when all are taken.
//!
//! Whoever has kept the door waiting longest goes: an idle connection, one whose request never ends, one that does not
//! read its answer. So callers that do nothing cannot lock out those that do.

use crate::Origin;
use crate::counts::{Counts, Refused};
use crate::presence::Presence;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use tokio::time::Instant;

/// The seats of one door.
#[derive(Clone, Debug)]
pub(crate) struct Seats(Arc<Table>);

#[derive(Debug)]
struct Table {
    most: usize,
    per_address: usize,
    began: Instant,
    open: Mutex<Open>,
    freed: Notify,
    counts: Counts,
}

#[derive(Debug, Default)]
struct Open {
    next: u64,
    /// Who is in, by number. Those told to go are out of it already.
    seats: HashMap<u64, Presence>,
    /// Connections that count for an address.
    origins: HashMap<Origin, usize>,
}

/// Why there is no seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoSeat {
    /// The address has its share.
    Address,
    /// All are taken, and the door waits for none of those who are in.
    Full,
}

/// One connection's seat; given up when dropped.
#[derive(Debug)]
pub struct Seat {
    /// Who has it.
    pub peer: SocketAddr,
    /// What its connection is doing.
    pub presence: Presence,
    number: u64,
    /// The address it counts for.
    origin: Option<Origin>,
    seats: Seats,
}

impl Seats {
    /// A table of `most` seats, `per_address` of them for one address.
    pub(crate) fn new(most: usize, per_address: usize, counts: Counts) -> Seats {
        let (open, freed) = (Mutex::default(), Notify::new());
        Seats(Arc::new(Table { most, per_address, began: Instant::now(), open, freed, counts }))
    }

    /// A seat for `peer`, if need be that of whoever has kept the door waiting longest. `counted`: whether its address
    /// has a share it must keep to.
    pub(crate) fn take(&self, peer: SocketAddr, counted: bool) -> Result<Seat, NoSeat> {
        let mut open = self.open();
        let origin = counted.then(|| Origin::of(peer.ip()));
        let share = origin.and_then(|origin| open.origins.get(&origin).copied()).unwrap_or(0);
        if share >= self.0.per_address {
            return Err(NoSeat::Address);
        }
        if open.seats.len() >= self.0.most {
            let waiting = open.seats.iter().filter_map(|(number, presence)| Some((presence.waiting()?, *number)));
            let (_, longest) = waiting.min().ok_or(NoSeat::Full)?;
            if let Some(presence) = open.seats.remove(&longest) {
                presence.dismiss();
                self.0.counts.refused(Refused::Idle);
            }
        }
        if let Some(origin) = origin {
            open.origins.insert(origin, share + 1);
        }
        let (number, presence) = (open.next, Presence::new(self.0.began));
        open.next += 1;
        open.seats.insert(number, presence.clone());
        self.0.counts.opened();
        Ok(Seat { peer, presence, number, origin, seats: self.clone() })
    }

    /// Ready when a seat may have become free.
    pub(crate) async fn freed(&self) {
        self.0.freed.notified().await;
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// The door knows who this is: it counts for its address no longer, and nobody takes its seat.
    pub fn settle(&mut self) {
        self.presence.settle();
        let mut open = self.seats.open();
        if let Some(origin) = self.origin.take() {
            open.leave(origin);
        }
    }
}

impl Open {
    /// One connection less counts for an address.
    fn leave(&mut self, origin: Origin) {
        if let Some(share) = self.origins.get_mut(&origin) {
            *share -= 1;
            if *share == 0 {
                self.origins.remove(&origin);
            }
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut open = self.seats.open();
        open.seats.remove(&self.number);
        if let Some(origin) = self.origin {
            open.leave(origin);
        }
        self.seats.0.counts.closed();
        self.seats.0.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn peer(text: &str) -> SocketAddr {
        text.parse().unwrap_or_else(|e| panic!("{text}: {e}"))
    }

    fn seats(most: usize, per_address: usize) -> (Seats, Counts) {
        let counts = Counts::default();
        (Seats::new(most, per_address, counts.clone()), counts)
    }

    async fn is_dismissed(seat: &Seat) -> bool {
        tokio::time::timeout(Duration::ZERO, seat.presence.dismissed()).await.is_ok()
    }

    #[tokio::test]
    async fn whoever_keeps_the_door_waiting_longest_makes_room() {
        let (seats, counts) = seats(3, 9);
        let mut taken = Vec::new();
        for _ in 0..3 {
            taken.extend(seats.take(peer("192.0.2.1:1"), true));
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        // The first is at work; the second had a request meanwhile; so the third has waited longest.
        let first = taken[0].presence.begin();
        drop(taken[1].presence.begin());
        tokio::time::sleep(Duration::from_millis(2)).await;
        let newcomer = seats.take(peer("192.0.2.2:1"), true);
        assert!(newcomer.is_ok());
        assert!(is_dismissed(&taken[2]).await && !is_dismissed(&taken[0]).await && !is_dismissed(&taken[1]).await);
        // A request whose caller does not go on sending is waited for too.
        tokio::time::sleep(Duration::from_millis(2)).await;
        taken[0].presence.stalls();
        drop(newcomer);
        drop(taken.remove(2));
        taken.extend(seats.take(peer("192.0.2.2:1"), true));
        taken.iter().skip(1).for_each(|seat| seat.presence.settle());
        assert!(seats.take(peer("192.0.2.3:1"), true).is_ok() && is_dismissed(&taken[0]).await);
        assert_eq!((counts.now().accepted, counts.now().refused), (6, [0, 0, 2]));
        drop(first);
    }

    #[tokio::test]
    async fn when_the_door_waits_for_nobody_there_is_no_place() {
        let (seats, counts) = seats(1, 9);
        let Ok(seat) = seats.take(peer("192.0.2.1:1"), true) else { panic!("a seat is free") };
        let request = seat.presence.begin();
        assert_eq!(seats.take(peer("192.0.2.2:1"), true).err(), Some(NoSeat::Full));
        drop(request);
        drop(seat);
        seats.freed().await;
        assert!(seats.take(peer("192.0.2.2:1"), true).is_ok());
        assert_eq!(counts.now().open, 0);
    }

    #[tokio::test]
    async fn an_address_has_its_share_and_no_more() {
        let (seats, _) = seats(9, 2);
        let take = |text: &str, counted| seats.take(peer(text), counted);
        let (mut one, two) = (take("[2001:db8::1]:1", true), take("[2001:db8::2]:1", true));
        assert!(two.is_ok());
        assert_eq!(take("[2001:db8::3]:1", true).err(), Some(NoSeat::Address));
        assert!(take("[2001:db8::3]:1", false).is_ok(), "a proxy");
        assert!(take("[2001:db8:0:1::3]:1", true).is_ok(), "another address");
        if let Ok(one) = &mut one {
            one.settle();
        }
        let three = take("[2001:db8::3]:1", true);
        assert!(three.is_ok(), "one that is known does not count");
        drop(one);
        assert_eq!(take("[2001:db8::4]:1", true).err(), Some(NoSeat::Address));
        drop((two, three));
        assert!(seats.open().origins.is_empty() && seats.open().seats.is_empty());
    }
}
