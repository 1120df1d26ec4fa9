//! Raw rows, a page at a time, by (time, sensor) ascending. A page is found from its cursor alone, so rows that arrive late
//! shift nothing.

use super::table::plain;
use super::{Chosen, Ground, Planned, YEARS, all, named, span, zone};
use crate::answer::{Answer, Column, Meta, Values};
use crate::question::Readings;
use crate::{Config, Error, MetaField, columns};
use schemas::time::{DAY, SECOND};
use schemas::{ABSENT, Dataset, Kind, Span, Time, Zone};
use std::sync::Arc;
use store::{Reader, Snapshot};

/// Raw rows, with everything found.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    snapshot: Arc<Snapshot>,
    ground: Ground,
    fields: Vec<usize>,
    /// Whether rows without any of the fields are left out.
    some: bool,
    named: Option<Chosen>,
    span: Span,
    /// Where the page begins to look.
    from: Time,
    after: Option<Cursor>,
    limit: usize,
    zone: Zone,
    /// Stored rows to look through before a page ends early.
    max_cost: u64,
}

/// Where a page ended: the key of its last row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Cursor {
    time: Time,
    sensor: String,
}

impl Cursor {
    /// `<microseconds>.<sensor as hex>`, opaque to clients.
    fn text(&self) -> String {
        self.sensor.bytes().fold(format!("{:x}.", self.time.0), |text, byte| format!("{text}{byte:02x}"))
    }

    fn parse(text: &str) -> Option<Cursor> {
        let (time, sensor) = text.split_once('.')?;
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
        let bytes: Vec<u8> = sensor.as_bytes().chunks(2).map(byte).collect::<Option<_>>()?;
        Some(Cursor { time: Time(i64::from_str_radix(time, 16).ok()?), sensor: String::from_utf8(bytes).ok()? })
    }
}

/// Plans a page of raw rows.
pub(crate) fn plan(reader: &Reader, asked: Readings, now: Time, config: &Config) -> Result<Planned, Error> {
    let snapshot = super::snapshot(reader, &asked.dataset)?;
    let fields = columns::plain(&snapshot.dataset, &asked.fields)?;
    let whole = span(asked.from, asked.to)?;
    let limit = asked.limit.unwrap_or(config.default_readings);
    if limit == 0 || limit > config.max_readings {
        let accepted = [format!("1 to {}", config.max_readings)];
        return Err(Error::invalid("limit", format!("limit {limit} is not accepted"), accepted));
    }
    let after = asked.cursor.as_deref().map(|text| {
        let refuse = || Error::invalid("cursor", "the cursor is not one of a page before", ["meta.next".to_owned()]);
        Cursor::parse(text).ok_or_else(refuse)
    });
    let after = after.transpose()?;
    let named = if asked.sensors.is_empty() { None } else { Some(named(&snapshot, &asked.sensors)?) };
    // A page goes on from its cursor alone: a `from` that moves with the clock (now-1h) would overtake a slow reader.
    let from = after.as_ref().map_or(whole.from, |after| after.time.clamp(YEARS.from, whole.to));
    let ground = Ground::of(&snapshot, whole, Span { from, to: whole.to }, now);
    let zone = zone(asked.tz, &snapshot.dataset);
    let key = format!(
        "readings|{}|{}|{}|{:?}|{fields:?}|{after:?}|{limit}|{}|{}|{}",
        snapshot.dataset.id,
        whole.from.0,
        whole.to.0,
        asked.sensors,
        zone.name(),
        !asked.fields.is_empty(),
        ground.key(&snapshot),
    );
    let (max_age, some, max_cost) = (ground.max_age, !asked.fields.is_empty(), config.max_cost_rows);
    let plan = Plan { snapshot, ground, fields, some, named, span: whole, from, after, limit, zone, max_cost };
    Ok(Planned { plan: super::Plan::Readings(plan), key, max_age })
}

/// Rows of a page: keys, and values by field.
#[derive(Default)]
struct Page {
    /// (time, place of the sensor in the order of ids, row of `values`).
    keys: Vec<(i64, u32, u32)>,
    values: Vec<i64>,
}

/// Answers a page.
pub(super) async fn answer(plan: &Plan) -> Result<Answer, Error> {
    let sensors = plan.named.clone().unwrap_or_else(|| all(&plan.snapshot));
    let mut page = Page::default();
    let (mut at, mut width, mut cost) = (plan.from, plan.first_width(plan.from), 0);
    while at < plan.span.to && page.keys.len() <= plan.limit && cost <= plan.max_cost {
        let Some(&day) = plan.snapshot.days(Span { from: at, to: plan.span.to }).first() else {
            at = plan.span.to;
            break;
        };
        let from = at.max(day.start());
        let chunk = Span { from, to: from.plus(width).min(day.span().to).min(plan.span.to) };
        cost += plan.stored(chunk);
        plan.read(chunk, &sensors, &mut page).await?;
        (at, width) = (chunk.to, width.saturating_mul(2));
    }
    page.keys.sort_unstable();
    let more = page.keys.len() > plan.limit;
    page.keys.truncate(plan.limit);
    let next = match page.keys.last() {
        Some(&(time, rank, _)) if more => {
            Some(Cursor { time: Time(time), sensor: sensors[rank as usize].0.to_string() })
        }
        // Much was looked through and little found: the next page goes on from here.
        _ if at < plan.span.to => Some(Cursor { time: at, sensor: String::new() }),
        _ => None,
    };
    Ok(Answer { meta: plan.meta(next), rows: page.keys.len(), columns: plan.columns(&page, &sensors) })
}

impl Plan {
    /// A width from `from` on that may hold about two pages.
    fn first_width(&self, from: Time) -> i64 {
        let days = self.snapshot.days(Span { from, to: self.span.to });
        let rows = days.first().map_or(1, |day| self.stored(day.span()).max(1));
        let share = 2.0 * self.limit as f64 / rows as f64;
        ((DAY as f64 * share) as i64).clamp(SECOND, DAY)
    }

    /// Stored rows of the sensors in a span, about.
    fn stored(&self, span: Span) -> u64 {
        let (rows, known) = (self.snapshot.rows_at_most(span), self.snapshot.sensors.ids.len().max(1) as u64);
        self.named.as_ref().map_or(rows, |named| rows * (named.len() as u64).min(known) / known)
    }

    /// Adds the rows of a span past the cursor.
    async fn read(&self, span: Span, sensors: &Chosen, page: &mut Page) -> Result<(), Error> {
        let only = self.named.as_ref().map(|named| {
            let mut only: Vec<u32> = named.iter().filter_map(|(_, ix)| *ix).collect();
            only.sort_unstable();
            only
        });
        let loaded = self.snapshot.load(span, only.as_deref(), &self.fields).await?;
        for (rank, (id, ix)) in sensors.iter().enumerate() {
            let Some(ix) = ix else { continue };
            loaded.series(*ix, &mut |series| {
                for (row, &time) in series.time.iter().enumerate() {
                    let past = self
                        .after
                        .as_ref()
                        .is_none_or(|after| (Time(time), &**id) > (after.time, after.sensor.as_str()));
                    let some = !self.some || series.columns.iter().any(|values| values[row] != ABSENT);
                    if past && some {
                        page.keys.push((time, rank as u32, (page.values.len() / self.fields.len().max(1)) as u32));
                        page.values.extend(series.columns.iter().map(|values| values[row]));
                    }
                }
            });
        }
        Ok(())
    }

    fn columns(&self, page: &Page, sensors: &Chosen) -> Vec<Column> {
        let times = page.keys.iter().map(|&(time, _, _)| Some(Time(time))).collect();
        let ids = page.keys.iter().map(|&(_, rank, _)| Some(sensors[rank as usize].0.clone())).collect();
        let mut columns = vec![
            Column { name: "time".to_owned(), values: Values::Time { zone: self.zone.clone(), values: times } },
            Column { name: "sensor".to_owned(), values: Values::Text(ids) },
        ];
        for (place, &field) in self.fields.iter().enumerate() {
            let value = |&(_, _, row): &(i64, u32, u32)| {
                let value = page.values[row as usize * self.fields.len() + place];
                (value != ABSENT).then_some(value)
            };
            let field = &self.snapshot.dataset.fields[field];
            columns.push(Column { name: field.name.to_string(), values: plain(field, page.keys.iter().map(value)) });
        }
        columns
    }

    fn meta(&self, next: Option<Cursor>) -> Meta {
        let dataset = &self.snapshot.dataset;
        Meta {
            dataset: Some(dataset.id.clone()),
            from: Some(self.span.from.min(self.from)),
            to: Some(self.span.to),
            tz: Some(self.zone.clone()),
            fields: meta_fields(dataset, &self.fields),
            tiers: vec!["raw"],
            stamp: Some(self.ground.stamp),
            complete_until: Some(self.ground.complete_until),
            license: Some(dataset.license.clone()),
            publisher: Some(dataset.publisher.clone()),
            next: next.map(|cursor| cursor.text()),
            ..Meta::default()
        }
    }
}

/// What the columns of plain values are.
pub(super) fn meta_fields(dataset: &Dataset, fields: &[usize]) -> Vec<MetaField> {
    let field = |&field: &usize| {
        let field = &dataset.fields[field];
        let unit = (!matches!(field.kind, Kind::State { .. })).then(|| field.unit.code.clone());
        MetaField { column: field.name.to_string(), field: field.name.clone(), function: None, unit, by_sketch: false }
    };
    fields.iter().map(field).collect()
}
