//! What a server and its SQL worker tell each other.
//!
//! The order: the worker says [`FromWorker::Ready`] once. Then, question by question: [`ToWorker::Ask`]; any number of scans;
//! [`FromWorker::Body`] pieces; and [`FromWorker::Done`] or [`FromWorker::Failed`], after which the worker is free again.
//! A scan: [`FromWorker::Scan`] starts it with one piece of credit, [`FromWorker::More`] gives credit for one more, so at most
//! as many pieces are under way as the worker has asked for. [`ToWorker::Names`] costs no credit. [`ToWorker::End`] ends it;
//! [`FromWorker::Close`] says that no more is wanted, after which pieces may still arrive and are ignored. Scan numbers are
//! unique within the life of a worker. A worker is never told to stop a question: it is killed.

use super::Catalog;
use serde::{Deserialize, Serialize};

/// From server to worker.
#[derive(Clone, Debug, PartialEq)]
pub enum ToWorker {
    /// A question.
    Ask(Box<Ask>),
    /// Ids of the sensors that later [`Rows`] of the scan name by their place here, until the next such list takes its place.
    Names {
        /// The scan.
        scan: u32,
        /// The ids.
        ids: Vec<String>,
    },
    /// Rows of a dataset's scan.
    Rows(Rows),
    /// Rows of another table's scan: values in the order of [`Scan::columns`], as JSON; decimals and integers as numbers,
    /// times as microseconds, null where there is none.
    Records {
        /// The scan.
        scan: u32,
        /// The rows.
        rows: Vec<Vec<serde_json::Value>>,
    },
    /// A scan has no more rows, or failed.
    End {
        /// The scan.
        scan: u32,
        /// Why it failed; the answer to the question is then this failure.
        error: Option<Failure>,
    },
}

/// A question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ask {
    /// The SQL text.
    pub text: String,
    /// The instant `now()` stands for, microseconds.
    pub now: i64,
    /// The tables it may name.
    pub catalog: Catalog,
    /// What it may cost.
    pub limits: Limits,
    /// How the answer is to be written.
    pub format: Format,
}

/// What a question may cost. Time is not here: the server kills a worker that takes too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Rows of the answer; one more is an error.
    pub rows: u64,
    /// Bytes of the answer as written; one more is an error.
    pub bytes: u64,
    /// Bytes the operators may hold.
    pub memory: u64,
}

/// How an answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Rows as JSON objects with a comma between two, without the brackets of a list.
    Json,
    /// CSV by RFC 4180 with a header row, as `query/serve` writes it.
    Csv,
}

/// From worker to server.
#[derive(Clone, Debug, PartialEq)]
pub enum FromWorker {
    /// The worker has started.
    Ready,
    /// Wants rows.
    Scan(Scan),
    /// Wants one more piece of a scan.
    More {
        /// The scan.
        scan: u32,
    },
    /// Wants no more of a scan.
    Close {
        /// The scan.
        scan: u32,
    },
    /// The columns of the answer, before its first piece: name and PostgreSQL's name of the type.
    Head {
        /// The columns.
        columns: Vec<(String, String)>,
    },
    /// A piece of the answer.
    Body(bytes::Bytes),
    /// The answer is whole.
    Done {
        /// Its rows.
        rows: u64,
    },
    /// There is no answer; what was sent of it counts for nothing.
    Failed(Failure),
}

/// Rows a worker wants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scan {
    /// Its number.
    pub scan: u32,
    /// The table.
    pub table: String,
    /// Which columns, as places in [`Table::columns`](super::Table::columns), ascending; none: only how many rows there are.
    pub columns: Vec<usize>,
    /// Only these sensors.
    pub sensors: Option<Vec<String>>,
    /// Only rows from this instant on, microseconds.
    pub from: Option<i64>,
    /// Only rows before this instant, microseconds.
    pub to: Option<i64>,
    /// No more rows than this are needed.
    pub limit: Option<u64>,
}

/// Rows of a dataset, sorted by (sensor, time) within a piece; no key comes twice in a scan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    /// The scan.
    pub scan: u32,
    /// How many.
    pub rows: u32,
    /// Runs of rows of one sensor: its place in [`ToWorker::Names`] and the run's length. Empty when `sensor` is not wanted.
    pub runs: Vec<(u32, u32)>,
    /// For each wanted column but `sensor` its values, `rows` each; [`schemas::ABSENT`] stands for null.
    pub columns: Vec<Vec<i64>>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What sort of failure.
    pub fault: Fault,
    /// What was wrong, with its place in the text where that is known.
    pub message: String,
    /// What would be right.
    pub accepted: Vec<String>,
}

/// What sort of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The text is not SQL.
    Syntax,
    /// There is no such table.
    NoTable,
    /// There is no such column.
    NoColumn,
    /// There is no such function, or not one that may be called.
    NoFunction,
    /// The statement is SQL, but not of the kind that is answered here.
    Refused,
    /// Types that do not fit, and whatever else planning finds wrong.
    Mismatch,
    /// The question is too large: its text, its tree, or its answer.
    TooMuch,
    /// It needs more memory than it may have.
    Memory,
    /// It took longer than it may.
    Timeout,
    /// A division by zero.
    Division,
    /// A value that cannot be what it is to be: a cast, an overflow.
    Value,
    /// The worker's own fault.
    Internal,
}
