//! Looks at the running server: for `/ready`, `/status` and `/metrics`, and every few seconds to know its pace.

use super::figures;
use super::fronts::Fronts;
use super::glance::{Doors, Glance};
use super::pulse::{Counters, Pulse};
use ingest::intake::Backlog;
use schemas::Time;
use serve::Figure;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use store::{Clock, Reader};

/// Between looks that only keep the pace.
const BEAT: Duration = Duration::from_secs(5);

/// What is looked at.
pub(super) struct Watch {
    pub(super) reader: Reader,
    pub(super) backlog: Backlog,
    pub(super) doors: Doors,
    pub(super) fronts: Fronts,
    pub(super) clock: Clock,
    pub(super) started: Time,
    pub(super) pulse: Mutex<Pulse>,
}

impl Watch {
    /// Keeps the pace as long as it is polled.
    pub(super) async fn run(&self) {
        loop {
            self.beat();
            tokio::time::sleep(BEAT).await;
        }
    }

    fn beat(&self) {
        let (now, status) = ((self.clock)(), self.reader.status());
        let counters = self.counters(&status);
        self.pulse.lock().unwrap_or_else(PoisonError::into_inner).beat(now, counters, status.room());
    }

    /// The counters now.
    pub(super) fn counters(&self, status: &store::Status) -> Counters {
        Counters {
            readings: status.datasets.iter().map(|dataset| dataset.rows).collect(),
            messages: self.doors.counters().map(|door| door.messages.get()).collect(),
            acks: self.doors.counters().map(|door| door.ack_duration.0.look()).collect(),
            syncs: status.log_syncs.clone(),
        }
    }

    /// Why the server cannot take readings in or answer, if so.
    pub(super) fn unready(&self) -> Vec<String> {
        self.reader.status().stopped.into_iter().collect()
    }

    /// The server at a glance, with the figures of its SQL workers.
    pub(super) fn glance(&self, sql: engine::sql::Figures) -> Glance {
        Glance::look(self, sql)
    }

    /// Figures that are read at each scrape.
    pub(super) fn figures(&self) -> Vec<Figure> {
        figures::look(self)
    }
}
