//! The tables a question may name, as the worker is told of them.

use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// All tables one caller may read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Catalog {
    /// The tables.
    pub tables: Vec<Table>,
}

/// One table: a dataset's readings, or `sensors`, or `datasets`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Table {
    /// Its name in SQL.
    pub name: String,
    /// What it holds, a sentence.
    pub comment: String,
    /// Its columns, in order. A dataset's begin with `sensor` and `time`, then its fields.
    pub columns: Vec<Column>,
    /// Whether its rows come as [`Rows`](super::Rows) (a dataset), or as [`ToWorker::Records`](super::ToWorker::Records).
    pub series: bool,
}

/// One column.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Column {
    /// Its name in SQL.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: ColumnType,
    /// Title and unit.
    pub comment: String,
}

/// The type of a column in SQL, and how its values come.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnType {
    /// `text`. In a dataset: the sensor's number, by [`ToWorker::Names`](super::ToWorker::Names).
    Text,
    /// `timestamp with time zone`, microseconds since 1970 UTC.
    Time,
    /// `numeric`: integers of ten to the power of minus `scale`.
    Decimal {
        /// Digits past the point, 0 to 9.
        scale: u8,
    },
    /// `bigint`.
    Int,
    /// `double precision`.
    Float,
    /// `boolean`; in [`ToWorker::Records`](super::ToWorker::Records) only.
    Bool,
    /// `text`, by number: the state's place in the list.
    State {
        /// The states in the contract's order.
        states: Vec<Arc<str>>,
    },
}
