//! Plain messages: those that can be read knowing nothing but their source. Most are: one object with its time, of a sensor
//! that its topic names, with nothing in it to refuse. Doors read them by themselves, beside each other; whatever is not
//! plain is left to the pipeline, message by message.

use super::record::{Record, fill_id, stamped};
use crate::catalog::Catalog;
use crate::decode::plan::Values;
use crate::decode::{Decoded, Groove, Value};
use crate::normalize::{self, Mapped, Refusal};
use schemas::source::{Mapping, TimeFormat, TimeSpec};
use schemas::{ABSENT, Time};
use std::sync::Arc;

/// How the plain messages of one topic are read.
#[derive(Debug)]
pub(crate) struct Plain {
    /// The one route of the topic.
    pub(crate) route: usize,
    /// Its dataset, by index in the catalog.
    pub(crate) dataset: usize,
    /// The sensor.
    pub(crate) id: Arc<str>,
}

/// What the plain messages of one route and connection have in common: remembered to read the next.
#[derive(Debug, Default)]
pub(crate) struct Habit {
    groove: Groove,
    /// The text of the last time, and what it means.
    stamp: (String, Time),
}

/// Bytes of a time's text that is remembered.
const STAMP: usize = 64;

impl Habit {
    /// The time a payload value means.
    fn stamp(&mut self, format: &TimeFormat, value: &Value<'_>) -> Result<Time, Refusal> {
        let text = value.text().unwrap_or_default();
        if !text.is_empty() && self.stamp.0 == text {
            return Ok(self.stamp.1);
        }
        let time = normalize::stamp(format, value)?;
        self.stamp.0.clear();
        if text.len() <= STAMP {
            self.stamp.0.push_str(text);
        }
        self.stamp.1 = time;
        Ok(time)
    }
}

impl Plain {
    /// For a topic; nothing if none of its messages are plain.
    pub(crate) fn of(catalog: &Catalog, topic: &str) -> Option<Plain> {
        let [route] = catalog.matching(topic)[..] else { return None };
        let (source, plan) = (catalog.source(route), &catalog.routes[route].plan);
        let dataset = catalog.routes[route].dataset;
        let usual = source.every.is_none_or(|every| every == catalog.datasets[dataset].every);
        let timed = matches!(source.time, TimeSpec::Payload { .. });
        if !timed || !usual || !matches!(source.map, Mapping::Wide(_)) {
            return None;
        }
        let mut id = String::new();
        fill_id(&mut id, plan, topic, &Record { text: "", decoded: &Decoded::default(), index: 0 }).ok()?;
        normalize::sensor(&id).ok()?;
        catalog.welcomes(dataset, &id).then(|| Plain { route, dataset, id: id.into() })
    }

    /// The time of a plain message's reading, with its values put behind `values`; nothing, and nothing put, if it is not plain.
    pub(crate) fn read(
        &self,
        catalog: &Catalog,
        payload: &[u8],
        now: Time,
        (decoded, habit): (&mut Decoded, &mut Habit),
        values: &mut Vec<i64>,
    ) -> Option<Time> {
        let (source, route) = (catalog.source(self.route), &catalog.routes[self.route]);
        let (dataset, plan) = (&catalog.datasets[self.dataset], &route.plan);
        let text = std::str::from_utf8(payload).ok()?;
        decoded.read_along(&plan.shape, text, &mut habit.groove).ok()?;
        if decoded.array {
            return None;
        }
        let record = Record { text, decoded, index: 0 };
        let silent = |slot: usize| normalize::absent(&record.value(slot), &source.missing);
        let told = plan.place.is_some_and(|(lon, lat)| !silent(lon) || !silent(lat))
            || plan.attributes.iter().any(|(_, slot)| !silent(*slot));
        if told {
            return None;
        }
        let read = |format: &TimeFormat, value: &Value<'_>| habit.stamp(format, value);
        let time = stamped(source, plan, dataset, &record, now, read).ok()?;
        let (Mapping::Wide(entries), Values::Wide(slots)) = (&source.map, &plan.values) else { return None };
        let begin = values.len();
        values.resize(begin + dataset.fields.len(), ABSENT);
        let mut taken = false;
        for ((entry, slot), direct) in entries.iter().zip(slots).zip(&route.direct) {
            let value = record.value(*slot);
            let short =
                if let (Value::Number(text), Some(direct)) = (&value, direct) { direct.steps(text) } else { None };
            let field = &dataset.fields[entry.field];
            let mapped = Mapped { field, unit: &entry.unit, words: &entry.words, missing: &source.missing };
            match short.map_or_else(|| normalize::value(mapped, &value), |steps| Ok(Some(steps))) {
                Ok(Some(steps)) => {
                    values[begin + entry.field] = steps;
                    taken = true;
                }
                Ok(None) => {}
                Err(_) => {
                    taken = false;
                    break;
                }
            }
        }
        if !taken {
            values.truncate(begin);
        }
        taken.then_some(time)
    }
}
