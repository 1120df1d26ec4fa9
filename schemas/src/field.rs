//! One measured quantity of a dataset.

use crate::{Kind, Resolution, Text, Unit};
use std::sync::Arc;

/// A field of a dataset, as its contract declares it.
#[derive(Clone, Debug)]
pub struct Field {
    /// Name in contracts, API, SQL and files: `co2`.
    pub name: Arc<str>,
    /// Title for people, by language.
    pub title: Text,
    /// Unit its values are kept and published in (UCUM).
    pub unit: Unit,
    /// Which arithmetic is right.
    pub kind: Kind,
    /// Values are integers of this step. A state has resolution 1: its values are indexes.
    pub resolution: Resolution,
    /// Valid values, both ends included, in steps of the resolution.
    pub range: (i64, i64),
    /// Whether the 1d tier keeps counts of its values by bin, for quantiles over long spans.
    pub quantiles: bool,
}

impl Field {
    /// The word of a state's value, if this field is a state and the value one of its list.
    pub fn state(&self, value: i64) -> Option<&Arc<str>> {
        match &self.kind {
            Kind::State { values, .. } => values.get(usize::try_from(value).ok()?),
            _ => None,
        }
    }
}
