//! Answering from tiers: which windows may stand for which part of a span, and their rows as sources of cells.
//!
//! A span is covered by stretches, each read from one tier or from raw rows: the coarsest windows that lie within one bucket
//! and one group, are committed and clean; what is left from finer ones, and the last of it from raw. Sensors whose windows
//! are all clean share one cover.

pub(crate) mod cover;
pub(crate) mod rungs;
pub(crate) mod stock;
pub(crate) mod wanted;
pub(crate) mod ways;

pub(crate) use cover::{Stretch, Windows};
pub(crate) use rungs::Rungs;
pub(crate) use wanted::Wanted;
pub(crate) use ways::Ways;
