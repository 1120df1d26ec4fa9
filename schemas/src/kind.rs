//! What a field measures decides which arithmetic is right for it.

use std::sync::Arc;

/// The kind of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A level that varies (CO2, temperature): mean, min, max, last.
    Gauge,
    /// Events in the interval that starts at the reading's time (vehicles): sum, rate per hour.
    Count,
    /// A meter that only grows, and may start again at zero (energy, rain total): increase.
    Cumulative,
    /// One of a list of words (free, occupied): last, share of time. A value is its index in the list.
    State {
        /// The words, in the contract's order.
        values: Vec<Arc<str>>,
        /// How long a state stands without another reading, in microseconds.
        hold: i64,
    },
    /// Decibels (LAeq): energetic mean, min, max.
    Level,
    /// Degrees of a circle (wind direction): vector mean.
    Angle,
}

impl Kind {
    /// The word used in contracts, API and docs.
    pub fn name(&self) -> &'static str {
        match self {
            Kind::Gauge => "gauge",
            Kind::Count => "count",
            Kind::Cumulative => "cumulative",
            Kind::State { .. } => "state",
            Kind::Level => "level",
            Kind::Angle => "angle",
        }
    }
}
