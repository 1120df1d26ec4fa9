//! The running server at a glance: what `/status` tells operators and `lamppost status` prints.

mod doors;
mod rejects;
mod silent;
mod verdict;

pub use doors::{Door, Doors};
pub use rejects::{Rejected, rejects};
pub use silent::{Silent, silent};

use super::certificates;
use super::process;
use super::pulse::rate;
use super::watch::Watch;
use schemas::time::SECOND;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::PoisonError;

/// The server at a glance. Rates and means are of the last minute, and missing in the first seconds.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Glance {
    /// Version of the binary.
    pub version: String,
    /// When it was looked at.
    pub now: String,
    /// When the server started.
    pub started: String,
    /// Seconds since then.
    pub uptime_seconds: f64,
    /// Bytes of memory the process takes.
    pub memory_bytes: u64,
    /// Whether nothing is wrong.
    pub well: bool,
    /// What is wrong and needs a person.
    pub wrong: Vec<String>,
    /// Certificates that expire soon.
    pub certificates: Vec<String>,
    /// What stands in the way of being ready.
    pub unready: Vec<String>,
    /// Doors and what they took.
    pub doors: Vec<Door>,
    /// Bytes of messages that wait for durability.
    pub waiting_bytes: u64,
    /// Seconds the oldest message has waited for its acknowledgement.
    pub oldest_unacked_seconds: Option<f64>,
    /// Log and datasets, as the store tells them.
    pub store: store::Status,
    /// Seconds an fsync of the log takes, the mean.
    pub sync_seconds: Option<f64>,
    /// What comes in, by dataset, in the store's order.
    pub paces: Vec<Pace>,
    /// Seconds until intake stops for want of room, at the pace of the last hour; missing when no end is in sight.
    pub full_in_seconds: Option<f64>,
    /// Questions in SQL and the processes that answer them.
    pub sql: Sql,
    /// Rejects by source, reason and field, the most frequent first.
    pub rejects: Vec<Rejected>,
    /// Sensors that went silent, by dataset.
    pub silent: Vec<Silent>,
}

/// What comes into one dataset.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Pace {
    /// The dataset.
    pub dataset: String,
    /// Readings a second.
    pub readings_per_second: Option<f64>,
    /// Time of the newest reading.
    pub newest: Option<String>,
}

/// Questions in SQL and the processes that answer them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Sql {
    /// Worker processes there are.
    pub workers: u64,
    /// Questions that have one.
    pub running: u64,
    /// Questions that wait for one.
    pub waiting: u64,
    /// Questions since the start by how they ended.
    pub questions: BTreeMap<String, u64>,
}

impl Glance {
    /// A look at the server now.
    pub(super) fn look(watch: &Watch, sql: engine::sql::Figures) -> Glance {
        let (status, now) = (watch.reader.status(), (watch.clock)());
        let counters = watch.counters(&status);
        let pulse = watch.pulse.lock().unwrap_or_else(PoisonError::into_inner);
        let earlier = pulse.earlier(now);
        let age = |since: schemas::Time| (now.0 - since.0).max(0) as f64 / SECOND as f64;
        let pace = |(i, dataset): (usize, &store::DatasetStatus)| Pace {
            dataset: dataset.id.clone(),
            readings_per_second: earlier.map(|(seconds, before)| rate(seconds, before.readings[i], dataset.rows)),
            newest: dataset.newest.map(|time| time.to_string()),
        };
        let mut glance = Glance {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            now: now.to_string(),
            started: watch.started.to_string(),
            uptime_seconds: age(watch.started),
            memory_bytes: process::memory(),
            doors: watch.doors.look(&counters, earlier),
            waiting_bytes: watch.backlog.bytes(),
            oldest_unacked_seconds: watch.backlog.oldest().map(age),
            sync_seconds: earlier.and_then(|(_, before)| counters.syncs.mean_since(&before.syncs)),
            paces: status.datasets.iter().enumerate().map(pace).collect(),
            full_in_seconds: pulse.full_in(now, status.room()),
            sql: Sql {
                workers: sql.workers,
                running: sql.running,
                waiting: sql.waiting,
                questions: sql.questions.into_iter().map(|(ended, count)| (ended.to_owned(), count)).collect(),
            },
            rejects: rejects(&watch.reader),
            silent: silent(&watch.reader, now),
            certificates: certificates::warnings(watch.fronts.each(), now),
            unready: watch.unready(),
            store: status,
            ..Glance::default()
        };
        glance.wrong = verdict::wrong(&glance);
        glance.well = glance.wrong.is_empty();
        glance
    }

    /// As JSON.
    pub fn json(&self) -> serde_json::Value {
        // A figure that cannot be written as JSON would be a fault of its type; null tells so.
        serde_json::to_value(self).unwrap_or_default()
    }
}
