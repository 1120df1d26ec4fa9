//! What one connection is doing: whether the door waits for its caller, and since when, or a request is under way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use tokio::sync::Notify;
use tokio::time::Instant;

/// Instead of a time: the door does not wait for this caller.
const AT_WORK: u64 = u64::MAX;

/// The state of one connection, shared by its task, its stream, its bodies and the table of seats.
///
/// Only the connection's own task changes it, so the parts need not change together.
#[derive(Clone, Debug)]
pub struct Presence(Arc<State>);

#[derive(Debug)]
struct State {
    /// What times are counted from.
    began: Instant,
    /// Microseconds from there until the door began to wait for the caller, or [`AT_WORK`].
    waiting: AtomicU64,
    under_way: AtomicBool,
    /// Requests begun.
    requests: AtomicU64,
    ended: Notify,
    leave: Notify,
}

impl Presence {
    /// A connection that has just come: the door waits for it.
    pub(crate) fn new(began: Instant) -> Presence {
        let waiting = AtomicU64::new(began.elapsed().as_micros() as u64);
        let (under_way, requests) = (AtomicBool::new(false), AtomicU64::new(0));
        let (ended, leave) = (Notify::new(), Notify::new());
        Presence(Arc::new(State { began, waiting, under_way, requests, ended, leave }))
    }

    /// A request begins; it is under way until what is given is dropped.
    pub(crate) fn begin(&self) -> UnderWay {
        self.0.requests.fetch_add(1, Ordering::Relaxed);
        self.0.under_way.store(true, Ordering::Relaxed);
        self.0.waiting.store(AT_WORK, Ordering::Relaxed);
        UnderWay(self.clone())
    }

    /// The door is at work for this caller for as long as the connection lives.
    pub fn settle(&self) {
        self.0.under_way.store(true, Ordering::Relaxed);
        self.0.waiting.store(AT_WORK, Ordering::Relaxed);
    }

    /// The door waits for the caller from now on, if it did not already.
    pub(crate) fn stalls(&self) {
        if self.0.waiting.load(Ordering::Relaxed) == AT_WORK {
            self.0.waiting.store(self.0.began.elapsed().as_micros() as u64, Ordering::Relaxed);
        }
    }

    /// The caller did its part: the door is at work again if a request is under way, else waits from now on.
    pub(crate) fn moves(&self) {
        let since = if self.is_under_way() { AT_WORK } else { self.0.began.elapsed().as_micros() as u64 };
        self.0.waiting.store(since, Ordering::Relaxed);
    }

    /// Whether a request is under way.
    pub(crate) fn is_under_way(&self) -> bool {
        self.0.under_way.load(Ordering::Relaxed)
    }

    /// Requests begun so far.
    pub(crate) fn requests(&self) -> u64 {
        self.0.requests.load(Ordering::Relaxed)
    }

    /// Since when the door waits for the caller, in microseconds from the table's beginning; nothing while it is at work.
    pub(crate) fn waiting(&self) -> Option<u64> {
        Some(self.0.waiting.load(Ordering::Relaxed)).filter(|&since| since != AT_WORK)
    }

    /// Ready when a request has ended since the last time.
    pub(crate) async fn ended(&self) {
        self.0.ended.notified().await;
    }

    /// Asks the connection to end at once.
    pub(crate) fn dismiss(&self) {
        self.0.leave.notify_one();
    }

    /// Ready when the connection is to end at once.
    pub async fn dismissed(&self) {
        self.0.leave.notified().await;
    }
}

/// A request under way.
#[derive(Debug)]
pub(crate) struct UnderWay(Presence);

impl Drop for UnderWay {
    fn drop(&mut self) {
        let Presence(state) = &self.0;
        state.under_way.store(false, Ordering::Relaxed);
        state.waiting.store(state.began.elapsed().as_micros() as u64, Ordering::Relaxed);
        state.ended.notify_one();
    }
}
