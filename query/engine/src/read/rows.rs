//! The executor of aggregates: loads columns, adds rows up sensor by sensor, merges cells into rows.

use super::aggregates::Plan;
use super::meters::{self, Before};
use super::table::{Row, Table, close_sensor};
use super::{Chosen, all, check_limit};
use crate::aggregate::cut::{Key, Part, Segment};
use crate::aggregate::quantile::Counting;
use crate::aggregate::sheet::Sheet;
use crate::aggregate::value::RATIO_DIGITS;
use crate::aggregate::window::Strip;
use crate::aggregate::{Cell, Frame, Rows, Sort, Tally};
use crate::answer::Answer;
use crate::columns::Function;
use crate::coverage::{Cadences, Due, Service};
use crate::groups::{Groups, groups};
use crate::question::{Fill, Group};
use crate::tiers::{Stretch, Ways};
use crate::{Column, Error};
use schemas::decimal::divide;
use schemas::{Field, Kind};
use std::sync::Arc;
use store::{SensorIx, Series};

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
    let numbered = numbered(&sensors, &groups);
    let (ways, dirty_days) = plan.ways(&numbered).await?;
    let numbers: Vec<SensorIx> = numbered.iter().map(|(ix, _)| *ix).collect();
    let before = meters::before(plan, &numbers, &plan.growths()).await?;
    let tiers = ways.tiers();
    let run = Run::new(plan, &sensors, groups, before, ways);
    let columns = if plan.group == Group::Sensor { run.by_sensor()? } else { run.together() };
    let rows = columns[0].values.len();
    let mut answer = Answer { meta: plan.meta(tiers, dirty_days), columns, rows };
    match (&plan.order, plan.limit) {
        (Some(order), limit) => order.apply(&mut answer, limit),
        (None, Some(limit)) => check_limit(rows, limit)?,
        (None, None) => {}
    }
    Ok(answer)
}

/// The sensors that have readings and belong to some group.
fn numbered<'a>(sensors: &Chosen, groups: &'a Groups) -> Vec<(SensorIx, &'a [Segment])> {
    let all = sensors.iter().zip(&groups.segments).filter(|(_, segments)| !segments.is_empty());
    all.filter_map(|((_, ix), segments)| Some(((*ix)?, &segments[..]))).collect()
}

/// One run over the sensors of a plan.
struct Run<'a> {
    plan: &'a Plan,
    sensors: &'a Chosen,
    groups: Groups,
    before: Before,
    ways: Ways,
    cadences: Cadences,
    services: Vec<Service>,
    /// Whether coverage is asked for.
    covers: bool,
}

/// Cells of one sensor by field read, each by ascending key.
type Found = Vec<Vec<(Key, Cell)>>;
/// Per field read the sheet its windows are added to, where they are.
type Sheets = Vec<Option<Sheet>>;

impl<'a> Run<'a> {
    fn new(plan: &'a Plan, sensors: &'a Chosen, groups: Groups, before: Before, ways: Ways) -> Run<'a> {
        let mut cadences = Cadences::default();
        let snapshot = &plan.snapshot;
        let service = |(id, _): &(Arc<str>, _)| {
            let sensor = snapshot.registry.get(id).map(|sensor| &**sensor);
            cadences.service(&snapshot.dataset, sensor, plan.ground.now.0)
        };
        let covers = plan.outputs.iter().any(|output| output.function == Function::Coverage);
        // Looking each sensor up in the registry is worth it for coverage only.
        let services = if covers { sensors.iter().map(service).collect() } else { Vec::new() };
        Run { plan, sensors, groups, before, ways, cadences, services, covers }
    }

    /// The fields read.
    fn fields(&self) -> impl Iterator<Item = &'a Field> + use<'a> {
        let plan = self.plan;
        plan.wanted.fields.iter().map(|&field| &plan.snapshot.dataset.fields[field])
    }

    /// The cells of the `rank`-th sensor, without what went into sheets.
    fn sensor(&self, rank: usize, sheets: &mut Sheets) -> Found {
        let plan = self.plan;
        let (Some(ix), segments) = (self.sensors[rank].1, &self.groups.segments[rank][..]) else {
            return vec![Vec::new(); plan.wanted.fields.len()];
        };
        let frame = Frame { segments, buckets: &plan.buckets, rank: rank as u32, now: plan.ground.now.0 };
        let tally = |(&number, field): (&usize, &'a Field)| {
            let sort = Sort { kind: &field.kind, resolution: field.resolution, counting: plan.counting(number) };
            Tally::new(sort, frame, self.before.get(&(ix, number)).copied())
        };
        let mut tallies: Vec<Tally<'_>> = plan.wanted.fields.iter().zip(self.fields()).map(tally).collect();
        let (stretches, stock) = self.ways.of(ix);
        for stretch in stretches.iter().filter(|_| !segments.is_empty()) {
            let Some(tier) = stretch.tier else {
                stock.rows(ix, stretch, &mut |series| add_rows(&mut tallies, series, stretch, &frame));
                continue;
            };
            let Some(windows) = plan.any.windows(tier) else { continue };
            let strips = stock.strips(tier, ix, stretch, &plan.wanted, windows);
            add_windows(&mut tallies, &plan.wanted.fields, &strips, &frame, sheets);
        }
        let close = |tally: Tally<'_>| {
            let mut cells = tally.close();
            cells.iter_mut().for_each(|(_, cell)| close_sensor(cell));
            cells
        };
        tallies.into_iter().map(close).collect()
    }

    /// Rows of each sensor apart: shown as soon as the sensor is done.
    fn by_sensor(&self) -> Result<Vec<Column>, Error> {
        let mut table = Table::new(&self.plan.snapshot.dataset, &self.plan.outputs, &self.plan.wanted.fields);
        let mut row = vec![None; self.plan.wanted.fields.len()];
        let mut sheets: Sheets = vec![None; row.len()];
        for rank in 0..self.sensors.len() {
            let Some(segment) = self.groups.segments[rank].first() else { continue };
            let mut found: Vec<_> =
                self.sensor(rank, &mut sheets).into_iter().map(|cells| cells.into_iter().peekable()).collect();
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
    fn together(&self) -> Vec<Column> {
        let (plan, buckets) = (self.plan, &self.plan.buckets);
        let (fields, cadences) = (plan.wanted.fields.len(), self.cadences.len());
        let groups = self.groups.names.len();
        let place = |key: Key| key.bucket as usize * groups + key.group as usize;
        let mut merged: Vec<Vec<Option<Cell>>> = vec![vec![None; buckets.count() * groups]; fields];
        let mut got = vec![vec![0_i128; if self.covers { buckets.count() * groups * cadences } else { 0 }]; fields];
        let mut due = Due::new(if self.covers { cadences } else { 0 }, groups, buckets.count());
        let sheet = |&field: &usize| plan.sums_only(field).then(|| Sheet::new(buckets.count(), groups, self.covers));
        let mut sheets: Sheets = plan.wanted.fields.iter().map(sheet).collect();
        for rank in 0..self.sensors.len() {
            let segments = &self.groups.segments[rank][..];
            if self.covers {
                segments.iter().for_each(|segment| due.add(&self.services[rank], segment, buckets));
            }
            let found = self.sensor(rank, &mut sheets);
            for (((cells, merged), got), sheet) in found.into_iter().zip(&mut merged).zip(&mut got).zip(&mut sheets) {
                let mut present = |at, n| self.add_got(rank, (at, groups), n, got);
                for (key, cell) in cells {
                    match sheet {
                        Some(sheet) => sheet.count(place(key), cell.n),
                        None => present(place(key), cell.n),
                    }
                    add(&mut merged[place(key)], cell);
                }
                sheet.iter_mut().for_each(|sheet| sheet.next_sensor(&mut present));
            }
        }
        for (merged, sheet) in merged.iter_mut().zip(&sheets) {
            let Some(sheet) = sheet else { continue };
            merged
                .iter_mut()
                .enumerate()
                .for_each(|(at, cell)| sheet.cell(at).into_iter().for_each(|sums| add(cell, sums)));
        }
        due.close(buckets.count());
        let mut table = Table::new(&plan.snapshot.dataset, &plan.outputs, &plan.wanted.fields);
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
        drop((merged, got, due, sheets));
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

    /// Adds what `n` readings of a sensor stand for at a place of so many groups, where coverage is asked for.
    fn add_got(&self, rank: usize, (at, groups): (usize, usize), n: i64, got: &mut [i128]) {
        let Some(service) = self.services.get(rank) else { return };
        let Some(cadence) = service.cadence else { return };
        let key = Key { bucket: (at / groups) as u32, group: (at % groups) as u32 };
        got[at * self.cadences.len() + cadence] += self.got(service, &self.groups.segments[rank], key, n);
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
        let name = self.plan.group.column();
        table.columns(&self.plan.buckets, &self.plan.zone, name.map(|name| (name, &self.groups.names[..])))
    }
}

/// Adds a sensor's raw rows within a stretch.
fn add_rows(tallies: &mut [Tally<'_>], series: Series<'_>, stretch: &Stretch, frame: &Frame<'_>) {
    let from = series.time.partition_point(|&time| time < stretch.from);
    let to = series.time.partition_point(|&time| time < stretch.to);
    let time = &series.time[from..to];
    let parts = frame.buckets.parts(time, frame.segments);
    for (tally, values) in tallies.iter_mut().zip(series.columns) {
        tally.rows(Rows { time, values: &values[from..to], parts: &parts });
    }
}

/// Adds a sensor's windows, to the sheets of the fields that have one.
fn add_windows(
    tallies: &mut [Tally<'_>],
    fields: &[usize],
    strips: &[Strip<'_>],
    frame: &Frame<'_>,
    sheets: &mut Sheets,
) {
    for (field, sheet) in fields.iter().zip(sheets.iter_mut()).filter_map(|(f, sheet)| Some((f, sheet.as_mut()?))) {
        strips.iter().for_each(|strip| sheet.add(strip, *field, frame));
    }
    if sheets.iter().all(Option::is_some) {
        return;
    }
    let cut = |strip: &Strip<'_>| frame.buckets.parts(strip.time(), frame.segments);
    let parts: Vec<Vec<Part>> = strips.iter().map(cut).collect();
    let rest = tallies.iter_mut().zip(fields).zip(sheets).filter(|(_, sheet)| sheet.is_none());
    rest.for_each(|((tally, field), _)| tally.windows(*field, strips, &parts));
}

/// Merges a cell into what there is.
fn add(sum: &mut Option<Cell>, cell: Cell) {
    match sum {
        Some(sum) => sum.merge(&cell),
        none => *none = Some(cell),
    }
}

impl Plan {
    /// Whether only what a sheet adds up is asked of a field.
    fn sums_only(&self, field: usize) -> bool {
        let sum = |function| {
            use Function::{Coverage, Max, Mean, Min, N, Rate, Sum};
            matches!(function, Mean | Sum | Rate | Min | Max | N | Coverage)
        };
        matches!(self.snapshot.dataset.fields[field].kind, Kind::Gauge | Kind::Count)
            && self.outputs.iter().filter(|output| output.field == field).all(|output| sum(output.function))
    }

    /// What is counted of a field for quantiles: values where one is to be exact.
    fn counting(&self, field: usize) -> Option<Counting> {
        let counting = |output: &crate::columns::Output| match output.function {
            Function::Quantile { sketch, .. } if output.field == field => Some(sketch),
            _ => None,
        };
        let sketches = self.outputs.iter().filter_map(counting).min();
        sketches.map(|sketch| if sketch { Counting::Bins } else { Counting::Values })
    }
}
