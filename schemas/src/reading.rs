//! One sensor at one instant with some fields, normalized.

use crate::Time;
use std::sync::Arc;

/// A normalized reading: values are integers of their field's resolution and within range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The sensor's id.
    pub sensor: Arc<str>,
    /// When it was taken; for counts the start of their interval.
    pub time: Time,
    /// (field index, value), each field at most once.
    pub values: Vec<(usize, i64)>,
}
