//! What every endpoint may use.

use crate::metrics::{Figure, Metrics};
use crate::operate::Operate;
use access::{Budget, Keys};
use engine::Engine;
use engine::sql::Pool;
use prometheus_client::registry::Registry;
use std::ops::Deref;
use std::sync::Arc;

/// What a request must bring along, and how much it may cost.
#[derive(Clone, Debug)]
pub struct Admission {
    /// The keys callers may show.
    pub keys: Keys,
    /// What callers may use up.
    pub budget: Arc<Budget>,
    /// Values one answer to an anonymous caller may have.
    pub anonymous_cells: usize,
    /// Whether `/metrics` is told to anybody.
    pub public_metrics: bool,
}

/// What the server is made of. The three sources are called on each request for them and must be quick.
#[derive(Clone)]
pub struct Parts {
    /// What every request is held to.
    pub limits: access::Limits,
    /// Answers questions.
    pub engine: Engine,
    /// Answers questions in SQL.
    pub sql: Pool,
    /// Who may ask, and how much.
    pub admission: Admission,
    /// Why the server is not ready to take readings in and answer; empty when it is.
    pub unready: Arc<dyn Fn() -> Vec<String> + Send + Sync>,
    /// Figures of store and doors for `/metrics`.
    pub figures: Arc<dyn Fn() -> Vec<Figure> + Send + Sync>,
    /// Adds counters kept elsewhere (the doors') to the registry behind `/metrics`; called once.
    pub register: Arc<dyn Fn(&mut Registry) + Send + Sync>,
    /// What operators see at `/status`: store, doors, rejects.
    pub status: Arc<dyn Fn() -> serde_json::Value + Send + Sync>,
    /// Does what operators order at `/operate/…`.
    pub operate: Operate,
}

/// The parts with what serving adds to them. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Api(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) parts: Parts,
    pub(crate) metrics: Metrics,
}

impl Api {
    pub(crate) fn new(parts: Parts) -> Api {
        let metrics = Metrics::new(&parts);
        Api(Arc::new(Inner { parts, metrics }))
    }
}

impl Deref for Api {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}
