//! The shell between doors and store: gathers what waits, appends it, and tells each door when its messages are durable.
//!
//! Whoever submits puts it into what is gathered by itself, under a lock. One append is on its way at a time, so arrival order
//! holds even when the store puts one off; while it is, the next is gathered, and for a moment after it, until as many have
//! come as were in it. What doors have waiting is bounded in bytes; a door that finds no room holds its messages and its acks.

mod backlog;
mod cycle;
mod desk;
mod gathering;

pub use backlog::Backlog;
pub use gathering::Gathering;

use crate::metrics::Metrics;
use crate::sheaf::Sheaf;
use crate::topics::Topics;
use crate::{Catalog, Config, Error, Kind, Message, Outcome, Parcel, Pipeline};
use desk::{Alive, Shared};
use schemas::Batch;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use store::{Clock, Writer};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

/// What one door connection hands over, in arrival order, made durable together.
#[derive(Debug)]
struct Group {
    load: Load,
    /// The route they are for, when not decided by topic.
    route: Option<usize>,
    /// Their share of the queue, given back when they are durable.
    _room: OwnedSemaphorePermit,
    /// Whether the door wants to know what was refused.
    asked: bool,
    durable: oneshot::Sender<Outcome>,
}

/// What a group brings.
enum Load {
    /// Messages.
    Messages(Vec<Message>),
    /// Readings that their door has read.
    Parcel(Parcel),
    /// Readings of one dataset that were read already, and the messages they were read from, should the pipeline not have it.
    Readings(Batch, Otherwise),
}

/// Makes the messages that readings were read from.
pub type Otherwise = Box<dyn FnOnce() -> Vec<Message> + Send>;

impl std::fmt::Debug for Load {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Load::Messages(messages) => write!(f, "{} messages", messages.len()),
            Load::Parcel(parcel) => write!(f, "{} kinds of readings", parcel.readings.len()),
            Load::Readings(batch, _) => write!(f, "{} readings", batch.len()),
        }
    }
}

/// A handle doors submit messages through. Cloneable. The intake ends when all clones are gone and all is durable.
#[derive(Clone, Debug)]
pub struct Intake {
    alive: Arc<Alive>,
}

/// Room in the queue, taken before messages are submitted.
#[derive(Debug)]
pub struct Room(OwnedSemaphorePermit);

/// Resolves when what it stands for is durable; to `Kind::Closed` when the intake ended before. What it resolves to is empty
/// unless it was asked for.
#[derive(Debug)]
pub struct Ticket(oneshot::Receiver<Outcome>);

impl Future for Ticket {
    type Output = Result<Outcome, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx).map_err(|_| Error::closed())
    }
}

impl Ticket {
    /// Whether its messages are durable already. Only looks: it can still be waited for.
    pub fn is_durable(&self) -> bool {
        !self.0.is_empty()
    }

    /// A ticket of nothing: there is nothing to wait for.
    pub(crate) fn durable() -> Ticket {
        let (durable, ticket) = oneshot::channel();
        let _ = durable.send(Outcome::default());
        Ticket(ticket)
    }

    /// A ticket, and what resolves it.
    #[cfg(test)]
    pub(crate) fn pair() -> (oneshot::Sender<Outcome>, Ticket) {
        let (durable, ticket) = oneshot::channel();
        (durable, Ticket(ticket))
    }
}

impl Intake {
    /// Room for messages of that weight, without waiting; nothing when there is none.
    pub fn try_room(&self, weight: usize) -> Option<Room> {
        self.shared().backlog.room.clone().try_acquire_many_owned(self.permits(weight)).ok().map(Room)
    }

    /// Room for messages of that weight, as soon as there is. First come, first served.
    pub fn room(&self, weight: usize) -> impl Future<Output = Result<Room, Error>> + Send + use<> {
        let (room, permits) = (self.shared().backlog.room.clone(), self.permits(weight));
        async move { room.acquire_many_owned(permits).await.map(Room).map_err(|_| Error::closed()) }
    }

    /// Submits messages for every source their topics match. Submissions are taken in the order of these calls.
    pub fn submit(&self, room: Room, messages: Vec<Message>) -> Ticket {
        self.submit_for(room, messages, None)
    }

    /// Submits messages for one route of the catalog, whatever their topic; for all that match when `None`.
    pub fn submit_for(&self, room: Room, messages: Vec<Message>, route: Option<usize>) -> Ticket {
        self.send(room, Load::Messages(messages), route, false)
    }

    /// Submits messages as [`Intake::submit_for`] does; the ticket tells what was refused of them.
    pub fn ask_for(&self, room: Room, messages: Vec<Message>, route: Option<usize>) -> Ticket {
        self.send(room, Load::Messages(messages), route, true)
    }

    /// Submits what a door has read by itself; the ticket tells what was refused of it, by the door or later.
    pub fn ask_parcel(&self, room: Room, parcel: Parcel) -> Ticket {
        self.send(room, Load::Parcel(parcel), None, true)
    }

    /// Submits readings that were read from messages for a route; `otherwise` makes those, should they be needed.
    pub(crate) fn submit_readings(&self, room: Room, route: usize, batch: Batch, otherwise: Otherwise) -> Ticket {
        self.send(room, Load::Readings(batch, otherwise), Some(route), false)
    }

    /// Submits what a door connection has read, and leaves it empty.
    pub(crate) fn submit_sheaf(&self, Room(room): Room, sheaf: &mut Sheaf, topics: &mut Topics) -> Ticket {
        let (durable, ticket) = oneshot::channel();
        self.shared().put_sheaf(sheaf, topics, room, durable);
        Ticket(ticket)
    }

    fn send(&self, Room(room): Room, load: Load, route: Option<usize>, asked: bool) -> Ticket {
        let (durable, ticket) = oneshot::channel();
        // When the intake has ended the group is dropped, and with it the sender: the ticket tells.
        self.shared().put(Group { load, route, _room: room, asked, durable });
        Ticket(ticket)
    }

    fn shared(&self) -> &Shared {
        &self.alive.0
    }

    /// The catalog messages are matched with.
    pub fn catalog(&self) -> &Arc<Catalog> {
        &self.shared().catalog
    }

    /// Bytes of a message that is read; a larger one is rejected.
    pub fn max_message(&self) -> usize {
        self.shared().config.max_message
    }

    /// The figures that doors count in.
    pub fn metrics(&self) -> &Metrics {
        &self.shared().metrics
    }

    /// What waits in front of the log.
    pub fn backlog(&self) -> Backlog {
        self.shared().backlog.clone()
    }

    /// The store's clock.
    pub fn now(&self) -> schemas::Time {
        self.shared().now()
    }

    /// Permits for a weight: bytes, but never more than there are.
    fn permits(&self, weight: usize) -> u32 {
        weight.min(self.shared().backlog.most()).try_into().unwrap_or(u32::MAX)
    }
}

/// An intake in front of a store's writer. `known` lists per dataset of the catalog the sensors the store has already.
/// Nothing becomes durable until [`Gathering::run`] runs.
pub fn open(
    writer: Writer,
    catalog: Arc<Catalog>,
    known: &[Vec<Arc<str>>],
    config: Config,
    clock: Clock,
    metrics: Metrics,
) -> (Intake, Gathering) {
    let pipeline = Pipeline::new(catalog.clone(), config.clone(), known);
    let shared = Arc::new(Shared::new(writer, catalog, pipeline, config, clock, metrics));
    let intake = Intake { alive: Arc::new(Alive(shared.clone())) };
    let gathering = Gathering::new(shared, &intake.alive);
    (intake, gathering)
}

/// Bytes of messages that may wait. With none at all every message would go in without taking room.
fn room_bytes(config: &Config) -> usize {
    config.queue_bytes.clamp(1, u32::MAX as usize)
}

/// The error of a store that will not take this append, however long one waits.
fn refused(error: &store::Error) -> Error {
    Error::new(Kind::Store, format!("the store takes nothing more: {error}"))
}

/// The error of a store that takes nothing while nobody is left to wait for.
fn abandoned(patience: Duration) -> Error {
    let seconds = patience.as_secs_f64();
    let message = format!(
        "the store took nothing for {seconds} s after the doors had closed; what it did not take was never acknowledged, \
         so it will be sent again"
    );
    Error::new(Kind::Store, message)
}
