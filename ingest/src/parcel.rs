//! Readings that a door read by itself from one body, and where in it each of them stood.

use crate::normalize::Refusal;
use bytes::Bytes;
use schemas::Batch;
use std::sync::Arc;

/// What was refused of one submission is told one by one up to so many; all are counted.
const TOLD: usize = 100;

/// What a door has read of one body.
#[derive(Debug, Default)]
pub struct Parcel {
    /// How it came, for rejects: `/write`.
    pub topic: Arc<str>,
    /// The text it was read from: rejects keep the line they are of.
    pub body: Bytes,
    /// The readings.
    pub readings: Vec<Readings>,
    /// What could not become a reading.
    pub refused: Vec<Refused>,
}

/// Readings of one source, normalized, in order of arrival. Notes are of what a body said of its sensors.
#[derive(Debug)]
pub struct Readings {
    /// Their route in the catalog.
    pub route: usize,
    /// The readings; sensors as the door met them.
    pub batch: Batch,
    /// Row: first byte of its line in the body.
    pub at: Vec<u32>,
}

/// One thing that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Of parcels the first byte of its line in the body; of messages the number of its record, counted from 0.
    pub at: u32,
    /// The route it was read for; nothing when there is none for it.
    pub route: Option<usize>,
    /// The field or name; empty when the reading was refused as a whole.
    pub field: Arc<str>,
    /// Why, and what would be right.
    pub refusal: Refusal,
}

/// What became of a submission that is durable now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Readings taken.
    pub taken: u64,
    /// Readings and fields refused.
    pub refused: u64,
    /// The first of them.
    pub told: Vec<Refused>,
}

impl Outcome {
    /// Adds one thing that was refused.
    pub(crate) fn refuse(&mut self, refused: impl FnOnce() -> Refused) {
        self.refused += 1;
        if self.told.len() < TOLD {
            self.told.push(refused());
        }
    }
}

impl Parcel {
    /// What it weighs in queues, in bytes.
    pub fn weight(&self) -> usize {
        let rows = |readings: &Readings| readings.batch.len() * (20 + 8 * readings.batch.columns.len());
        self.body.len() + self.readings.iter().map(rows).sum::<usize>() + self.refused.len() * size_of::<Refused>()
    }

    /// The line that begins at a byte of the body.
    pub(crate) fn line(&self, at: u32) -> &[u8] {
        let rest = self.body.get(at as usize..).unwrap_or_default();
        let end = rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
        rest[..end].strip_suffix(b"\r").unwrap_or(&rest[..end])
    }
}
