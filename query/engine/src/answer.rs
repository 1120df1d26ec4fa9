//! Answers: rows in columns, how they were made, and what they rest on.

use schemas::sensor::Attributes;
use schemas::{Day, Resolution, Text, Time, Zone};
use std::sync::Arc;
use store::Stamp;

/// An answer. All columns have `rows` values.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// How it was made and what it rests on.
    pub meta: Meta,
    /// Its columns, in the order they are published.
    pub columns: Vec<Column>,
    /// Rows.
    pub rows: usize,
}

/// A column, by the name it has in JSON, CSV and SQL.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Snake-case name: `co2_mean`.
    pub name: String,
    /// A value or null per row.
    pub values: Values,
}

/// Values of a column, one or null per row.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Instants, published with the zone's offset.
    Time {
        /// The zone.
        zone: Zone,
        /// The instants.
        values: Vec<Option<Time>>,
    },
    /// Words.
    Text(Vec<Option<Arc<str>>>),
    /// Whole numbers.
    Int(Vec<Option<i64>>),
    /// Exact decimals: mantissa × 10^-scale. `schemas::decimal::text` writes them.
    Decimal {
        /// Digits after the point.
        scale: u32,
        /// The mantissas.
        values: Vec<Option<i128>>,
    },
    /// Degrees of places.
    Real(Vec<Option<f64>>),
    /// Yes or no.
    Bool(Vec<Option<bool>>),
    /// Words by name: attributes, titles by language.
    Map(Vec<Option<Attributes>>),
    /// The fields of datasets.
    Fields(Vec<Option<Vec<FieldInfo>>>),
    /// Lists of words.
    List(Vec<Option<Vec<String>>>),
}

impl Values {
    /// How many.
    pub fn len(&self) -> usize {
        match self {
            Values::Time { values, .. } => values.len(),
            Values::Text(values) => values.len(),
            Values::Int(values) => values.len(),
            Values::Decimal { values, .. } => values.len(),
            Values::Real(values) => values.len(),
            Values::Bool(values) => values.len(),
            Values::Map(values) => values.len(),
            Values::Fields(values) => values.len(),
            Values::List(values) => values.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// How an answer was made and what it rests on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Meta {
    /// Dataset id; nothing where the answer is about several.
    pub dataset: Option<Arc<str>>,
    /// First instant, after widening.
    pub from: Option<Time>,
    /// First instant after, after widening.
    pub to: Option<Time>,
    /// Whether `from` or `to` were widened to whole buckets.
    pub widened: bool,
    /// Width of a row: `15m`, `day`.
    pub bucket: Option<String>,
    /// What makes a row besides the bucket: `sensor`, `none`, an attribute.
    pub group: Option<String>,
    /// Zone of the times in the answer and of civil buckets.
    pub tz: Option<Zone>,
    /// What the value columns are.
    pub fields: Vec<MetaField>,
    /// Tiers read, the coarsest first, `raw` at last: `1d`, `1h`, `15m`, `raw`.
    pub tiers: Vec<&'static str>,
    /// The last change of the days read.
    pub stamp: Option<Stamp>,
    /// Up to here answers no longer change by readings that arrive on time.
    pub complete_until: Option<Time>,
    /// Days below `complete_until` with changes that are not yet in every tier; at most ten.
    pub dirty_days: Vec<Day>,
    /// SPDX licence id.
    pub license: Option<String>,
    /// Who publishes the dataset.
    pub publisher: Option<String>,
    /// `cursor` of the next page; nothing on the last.
    pub next: Option<String>,
}

/// What a value column is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetaField {
    /// The column.
    pub column: String,
    /// The field.
    pub field: Arc<str>,
    /// The function, nothing for plain values: `mean`.
    pub function: Option<String>,
    /// Unit of the column's values (UCUM); nothing for counts of readings and words.
    pub unit: Option<String>,
    /// Whether values are read from bins, and off by [`schemas::sketch::ERROR`] at most.
    pub by_sketch: bool,
}

/// A field of a dataset, for people and programs that want to ask.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldInfo {
    /// Its name.
    pub name: Arc<str>,
    /// Title by language.
    pub title: Text,
    /// UCUM code.
    pub unit: String,
    /// How people write the unit.
    pub symbol: String,
    /// Kind: `gauge`.
    pub kind: &'static str,
    /// Step of its values.
    pub resolution: Resolution,
    /// Valid values in steps, both ends included; nothing for states.
    pub range: Option<(i64, i64)>,
    /// Words of a state.
    pub values: Vec<Arc<str>>,
    /// Functions that aggregates accept for it: `mean`.
    pub functions: Vec<String>,
}
