//! How each sensor of a question is read: most the same way, those with dirty windows or in several groups each in their own.

use super::cover::{Dirt, Stretch, cover, cover_cut};
use super::rungs::Rungs;
use super::stock::Stock;
use super::wanted::Wanted;
use crate::Error;
use crate::aggregate::cut::Segment;
use hashbrown::HashMap;
use schemas::{Day, Span, Time};
use std::collections::BTreeSet;
use store::{Dirty, SensorIx, Snapshot, Tier};

/// Sensors up to which dirt is looked up one by one.
const FEW: usize = 32;
/// Dirty days told of.
const MOST_DAYS: usize = 10;

/// What is to be read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Path<'a> {
    /// What is looked at before the span, which no bucket cuts.
    pub before: Span,
    /// The tiers for that.
    pub any: &'a Rungs,
    /// The span.
    pub span: Span,
    /// Tiers whose windows make up its buckets.
    pub rungs: &'a Rungs,
}

/// Covers of sensors, before anything of them is loaded.
#[derive(Debug, Default)]
pub(crate) struct Covers {
    common: Vec<Stretch>,
    own: HashMap<SensorIx, Vec<Stretch>>,
    /// Days with dirty windows, ascending.
    pub dirty_days: Vec<Day>,
}

/// Covers of sensors, and what was loaded for them.
#[derive(Debug)]
pub(crate) struct Ways {
    covers: Covers,
    common: Stock,
    own: Stock,
}

impl Path<'_> {
    /// The cover of a sensor that belongs to one group all the time, with such dirty quarters.
    pub(crate) fn cover(&self, snapshot: &Snapshot, quarters: &[i64]) -> Vec<Stretch> {
        let whole = [Segment { from: self.span.from.0, to: self.span.to.0, group: 0 }];
        self.cut(snapshot, quarters, &whole)
    }

    /// The cover of a sensor that belongs to groups in these segments: what lies between is covered, too.
    fn cut(&self, snapshot: &Snapshot, quarters: &[i64], segments: &[Segment]) -> Vec<Stretch> {
        let frozen = |from, to| snapshot.gone(Span { from: Time(from), to: Time(to) }).is_some();
        let dirt = Dirt { quarters, frozen: &frozen };
        let mut out = Vec::new();
        cover(&self.any.all, (self.before.from.0, self.before.to.0), dirt, &mut out);
        cover_cut(self.rungs, (self.span.from.0, self.span.to.0), segments, dirt, &mut out);
        out
    }

    /// The covers of sensors with their segments; `missing` are windows that lack what is asked for, by an instant in them.
    pub(crate) async fn covers(
        &self,
        snapshot: &Snapshot,
        sensors: &[(SensorIx, &[Segment])],
        missing: &HashMap<SensorIx, Vec<i64>>,
    ) -> Result<Covers, Error> {
        let dirty = self.dirty(snapshot, sensors).await?;
        let common = self.cover(snapshot, &[]);
        let mut own = HashMap::new();
        let whole = |segments: &[Segment]| matches!(segments, [one] if one.from <= self.span.from.0 && self.span.to.0 <= one.to);
        for (sensor, segments) in sensors {
            let quarters = dirty.of(*sensor);
            let lacks = missing.get(sensor).map_or(&[][..], |lacks| &lacks[..]);
            if !quarters.is_empty() || !lacks.is_empty() || !whole(segments) {
                let mut all = [quarters, lacks].concat();
                all.sort_unstable();
                own.insert(*sensor, self.cut(snapshot, &all, segments));
            }
        }
        let days: BTreeSet<Day> = dirty.quarters().iter().map(|&quarter| Time(quarter).day()).collect();
        Ok(Covers { common, own, dirty_days: days.into_iter().take(MOST_DAYS).collect() })
    }

    /// Dirty quarters, where some tier has committed windows.
    async fn dirty(&self, snapshot: &Snapshot, sensors: &[(SensorIx, &[Segment])]) -> Result<Dirty, Error> {
        let closed = Time(self.any.closed().max(self.rungs.closed()));
        let span = Span { from: self.before.from.min(self.span.from), to: self.span.to.min(closed) };
        if span.is_empty() {
            return Ok(Dirty::default());
        }
        let few: Option<Vec<SensorIx>> = (sensors.len() <= FEW).then(|| sensors.iter().map(|(ix, _)| *ix).collect());
        Ok(snapshot.dirty(span, few.as_deref()).await?)
    }
}

impl Covers {
    /// The stretches of each sensor that has a cover of its own.
    pub(crate) fn own(&self) -> impl Iterator<Item = &[Stretch]> {
        self.own.values().map(|stretches| &stretches[..])
    }

    /// The sensors with covers of their own and, if only some sensors are asked for, the others of these; ascending.
    fn divide(&self, sensors: Option<&[SensorIx]>) -> (Vec<SensorIx>, Option<Vec<SensorIx>>) {
        let mut apart: Vec<SensorIx> = self.own.keys().copied().collect();
        apart.sort_unstable();
        let rest = |all: &[SensorIx]| all.iter().copied().filter(|sensor| !self.own.contains_key(sensor)).collect();
        (apart, sensors.map(rest))
    }

    /// All stretches of single sensors.
    fn apart(&self) -> Vec<Stretch> {
        self.own.values().flat_map(|stretches| stretches.iter().copied()).collect()
    }

    /// Loads what they are read from; `sensors`: of these, ascending, or of all.
    pub(crate) async fn load(
        self,
        snapshot: &Snapshot,
        sensors: Option<&[SensorIx]>,
        wanted: &Wanted,
    ) -> Result<Ways, Error> {
        let (apart, rest) = self.divide(sensors);
        let rest = rest.as_deref();
        let none = rest.is_some_and(<[SensorIx]>::is_empty);
        let common = if none { &[][..] } else { &self.common };
        let common = Stock::load(snapshot, common, rest, wanted).await?;
        let stretches = self.apart();
        let own = Stock::load(snapshot, &stretches, Some(&apart), wanted).await?;
        Ok(Ways { covers: self, common, own })
    }
}

impl Ways {
    /// Names of the tiers read, the coarsest first, `raw` at last.
    pub(crate) fn tiers(&self) -> Vec<&'static str> {
        let all = self.covers.own.values().flatten().chain(&self.covers.common);
        let read: BTreeSet<Option<Tier>> = all.map(|stretch| stretch.tier).collect();
        read.into_iter().rev().map(|tier| tier.map_or("raw", Tier::name)).collect()
    }

    /// How a sensor is read, and from what.
    pub(crate) fn of(&self, sensor: SensorIx) -> (&[Stretch], &Stock) {
        match self.covers.own.get(&sensor) {
            Some(stretches) => (stretches, &self.own),
            None => (&self.covers.common, &self.common),
        }
    }
}
