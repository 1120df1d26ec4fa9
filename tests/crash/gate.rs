//! Where clients may send to at the moment, and who of them does.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex};

/// The ways in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// The built-in MQTT door.
    Door,
    /// Line protocol over HTTP.
    Lines,
    /// A Mosquitto that Lamppost subscribes at.
    Broker,
}

#[derive(Debug, Default)]
struct State {
    /// Per way: where it is, and the how-manieth place that is.
    places: [(Option<SocketAddr>, u64); 3],
    busy: usize,
    over: bool,
}

/// Lets clients send, holds them, and knows when none is sending.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    state: Mutex<State>,
    changed: Condvar,
    held: AtomicBool,
}

impl Gate {
    /// A way stands at this place from now on.
    pub(crate) fn open(&self, way: Way, place: SocketAddr) {
        let mut state = self.state.lock().expect("gate");
        let (_, generation) = state.places[way as usize];
        state.places[way as usize] = (Some(place), generation + 1);
        self.changed.notify_all();
    }

    /// Holds all clients and waits until each of them has its answers, or knows that it gets none.
    pub(crate) fn hold(&self) {
        self.held.store(true, Ordering::Release);
        let mut state = self.state.lock().expect("gate");
        state.places.iter_mut().for_each(|(place, _)| *place = None);
        drop(self.changed.wait_while(state, |state| state.busy > 0).expect("gate"));
        self.held.store(false, Ordering::Release);
    }

    /// Whether clients are to come to an end of what they are at.
    pub(crate) fn is_held(&self) -> bool {
        self.held.load(Ordering::Acquire)
    }

    /// No client is let in any more.
    pub(crate) fn close(&self) {
        self.hold();
        self.state.lock().expect("gate").over = true;
        self.changed.notify_all();
    }

    /// Runs what a client does at each new place of its way, until the gate closes.
    pub(crate) fn each(&self, way: Way, mut client: impl FnMut(SocketAddr)) {
        let mut seen = 0;
        loop {
            let state = self.state.lock().expect("gate");
            let waits = |state: &mut State| {
                let (place, generation) = state.places[way as usize];
                !state.over && (place.is_none() || generation == seen)
            };
            let mut state = self.changed.wait_while(state, waits).expect("gate");
            let (Some(place), generation) = state.places[way as usize] else { return };
            seen = generation;
            state.busy += 1;
            drop(state);
            let _busy = Busy(self);
            client(place);
        }
    }
}

/// A client at work. One that panics is at work no longer either: its thread tells.
struct Busy<'a>(&'a Gate);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        if let Ok(mut state) = self.0.state.lock() {
            state.busy -= 1;
        }
        self.0.changed.notify_all();
    }
}
