//! `[[source]]`: door, sensor, decoder, time, and what the payload says of its sensor.

use super::dataset::{optional, optional_or};
use super::field::Declared;
use super::section::{Item, Section};
use super::{decoder, keep, map, names, time};
use crate::source::{Decoder, PlaceSpec, Stamp, TimeSpec};
use crate::template::{Pointer, Template};
use crate::topic::Filter;
use crate::{Cadence, Source};
use std::collections::BTreeMap;

/// All sources, in the file's order; nothing if any has faults.
pub(super) fn read_all(
    root: &Section<'_>,
    id: &str,
    every: Option<Cadence>,
    fields: &[Declared],
) -> Option<Vec<Source>> {
    let list = root.need("source", "add a [[source]]: how readings arrive")?.list()?;
    let sources: Vec<Option<Source>> = list
        .iter()
        .enumerate()
        .map(|(i, item)| {
            let section = item.section()?.named(format!(" of source {i}"));
            let source = read(&section, format!("{id}/{i}"), every, fields);
            section.close();
            source
        })
        .collect();
    sources.into_iter().collect()
}

fn read(section: &Section<'_>, name: String, every: Option<Cadence>, fields: &[Declared]) -> Option<Source> {
    let mqtt = optional(section.take("mqtt"), |item| item.parsed(filter).map(Some));
    let decoder = decoder::read(section);
    let keyed = decoder.as_ref().is_some_and(Decoder::has_time);
    let http = optional(section.take("http"), |item| item.one_of(&[("readings", true)]));
    let remedy = match keyed {
        true => "add sensor = \"…\", such as \"{station}\"",
        false => "add sensor = \"…\", such as \"{topic.1}\" or \"{/id}\"",
    };
    let sensor_item = section.need("sensor", remedy);
    let parse = if keyed { Template::parse_named } else { Template::parse };
    let sensor = sensor_item.as_ref().and_then(|item| item.parsed(parse));
    if let (Some(item), Some(mqtt), Some(sensor), Some(decoder)) = (&sensor_item, &mqtt, &sensor, &decoder) {
        check_levels(item, mqtt.as_ref(), sensor);
        decoder::check_sensor(item, decoder, sensor);
    }
    let time = time_of(section, keyed);
    let own = optional(section.take("every"), |item| keep::cadence(item).map(Some));
    let stamp = optional(section.take("stamp"), |item| {
        let stamp = item.one_of(&[("start", Stamp::Start), ("end", Stamp::End)])?;
        if stamp == Stamp::End && own.flatten().or(every) == Some(Cadence::Event) {
            item.fault("is \"end\", and events have no interval", "set `every` to the length of the interval");
        }
        Some(stamp)
    });
    let missing = optional_or(section.take("missing"), vec![String::new()], |item| item.texts());
    let remedy = if keyed { "add map = { field = \"name\", … }" } else { "add map = { field = \"/pointer\", … }" };
    let map_item = section.need("map", remedy);
    let map = map_item.as_ref().and_then(|item| map::read(item, fields, keyed));
    if let (Some(item), Some(decoder), Some(map)) = (&map_item, &decoder, &map) {
        decoder::check_map(item, decoder, map);
    }
    let place = optional(section.take("place"), |item| place(item, keyed).map(Some));
    let attributes = optional(section.take("attributes"), |item| attributes(item, fields, decoder.as_ref()));
    if let Some(decoder) = &decoder {
        decoder::refuse_others(section, decoder, mqtt.as_ref().is_some_and(Option::is_some));
    }
    Some(Source {
        name: name.into(),
        mqtt: mqtt?,
        http: http?,
        sensor: sensor?,
        decoder: decoder?,
        time: time?,
        stamp: stamp?,
        every: own?,
        missing: missing?,
        map: map?,
        place: place?,
        attributes: attributes?,
    })
}

/// Where the time is. Formats that have it are asked for none.
fn time_of(section: &Section<'_>, keyed: bool) -> Option<TimeSpec> {
    if keyed {
        section.refuse("time", "the format has its own time: remove it");
        return Some(TimeSpec::Record);
    }
    let remedy = "add time = { path = \"/ts\", format = \"rfc3339\" }, or time = \"arrival\" where payloads have none";
    section.need("time", remedy).as_ref().and_then(time::read)
}

/// A topic filter; groups that share a subscription are the broker connection's business.
fn filter(text: &str) -> Result<Filter, String> {
    if text.starts_with("$share/") {
        return Err("a contract names topics only: write the filter behind \"$share/group/\"".into());
    }
    Filter::parse(text)
}

/// Topic levels a template asks for have to be there.
fn check_levels(item: &Item<'_>, mqtt: Option<&Filter>, sensor: &Template) {
    let Some(deepest) = sensor.deepest_level() else { return };
    let Some(filter) = mqtt else {
        item.fault(
            "asks for a topic level, and the source has no topic",
            "add mqtt = \"…\", or take the id from the payload",
        );
        return;
    };
    let (levels, more) = filter.levels();
    if deepest >= levels && !more {
        let remedy = format!("\"{}\" has levels 0 to {}", filter.as_str(), levels - 1);
        item.fault(format!("asks for topic level {deepest}"), remedy);
    }
}

/// The pointer a key has to have.
pub(super) fn pointer(section: &Section<'_>, key: &'static str, remedy: &str) -> Option<Pointer> {
    section.need(key, remedy).and_then(|item| item.parsed(Pointer::parse))
}

/// A place in a record of a format without pointers: its name is the one part.
pub(super) fn key(text: &str) -> Result<Pointer, String> {
    match text {
        "" => Err("write the name it has there".into()),
        _ if text.starts_with('/') => Err(format!("this format has no pointers: write \"{}\"", &text[1..])),
        name => Ok(Pointer { parts: vec![name.into()] }),
    }
}

fn place(item: &Item<'_>, keyed: bool) -> Option<PlaceSpec> {
    let section = item.section()?;
    let (parse, remedy): (fn(&str) -> _, _) = match keyed {
        true => (key, "write place = { lon = \"lon\", lat = \"lat\" }"),
        false => (Pointer::parse, "write place = { lon = \"/lon\", lat = \"/lat\" }"),
    };
    let of = |key| section.need(key, remedy).and_then(|item| item.parsed(parse));
    let (lon, lat) = (of("lon"), of("lat"));
    section.close();
    Some(PlaceSpec { lon: lon?, lat: lat? })
}

fn attributes(item: &Item<'_>, fields: &[Declared], decoder: Option<&Decoder>) -> Option<BTreeMap<String, Pointer>> {
    let keyed = decoder.is_some_and(Decoder::has_time);
    let pair = |item: Item<'_>| {
        let name = names::column(item.name).map_err(|remedy| item.fault("is no name for an attribute", remedy)).ok()?;
        if fields.iter().any(|field| field.name == name) {
            item.fault("is a field's name", "take another word: answers have both as columns");
            return None;
        }
        let place = item.parsed(if keyed { key } else { Pointer::parse })?;
        decoder.is_none_or(|decoder| decoder::check_part(&item, decoder, &place.parts[0])).then_some((name, place))
    };
    let pairs: Vec<Option<(String, Pointer)>> = item.section()?.rest().into_iter().map(pair).collect();
    pairs.into_iter().collect()
}
