//! From a question to a plan, and from a plan to an answer: one file per question.
//!
//! A plan holds its snapshot and all that was resolved against it; its key names everything the answer depends on.

pub(crate) mod aggregates;
pub(crate) mod datasets;
mod gone;
pub(crate) mod latest;
mod meters;
pub(crate) mod readings;
mod rows;
pub(crate) mod sensors;
mod table;
mod ways;

use crate::{Answer, Config, Error, Question};
use schemas::{Dataset, Span, Time, Zone};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use store::{Reader, SensorIx, Snapshot, Stamp};

/// What a question comes to once its names are found.
#[derive(Clone, Debug)]
pub(crate) enum Plan {
    /// Aggregates.
    Aggregates(Box<aggregates::Plan>),
    /// Raw rows.
    Readings(readings::Plan),
    /// Newest values.
    Latest(latest::Plan),
    /// The registry.
    Sensors(sensors::Plan),
    /// Datasets.
    Datasets(datasets::Plan),
}

/// A plan, and what it depends on.
#[derive(Clone, Debug)]
pub(crate) struct Planned {
    /// The plan.
    pub plan: Plan,
    /// Everything the answer depends on, as text.
    pub key: String,
    /// How long a client may keep the answer.
    pub max_age: Duration,
}

/// Finds what a question names, as of `now`. Reads no data.
pub(crate) fn plan(reader: &Reader, question: Question, now: Time, config: &Config) -> Result<Planned, Error> {
    match question {
        Question::Aggregates(question) => aggregates::plan(reader, question, now, config),
        Question::Readings(question) => readings::plan(reader, question, now, config),
        Question::Latest(question) => latest::plan(reader, question, now),
        Question::Sensors(question) => sensors::plan(reader, question, now),
        Question::Datasets { ids } => datasets::plan(reader, &ids, false),
        Question::Dataset(id) => datasets::plan(reader, &[id.into()], true),
    }
}

/// Answers a plan.
pub(crate) async fn answer(plan: &Plan) -> Result<Answer, Error> {
    match plan {
        Plan::Aggregates(plan) => rows::answer(plan).await,
        Plan::Readings(plan) => readings::answer(plan).await,
        Plan::Latest(plan) => latest::answer(plan),
        Plan::Sensors(plan) => Ok(sensors::answer(plan)),
        Plan::Datasets(plan) => Ok(datasets::answer(plan)),
    }
}

/// The newest snapshot of a dataset; the error names the datasets there are.
fn snapshot(reader: &Reader, id: &str) -> Result<Arc<Snapshot>, Error> {
    dataset(reader, id)?;
    Ok(reader.snapshot(id)?)
}

/// A dataset's contract; the error names those there are.
pub(crate) fn dataset(reader: &Reader, id: &str) -> Result<Arc<Dataset>, Error> {
    let known = reader.datasets();
    known.iter().find(|dataset| &*dataset.id == id).cloned().ok_or_else(|| {
        let accepted: Vec<String> = known.iter().map(|dataset| dataset.id.to_string()).collect();
        Error::not_found("dataset", format!("there is no dataset {id:?}"), accepted)
    })
}

/// 1900 to 2200: readings lie well inside, and so do all civil calendars.
const YEARS: Span = Span { from: Time(-2_208_988_800_000_000), to: Time(7_258_118_400_000_000) };

/// Refuses more rows than a question wants that gives them no order.
fn check_limit(rows: usize, limit: usize) -> Result<(), Error> {
    if rows <= limit {
        return Ok(());
    }
    let message = format!("the answer has {rows} rows, more than limit={limit}; without order they are never cut");
    let accepted = [format!("limit={rows}"), "order=<column> or order=-<column>: the first of it".to_owned()];
    Err(Error::too_much("limit", message, accepted))
}

/// A span with `from` before `to`.
fn span(from: Time, to: Time) -> Result<Span, Error> {
    for (parameter, time) in [("from", from), ("to", to)] {
        if !YEARS.holds(time) {
            let accepted = [format!("{} to {}", YEARS.from, YEARS.to)];
            return Err(Error::invalid(parameter, format!("{parameter} ({time}) is too far away"), accepted));
        }
    }
    if from >= to {
        let message = format!("to ({to}) is not after from ({from})");
        return Err(Error::invalid("to", message, ["an instant after from".to_owned()]));
    }
    Ok(Span { from, to })
}

/// Sensors by id, ascending, with their numbers where they have readings.
type Chosen = Vec<(Arc<str>, Option<SensorIx>)>;

/// All sensors that the registry and the store know.
fn all(snapshot: &Snapshot) -> Chosen {
    // The registry is in the order of ids, and as a rule it has every sensor that sent something.
    let mut found: Chosen = snapshot.registry.sensors.keys().map(|id| (id.clone(), snapshot.sensor(id))).collect();
    let numbered = found.iter().filter(|(_, ix)| ix.is_some()).count();
    if numbered < snapshot.sensors.ids.len() {
        let unlisted = (0..).zip(&snapshot.sensors.ids).filter(|(_, id)| snapshot.registry.get(id).is_none());
        found.extend(unlisted.map(|(ix, id)| (id.clone(), Some(ix))));
        found.sort();
    }
    found
}

/// The sensors a question names, each once.
fn named(snapshot: &Snapshot, ids: &[String]) -> Result<Chosen, Error> {
    let mut found = Chosen::with_capacity(ids.len());
    for id in ids {
        let (ix, registered) = (snapshot.sensor(id), snapshot.registry.get(id));
        if ix.is_none() && registered.is_none() {
            let accepted = [format!("an id from /api/v1/datasets/{}/sensors", snapshot.dataset.id)];
            return Err(Error::invalid("sensor", format!("{} has no sensor {id:?}", snapshot.dataset.id), accepted));
        }
        found.push((registered.map_or_else(|| id.as_str().into(), |sensor| sensor.id.clone()), ix));
    }
    found.sort();
    found.dedup();
    Ok(found)
}

/// The names of the attributes that sensors have or had, as often as they occur.
pub(crate) fn attributes(snapshot: &Snapshot) -> impl Iterator<Item = &String> {
    let sets = snapshot.registry.sensors.values().flat_map(|sensor| &sensor.attributes);
    sets.flat_map(|(_, set)| set.keys())
}

/// Refuses to filter by an attribute that no sensor ever had: a slip of the pen would look like a town without data.
fn check_attributes(snapshot: &Snapshot, wanted: &[(String, String)]) -> Result<(), Error> {
    let Some((name, _)) = wanted.iter().find(|(name, _)| !attributes(snapshot).any(|known| known == name)) else {
        return Ok(());
    };
    let names: BTreeSet<&String> = attributes(snapshot).collect();
    let accepted: Vec<String> = names.into_iter().map(|name| format!("attribute.{name}")).collect();
    let message = format!("no sensor of {} has an attribute {name:?}", snapshot.dataset.id);
    Err(Error::invalid("attribute.<name>", message, accepted))
}

/// The clock as answers may depend on it: cut to the dataset's cadence, a second at least (rule 22).
fn cut(now: Time, dataset: &Dataset) -> Time {
    let step = match dataset.every {
        schemas::Cadence::Every(micros) => micros.max(schemas::time::SECOND),
        schemas::Cadence::Event => schemas::time::SECOND,
    };
    Time(now.0 - now.0.rem_euclid(step))
}

/// What a dataset's answers over a span depend on besides the question: stamp, versions, and the clock where the span
/// reaches past complete_until.
#[derive(Clone, Debug)]
struct Ground {
    /// The last change of the days read.
    stamp: Stamp,
    /// Up to where the span is complete.
    complete_until: Time,
    /// The instant of the question; the end of time where the answer does not depend on it.
    now: Time,
    /// How long a client may keep the answer.
    max_age: Duration,
}

impl Ground {
    /// Of a span whose answer reads the days of `read`.
    fn of(snapshot: &Snapshot, span: Span, read: Span, now: Time) -> Ground {
        let now = cut(now, &snapshot.dataset);
        let complete_until = snapshot.dataset.settled(now).min(snapshot.closed_until());
        let open = span.to > complete_until;
        let seconds = match snapshot.dataset.every {
            _ if !open => 60,
            schemas::Cadence::Every(micros) => (micros / schemas::time::SECOND).clamp(1, 30),
            schemas::Cadence::Event => 1,
        };
        Ground {
            stamp: snapshot.stamp(read),
            complete_until: complete_until.min(span.to),
            now: if open { now } else { Time(i64::MAX) },
            max_age: Duration::from_secs(seconds as u64),
        }
    }

    /// Its part of a key.
    fn key(&self, snapshot: &Snapshot) -> String {
        format!(
            "{}|{}|{}|{}|{}",
            self.stamp.log, self.stamp.position.0, self.now.0, snapshot.registry.version, snapshot.dataset.version
        )
    }
}

/// The zone a question asks for, else the dataset's.
fn zone(asked: Option<Zone>, dataset: &Dataset) -> Zone {
    asked.unwrap_or_else(|| dataset.zone.clone())
}

#[cfg(test)]
mod tests;
