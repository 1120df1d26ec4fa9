//! One dataset of a running store: what is known of it, its table, and whose turn it is.

use crate::flush::Attempt;
use crate::going::Refused;
use crate::holding::{Floors, Holding};
use crate::intake::lock;
use crate::state::Positions;
use crate::table::{App, Table};
use crate::turns::Duty;
use crate::{Kind, LogId, Position, Tier};
use schemas::Dataset;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

/// One dataset.
#[derive(Debug)]
pub(crate) struct Book {
    pub(crate) dataset: Arc<Dataset>,
    pub(crate) holding: Mutex<Holding>,
    /// The table; whoever holds it is its committer.
    pub(crate) table: tokio::sync::Mutex<Table>,
    /// The tables of its tiers, in the order of [`Tier::ALL`]. Raw's is taken first where both are needed.
    pub(crate) tiers: [tokio::sync::Mutex<Table>; 3],
    /// The turn of flushing; in it the commit whose outcome is not known yet.
    pub(crate) flushing: tokio::sync::Mutex<Option<Attempt>>,
    /// The turn of fold, and of compaction, retention and erase to come (rule 13).
    pub(crate) turn: tokio::sync::Mutex<()>,
    pub(crate) flush_trouble: Mutex<Trouble>,
    pub(crate) fold_trouble: Mutex<Trouble>,
    pub(crate) upkeep_trouble: Mutex<Trouble>,
    pub(crate) duty: Duty,
    /// Days that take no rows.
    pub(crate) refused: Refused,
    /// Files of older versions that wait to be removed, when upkeep last looked.
    pub(crate) replaced: AtomicUsize,
    bytes: AtomicUsize,
    filed: Positions,
    known: Positions,
}

impl Book {
    /// A book at start. `known`: up to where the saved state has seen each log.
    pub(crate) fn new(mut holding: Holding, table: Table, tiers: [Table; 3], known: Positions) -> Book {
        holding.version = table.version();
        let refused = Refused::default();
        refused.set(holding.refused());
        Book {
            refused,
            replaced: AtomicUsize::new(0),
            dataset: holding.dataset.clone(),
            holding: Mutex::new(holding),
            filed: filed(&table),
            known,
            table: tokio::sync::Mutex::new(table),
            tiers: tiers.map(tokio::sync::Mutex::new),
            flushing: tokio::sync::Mutex::default(),
            turn: tokio::sync::Mutex::default(),
            flush_trouble: Mutex::default(),
            fold_trouble: Mutex::default(),
            upkeep_trouble: Mutex::default(),
            duty: Duty::default(),
            bytes: AtomicUsize::new(0),
        }
    }

    /// What was filed and known of a log at start.
    pub(crate) fn floors(&self, log: LogId) -> Floors {
        let of = |positions: &Positions| positions.get(&log).copied().unwrap_or_default();
        Floors { filed: of(&self.filed), known: of(&self.known) }
    }

    /// The greatest position that table or state knew at start, over all logs.
    pub(crate) fn greatest(&self) -> Position {
        self.filed.values().chain(self.known.values()).copied().max().unwrap_or_default()
    }

    /// The table of a tier.
    pub(crate) fn tier(&self, tier: Tier) -> &tokio::sync::Mutex<Table> {
        &self.tiers[tier as usize]
    }

    /// Changes the holding and keeps its bytes counted.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut Holding) -> T) -> T {
        let mut holding = lock(&self.holding);
        let answer = change(&mut holding);
        self.bytes.store(holding.bytes(), Ordering::Relaxed);
        answer
    }

    /// Bytes of rows in memory.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }
}

/// Raw's position in each log (rule 12).
pub(crate) fn filed(table: &Table) -> Positions {
    let raw = |(app, position): (&App, &Position)| match app {
        App::Raw(log) => Some((*log, *position)),
        _ => None,
    };
    table.transactions().iter().filter_map(raw).collect()
}

/// An error of maintenance, and when the work is tried again.
#[derive(Debug, Default)]
pub(crate) struct Trouble {
    message: Option<String>,
    kind: Option<Kind>,
    until: Option<Instant>,
    delay: Duration,
}

/// Waiting time after the first failure, and the longest.
const WAITS: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(30));

impl Trouble {
    /// Keeps what a turn answered. Each failure in a row doubles the wait.
    pub(crate) fn note(&mut self, answer: &Result<(), crate::Error>) {
        match answer {
            Ok(()) => *self = Trouble::default(),
            Err(error) => {
                self.delay = (self.delay * 2).clamp(WAITS.0, WAITS.1);
                self.until = Some(Instant::now() + self.delay);
                self.message = Some(error.to_string());
                self.kind = Some(error.kind);
            }
        }
    }

    /// Whether the work should wait still.
    pub(crate) fn waits(&self) -> bool {
        self.until.is_some_and(|until| until > Instant::now())
    }

    /// The error, if the last turn failed for want of room.
    pub(crate) fn full(&self) -> Option<&str> {
        self.message.as_deref().filter(|_| self.kind == Some(Kind::Full))
    }

    /// The error, if the last turn failed.
    pub(crate) fn message(&self) -> Option<String> {
        self.message.clone()
    }
}
