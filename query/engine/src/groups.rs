//! Groups: which sensor belongs to which, and when. An attribute counts as it was then.

use crate::aggregate::cut::Segment;
use crate::question::Group;
use schemas::sensor::Attributes;
use schemas::{Registry, Sensor, Span};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The groups of a question and the sensors in them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Groups {
    /// What the group's column shows, by number, ascending, null first; one null for all sensors together.
    pub names: Vec<Option<Arc<str>>>,
    /// Per sensor of the question, in its order: spans in one group, ascending and apart.
    pub segments: Vec<Vec<Segment>>,
}

/// A span of time, and the name of the group in it.
type Named = (i64, i64, Option<Arc<str>>);

/// Finds the groups of sensors, given in the order of their ids, within a span. `wanted`: attributes that must hold.
pub fn groups(
    sensors: &[Arc<str>],
    registry: &Registry,
    span: Span,
    group: &Group,
    wanted: &[(String, String)],
) -> Groups {
    if wanted.is_empty() && !matches!(group, Group::Attribute(_)) {
        return unchanging(sensors, span, group);
    }
    // Spans with the group's name first; numbers follow once all names are known.
    let named: Vec<Vec<Named>> =
        sensors.iter().map(|id| spans(id, registry.get(id).map(|sensor| &**sensor), span, group, wanted)).collect();
    let mut numbers: BTreeMap<Option<Arc<str>>, u32> = BTreeMap::new();
    if *group == Group::None {
        numbers.insert(None, 0);
    }
    named.iter().flatten().for_each(|(_, _, name)| _ = numbers.insert(name.clone(), 0));
    numbers.values_mut().enumerate().for_each(|(i, number)| *number = i as u32);
    let number = |spans: Vec<Named>| {
        spans.into_iter().map(|(from, to, name)| Segment { from, to, group: numbers[&name] }).collect()
    };
    let segments = named.into_iter().map(number).collect();
    Groups { names: numbers.into_keys().collect(), segments }
}

/// The groups of sensors that stay in theirs whatever their attributes are.
fn unchanging(sensors: &[Arc<str>], span: Span, group: &Group) -> Groups {
    let apart = *group == Group::Sensor;
    let names = if apart { sensors.iter().cloned().map(Some).collect() } else { vec![None] };
    let whole = |number| vec![Segment { from: span.from.0, to: span.to.0, group: if apart { number } else { 0 } }];
    Groups { names, segments: (0..sensors.len() as u32).map(whole).collect() }
}

/// One sensor's spans by the name of their group.
fn spans(id: &Arc<str>, sensor: Option<&Sensor>, span: Span, group: &Group, wanted: &[(String, String)]) -> Vec<Named> {
    let mut spans: Vec<Named> = Vec::new();
    for (from, to, attributes) in history(sensor, span) {
        let value = |name: &str| attributes.and_then(|attributes| attributes.get(name));
        if from >= to || !wanted.iter().all(|(name, text)| value(name) == Some(text)) {
            continue;
        }
        let name = match group {
            Group::Sensor => Some(id.clone()),
            Group::None => None,
            Group::Attribute(attribute) => value(attribute).map(|text| text.as_str().into()),
        };
        match spans.last_mut() {
            Some(last) if last.1 == from && last.2 == name => last.1 = to,
            _ => spans.push((from, to, name)),
        }
    }
    spans
}

/// The attributes a sensor had, each set with its part of the span. The first set holds for all time before, too.
fn history(sensor: Option<&Sensor>, span: Span) -> Vec<(i64, i64, Option<&Attributes>)> {
    let sets = sensor.map_or(&[][..], |sensor| &sensor.attributes);
    if sets.is_empty() {
        return vec![(span.from.0, span.to.0, None)];
    }
    let begins = |i: usize| if i == 0 { span.from.0 } else { sets[i].0.0.max(span.from.0) };
    let ends = |i: usize| sets.get(i + 1).map_or(span.to.0, |(next, _)| next.0.min(span.to.0));
    sets.iter().enumerate().map(|(i, (_, set))| (begins(i), ends(i), Some(set))).collect()
}

#[cfg(test)]
mod tests;
