//! One record of a payload → one reading.

use super::{Past, Pipeline};
use crate::catalog::Route;
use crate::decode::plan::Values;
use crate::decode::{Decoded, Part, Plan, Value};
use crate::normalize::{self, Mapped, Refusal, quote};
use crate::refusals::Refusals;
use crate::sensors::Said;
use crate::{Gather, Message};
use schemas::source::{Mapping, TimeFormat, TimeSpec};
use schemas::{ABSENT, Dataset, Reason, Source, Time};
use std::fmt::Write;

/// A message, the source it is taken for, and what the readings of its records need besides.
pub(super) struct Taking<'a> {
    pub(super) route: &'a Route,
    pub(super) source: &'a Source,
    pub(super) text: &'a str,
    pub(super) message: &'a Message,
    pub(super) now: Time,
    /// Time of the first record when the message carries none.
    pub(super) stamp: Option<Time>,
    pub(super) past: Past<'a>,
}

/// A record's values by slot.
pub(super) struct Record<'a> {
    pub(super) text: &'a str,
    pub(super) decoded: &'a Decoded,
    pub(super) index: usize,
}

impl<'a> Record<'a> {
    pub(super) fn value(&self, slot: usize) -> Value<'a> {
        self.decoded.value(self.text, self.index, slot)
    }
}

impl Pipeline {
    /// Takes one record: a row of the batch, or refusals.
    pub(super) fn record(
        &mut self,
        taking: &Taking<'_>,
        decoded: &Decoded,
        index: usize,
        refusals: &mut Refusals<'_>,
        gather: &mut Gather,
    ) {
        let record = Record { text: taking.text, decoded, index };
        let taken = match self.key(taking, &record) {
            Ok(time) => {
                let present = self.fill(taking, &record, refusals, gather);
                if present { self.admit(taking).map(|()| Some(time)) } else { Ok(None) }
            }
            Err(refusal) => Err(refusal),
        };
        match taken {
            Ok(Some(time)) => self.push(taking, &record, time, refusals, gather),
            Ok(None) => {}
            Err(refusal) => refusals.whole(gather, refusal),
        }
    }

    /// The record's sensor, left in `self.id`, and its time.
    fn key(&mut self, taking: &Taking<'_>, record: &Record<'_>) -> Result<Time, Refusal> {
        fill_id(&mut self.id, &taking.route.plan, &taking.message.topic, record)?;
        normalize::sensor(&self.id)?;
        if !self.catalog.welcomes(taking.route.dataset, &self.id) {
            return Err(Refusal::unlisted(&self.id));
        }
        let dataset = &self.catalog.datasets[taking.route.dataset];
        let time = match taking.stamp {
            Some(first) => first.plus(record.index as i64),
            None => stamped(taking.source, &taking.route.plan, dataset, record, taking.now, normalize::stamp)?,
        };
        if (taking.past.too_old)(&dataset.id, time) {
            return Err(Refusal::too_old(time));
        }
        Ok(time)
    }

    /// Fills `self.values`. Whether any value is present; when none is, everything has been said in refusals.
    fn fill(
        &mut self,
        taking: &Taking<'_>,
        record: &Record<'_>,
        refusals: &mut Refusals<'_>,
        gather: &mut Gather,
    ) -> bool {
        let dataset = &self.catalog.datasets[taking.route.dataset];
        let (values, missing) = (&mut self.values, &taking.source.missing[..]);
        values.clear();
        values.resize(dataset.fields.len(), ABSENT);
        let (mut present, mut refused) = (false, false);
        let mut put =
            |gather: &mut Gather, refusals: &mut Refusals<'_>, ix: usize, mapped: Mapped<'_>, value: &Value<'_>| {
                match normalize::value(mapped, value) {
                    Ok(Some(steps)) => {
                        values[ix] = steps;
                        present = true;
                    }
                    Ok(None) => {}
                    Err(refusal) => {
                        refused = true;
                        refusals.push(gather, refusal, &mapped.field.name);
                    }
                }
            };
        match (&taking.source.map, &taking.route.plan.values) {
            (Mapping::Wide(entries), Values::Wide(slots)) => {
                for (entry, slot) in entries.iter().zip(slots) {
                    let field = &dataset.fields[entry.field];
                    let mapped = Mapped { field, unit: &entry.unit, words: &entry.words, missing };
                    put(gather, refusals, entry.field, mapped, &record.value(*slot));
                }
            }
            (Mapping::Long { names, ignore, .. }, Values::Long { by, value, names: places }) => {
                let name = record.value(*by);
                let text = name.text().unwrap_or_default();
                if let Some(entry) = places.get(text).map(|i| &names[*i]) {
                    let field = &dataset.fields[entry.field];
                    let mapped = Mapped { field, unit: &entry.unit, words: &entry.words, missing };
                    put(gather, refusals, entry.field, mapped, &record.value(*value));
                } else if name.text().is_some() && ignore.iter().any(|known| known == text) {
                    gather.ignored += 1;
                    return false;
                } else {
                    let detail = format!("name {} is neither mapped to a field nor in `ignore`", quote(&name));
                    refusals.push(gather, Refusal::new(Reason::NoFields, detail), &cut(text).into());
                    return false;
                }
            }
            _ => {}
        }
        if !present && !refused {
            let detail = "none of the mapped fields has a value; see `map` of the source";
            refusals.whole(gather, Refusal::new(Reason::NoFields, detail));
        }
        present
    }

    /// Whether there is room for the sensor.
    fn admit(&self, taking: &Taking<'_>) -> Result<(), Refusal> {
        let dataset = &self.catalog.datasets[taking.route.dataset];
        if self.sensors[taking.route.dataset].admits(&self.id, dataset.max_sensors) {
            return Ok(());
        }
        Err(Refusal::too_many(&self.id, dataset.max_sensors))
    }

    /// Adds the row, and a note of what is new about the sensor.
    fn push(
        &mut self,
        taking: &Taking<'_>,
        record: &Record<'_>,
        time: Time,
        refusals: &mut Refusals<'_>,
        gather: &mut Gather,
    ) {
        let dataset = taking.route.dataset;
        let number = gather.number;
        let sensors = &mut self.sensors[dataset];
        let batch = &mut gather.batches[dataset];
        let sensor = sensors.number(&self.id, number, &mut batch.sensors);
        batch.sensor.push(sensor);
        batch.time.push(time.0);
        for (column, value) in batch.columns.iter_mut().zip(&self.values) {
            column.push(*value);
        }
        let said = self.said(taking, record, refusals, gather);
        let Some(said) = said else { return };
        let batch = &mut gather.batches[dataset];
        let note = self.sensors[dataset].news(&batch.sensors[sensor as usize], time, said);
        batch.notes.extend(note);
    }

    /// What the record says of its sensor; nothing when its source never says anything.
    fn said(
        &self,
        taking: &Taking<'_>,
        record: &Record<'_>,
        refusals: &mut Refusals<'_>,
        gather: &mut Gather,
    ) -> Option<Said> {
        let plan = &taking.route.plan;
        let usual = self.catalog.datasets[taking.route.dataset].every;
        let every = taking.source.every.filter(|every| *every != usual);
        if plan.place.is_none() && plan.attributes.is_empty() && every.is_none() {
            return None;
        }
        let missing = &taking.source.missing[..];
        let mut said = Said { every, ..Said::default() };
        if let Some((lon, lat)) = plan.place {
            match normalize::place(&record.value(lon), &record.value(lat), missing) {
                Ok(place) => said.place = place,
                Err(refusal) => refusals.push(gather, refusal, &"place".into()),
            }
        }
        for (name, slot) in &plan.attributes {
            match normalize::attribute(name, &record.value(*slot), missing) {
                Ok(Some(text)) => drop(said.attributes.insert(name.clone(), text)),
                Ok(None) => {}
                Err(refusal) => refusals.push(gather, refusal, &name.as_str().into()),
            }
        }
        Some(said)
    }
}

/// Puts the sensor's id together.
pub(super) fn fill_id(id: &mut String, plan: &Plan, topic: &str, record: &Record<'_>) -> Result<(), Refusal> {
    id.clear();
    for part in &plan.sensor {
        match part {
            Part::Literal(text) => id.push_str(text),
            Part::Topic(level) => match topic.split('/').nth(*level) {
                Some(text) if !text.is_empty() => id.push_str(text),
                _ => {
                    let detail = format!("the topic has nothing at level {level}, counted from 0, for the sensor's id");
                    return Err(Refusal::new(Reason::MissingSensor, detail));
                }
            },
            // Formats with parts are read elsewhere: contracts see to it.
            Part::Named(name) => {
                let detail = format!("the sensor's id asks for the part {name:?}, and JSON has none");
                return Err(Refusal::new(Reason::MissingSensor, detail));
            }
            Part::Slot(slot) => {
                let value = record.value(*slot);
                match value.text() {
                    Some(text) if !text.is_empty() => id.push_str(text),
                    _ => {
                        let mut detail = String::from("a payload value of the sensor's id is ");
                        let _ = write!(detail, "{}; a text or number is expected", quote(&value));
                        return Err(Refusal::new(Reason::MissingSensor, detail));
                    }
                }
            }
        }
    }
    Ok(())
}

/// The instant to keep of a record that carries its time.
pub(super) fn stamped(
    source: &Source,
    plan: &Plan,
    dataset: &Dataset,
    record: &Record<'_>,
    now: Time,
    read: impl FnOnce(&TimeFormat, &Value<'_>) -> Result<Time, Refusal>,
) -> Result<Time, Refusal> {
    let (TimeSpec::Payload { path, format }, Some(slot)) = (&source.time, plan.time) else {
        return Ok(now);
    };
    let value = record.value(slot);
    if normalize::absent(&value, &source.missing) {
        let detail = format!("the payload has no time at {path}");
        return Err(Refusal::new(Reason::MissingTime, detail));
    }
    let stamp = read(format, &value)?;
    normalize::instant(stamp, normalize::interval(source, dataset), now)
}

/// A name short enough to be a key of the rejects table.
fn cut(text: &str) -> &str {
    let end = text.char_indices().nth(64).map_or(text.len(), |(at, _)| at);
    &text[..end]
}
