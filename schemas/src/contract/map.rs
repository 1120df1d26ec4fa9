//! `map` of a source: which payload values are which fields.

use super::dataset::optional;
use super::field::Declared;
use super::section::{Item, Section};
use super::source::{key, pointer};
use crate::source::{LongName, Mapped, Mapping};
use crate::template::Pointer;
use crate::{Kind, Unit, near};
use std::collections::BTreeMap;

/// Payload text to the index of a state's value.
type Words = BTreeMap<String, i64>;

/// A wide mapping, or a long one where it has `by`. `keyed`: values have names, not pointers.
pub(super) fn read(item: &Item<'_>, fields: &[Declared], keyed: bool) -> Option<Mapping> {
    let section = item.section()?;
    match keyed {
        true => wide(item, section, fields, key),
        false if section.has("by") => long(item, section, fields),
        false => wide(item, section, fields, Pointer::parse),
    }
}

fn wide(
    item: &Item<'_>,
    section: Section<'_>,
    fields: &[Declared],
    parse: fn(&str) -> Result<Pointer, String>,
) -> Option<Mapping> {
    let entry = |item: Item<'_>| {
        let field = index(&item, fields)?;
        let (path, unit, words) = target(&item, &fields[field], "path", parse)?;
        Some(Mapped { field, path, unit, words })
    };
    let entries: Vec<Option<Mapped>> = section.rest().into_iter().map(entry).collect();
    if entries.is_empty() {
        item.fault("names no field", "write map = { field = \"/pointer\", … }");
        return None;
    }
    Some(Mapping::Wide(entries.into_iter().collect::<Option<_>>()?))
}

fn long(item: &Item<'_>, section: Section<'_>, fields: &[Declared]) -> Option<Mapping> {
    let by = pointer(&section, "by", "add by = \"/property\", the pointer to the name");
    let value = pointer(&section, "value", "add value = \"/value\", the pointer to the value");
    let ignore = optional(section.take("ignore"), |item| item.texts());
    if fields.iter().any(|field| field.name == "value") {
        item.fault("is long, where `value` is the pointer to the value", "give the field \"value\" another name");
    }
    let mut taken: BTreeMap<String, String> = BTreeMap::new();
    let mut entry = |item: Item<'_>| {
        let field = index(&item, fields)?;
        let (name, unit, words) = target(&item, &fields[field], "name", |text| Ok(text.to_string()))?;
        if let Some(other) = taken.insert(name.clone(), item.name.to_string()) {
            item.fault(
                format!("takes \"{name}\", as `map.{other}` does"),
                "give each name in the payload to one field",
            );
        }
        Some(LongName { name, field, unit, words })
    };
    let entries: Vec<Option<LongName>> = section.rest().into_iter().map(&mut entry).collect();
    if entries.is_empty() {
        item.fault(
            "names no field",
            "write map = { by = \"/property\", value = \"/value\", field = \"name in the payload\", … }",
        );
        return None;
    }
    let names: Vec<LongName> = entries.into_iter().collect::<Option<_>>()?;
    Some(Mapping::Long { by: by?, value: value?, names, ignore: ignore? })
}

/// The number of the field a key names.
fn index(item: &Item<'_>, fields: &[Declared]) -> Option<usize> {
    let found = fields.iter().position(|field| field.name == item.name);
    if found.is_none() {
        let names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
        let remedy = match near::nearest(item.name, names.iter().copied()) {
            Some(near) => format!("write \"{near}\""),
            None => format!("the fields are {}: name one of them, or add a [[field]]", names.join(", ")),
        };
        item.fault("names no field", remedy);
    }
    found
}

/// Where a field's value is: a text, or a table with unit and words. Nothing for faults, and for fields that have some.
fn target<T>(
    item: &Item<'_>,
    declared: &Declared,
    key: &'static str,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Option<(T, Unit, Words)> {
    let field = declared.field.as_ref();
    if !item.is_table() {
        let place = item.parsed(parse);
        let field = field?;
        return Some((place?, field.unit.clone(), own_words(&field.kind)));
    }
    let section = item.section()?;
    let remedy = if key == "path" { "add path = \"/pointer\"" } else { "add name = \"…\", the name in the payload" };
    let place = section.need(key, remedy).and_then(|item| item.parsed(parse));
    let (unit, words) = (section.take("unit"), section.take("words"));
    section.close();
    let field = field?;
    let state = matches!(field.kind, Kind::State { .. });
    let unit = optional(unit, |item| item.parsed(|code| convertible(code, &field.unit)).map(Some));
    let words = optional(words, |item| {
        if !state {
            item.fault("does not belong here", format!("\"{}\" is no state: remove it", field.name));
            return None;
        }
        read_words(item, &field.kind)
    });
    let mut all = own_words(&field.kind);
    all.extend(words?);
    Some((place?, unit?.unwrap_or_else(|| field.unit.clone()), all))
}

/// A unit that converts to the field's.
fn convertible(code: &str, to: &Unit) -> Result<Unit, String> {
    let unit = Unit::parse(code)?;
    if unit.converts_to(to) {
        return Ok(unit);
    }
    Err(format!("it is {}, and the field's \"{}\" is {}: write a unit of that", unit.dimension, to.code, to.dimension))
}

/// A state's words by themselves.
fn own_words(kind: &Kind) -> Words {
    match kind {
        Kind::State { values, .. } => values.iter().zip(0..).map(|(word, i)| (word.to_string(), i)).collect(),
        _ => Words::new(),
    }
}

fn read_words(item: &Item<'_>, kind: &Kind) -> Option<Words> {
    let own = own_words(kind);
    let known: Vec<&str> = own.keys().map(String::as_str).collect();
    let pair = |item: Item<'_>| {
        let index =
            item.parsed(|word| own.get(word).copied().ok_or_else(|| format!("write one of {}", known.join(", "))))?;
        Some((item.name.to_string(), index))
    };
    let pairs: Vec<Option<(String, i64)>> = item.section()?.rest().into_iter().map(pair).collect();
    pairs.into_iter().collect()
}
