//! What is known of a dataset's sensors when dashboards are written: the attributes of its registry and its sources.

use schemas::Dataset;
use std::collections::{BTreeMap, BTreeSet};

/// Attributes by which people call a sensor.
const NAMES: [&str; 3] = ["name", "title", "label"];

/// An attribute of a dataset's sensors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Attribute {
    /// Its name: `street`.
    pub(crate) name: String,
    /// Whether two sensors or more share a value on average, so that grouping by it says something.
    pub(crate) shared: bool,
    /// Different values the registry has of it.
    values: usize,
}

/// The attributes of a dataset, by name.
pub(crate) fn of(dataset: &Dataset) -> Vec<Attribute> {
    let mut found: BTreeMap<&str, (usize, BTreeSet<&str>)> = BTreeMap::new();
    for sensor in &dataset.sensors {
        for (name, value) in sensor.attributes.last().into_iter().flat_map(|(_, set)| set) {
            let (sensors, values) = found.entry(name).or_default();
            *sensors += 1;
            values.insert(value);
        }
    }
    let told: BTreeSet<&str> =
        dataset.sources.iter().flat_map(|source| source.attributes.keys()).map(String::as_str).collect();
    for &name in &told {
        found.entry(name).or_default();
    }
    let attribute = |(name, (sensors, values)): (&str, (usize, BTreeSet<&str>))| Attribute {
        name: name.to_owned(),
        shared: told.contains(name) || 2 * values.len() <= sensors,
        values: values.len(),
    };
    found.into_iter().filter(|(name, _)| can_be_asked(name)).map(attribute).collect()
}

impl Attribute {
    /// The name of the variable that chooses one of its values.
    pub(crate) fn variable(&self) -> String {
        let slug = self.name.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' });
        format!("attribute_{}", slug.collect::<String>())
    }

    /// Whether people call a sensor by it.
    pub(crate) fn is_name(&self) -> bool {
        NAMES.contains(&self.name.as_str())
    }
}

/// The attribute by which a list is most telling: the street, else the one with most values.
pub(crate) fn most_telling(attributes: &[Attribute]) -> Option<&Attribute> {
    let shared = || attributes.iter().filter(|attribute| attribute.shared);
    shared().find(|attribute| attribute.name == "street").or_else(|| shared().max_by_key(|attribute| attribute.values))
}

/// Whether a name stands for itself in every place it is written to: paths of JSON, expressions, parameters.
fn can_be_asked(name: &str) -> bool {
    name.chars().all(|letter| letter.is_alphanumeric() || "_- ".contains(letter))
}
