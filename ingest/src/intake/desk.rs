//! What those who submit and the one who appends share: what is gathered next, under a lock.

use super::cycle::Cycle;
use super::{Backlog, Group, Load, room_bytes};
use crate::metrics::Metrics;
use crate::sheaf::Sheaf;
use crate::topics::Topics;
use crate::{Catalog, Config, Outcome, Pipeline};
use schemas::Time;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use store::{Clock, Writer};
use tokio::sync::{Notify, OwnedSemaphorePermit, oneshot};

/// What both sides share.
pub(super) struct Shared {
    desk: Mutex<Desk>,
    /// Wakes the one who appends.
    pub(super) wake: Notify,
    pub(super) backlog: Backlog,
    pub(super) catalog: Arc<Catalog>,
    pub(super) writer: Writer,
    pub(super) config: Config,
    pub(super) metrics: Metrics,
    clock: Clock,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("what an intake shares")
    }
}

/// What is gathered.
struct Desk {
    pipeline: Pipeline,
    /// What the next append brings.
    next: Cycle,
    /// What came while that was full, oldest first. Bounded by the room that every group takes before.
    queue: VecDeque<Group>,
    /// Whether the one who appends waits, and for how many groups.
    wanted: Option<usize>,
    /// Whether nothing is taken any more.
    ended: bool,
}

/// The handles that are left: whoever appends is woken when there is none.
#[derive(Debug)]
pub(super) struct Alive(pub(super) Arc<Shared>);

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.wake.notify_one();
    }
}

impl Shared {
    /// With nothing gathered.
    pub(super) fn new(
        writer: Writer,
        catalog: Arc<Catalog>,
        mut pipeline: Pipeline,
        config: Config,
        clock: Clock,
        metrics: Metrics,
    ) -> Shared {
        let next = Cycle::new(pipeline.begin());
        let desk = Desk { pipeline, next, queue: VecDeque::new(), wanted: None, ended: false };
        let (wake, backlog) = (Notify::new(), Backlog::new(room_bytes(&config)));
        Shared { desk: Mutex::new(desk), wake, backlog, catalog, writer, config, metrics, clock }
    }

    /// The store's clock.
    pub(super) fn now(&self) -> Time {
        (self.clock)()
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a group: into what is gathered, or behind those that wait already.
    pub(super) fn put(&self, group: Group) {
        let mut desk = self.desk();
        if desk.ended {
            return;
        }
        if desk.is_open(&self.config) {
            desk.take(group, self)
        } else {
            desk.queue.push_back(group)
        }
        self.wake_from(desk);
    }

    /// The same for what a door connection has read, which is left empty.
    pub(super) fn put_sheaf(
        &self,
        sheaf: &mut Sheaf,
        topics: &mut Topics,
        room: OwnedSemaphorePermit,
        durable: oneshot::Sender<Outcome>,
    ) {
        let mut desk = self.desk();
        if desk.ended {
            return sheaf.clear();
        }
        if desk.is_open(&self.config) {
            let Desk { next, pipeline, .. } = &mut *desk;
            next.take_sheaf((sheaf, topics), (room, durable), pipeline, &self.writer, self.now());
        } else {
            let load = Load::Messages(sheaf.messages(topics));
            desk.queue.push_back(Group { load, route: None, _room: room, asked: false, durable });
        }
        self.wake_from(desk);
    }

    fn wake_from(&self, mut desk: MutexGuard<'_, Desk>) {
        let come = desk.next.groups();
        let enough = desk.wanted.is_some_and(|wanted| come >= wanted || !desk.is_open(&self.config));
        if enough {
            desk.wanted = None;
        }
        drop(desk);
        if enough {
            self.wake.notify_one();
        }
    }

    /// Groups gathered.
    pub(super) fn groups(&self) -> usize {
        self.desk().next.groups()
    }

    /// What was gathered, once so many groups have come; nothing before: whoever asks is woken then.
    pub(super) fn full(&self, wanted: usize) -> Option<Cycle> {
        let mut desk = self.desk();
        let come = desk.next.groups();
        if come == 0 || come < wanted && desk.is_open(&self.config) {
            desk.wanted = Some(wanted.max(1));
            return None;
        }
        desk.wanted = None;
        let begun = desk.pipeline.begin();
        let full = std::mem::replace(&mut desk.next, Cycle::new(begun));
        drop(desk);
        self.refill();
        Some(full)
    }

    /// Takes those that wait, up to what one append gathers; others may submit in between, behind them.
    fn refill(&self) {
        loop {
            let mut desk = self.desk();
            if desk.next.weight() >= self.config.gather_bytes {
                return;
            }
            let Some(group) = desk.queue.pop_front() else { return };
            desk.take(group, self);
        }
    }

    /// Ends it: whoever waits learns that the intake has ended.
    pub(super) fn end(&self) {
        let mut desk = self.desk();
        desk.ended = true;
        desk.queue.clear();
        let begun = desk.pipeline.begin();
        desk.next = Cycle::new(begun);
    }
}

impl Desk {
    /// Whether a group may go in past the queue.
    fn is_open(&self, config: &Config) -> bool {
        self.queue.is_empty() && self.next.weight() < config.gather_bytes
    }

    fn take(&mut self, group: Group, shared: &Shared) {
        self.next.take(group, &mut self.pipeline, &shared.writer, shared.now());
    }
}
