//! `[[field]]`: name, unit, kind, resolution and range.

use super::dataset::{optional_or, titles};
use super::section::{Item, Section};
use super::{keep, names};
use crate::time::HOUR;
use crate::{Decimal, Field, Kind, Resolution, Text, Unit};
use std::sync::Arc;

/// Steps a field's values may be away from zero: 18 digits, what DECIMAL in an INT64 holds for every reader.
const MOST_STEPS: i64 = 999_999_999_999_999_999;
/// Decibels energies are kept for.
const LEVELS: (i64, i64) = (-120, 180);

/// A field's name, and the field itself where it has no faults: sources may name either.
pub(super) struct Declared {
    pub(super) name: String,
    pub(super) field: Option<Field>,
}

/// All fields, in the file's order.
pub(super) fn read_all(root: &Section<'_>) -> Vec<Declared> {
    let items = root
        .need("field", "add a [[field]] for each measured quantity")
        .and_then(|item| item.list())
        .unwrap_or_default();
    let sections: Vec<Section<'_>> = items.iter().enumerate().filter_map(|(i, item)| named(item, i)).collect();
    let texts: Vec<&str> =
        sections.iter().map(|section| section.peek_text("name").map_or("", |(name, _)| name)).collect();
    let mut all = Vec::new();
    for (i, section) in sections.into_iter().enumerate() {
        let name = section.need("name", "add name = \"…\", such as \"co2\"").and_then(|item| name(&item, &texts, i));
        let field = read(&section, name.as_deref().unwrap_or(texts[i]));
        section.close();
        all.push(Declared { name: texts[i].into(), field: field.filter(|_| name.is_some()) });
    }
    all
}

/// The section of a field under its name, or its number where it has none.
fn named<'a>(item: &Item<'a>, i: usize) -> Option<Section<'a>> {
    let section = item.section()?;
    let of = section.peek_text("name").map_or(format!(" of field {i}"), |(name, _)| format!(" of field \"{name}\""));
    Some(section.named(of))
}

/// A name that no other field has or could be mistaken for.
fn name(item: &Item<'_>, all: &[&str], i: usize) -> Option<String> {
    let name = item.parsed(names::column)?;
    if all[..i].contains(&name.as_str()) {
        item.fault("is an earlier field's", "give each field a name of its own");
        return None;
    }
    if let Some((field, function)) = names::mistaken(&name, all) {
        item.fault(format!("would be mistaken for {function} of \"{field}\""), "take another word");
        return None;
    }
    Some(name)
}

/// Kind as the contract writes it.
#[derive(Clone, Copy, PartialEq)]
enum Word {
    Gauge,
    Count,
    Cumulative,
    State,
    Level,
    Angle,
}

const KINDS: [(&str, Word); 6] = [
    ("gauge", Word::Gauge),
    ("count", Word::Count),
    ("cumulative", Word::Cumulative),
    ("state", Word::State),
    ("level", Word::Level),
    ("angle", Word::Angle),
];

fn read(section: &Section<'_>, name: &str) -> Option<Field> {
    let kind =
        section.need("kind", "add kind = \"gauge\", \"count\", \"cumulative\", \"state\", \"level\" or \"angle\"");
    let word = kind.as_ref().and_then(|item| item.one_of(&KINDS));
    let title = optional_or(section.take("title"), Text::from([("en".into(), name.to_string())]), titles);
    if word == Some(Word::State) {
        return state(section, name, title);
    }
    if word.is_some() {
        section.refuse("values", "words are for kind \"state\": remove it, or change the kind");
        section.refuse("hold", "only a state is held: remove it, or change the kind");
    } else {
        for key in ["values", "hold"] {
            section.take(key); // the kind is fault enough
        }
    }
    let quantiles = if matches!(word, Some(Word::Cumulative | Word::Angle)) {
        section.refuse("quantiles", "quantiles are of kinds \"gauge\", \"count\" and \"level\": remove it");
        Some(false)
    } else {
        optional_or(section.take("quantiles"), false, |item| item.truth())
    };
    let unit_item = section.need("unit", "add unit = \"…\", a UCUM code such as \"ppm\"");
    let unit = unit_item.as_ref().and_then(|item| item.parsed(Unit::parse));
    let unit = unit.filter(|unit| unit_item.as_ref().zip(word).is_none_or(|(item, word)| fits(item, unit, word)));
    let resolution =
        optional_or(section.take("resolution"), Resolution::of_scale(0), |item| resolution(item).map(Some)).flatten();
    let range_item = section.need("range", "add range = [least, greatest], the valid values");
    let range = range_item.as_ref().zip(resolution).and_then(|(item, resolution)| range(item, resolution, word));
    let kind = match word? {
        Word::Gauge => Kind::Gauge,
        Word::Count => Kind::Count,
        Word::Cumulative => Kind::Cumulative,
        Word::Level => Kind::Level,
        Word::Angle => Kind::Angle,
        Word::State => return None,
    };
    Some(Field {
        name: name.into(),
        title: title?,
        unit: unit?,
        kind,
        resolution: resolution?,
        range: range?,
        quantiles: quantiles?,
    })
}

/// Whether a unit can be the unit of that kind.
fn fits(item: &Item<'_>, unit: &Unit, word: Word) -> bool {
    let (right, remedy) = match word {
        Word::Level => (
            unit.code.starts_with("dB"),
            "a level is in decibels: write \"dB[A]\", \"dB\", \"dB[SPL]\" or change the kind",
        ),
        Word::Angle => (unit.code == "deg", "an angle is in degrees: write \"deg\" or change the kind"),
        _ => (true, ""),
    };
    if !right {
        item.fault(format!("is \"{}\"", unit.code), remedy);
    }
    right
}

/// A state: its words are its range.
fn state(section: &Section<'_>, name: &str, title: Option<Text>) -> Option<Field> {
    section.refuse("resolution", "a state's values are its words: remove it");
    section.refuse("range", "a state's values are its words: remove it");
    section.refuse("quantiles", "words have no quantiles: remove it");
    let unit = optional_or(section.take("unit"), Unit::parse("1").ok(), |item| {
        let right = item.text()? == "1";
        if !right {
            item.fault("does not belong to a state", "remove it, or write \"1\"");
        }
        right.then(|| Unit::parse("1").ok())
    });
    let values = section
        .need("values", "add values = [\"free\", \"occupied\"], the words it can have")
        .and_then(|item| words(&item));
    let hold = optional_or(section.take("hold"), 24 * HOUR, keep::hold);
    let values = values?;
    Some(Field {
        name: name.into(),
        title: title?,
        unit: unit??,
        range: (0, values.len() as i64 - 1),
        kind: Kind::State { values, hold: hold? },
        resolution: Resolution::of_scale(0)?,
        quantiles: false,
    })
}

fn words(item: &Item<'_>) -> Option<Vec<Arc<str>>> {
    let texts = item.texts()?;
    let blank = texts.iter().any(|text| text.trim().is_empty() || text.len() > 100);
    let twice = texts.iter().enumerate().any(|(i, text)| texts[..i].contains(text));
    if texts.len() < 2 || texts.len() > 1000 || blank || twice {
        item.fault("is no list of words", "write two or more words, each once, such as [\"free\", \"occupied\"]");
        return None;
    }
    Some(texts.into_iter().map(Arc::from).collect())
}

fn resolution(item: &Item<'_>) -> Option<Resolution> {
    let number = item.decimal()?;
    let scales = 0..=Resolution::MAX_SCALE;
    let one = scales.into_iter().filter_map(Resolution::of_scale).find(|resolution| {
        let steps = 10_i128.checked_pow(number.scale.unsigned_abs()).filter(|_| number.scale >= 0);
        steps.is_some_and(|steps| number.mantissa.checked_mul(resolution.steps().into()) == Some(steps))
    });
    if one.is_none() {
        item.fault(
            "is not a power of ten from 1 down to 0.000001",
            "write 1, 0.1, 0.01, 0.001, 0.0001, 0.00001 or 0.000001",
        );
    }
    one
}

/// Both ends in whole steps, in order, and such as the kind can have.
fn range(item: &Item<'_>, resolution: Resolution, word: Option<Word>) -> Option<(i64, i64)> {
    let items = item.list()?;
    let [low, high] = items.as_slice() else {
        item.fault(format!("has {} numbers", items.len()), "write two: [least, greatest]");
        return None;
    };
    let (low, high) = (low.decimal().map(|n| steps(n, resolution)), high.decimal().map(|n| steps(n, resolution)));
    let (Some(low), Some(high)) = (low?, high?) else {
        item.fault(
            format!("is not in whole steps of {resolution}, or beyond 18 digits of them"),
            "write limits in whole steps of the resolution, or choose another resolution",
        );
        return None;
    };
    let one = resolution.steps();
    let (least, greatest, remedy) = match word {
        Some(Word::Count) => (0, i64::MAX, "a count is 0 or more: begin the range there, or choose kind \"gauge\""),
        Some(Word::Cumulative) => {
            (0, i64::MAX, "a meter only grows from 0: begin the range there, or choose kind \"gauge\"")
        }
        Some(Word::Angle) => (-360 * one, 360 * one, "write degrees from -360 to 360, such as [0, 360]"),
        Some(Word::Level) => (LEVELS.0 * one, LEVELS.1 * one, "write decibels from -120 to 180, such as [20, 140]"),
        _ => (i64::MIN, i64::MAX, ""),
    };
    let (wrong, remedy) = match () {
        () if low >= high => ("is empty", "write the least value first, then a greater one"),
        () if low < least || high > greatest => ("is not one its kind can have", remedy),
        () => return Some((low, high)),
    };
    item.fault(wrong, remedy);
    None
}

/// A number in whole steps, if it is so and they fit 18 digits.
fn steps(number: Decimal, resolution: Resolution) -> Option<i64> {
    let surplus = number.scale - i32::from(resolution.scale());
    let power = 10_i128.checked_pow(surplus.unsigned_abs())?;
    let steps = match surplus {
        1.. => (number.mantissa % power == 0).then_some(number.mantissa / power)?,
        _ => number.mantissa.checked_mul(power)?,
    };
    i64::try_from(steps).ok().filter(|steps| steps.abs() <= MOST_STEPS)
}
