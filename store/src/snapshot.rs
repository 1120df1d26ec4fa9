//! An immutable published state of a dataset.

mod dirty;
mod erased;
mod load;
mod series;

pub use dirty::Dirty;
pub use load::Loaded;
pub use series::Series;

use crate::cache::Cache;
use crate::file::Numbering;
use crate::run::cut::Cut;
use crate::run::segment::Segment;
use crate::shelf::Shelf;
use crate::stamps::Stamps;
use crate::{Error, Kind, Latest, Position, Rollup, SensorIx, Stamp, Tier};
use hashbrown::HashMap;
use schemas::{Dataset, Day, Registry, Span, Time};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Sensors of a dataset by number. Grows only; numbers are stable while the process lives.
#[derive(Clone, Debug, Default)]
pub struct SensorTable {
    /// Number to id.
    pub ids: Vec<Arc<str>>,
}

/// Ids of sensors to their numbers.
pub(crate) type Numbers = HashMap<Arc<str>, SensorIx>;

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
    pub(crate) numbers: Arc<Numbers>,
    pub(crate) stamps: Arc<Stamps>,
    pub(crate) shelf: Arc<Shelf>,
    /// Sealed and hot rows, in ascending precedence.
    pub(crate) memory: Vec<Arc<Segment>>,
    /// Erasures among them: each holds for the runs before its place, and for all files.
    pub(crate) cuts: Vec<(usize, Cut)>,
    /// Rows in memory by day, at most.
    pub(crate) days: BTreeMap<Day, u64>,
    /// The newest instant of all rows; `i64::MIN` when there are none.
    pub(crate) newest: i64,
    pub(crate) cache: Cache,
}

impl Snapshot {
    /// Number of a sensor.
    pub fn sensor(&self, id: &str) -> Option<SensorIx> {
        self.numbers.get(id).copied()
    }

    /// The largest stamp of the days a span touches, days found empty included (rule 22). Part of cache keys and ETags.
    pub fn stamp(&self, span: Span) -> Stamp {
        self.stamps.over(span)
    }

    /// First and last instant of all rows; nothing while there are none. By days for filed rows: the first is the start of
    /// the first day with rows, the last the newest instant filed or hot.
    pub fn extent(&self) -> Option<(Time, Time)> {
        let first = [self.shelf.files.keys().next(), self.shelf.late.keys().next(), self.days.keys().next()];
        first.into_iter().flatten().min().map(|day| (day.start(), Time(self.newest)))
    }

    /// Days with rows in the span, ascending. A day may come of which all rows are erased, until that is folded.
    pub fn days(&self, span: Span) -> Vec<Day> {
        let Some((first, last)) = span.days() else { return Vec::new() };
        let filed = self.shelf.over(span).map(|meta| meta.name.day);
        filed.chain(self.days.range(first..=last).map(|(day, _)| *day)).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// An upper bound of the rows in the span, for judging cost before reading.
    pub fn rows_at_most(&self, span: Span) -> u64 {
        let Some((first, last)) = span.days() else { return 0 };
        let filed: u64 = self.shelf.over(span).map(|meta| meta.rows).sum();
        filed + self.days.range(first..=last).map(|(_, rows)| rows).sum::<u64>()
    }

    /// complete_until without the clock: the 15m tier's closed instant; the end of time before tiers exist (rule 30).
    pub fn closed_until(&self) -> Time {
        match self.closed(Tier::Quarter) {
            Time(i64::MIN) => Time(i64::MAX),
            closed => closed,
        }
    }

    /// Windows of a tier that begin before this instant are committed; the beginning of time while none are (rule 3).
    pub fn closed(&self, tier: Tier) -> Time {
        self.shelf.tier(tier).closed
    }

    /// Windows of a tier that begin before this instant were dropped (rule 19).
    pub fn floor(&self, tier: Tier) -> Time {
        self.shelf.tier(tier).floor
    }

    /// The first day in a span whose raw rows were dropped: what lies in it is answered from tiers alone.
    pub fn gone(&self, span: Span) -> Option<Day> {
        let (first, last) = span.days()?;
        self.shelf.gone.range(first..=last).next().copied()
    }

    /// The quarter hours in a span whose tier rows may not be used: rows are hot, sealed or late there, or a tier does not
    /// have them yet (rule 2). `sensors`: only these, or all.
    pub async fn dirty(&self, span: Span, sensors: Option<&[SensorIx]>) -> Result<Dirty, Error> {
        dirty::find(self, span, sensors).await
    }

    /// Fetches columns of a tier (numbers of [`crate::tier::columns::columns`]) of windows that may begin in a span: one rollup per file,
    /// whole or, where that is cheaper, of the asked sensors only, so windows and sensors besides may come too. No key is in two.
    /// The windows' dirt and the tier's closed instant are the caller's to heed.
    pub async fn load_tier(
        &self,
        tier: Tier,
        span: Span,
        sensors: Option<&[SensorIx]>,
        columns: &[usize],
    ) -> Result<Vec<Rollup>, Error> {
        load::load_tier(self, tier, span, sensors, columns).await
    }

    /// Fetches the given fields (indexes into the dataset's) of all layers in the span, through the column cache.
    /// `sensors`: only these, or all. Decoding happens on the calling runtime's blocking threads.
    pub async fn load(&self, span: Span, sensors: Option<&[SensorIx]>, fields: &[usize]) -> Result<Loaded, Error> {
        load::load(self, span, sensors, fields).await
    }

    /// Numbers of the sensors this snapshot knows: every one in its files.
    pub(crate) fn numbering(&self) -> Numbering {
        numbering(&self.numbers)
    }
}

/// Numbers known sensors and refuses others: a file holds none that its dataset does not know.
pub(crate) fn numbering(numbers: &Arc<Numbers>) -> Numbering {
    let numbers = numbers.clone();
    Arc::new(move |id| {
        let unknown =
            || Error::new(Kind::Corrupt, format!("sensor {id:?} is in a file but not among the dataset's sensors"));
        numbers.get(id).copied().ok_or_else(unknown)
    })
}
