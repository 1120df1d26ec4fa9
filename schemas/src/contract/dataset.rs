//! The keys of the dataset itself.

use super::section::{Item, Section};
use super::{Text, field, keep, names, source};
use crate::{Access, Dataset, Registry, Sensor, UnknownSensors, Zone};
use std::hash::BuildHasher;

const MAX_SENSORS: usize = 100_000;
const MOST_SENSORS: i64 = 10_000_000;

/// The dataset a file declares, or nothing where that has faults.
pub(super) fn read(root: &Section<'_>, text: &Text) -> Option<Dataset> {
    let id = root.need("id", "add id = \"…\", such as \"air_quality\"").and_then(|item| item.parsed(names::dataset));
    let title = root.need("title", "add title = { en = \"…\" }").as_ref().and_then(titles);
    let description = optional(root.take("description"), titles);
    let license =
        root.need("license", "add license = \"…\", an SPDX id such as \"CC-BY-4.0\"").and_then(|i| i.parsed(spdx));
    let publisher = root.need("publisher", "add publisher = \"…\"").and_then(|item| item.text());
    let access = optional_or(root.take("access"), Access::Public, |item| {
        item.one_of(&[("public", Access::Public), ("restricted", Access::Restricted)])
    });
    let zone =
        root.need("zone", "add zone = \"…\", such as \"Europe/Prague\"").and_then(|item| item.parsed(Zone::parse));
    let every = root.need("every", "add every = \"…\": a duration such as \"5m\", or \"event\"");
    let every = every.as_ref().and_then(keep::cadence);
    let sensors_file = optional(root.take("sensors"), |item| item.text().map(|file| Some(file.to_string())));
    let unknown_sensors = optional_or(root.take("unknown_sensors"), UnknownSensors::Accept, |item| {
        let found = item.one_of(&[("accept", UnknownSensors::Accept), ("refuse", UnknownSensors::Refuse)]);
        if found == Some(UnknownSensors::Refuse) && sensors_file == Some(None) {
            item.fault("is \"refuse\", and no registry file lists any sensor", "add sensors = \"….geojson\"");
        }
        found
    });
    let max_sensors = optional_or(root.take("max_sensors"), MAX_SENSORS, max_sensors);
    let keep = keep::keeps(root.take("keep"));
    let declared = field::read_all(root);
    let sources = source::read_all(root, id.as_deref().unwrap_or_default(), every, &declared);
    root.close();
    let sensors = registry(root, text, sensors_file.as_ref().is_some_and(Option::is_some));
    Some(Dataset {
        id: id?.into(),
        title: title?,
        description: description?,
        license: license?,
        publisher: publisher?.into(),
        access: access?,
        zone: zone?,
        every: every?,
        unknown_sensors: unknown_sensors?,
        max_sensors: max_sensors?,
        keep: keep?,
        fields: declared.into_iter().map(|declared| declared.field).collect::<Option<_>>()?,
        sources: sources?,
        sensors_file: sensors_file?,
        sensors: sensors?,
        version: version(text),
    })
}

/// What an optional key gives: its default where the key is missing, nothing where its value has faults.
pub(super) fn optional<T: Default>(item: Option<Item<'_>>, read: impl FnOnce(&Item<'_>) -> Option<T>) -> Option<T> {
    optional_or(item, T::default(), read)
}

/// [`optional`] with a default of one's own.
pub(super) fn optional_or<T>(
    item: Option<Item<'_>>,
    default: T,
    read: impl FnOnce(&Item<'_>) -> Option<T>,
) -> Option<T> {
    match item {
        Some(item) => read(&item),
        None => Some(default),
    }
}

/// A text (English) or a table of language tag to text.
pub(super) fn titles(item: &Item<'_>) -> Option<crate::Text> {
    if item.is_text() {
        return item.text().map(|text| [("en".to_string(), text.to_string())].into());
    }
    let section = item.section()?;
    let entries = section.rest();
    if entries.is_empty() {
        item.fault("is empty", "write { en = \"…\" }");
    }
    let pair = |item: Item<'_>| {
        let tag = item.name.split('-').next().unwrap_or_default();
        let right = (2..=3).contains(&tag.len()) && tag.bytes().all(|b| b.is_ascii_lowercase());
        if !right {
            item.fault("is not a language tag", "write \"en\", \"cs\", \"de\" or another BCP 47 tag");
        }
        Some((item.name.to_string(), item.text()?.to_string()))
    };
    let pairs: Vec<Option<(String, String)>> = entries.into_iter().map(pair).collect();
    pairs.into_iter().collect()
}

/// The form of an SPDX licence id, or an expression of such.
fn spdx(text: &str) -> Result<String, String> {
    let right = text.bytes().all(|b| b.is_ascii_alphanumeric() || b".+-".contains(&b));
    right.then(|| text.to_string()).ok_or_else(|| "write an SPDX id such as \"CC-BY-4.0\" or \"ODbL-1.0\"".into())
}

fn max_sensors(item: &Item<'_>) -> Option<usize> {
    let number = item.decimal()?;
    let whole = (number.scale == 0).then_some(number.mantissa).filter(|n| (1..=i128::from(MOST_SENSORS)).contains(n));
    if whole.is_none() {
        item.fault("is out of range", format!("write a whole number from 1 to {MOST_SENSORS}"));
    }
    whole.map(|number| number as usize)
}

/// The registry file's sensors; its faults are told with its own lines.
fn registry(root: &Section<'_>, text: &Text, named: bool) -> Option<Vec<Sensor>> {
    if !named {
        return Some(Vec::new());
    }
    let Some((file, content)) = &text.registry else {
        root.fault("the registry file `sensors` names was not read", "put it beside the contract");
        return None;
    };
    match content.as_deref().map(Registry::parse_geojson) {
        Ok(Ok(sensors)) => Some(sensors),
        Ok(Err(faults)) => {
            for (line, fault) in faults {
                let (wrong, remedy) = fault.split_once("; ").unwrap_or((&fault, "write a GeoJSON FeatureCollection"));
                root.page.fault_in(file, line, wrong, remedy);
            }
            None
        }
        Err(why) => {
            root.page.fault_in(
                file,
                0,
                format!("cannot be read: {why}"),
                "put it beside the contract, or remove `sensors`",
            );
            None
        }
    }
}

/// Hash of contract and registry text.
fn version(text: &Text) -> u64 {
    let registry = text.registry.as_ref().and_then(|(_, content)| content.as_deref().ok());
    foldhash::quality::FixedState::with_seed(0).hash_one((text.toml.as_str(), registry))
}
