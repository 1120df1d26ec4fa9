//! What datasets there are, and what may be asked of them.

use super::Planned;
use super::latest::ALWAYS;
use crate::Error;
use crate::answer::{Answer, Column, FieldInfo, Meta, Values};
use crate::columns::functions;
use schemas::{Access, Cadence, Dataset, Field, Kind, Text, Time};
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;
use store::{Reader, Snapshot, Tier};

/// A question about datasets, with everything found.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    snapshots: Vec<Arc<Snapshot>>,
    /// Whether one dataset was asked for by its id.
    one: bool,
}

/// Plans it: the datasets of these ids; `one` if a single one was asked for by its id.
pub(crate) fn plan(reader: &Reader, ids: &[Arc<str>], one: bool) -> Result<Planned, Error> {
    let snapshots = ids.iter().map(|id| super::snapshot(reader, id)).collect::<Result<Vec<_>, _>>()?;
    let mut key = format!("datasets|{one}");
    for snapshot in &snapshots {
        let stamp = snapshot.stamp(ALWAYS);
        let (registry, contract) = (snapshot.registry.version, snapshot.dataset.version);
        // Writing to a string cannot fail.
        _ = write!(key, "|{}|{}|{}|{registry}|{contract}", snapshot.dataset.id, stamp.log, stamp.position.0);
    }
    let plan = Plan { snapshots, one };
    Ok(Planned { plan: super::Plan::Datasets(plan), key, max_age: Duration::from_secs(5) })
}

/// A row for each of some datasets.
pub(crate) fn of(snapshots: Vec<Arc<Snapshot>>) -> Answer {
    answer(&Plan { snapshots, one: false })
}

/// Answers it: a row per dataset.
pub(super) fn answer(plan: &Plan) -> Answer {
    let all = &plan.snapshots;
    let mut columns = Vec::new();
    let mut column = |name: &str, values| columns.push(Column { name: name.to_owned(), values });
    column("id", text(plan, |dataset| dataset.id.to_string()));
    column("title", map(plan, |dataset| &dataset.title));
    column("description", map(plan, |dataset| &dataset.description));
    column("license", text(plan, |dataset| dataset.license.clone()));
    column("publisher", text(plan, |dataset| dataset.publisher.clone()));
    column("access", text(plan, |dataset| access(dataset.access).to_owned()));
    column("zone", text(plan, |dataset| dataset.zone.name().to_owned()));
    let seconds = |snapshot: &Arc<Snapshot>| match snapshot.dataset.every {
        Cadence::Every(micros) => Some(i128::from(micros)),
        Cadence::Event => None,
    };
    column("every_seconds", Values::Decimal { scale: 6, values: all.iter().map(seconds).collect() });
    column("tiers", Values::List(all.iter().map(|snapshot| Some(tiers(snapshot))).collect()));
    column("sensors", Values::Int(all.iter().map(|s| Some(s.registry.sensors.len() as i64)).collect()));
    column("first", extent(plan, |(first, _)| first));
    column("last", extent(plan, |(_, last)| last));
    let fields = |snapshot: &Arc<Snapshot>| Some(snapshot.dataset.fields.iter().map(info).collect());
    column("fields", Values::Fields(all.iter().map(fields).collect()));
    let one = plan.one.then(|| &all[0].dataset);
    let meta = Meta {
        dataset: one.map(|dataset| dataset.id.clone()),
        license: one.map(|dataset| dataset.license.clone()),
        publisher: one.map(|dataset| dataset.publisher.clone()),
        ..Meta::default()
    };
    Answer { meta, rows: all.len(), columns }
}

/// What there is of a dataset: raw rows, and the tiers that have committed windows.
fn tiers(snapshot: &Snapshot) -> Vec<String> {
    let closed = Tier::ALL.into_iter().filter(|&tier| snapshot.closed(tier) > Time(i64::MIN));
    ["raw"].into_iter().chain(closed.map(Tier::name)).map(str::to_owned).collect()
}

fn text(plan: &Plan, of: impl Fn(&Dataset) -> String) -> Values {
    Values::Text(plan.snapshots.iter().map(|snapshot| Some(of(&snapshot.dataset).into())).collect())
}

fn map(plan: &Plan, of: impl Fn(&Dataset) -> &Text) -> Values {
    Values::Map(plan.snapshots.iter().map(|snapshot| Some(of(&snapshot.dataset).clone())).collect())
}

/// One end of each dataset's extent, in UTC: datasets have zones of their own.
fn extent(plan: &Plan, of: impl Fn((Time, Time)) -> Time) -> Values {
    let values = plan.snapshots.iter().map(|snapshot| snapshot.extent().map(&of)).collect();
    Values::Time { zone: schemas::Zone::utc(), values }
}

fn access(access: Access) -> &'static str {
    match access {
        Access::Public => "public",
        Access::Restricted => "restricted",
    }
}

/// A field for those who want to ask.
fn info(field: &Field) -> FieldInfo {
    let (range, values) = match &field.kind {
        Kind::State { values, .. } => (None, values.clone()),
        _ => (Some(field.range), Vec::new()),
    };
    FieldInfo {
        name: field.name.clone(),
        title: field.title.clone(),
        unit: field.unit.code.clone(),
        symbol: field.unit.symbol().to_owned(),
        kind: field.kind.name(),
        resolution: field.resolution,
        range,
        values,
        functions: functions(field),
    }
}
