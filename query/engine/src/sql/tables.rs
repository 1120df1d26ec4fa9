//! The tables a question may name: one per dataset, and two about them.

use super::catalog::{Catalog, Column, ColumnType, Table};
use schemas::{Dataset, Field, Kind, Text};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use store::Snapshot;

/// The table of sensors.
pub(super) const SENSORS: &str = "sensors";
/// Its column of all attributes.
pub(super) const ATTRIBUTES: &str = "attributes";

/// A column that is always there: name, type, comment.
type Fixed = (&'static str, ColumnType, &'static str);

/// Columns of `sensors` before those of attributes.
const SENSOR_COLUMNS: [Fixed; 9] = [
    ("dataset", ColumnType::Text, "the dataset, a table of that name"),
    ("sensor", ColumnType::Text, "id, unique in its dataset"),
    ("lon", ColumnType::Float, "degrees east"),
    ("lat", ColumnType::Float, "degrees north"),
    ("registered", ColumnType::Bool, "whether the registry lists it"),
    ("since", ColumnType::Time, "when it was registered, else its first reading"),
    ("retired", ColumnType::Time, "from when it is out of service"),
    ("last", ColumnType::Time, "its newest reading"),
    (ATTRIBUTES, ColumnType::Text, "all attributes as JSON"),
];

/// Columns of `datasets`.
const DATASET_COLUMNS: [Fixed; 12] = [
    ("id", ColumnType::Text, "the table's name"),
    ("title", ColumnType::Text, "title"),
    ("description", ColumnType::Text, "what it holds"),
    ("license", ColumnType::Text, "SPDX licence id"),
    ("publisher", ColumnType::Text, "who publishes it"),
    ("access", ColumnType::Text, "public or restricted"),
    ("zone", ColumnType::Text, "IANA zone of its civil days"),
    ("every_seconds", ColumnType::Decimal { scale: 6 }, "expected cadence of a sensor; null: when something happens"),
    ("sensors", ColumnType::Int, "sensors known"),
    ("first", ColumnType::Time, "start of the first day with readings"),
    ("last", ColumnType::Time, "newest reading"),
    ("fields", ColumnType::Text, "names of its fields by commas"),
];

/// The catalog of some datasets; `attributes` are the names of their sensors' attributes.
pub(super) fn catalog(datasets: &[Arc<Dataset>], attributes: &BTreeSet<String>) -> Catalog {
    let mut tables: Vec<Table> = datasets.iter().map(|dataset| readings(dataset)).collect();
    let named = attributes.iter().filter(|name| SENSOR_COLUMNS.iter().all(|(fixed, ..)| fixed != name));
    let named = named.map(|name| Column {
        name: name.clone(),
        kind: ColumnType::Text,
        comment: format!("attribute {name}, as it is now"),
    });
    tables.push(Table {
        name: SENSORS.to_owned(),
        comment: "what readings come from".to_owned(),
        columns: SENSOR_COLUMNS.iter().map(fixed).chain(named).collect(),
        series: false,
    });
    tables.push(Table {
        name: "datasets".to_owned(),
        comment: "what there is".to_owned(),
        columns: DATASET_COLUMNS.iter().map(fixed).collect(),
        series: false,
    });
    Catalog { tables }
}

fn fixed((name, kind, comment): &Fixed) -> Column {
    Column { name: (*name).to_owned(), kind: kind.clone(), comment: (*comment).to_owned() }
}

/// The table of a dataset's readings.
fn readings(dataset: &Dataset) -> Table {
    let keys = [
        ("sensor", ColumnType::Text, "the sensor's id in the table sensors"),
        ("time", ColumnType::Time, "when it was measured; of an interval its start"),
    ];
    let columns = keys.iter().map(fixed).chain(dataset.fields.iter().map(column)).collect();
    Table {
        name: dataset.id.to_string(),
        comment: english(&dataset.title).unwrap_or_default().to_owned(),
        columns,
        series: true,
    }
}

/// The column of a field.
fn column(field: &Field) -> Column {
    let title = english(&field.title).unwrap_or_default();
    let (kind, comment) = match &field.kind {
        Kind::State { values, .. } => (ColumnType::State { states: values.clone() }, title.to_owned()),
        kind => {
            let comment = format!("{title} in {}, {}", field.unit.code, kind.name());
            (ColumnType::Decimal { scale: field.resolution.scale() }, comment)
        }
    };
    Column { name: field.name.to_string(), kind, comment }
}

/// The English text, else the first there is.
pub(super) fn english(text: &Text) -> Option<&str> {
    text.get("en").or_else(|| text.values().next()).map(String::as_str)
}

/// The names of attributes by dataset, kept as long as the registry stays as it is: there may be 100,000 sensors to look at.
#[derive(Default)]
pub(super) struct Attributes(Mutex<BTreeMap<Arc<str>, Known>>);

/// A registry's version and the names in it.
type Known = (u64, Arc<BTreeSet<String>>);

impl Attributes {
    /// The names of the attributes that sensors of these snapshots have or had.
    pub(super) fn names(&self, snapshots: &[Arc<Snapshot>]) -> BTreeSet<String> {
        snapshots.iter().flat_map(|snapshot| self.of(snapshot).iter().cloned().collect::<Vec<_>>()).collect()
    }

    fn of(&self, snapshot: &Snapshot) -> Arc<BTreeSet<String>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let version = snapshot.registry.version;
        match kept.get(&snapshot.dataset.id) {
            Some((known, names)) if *known == version => names.clone(),
            _ => {
                let names: Arc<BTreeSet<String>> = Arc::new(crate::read::attributes(snapshot).cloned().collect());
                kept.insert(snapshot.dataset.id.clone(), (version, names.clone()));
                names
            }
        }
    }
}
