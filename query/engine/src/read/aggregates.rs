//! Planning aggregates: columns, buckets, sensors, and what it would cost.

use super::{Ground, Planned, attributes, check_attributes, named, span, zone};
use crate::aggregate::cumulative::LONGEST_SILENCE;
use crate::aggregate::cut::Buckets;
use crate::columns::{Function, Output, outputs};
use crate::question::{Aggregates, BucketChoice, Fill, Group};
use crate::tiers::rungs::serves;
use crate::tiers::ways::Path;
use crate::tiers::{Rungs, Stretch, Wanted};
use crate::{Config, Error, Order};
use schemas::time::{DAY, HOUR, SECOND};
use schemas::{Bucket, Cadence, Dataset, Kind, Span, Time, Zone};
use std::collections::BTreeSet;
use std::sync::Arc;
use store::{Reader, SensorIx, Snapshot};

/// Aggregates, with everything found.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(super) snapshot: Arc<Snapshot>,
    pub(super) ground: Ground,
    pub(super) outputs: Vec<Output>,
    /// What is read of which fields.
    pub(super) wanted: Wanted,
    /// Tiers that hold what is asked for.
    pub(super) any: Rungs,
    /// Those of them whose windows make up the buckets.
    pub(super) rungs: Rungs,
    pub(super) bucket: Bucket,
    pub(super) buckets: Buckets,
    /// Whole buckets.
    pub(super) span: Span,
    /// From where states may still stand in the span.
    pub(super) read: Span,
    pub(super) widened: bool,
    pub(super) zone: Zone,
    pub(super) group: Group,
    pub(super) fill: Fill,
    /// Sensors named one by one: ids ascending, with numbers where they have readings; all when nothing.
    pub(super) named: Option<Vec<(Arc<str>, Option<SensorIx>)>>,
    pub(super) attributes: Vec<(String, String)>,
    /// Rows the engine answers at most.
    pub(super) max_rows: usize,
    /// Stored rows it may read.
    pub(super) max_cost: u64,
    /// The order of its rows, if not that of buckets and groups.
    pub(super) order: Option<Order>,
    /// Rows the question wants at most.
    pub(super) limit: Option<usize>,
}

/// The widths `auto` chooses from, in seconds, below a civil day.
const LADDER: [i64; 14] = [1, 5, 10, 15, 30, 60, 300, 600, 900, 1_800, 3_600, 10_800, 21_600, 43_200];

/// Plans aggregates.
pub(crate) fn plan(reader: &Reader, asked: Aggregates, now: Time, config: &Config) -> Result<Planned, Error> {
    let snapshot = super::snapshot(reader, &asked.dataset)?;
    let dataset = snapshot.dataset.clone();
    let outputs = outputs(&dataset, &asked.fields)?;
    let zone = zone(asked.tz, &dataset);
    let whole = span(asked.from, asked.to)?;
    let bucket = match asked.bucket {
        BucketChoice::Fixed(bucket) => bucket,
        BucketChoice::Auto { max_points } => auto(whole, &zone, &dataset, max_points.min(config.max_buckets)),
    };
    let (span, buckets) = cut(whole, bucket, &zone, config.max_buckets)?;
    // Tiers have whole hours.
    let read = match longest_hold(&dataset, &outputs) {
        0 => span,
        hold => Span { from: span.from.plus(-hold).hour(), to: span.to },
    };
    check_group(&snapshot, &asked.group)?;
    asked.order.iter().try_for_each(|order| order.check(names_of(&asked.group, &outputs)))?;
    check_attributes(&snapshot, &asked.attributes)?;
    let named = if asked.sensors.is_empty() { None } else { Some(named(&snapshot, &asked.sensors)?) };
    // A growth counts from the reading before, wherever it was found or looked for.
    let meters = outputs.iter().any(|output| output.function == Function::Increase);
    let looked =
        Span { from: if meters { span.from.plus(-LONGEST_SILENCE).min(read.from) } else { read.from }, ..read };
    let ground = Ground::of(&snapshot, span, looked, now);
    let names: Vec<&str> = outputs.iter().map(|output| output.column.as_str()).collect();
    let ids: Vec<&str> = asked.sensors.iter().map(String::as_str).collect();
    let key = format!(
        "aggregates|{}|{}|{}|{}|{bucket}|{}|{names:?}|{:?}|{:?}|{:?}|{:?}|{ids:?}|{:?}|{}",
        dataset.id,
        span.from.0,
        span.to.0,
        span != whole,
        zone.name(),
        asked.group,
        asked.fill,
        asked.order,
        asked.limit,
        asked.attributes,
        ground.key(&snapshot),
    );
    let any = Rungs::all(&snapshot, read, |tier| outputs.iter().all(|output| serves(&dataset, output, tier)));
    let plan = Plan {
        wanted: Wanted::of(&dataset, &outputs),
        rungs: any.within(buckets.edges(), &dataset.zone),
        any,
        max_cost: config.max_cost_rows,
        order: asked.order,
        named,
        widened: span != whole,
        max_rows: config.max_rows.min(config.max_cells / outputs.len().max(1)),
        limit: asked.limit,
        group: asked.group,
        fill: asked.fill,
        attributes: asked.attributes,
        snapshot,
        ground,
        outputs,
        bucket,
        buckets,
        span,
        read,
        zone,
    };
    plan.check()?;
    Ok(Planned { max_age: plan.ground.max_age, key, plan: super::Plan::Aggregates(Box::new(plan)) })
}

/// The span widened to whole buckets, and these.
fn cut(whole: Span, bucket: Bucket, zone: &Zone, most: usize) -> Result<(Span, Buckets), Error> {
    let count = (whole.to.0 - whole.from.0) / least_width(bucket);
    let edges = || {
        let span = bucket.widen(whole, zone);
        Some((span, bucket.edges(span, zone, most)?))
    };
    let found = if count > most as i64 { None } else { edges() };
    let Some((span, edges)) = found else {
        let wider = wider(whole, zone, most).map_or_else(|| "year".to_owned(), |bucket| bucket.to_string());
        let shorter = whole.from.plus(least_width(bucket).saturating_mul(most as i64 - 2));
        let message = format!("bucket {bucket} cuts the span into more than {most} rows per group");
        return Err(Error::too_much("bucket", message, [format!("bucket={wider}"), format!("to={shorter}")]));
    };
    let width = if let Bucket::Duration(width) = bucket { Some(width) } else { None };
    Ok((span, Buckets::new(edges, width)))
}

/// The least width of a bucket in microseconds.
fn least_width(bucket: Bucket) -> i64 {
    match bucket {
        Bucket::Duration(width) => width,
        Bucket::Day => 23 * HOUR,
        Bucket::Week => 7 * DAY - HOUR,
        Bucket::Month => 28 * DAY - HOUR,
        Bucket::Year => 365 * DAY,
    }
}

/// The narrowest bucket of the ladder that cuts a span into at most so many.
fn wider(span: Span, zone: &Zone, most: usize) -> Option<Bucket> {
    let durations = LADDER.iter().map(|seconds| Bucket::Duration(seconds * SECOND));
    let mut all = durations.chain([Bucket::Day, Bucket::Week, Bucket::Month, Bucket::Year]);
    all.find(|&bucket| {
        // Widening adds a bucket at each end at most.
        let few = (span.to.0 - span.from.0) / least_width(bucket) <= most as i64;
        few && bucket.edges(bucket.widen(span, zone), zone, most).is_some()
    })
}

/// The bucket of `auto`: not narrower than the cadence.
fn auto(span: Span, zone: &Zone, dataset: &Dataset, most: usize) -> Bucket {
    let bucket = wider(span, zone, most).unwrap_or(Bucket::Year);
    match (bucket, dataset.every) {
        (Bucket::Duration(width), Cadence::Every(every)) if width < every => {
            let wide = LADDER.iter().map(|seconds| seconds * SECOND).find(|&width| width >= every);
            wide.map_or(Bucket::Day, Bucket::Duration)
        }
        _ => bucket,
    }
}

/// How far before the span a state may begin that still stands in it, in microseconds.
fn longest_hold(dataset: &Dataset, outputs: &[Output]) -> i64 {
    let hold = |output: &Output| match (&dataset.fields[output.field].kind, output.function) {
        (Kind::State { hold, .. }, Function::Share(_)) => *hold,
        _ => 0,
    };
    outputs.iter().map(hold).max().unwrap_or(0)
}

/// The columns of an answer.
fn names_of<'a>(group: &'a Group, outputs: &'a [Output]) -> impl Iterator<Item = &'a str> {
    ["start", "end"].into_iter().chain(group.column()).chain(outputs.iter().map(|output| output.column.as_str()))
}

/// Refuses to group by an attribute that no sensor ever had.
fn check_group(snapshot: &Snapshot, group: &Group) -> Result<(), Error> {
    let Group::Attribute(name) = group else { return Ok(()) };
    if attributes(snapshot).any(|known| known == name) {
        return Ok(());
    }
    let mut accepted = vec!["sensor".to_owned(), "none".to_owned()];
    let names: BTreeSet<&String> = attributes(snapshot).collect();
    accepted.extend(names.into_iter().cloned());
    let message = format!("no sensor of {} has an attribute {name:?}", snapshot.dataset.id);
    Err(Error::invalid("group", message, accepted))
}

impl Plan {
    /// What is to be read.
    pub(super) fn path(&self) -> Path<'_> {
        let before = Span { from: self.read.from, to: self.span.from };
        Path { before, any: &self.any, span: self.span, rungs: &self.rungs }
    }

    /// Sensors asked for.
    fn sensors(&self) -> usize {
        let known = self.snapshot.sensors.ids.len();
        self.named.as_ref().map_or(known, |named| named.len().min(known))
    }

    /// Stored rows of some sensors to read for stretches up to an instant, at most.
    pub(super) fn cost(&self, stretches: &[Stretch], sensors: usize, to: Time) -> u64 {
        let known = self.snapshot.sensors.ids.len().max(1) as u64;
        let one = |stretch: &Stretch| {
            let (from, to) = (stretch.from, stretch.to.min(to.0));
            match stretch.tier.and_then(|tier| self.any.windows(tier)) {
                _ if from >= to => 0,
                Some(windows) => windows.count(from, to) * sensors as u64,
                None => {
                    let stored = self.snapshot.rows_at_most(Span { from: Time(from), to: Time(to) });
                    stored * sensors as u64 / known
                }
            }
        };
        stretches.iter().map(one).sum()
    }

    /// Refuses what would read or answer too many rows, or rows that are gone, naming a question that is answered.
    fn check(&self) -> Result<(), Error> {
        let stretches = self.path().cover(&self.snapshot, &[]);
        self.check_gone(&stretches)?;
        self.check_cost(|to| self.cost(&stretches, self.sensors(), to))?;
        if self.group == Group::Sensor {
            let known = self.snapshot.registry.sensors.len().max(self.snapshot.sensors.ids.len());
            let groups = self.named.as_ref().map_or(known, Vec::len);
            let filled = self.buckets.count().saturating_mul(groups);
            // No more rows than readings, as long as all of these are there.
            let raw = Stretch { from: self.read.from.0, to: self.span.to.0, tier: None };
            let readings = match self.snapshot.gone(self.span) {
                None => self.cost(&[raw], self.sensors(), self.span.to),
                Some(_) => u64::MAX,
            };
            let readings = usize::try_from(readings).unwrap_or(usize::MAX);
            self.check_rows(if self.fill == Fill::Null { filled } else { filled.min(readings) }, groups)?;
        }
        Ok(())
    }

    /// Refuses to read too many rows, naming the most whole days that are accepted; `cost` is that up to an instant.
    pub(super) fn check_cost(&self, cost: impl Fn(Time) -> u64) -> Result<(), Error> {
        let whole = cost(self.span.to);
        if whole <= self.max_cost {
            return Ok(());
        }
        let day = |days: i64| self.span.from.plus(days * DAY);
        let (mut few, mut many) = (0, (self.span.to.0 - self.span.from.0) / DAY + 1);
        while many - few > 1 {
            let middle = (few + many) / 2;
            if cost(day(middle)) > self.max_cost { many = middle } else { few = middle }
        }
        let message = format!("the question reads {whole} rows, {} may be read at once", self.max_cost);
        let accepted = if few > 0 { format!("to={}", day(few)) } else { "fewer sensors".to_owned() };
        Err(Error::too_much("to", message, [accepted]))
    }

    /// Refuses more rows than an answer may have, naming a bucket that gives so many groups few enough.
    pub(super) fn check_rows(&self, rows: usize, groups: usize) -> Result<(), Error> {
        if rows <= self.max_rows {
            return Ok(());
        }
        let bucket = wider(self.span, &self.zone, self.max_rows / groups.max(1));
        let mut accepted: Vec<String> = bucket.iter().map(|bucket| format!("bucket={bucket}")).collect();
        accepted.push("group=none".to_owned());
        let message = format!("the answer may have {rows} rows, {} are allowed", self.max_rows);
        Err(Error::too_much("bucket", message, accepted))
    }
}
