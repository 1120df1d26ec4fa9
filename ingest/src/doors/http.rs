//! The HTTP door for readings: InfluxDB's line protocol at the paths of its versions 1 and 2, and JSON at each dataset's own.
//!
//! An answer that says "taken" leaves once all is durable. A body is refused whole only for what it is (too large, no key);
//! lines and records are refused one by one, and the answer names them.

mod answer;
mod body;
mod caller;
mod ping;
mod query;
mod readers;
mod readings;
mod senml;
mod write;

use crate::Intake;
use crate::decode::line::{Bounds, Measures};
use crate::doors::listener::gate::Gate;
use crate::metrics::DoorMetrics;
use access::{Budget, Limits};
use axum::Router;
use axum::routing::{get, post};
use body::Bodies;
use readers::Readers;
use std::sync::Arc;
use std::time::Duration;

/// Settings of the door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Bytes of a body, both as it is sent and as it is inflated. A larger one is refused with 413.
    pub body_bytes: usize,
    /// Bytes of all bodies that are being received, inflated and read. Past it bodies are refused with 503.
    pub memory_bytes: usize,
    /// Readers of lines that are kept between bodies; each remembers series of its own.
    pub readers: usize,
    /// Bytes of series that each of them remembers.
    pub series_bytes: usize,
    /// Names of SenML whose meaning is remembered, for each set of datasets that senders may write.
    pub max_names: usize,
    /// Lines and fields of one body that are refused one by one; the rest of it is not read.
    pub max_refused: usize,
    /// How long a body that has been read waits for room in front of the log. Past it it is refused with 503.
    pub patience: Duration,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            body_bytes: 25_000_000,
            memory_bytes: 128 << 20,
            readers: 4,
            series_bytes: 32 << 20,
            max_names: 65_536,
            max_refused: 10_000,
            patience: Duration::from_secs(2),
        }
    }
}

/// What the door is made of.
#[derive(Clone, Debug)]
pub struct Parts {
    /// Where readings go.
    pub intake: Intake,
    /// Who may write.
    pub gate: Gate,
    /// Whether anybody may while the gate asks for no key; otherwise only programs on this machine.
    pub open: bool,
    /// Bounds those who show wrong keys.
    pub budget: Arc<Budget>,
    /// The pace of bodies.
    pub limits: Limits,
    /// Bounds.
    pub config: Config,
}

/// What all requests share.
#[derive(Debug)]
struct Door {
    parts: Parts,
    bodies: Bodies,
    readers: Readers,
    /// What names of SenML mean.
    known: senml::Known,
    metrics: DoorMetrics,
}

/// The door's paths. None of them is a path of the public API but that of a dataset's readings, which others GET.
pub fn router(parts: Parts) -> Router {
    let bounds = Bounds { series_bytes: parts.config.series_bytes, max_refused: parts.config.max_refused };
    let measures = Arc::new(Measures::new(parts.intake.catalog()));
    let door = Door {
        bodies: Bodies::new(&parts.config),
        readers: Readers::new(measures, bounds, parts.config.readers),
        known: senml::Known::default(),
        metrics: parts.intake.metrics().door("http"),
        parts,
    };
    Router::new()
        .route("/write", post(write::first))
        .route("/api/v2/write", post(write::second))
        .route("/senml", post(senml::post))
        .route("/query", post(query::post))
        .route("/ping", get(ping::get).post(ping::get))
        .route("/api/v1/datasets/{dataset}/readings", post(readings::post))
        .with_state(Arc::new(door))
}
