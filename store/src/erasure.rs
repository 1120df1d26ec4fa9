//! An erasure: readings of a sensor that are to be forgotten, and on whose word.

use schemas::{Span, Time};
use std::sync::Arc;

/// An act of erasing, as the log and the audit log keep it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erasure {
    /// The dataset.
    pub dataset: Arc<str>,
    /// The sensor.
    pub sensor: Arc<str>,
    /// Instants of the readings.
    pub span: Span,
    /// The fields to be erased, by name; none stands for whole readings.
    pub fields: Vec<Arc<str>>,
    /// When it was asked for.
    pub at: Time,
    /// By whom.
    pub who: Arc<str>,
    /// Readings it was said to concern when it was asked for.
    pub rows: u64,
}
