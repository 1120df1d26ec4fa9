//! The executor of aggregates: loads columns, runs the kernels sensor by sensor, merges cells into rows.

use super::aggregates::Plan;
use super::meters::{self, Before};
use super::table::{Row, Table, close_sensor};
use super::{Chosen, all};
use crate::aggregate::cut::{Key, Segment};
use crate::aggregate::value::RATIO_DIGITS;
use crate::aggregate::{Cell, Rows, cells};
use crate::answer::{Answer, Meta};
use crate::columns::Function;
use crate::coverage::{Cadences, Due, Service};
use crate::groups::{Groups, groups};
use crate::question::{Fill, Group};
use crate::{Column, Error};
use schemas::decimal::divide;
use schemas::{Field, Kind};
use std::sync::Arc;
use store::{Loaded, Series};

/// Answers a plan of aggregates.
pub(super) async fn answer(plan: &Plan) -> Result<Answer, Error> {
    let sensors = plan.named.clone().unwrap_or_else(|| all(&plan.snapshot));
    let ids: Vec<Arc<str>> = sensors.iter().map(|(id, _)| id.clone()).collect();
    let groups = groups(&ids, &plan.snapshot.registry, plan.span, &plan.group, &plan.attributes);
    if plan.group != Group::Sensor {
        // Each sensor is in few of them, so all are kept at once.
        let groups = groups.names.len();
        plan.check_rows(plan.buckets.count().saturating_mul(groups), groups)?;
    }
    let numbers: Vec<u32> = sensors.iter().filter_map(|(_, ix)| *ix).collect();
    let only = plan.named.as_ref().map(|_| {
        let mut only = numbers.clone();
        only.sort_unstable();
        only
    });
    let loaded = plan.snapshot.load(plan.read, only.as_deref(), &plan.fields).await?;
    let before = meters::before(&plan.snapshot, plan.span.from, &numbers, &plan.meters()).await?;
    let run = Run::new(plan, &sensors, groups, before);
    let columns = if plan.group == Group::Sensor { run.by_sensor(&loaded)? } else { run.together(&loaded) };
    let rows = columns[0].values.len();
    plan.check_limit(rows)?;
    Ok(Answer { meta: plan.meta(), columns, rows })
}

/// One run over the sensors of a plan.
struct Run<'a> {
    plan: &'a Plan,
    sensors: &'a Chosen,
    groups: Groups,
    before: Before,
    cadences: Cadences,
    services: Vec<Service>,
    /// Whether coverage is asked for.
    covers: bool,
}

/// Cells of one sensor by field read, each by ascending key.
type Found = Vec<Vec<(Key, Cell)>>;

impl<'a> Run<'a> {
    fn new(plan: &'a Plan, sensors: &'a Chosen, groups: Groups, before: Before) -> Run<'a> {
        let mut cadences = Cadences::default();
        let snapshot = &plan.snapshot;
        let service = |(id, _): &(Arc<str>, _)| {
            let sensor = snapshot.registry.get(id).map(|sensor| &**sensor);
            cadences.service(&snapshot.dataset, sensor, plan.ground.now.0)
        };
        let services = sensors.iter().map(service).collect();
        let covers = plan.outputs.iter().any(|output| output.function == Function::Coverage);
        Run { plan, sensors, groups, before, cadences, services, covers }
    }

    /// The fields read.
    fn fields(&self) -> impl Iterator<Item = &'a Field> + use<'a> {
        let plan = self.plan;
        plan.fields.iter().map(|&field| &plan.snapshot.dataset.fields[field])
    }

    /// The cells of the `rank`-th sensor.
    fn sensor(&self, loaded: &Loaded, rank: usize) -> Found {
        let mut found = vec![Vec::new(); self.plan.fields.len()];
        let (Some(ix), segments) = (self.sensors[rank].1, &self.groups.segments[rank][..]) else { return found };
        if !segments.is_empty() {
            loaded.series(ix, &mut |series| found = self.kernels(series, segments, (rank, ix)));
        }
        found
    }

    /// Runs the kernel of each field over a sensor's rows.
    fn kernels(&self, series: Series<'_>, segments: &[Segment], (rank, ix): (usize, u32)) -> Found {
        let buckets = &self.plan.buckets;
        let parts = buckets.parts(series.time, segments);
        let field = |(place, field): (usize, &Field)| {
            let rows = Rows {
                time: series.time,
                values: series.columns[place],
                parts: &parts,
                segments,
                buckets,
                rank: rank as u32,
                before: self.before.get(&(ix, self.plan.fields[place])).copied(),
                now: self.plan.ground.now.0,
            };
            let mut found = cells(&field.kind, field.resolution, rows);
            found.iter_mut().for_each(|(_, cell)| close_sensor(cell));
            found
        };
        self.fields().enumerate().map(field).collect()
    }

    /// Rows of each sensor apart: shown as soon as the sensor is done.
    fn by_sensor(&self, loaded: &Loaded) -> Result<Vec<Column>, Error> {
        let mut table = Table::new(&self.plan.snapshot.dataset, &self.plan.outputs, &self.plan.fields);
        let mut row = vec![None; self.plan.fields.len()];
        for rank in 0..self.sensors.len() {
            let Some(segment) = self.groups.segments[rank].first() else { continue };
            let mut found: Vec<_> =
                self.sensor(loaded, rank).into_iter().map(|cells| cells.into_iter().peekable()).collect();
            let mut next = 0;
            loop {
                let some = found.iter_mut().filter_map(|cells| cells.peek().map(|(key, _)| key.bucket)).min();
                let bucket = match self.plan.fill {
                    Fill::None => some,
                    Fill::Null => (next < self.plan.buckets.count() as u32).then_some(next),
                };
                let Some(bucket) = bucket else { break };
                next = bucket + 1;
                let key = Key { bucket, group: segment.group };
                for (cell, cells) in row.iter_mut().zip(&mut found) {
                    *cell = cells.next_if(|(found, _)| *found == key).map(|(_, cell)| cell);
                }
                self.push(&mut table, key, &row, |place| self.got_by_sensor(rank, key, &row[place]));
            }
            self.plan.check_rows(table.len(), self.sensors.len())?;
        }
        Ok(self.columns(table))
    }

    /// Rows of several sensors: merged before they are shown.
    fn together(&self, loaded: &Loaded) -> Vec<Column> {
        let (plan, buckets) = (self.plan, &self.plan.buckets);
        let (fields, cadences) = (plan.fields.len(), self.cadences.len());
        let groups = self.groups.names.len();
        let place = |key: Key| key.bucket as usize * groups + key.group as usize;
        let mut merged: Vec<Vec<Option<Cell>>> = vec![vec![None; buckets.count() * groups]; fields];
        let mut got = vec![vec![0_i128; if self.covers { buckets.count() * groups * cadences } else { 0 }]; fields];
        let mut due = Due::new(if self.covers { cadences } else { 0 }, groups, buckets.count());
        for rank in 0..self.sensors.len() {
            let (service, segments) = (&self.services[rank], &self.groups.segments[rank][..]);
            if self.covers {
                segments.iter().for_each(|segment| due.add(service, segment, buckets));
            }
            for ((cells, merged), got) in self.sensor(loaded, rank).into_iter().zip(&mut merged).zip(&mut got) {
                for (key, cell) in cells {
                    if let (true, Some(cadence)) = (self.covers, service.cadence) {
                        got[place(key) * cadences + cadence] += self.got(service, segments, key, cell.n);
                    }
                    match &mut merged[place(key)] {
                        Some(sum) => sum.merge(&cell),
                        none => *none = Some(cell),
                    }
                }
            }
        }
        due.close(buckets.count());
        let mut table = Table::new(&plan.snapshot.dataset, &plan.outputs, &plan.fields);
        let mut row = vec![None; fields];
        let keys =
            (0..buckets.count() as u32).flat_map(|bucket| (0..groups as u32).map(move |group| Key { bucket, group }));
        for key in keys {
            let at = place(key);
            row.iter_mut().zip(&mut merged).for_each(|(cell, merged)| *cell = merged[at].take());
            let all: Vec<i128> = if self.covers { due.of(&self.cadences, buckets, key).collect() } else { Vec::new() };
            let coverage = |place: usize| self.cadences.ratio(&got[place][at * cadences..(at + 1) * cadences], &all);
            self.push(&mut table, key, &row, coverage);
        }
        drop((merged, got, due));
        self.columns(table)
    }

    /// Adds a row, unless it has no readings and such are not asked for. `coverage` gives a field's by its place.
    fn push(&self, table: &mut Table<'_>, key: Key, cells: &[Option<Cell>], coverage: impl Fn(usize) -> Option<i128>) {
        let some = cells.iter().flatten().any(|cell| cell.n > 0);
        if !some && self.plan.fill == Fill::None {
            return;
        }
        let coverage: Vec<Option<i128>> =
            (0..cells.len()).map(|place| if self.covers { coverage(place) } else { None }).collect();
        let (start, end) = (self.plan.buckets.start(key.bucket as usize), self.plan.buckets.end(key.bucket as usize));
        let elapsed = end.min(self.plan.ground.now.0).saturating_sub(start);
        table.push(&Row { key, cells, coverage: &coverage, elapsed });
    }

    /// Microseconds that `n` readings of a sensor stand for in a bucket and group, no more than were due.
    fn got(&self, service: &Service, segments: &[Segment], key: Key, n: i64) -> i128 {
        let Some(cadence) = service.cadence else { return 0 };
        let due = service.due(&self.cadences, &self.plan.buckets, key, segments);
        (i128::from(n) * i128::from(self.cadences.every(cadence))).min(i128::from(due))
    }

    /// Coverage of a sensor in a bucket.
    fn got_by_sensor(&self, rank: usize, key: Key, cell: &Option<Cell>) -> Option<i128> {
        let (service, segments) = (&self.services[rank], &self.groups.segments[rank][..]);
        let due = service.due(&self.cadences, &self.plan.buckets, key, segments);
        let got = self.got(service, segments, key, cell.as_ref().map_or(0, |cell| cell.n));
        (due > 0).then(|| divide(got * 10_i128.pow(RATIO_DIGITS), i128::from(due)))
    }

    /// The table's rows as columns of the answer.
    fn columns(&self, table: Table<'_>) -> Vec<Column> {
        let name = match &self.plan.group {
            Group::Sensor => Some("sensor"),
            Group::None => None,
            Group::Attribute(name) => Some(name.as_str()),
        };
        table.columns(&self.plan.buckets, &self.plan.zone, name.map(|name| (name, &self.groups.names[..])))
    }
}

impl Plan {
    /// Fields whose growth is asked for.
    fn meters(&self) -> Vec<usize> {
        let meter = |field: &usize| matches!(self.snapshot.dataset.fields[*field].kind, Kind::Cumulative);
        let asked = |field: &usize| {
            self.outputs.iter().any(|output| output.field == *field && output.function == Function::Increase)
        };
        self.fields.iter().copied().filter(meter).filter(asked).collect()
    }

    fn meta(&self) -> Meta {
        let dataset = &self.snapshot.dataset;
        Meta {
            dataset: Some(dataset.id.clone()),
            from: Some(self.span.from),
            to: Some(self.span.to),
            widened: self.widened,
            bucket: Some(self.bucket.to_string()),
            group: Some(match &self.group {
                Group::Sensor => "sensor".to_owned(),
                Group::None => "none".to_owned(),
                Group::Attribute(name) => name.clone(),
            }),
            tz: Some(self.zone.clone()),
            fields: self.outputs.iter().map(|output| output.meta(dataset)).collect(),
            tiers: vec!["raw"],
            stamp: Some(self.ground.stamp),
            complete_until: Some(self.ground.complete_until),
            dirty_days: Vec::new(),
            license: Some(dataset.license.clone()),
            publisher: Some(dataset.publisher.clone()),
            next: None,
        }
    }
}
