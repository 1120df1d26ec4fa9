//! An immutable published state of a dataset.

use crate::{Error, Latest, Position, SensorIx, Stamp};
use schemas::{Dataset, Day, Registry, Span, Time};
use std::sync::Arc;

/// Sensors of a dataset by number. Grows only; numbers are stable while the process lives.
#[derive(Clone, Debug, Default)]
pub struct SensorTable {
    /// Number to id.
    pub ids: Vec<Arc<str>>,
}

/// One published state of one dataset. Cheap to take, holds what it shows for as long as it lives.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The dataset.
    pub dataset: Arc<Dataset>,
    /// Its sensors by number.
    pub sensors: Arc<SensorTable>,
    /// Its registry.
    pub registry: Arc<Registry>,
    /// Its newest values.
    pub latest: Arc<Latest>,
    /// Position of the last record it shows.
    pub position: Position,
}

/// Rows of one sensor in a span, merged over all layers: times ascending, no key twice.
#[derive(Clone, Copy, Debug)]
pub struct Series<'a> {
    /// Instants in UTC microseconds.
    pub time: &'a [i64],
    /// One slice per field asked for, in the order asked: values or [`schemas::ABSENT`].
    pub columns: &'a [&'a [i64]],
}

/// What [`Snapshot::load`] fetched: columns of every layer (files < late < sealed < hot) that may hold rows of the span.
#[derive(Clone, Debug)]
pub struct Loaded {}

impl Snapshot {
    /// Number of a sensor.
    pub fn sensor(&self, _id: &str) -> Option<SensorIx> {
        todo!()
    }

    /// The largest stamp of the days a span touches, days found empty included (rule 22). Part of cache keys and ETags.
    pub fn stamp(&self, _span: Span) -> Stamp {
        todo!()
    }

    /// First and last instant of all rows; nothing while there are none. By days for filed rows: the first is the start of
    /// the first day with rows, the last the newest instant filed or hot.
    pub fn extent(&self) -> Option<(Time, Time)> {
        todo!()
    }

    /// Days with rows in the span, ascending.
    pub fn days(&self, _span: Span) -> Vec<Day> {
        todo!()
    }

    /// An upper bound of the rows in the span, for judging cost before reading.
    pub fn rows_at_most(&self, _span: Span) -> u64 {
        todo!()
    }

    /// complete_until without the clock: the 15m tier's closed instant; the end of time before tiers exist (rule 30).
    pub fn closed_until(&self) -> Time {
        Time(i64::MAX)
    }

    /// Fetches the given fields (indexes into the dataset's) of all layers in the span, through the column cache.
    /// `sensors`: only these, or all. Decoding happens on the calling runtime's blocking threads.
    pub async fn load(&self, _span: Span, _sensors: Option<&[SensorIx]>, _fields: &[usize]) -> Result<Loaded, Error> {
        todo!()
    }
}

impl Loaded {
    /// Sensors that may have rows, ascending.
    pub fn sensors(&self) -> Vec<SensorIx> {
        todo!()
    }

    /// Calls `visit` once with the merged rows of one sensor within the span; not at all when it has none.
    /// A row whose asked-for fields are all absent is visited too: it is a reading.
    pub fn series(&self, _sensor: SensorIx, _visit: &mut dyn FnMut(Series<'_>)) {
        todo!()
    }
}
