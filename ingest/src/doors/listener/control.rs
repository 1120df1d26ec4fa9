//! What may happen to a connection besides its device's packets: its place is taken, keys change, the door closes, time is up.

use super::clients::Place;
use access::Keyring;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Wake, Waker};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// What a connection listens to.
pub(super) struct Control {
    pub(super) place: Place,
    pub(super) keys: watch::Receiver<Arc<Keyring>>,
    pub(super) stopped: watch::Receiver<bool>,
    /// Whether it knows that the door closes.
    pub(super) stopping: bool,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// Another connection has its client id.
    TakenOver,
    /// The keys have changed.
    Keys,
    /// The door closes.
    Stop,
    /// The instant has come that was waited for.
    Time,
}

impl Control {
    /// The next thing that happens, an instant at the latest.
    pub(super) async fn next(mut self, until: Instant) -> (Told, Control) {
        let told = tokio::select! {
            () = self.place.taken() => Told::TakenOver,
            Ok(()) = self.keys.changed() => Told::Keys,
            _ = self.stopped.wait_for(|stopped| *stopped), if !self.stopping => Told::Stop,
            () = sleep_until(until) => Told::Time,
        };
        self.stopping |= told == Told::Stop;
        (told, self)
    }
}

/// Tells whether a future that was polled has something new to say, so that it need not be polled each time its task runs.
#[derive(Debug)]
pub(super) struct Stir {
    stirred: AtomicBool,
    task: Mutex<Option<Waker>>,
}

impl Stir {
    /// Of a future that was not polled yet.
    pub(super) fn new() -> Arc<Stir> {
        Arc::new(Stir { stirred: AtomicBool::new(true), task: Mutex::new(None) })
    }

    /// Whether the future is to be polled, with the waker that is [`Stir`] itself. A task keeps its waker for as long as it lives.
    pub(super) fn take(&self, cx: &Context<'_>) -> bool {
        if !self.stirred.load(Ordering::Acquire) {
            return false;
        }
        *self.task.lock().unwrap_or_else(PoisonError::into_inner) = Some(cx.waker().clone());
        self.stirred.swap(false, Ordering::AcqRel)
    }

    /// The future is another one now.
    pub(super) fn again(&self) {
        self.stirred.store(true, Ordering::Release);
    }
}

impl Wake for Stir {
    fn wake(self: Arc<Self>) {
        self.stirred.store(true, Ordering::Release);
        if let Some(task) = &*self.task.lock().unwrap_or_else(PoisonError::into_inner) {
            task.wake_by_ref();
        }
    }
}
