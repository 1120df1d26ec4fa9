//! Sensors that move between groups.

use super::*;
use schemas::Time;
use schemas::time::HOUR;

fn set(pairs: &[(&str, &str)]) -> Attributes {
    pairs.iter().map(|(name, text)| (name.to_string(), text.to_string())).collect()
}

fn registry() -> (Vec<Arc<str>>, Registry) {
    let mut registry = Registry::default();
    let mut add = |id: &str, attributes: Vec<(Time, Attributes)>| {
        let id: Arc<str> = id.into();
        registry.sensors.insert(id.clone(), Arc::new(Sensor { attributes, ..Sensor::new(id) }));
    };
    add("a", vec![(Time(5 * HOUR), set(&[("street", "north")]))]);
    add(
        "b",
        vec![
            (Time(0), set(&[("street", "south"), ("floor", "1")])),
            (Time(3 * HOUR), set(&[("street", "south"), ("floor", "2")])),
            (Time(7 * HOUR), set(&[("street", "north"), ("floor", "2")])),
            (Time(20 * HOUR), set(&[("street", "east")])),
        ],
    );
    add("c", Vec::new());
    (registry.sensors.keys().cloned().collect(), registry)
}

/// Names of groups, and spans of each sensor in hours with the group's number.
type Found = (Vec<Option<String>>, Vec<Vec<(i64, i64, u32)>>);

fn found(group: Group, wanted: &[(&str, &str)]) -> Found {
    let (ids, registry) = registry();
    let span = Span { from: Time(2 * HOUR), to: Time(10 * HOUR) };
    let wanted: Vec<(String, String)> = wanted.iter().map(|(n, t)| (n.to_string(), t.to_string())).collect();
    let groups = groups(&ids, &registry, span, &group, &wanted);
    let names = groups.names.iter().map(|name| name.as_ref().map(|n| n.to_string())).collect();
    let hours = |s: &Segment| (s.from / HOUR, s.to / HOUR, s.group);
    (names, groups.segments.iter().map(|segments| segments.iter().map(hours).collect()).collect())
}

#[test]
fn an_attribute_counts_as_it_was_then() {
    let (names, segments) = found(Group::Attribute("street".to_owned()), &[]);
    assert_eq!(names, [None, Some("north".to_owned()), Some("south".to_owned())]);
    // The first set of a sensor holds for all time before; a change of another attribute splits nothing.
    assert_eq!(segments, [vec![(2, 10, 1)], vec![(2, 7, 2), (7, 10, 1)], vec![(2, 10, 0)]]);
}

#[test]
fn sensors_apart_and_together() {
    let whole = |group| vec![(2, 10, group)];
    let (names, segments) = found(Group::Sensor, &[]);
    assert_eq!(names, ["a", "b", "c"].map(|id| Some(id.to_owned())));
    assert_eq!(segments, [whole(0), whole(1), whole(2)]);
    let (names, segments) = found(Group::None, &[]);
    assert_eq!(names, [None]);
    assert_eq!(segments, [whole(0), whole(0), whole(0)]);
}

#[test]
fn wanted_attributes_cut_time_out() {
    let (names, segments) = found(Group::Sensor, &[("street", "south"), ("floor", "2")]);
    assert_eq!(names, [Some("b".to_owned())]);
    assert_eq!(segments, [vec![], vec![(3, 7, 0)], vec![]]);
    let (names, segments) = found(Group::None, &[("street", "nowhere")]);
    assert_eq!(names, [None]);
    assert_eq!(segments, vec![Vec::new(); 3]);
}
