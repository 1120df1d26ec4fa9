//! What the pool counts, for `/metrics` and status.

use super::Fault;
use crate::{Error, Kind};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Figures of the pool.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Questions so far by how they ended: `answered`, `left` (the caller went away), or the fault's word.
    pub questions: BTreeMap<&'static str, u64>,
    /// Questions that have a worker.
    pub running: u64,
    /// Questions that wait for one.
    pub waiting: u64,
    /// Worker processes there are.
    pub workers: u64,
    /// Worker processes started so far.
    pub started: u64,
    /// Workers killed so far because a question had gone wrong: time up, caller gone, nonsense on the pipe.
    pub killed: u64,
    /// Stored rows sent to workers so far.
    pub rows: u64,
}

/// Where they are counted.
#[derive(Debug, Default)]
pub(super) struct Counters {
    questions: Mutex<BTreeMap<&'static str, u64>>,
    pub(super) running: AtomicU64,
    pub(super) waiting: AtomicU64,
    pub(super) workers: AtomicU64,
    pub(super) started: AtomicU64,
    pub(super) killed: AtomicU64,
    pub(super) rows: AtomicU64,
}

impl Counters {
    /// The figures now.
    pub(super) fn figures(&self) -> Figures {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Figures {
            questions: self.questions.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            running: read(&self.running),
            waiting: read(&self.waiting),
            workers: read(&self.workers),
            started: read(&self.started),
            killed: read(&self.killed),
            rows: read(&self.rows),
        }
    }

    /// Counts a question when it ends. Until it is told how, it ends as one whose caller went away.
    pub(super) fn question(self: &Arc<Counters>) -> Ending {
        Ending { counters: self.clone(), word: "left" }
    }
}

/// A question under way.
pub(super) struct Ending {
    counters: Arc<Counters>,
    word: &'static str,
}

impl Ending {
    /// Tells how it ended.
    pub(super) fn tell<T>(&mut self, answered: &Result<T, Error>) {
        self.word = answered.as_ref().map_or_else(|error| word(error.kind), |_| "answered");
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        let mut questions = self.counters.questions.lock().unwrap_or_else(PoisonError::into_inner);
        *questions.entry(self.word).or_default() += 1;
    }
}

/// Holds a gauge one higher until dropped.
pub(super) struct Raised<'a>(&'a AtomicU64);

impl Raised<'_> {
    /// Raises it.
    pub(super) fn new(gauge: &AtomicU64) -> Raised<'_> {
        gauge.fetch_add(1, Ordering::Relaxed);
        Raised(gauge)
    }
}

impl Drop for Raised<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// How a question ended that was not answered.
fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Busy => "busy",
        Kind::TooMuch => "too_much",
        Kind::Sql(Fault::Syntax) => "syntax",
        Kind::Sql(Fault::NoTable) => "no_table",
        Kind::Sql(Fault::NoColumn) => "no_column",
        Kind::Sql(Fault::NoFunction) => "no_function",
        Kind::Sql(Fault::Refused) => "refused",
        Kind::Sql(Fault::Mismatch) => "mismatch",
        Kind::Sql(Fault::TooMuch) => "too_much",
        Kind::Sql(Fault::Memory) => "memory",
        Kind::Sql(Fault::Timeout) => "timeout",
        Kind::Sql(Fault::Division) => "division",
        Kind::Sql(Fault::Value) => "value",
        Kind::Sql(Fault::Internal) | Kind::Internal | Kind::Invalid | Kind::NotFound => "internal",
    }
}
