//! Entries of a Delta log: one JSON object per line, one action each.
//! Format: <https://github.com/delta-io/delta/blob/master/PROTOCOL.md#actions>.

use super::{App, Commit, Of};
use crate::file::FileMeta;
use crate::paths::FileName;
use crate::{Error, Kind, Position};
use bytes::Bytes;
use schemas::Time;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// One line; an action Lamppost has no use for leaves all empty.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Line {
    pub(super) add: Option<Add>,
    pub(super) remove: Option<Remove>,
    pub(super) txn: Option<Txn>,
    pub(super) protocol: Option<Protocol>,
    pub(super) meta_data: Option<Metadata>,
    pub(super) commit_info: Option<Info>,
}

/// A file that joins.
#[derive(Debug, Deserialize)]
pub(super) struct Add {
    pub(super) path: String,
    pub(super) size: u64,
    pub(super) stats: Option<String>,
}

/// A file that leaves.
#[derive(Debug, Deserialize)]
pub(super) struct Remove {
    pub(super) path: String,
}

/// An application transaction.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Txn {
    pub(super) app_id: String,
    pub(super) version: i64,
}

/// What a reader and a writer must know.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Protocol {
    pub(super) min_reader_version: i32,
    pub(super) min_writer_version: i32,
}

/// The table's own: its id and columns.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Metadata {
    pub(super) id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    #[serde(default = "parquet")]
    pub(super) format: Value,
    pub(super) schema_string: String,
    pub(super) partition_columns: Vec<String>,
    #[serde(default)]
    pub(super) configuration: BTreeMap<String, String>,
    pub(super) created_time: Option<i64>,
}

/// The format of all tables.
pub(super) fn parquet() -> Value {
    json!({"provider": "parquet", "options": {}})
}

/// What the committer says of its commit.
#[derive(Debug, Deserialize)]
pub(super) struct Info {
    /// Tells whose an entry is when an answer got lost.
    pub(super) nonce: Option<String>,
    /// [`Commit::info`].
    pub(super) lamppost: Option<Value>,
}

/// Figures of a file in an entry.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stats {
    num_records: u64,
    min_values: Bounds,
    max_values: Bounds,
}

/// One end of a file's keys. More columns may stand there; they are not ours.
#[derive(Debug, Serialize, Deserialize)]
struct Bounds {
    sensor: String,
    time: String,
}

impl Add {
    /// The file, if it is one of ours; says what is wrong with it otherwise.
    pub(super) fn file(&self, of: &Of) -> Result<FileMeta, String> {
        let name = file_name(of, &self.path)?;
        let stats = self.stats.as_deref().ok_or("it has no statistics")?;
        let stats: Stats = serde_json::from_str(stats).map_err(|e| format!("its statistics: {e}"))?;
        let instant = |text: &str| {
            let time: jiff::Timestamp = text.parse().map_err(|e| format!("its statistics: {e}"))?;
            Ok::<_, String>(time.as_microsecond())
        };
        Ok(FileMeta {
            name,
            bytes: self.size,
            rows: stats.num_records,
            min_time: instant(&stats.min_values.time)?,
            max_time: instant(&stats.max_values.time)?,
            min_sensor: stats.min_values.sensor,
            max_sensor: stats.max_values.sensor,
        })
    }
}

/// The name behind a path of an entry, which is relative to the table's folder.
pub(super) fn file_name(of: &Of, path: &str) -> Result<FileName, String> {
    let name = FileName::parse(&format!("{}/{path}", of.name()));
    name.ok_or_else(|| format!("file {path} was not written by Lamppost, which must be the table's one writer"))
}

/// Path of a file in an entry.
fn path(of: &Of, name: &FileName) -> String {
    let path = name.path();
    path.strip_prefix(of.name()).and_then(|rest| rest.strip_prefix('/')).unwrap_or(&path).to_owned()
}

/// An add action.
fn add(of: &Of, file: &FileMeta, now: i64, data_change: bool) -> Value {
    let bounds = |sensor: &str, time| Bounds { sensor: sensor.to_owned(), time: Time(time).to_string() };
    let stats = Stats {
        num_records: file.rows,
        min_values: bounds(&file.min_sensor, file.min_time),
        max_values: bounds(&file.max_sensor, file.max_time),
    };
    json!({"add": {
        "path": path(of, &file.name),
        "partitionValues": {of.column(): file.name.day.to_string()},
        "size": file.bytes,
        "modificationTime": now,
        "dataChange": data_change,
        "stats": json!(stats).to_string(),
    }})
}

fn remove(of: &Of, file: &FileMeta, now: i64, data_change: bool) -> Value {
    json!({"remove": {
        "path": path(of, &file.name),
        "deletionTimestamp": now,
        "dataChange": data_change,
        "extendedFileMetadata": true,
        "partitionValues": {of.column(): file.name.day.to_string()},
        "size": file.bytes,
    }})
}

fn info(operation: &str, nonce: &str, now: i64, lamppost: Option<&Value>) -> Value {
    json!({"commitInfo": {
        "timestamp": now,
        "operation": operation,
        "operationParameters": {"mode": "Append"},
        "engineInfo": concat!("lamppost/", env!("CARGO_PKG_VERSION")),
        "nonce": nonce,
        "lamppost": lamppost,
    }})
}

/// The entry of a commit. `removed` are the files that leave, as the manifest has them.
pub(super) fn of_commit(of: &Of, commit: &Commit, removed: &[&FileMeta], nonce: &str, now: i64) -> Bytes {
    let known = (!commit.info.is_null()).then_some(&commit.info);
    let mut lines = vec![info("WRITE", nonce, now, known)];
    for (app, position) in &commit.transactions {
        lines.push(json!({"txn": {"appId": app.to_string(), "version": position.0, "lastUpdated": now}}));
    }
    lines.extend(removed.iter().map(|file| remove(of, file, now, commit.data_change)));
    lines.extend(commit.adds.iter().map(|file| add(of, file, now, commit.data_change)));
    text(&lines)
}

/// The entry that creates a table, or gives it other columns.
pub(super) fn of_metadata(metadata: &Metadata, create: bool, nonce: &str, now: i64) -> Bytes {
    let operation = if create { "CREATE TABLE" } else { "ADD COLUMN" };
    let mut lines = vec![info(operation, nonce, now, None)];
    if create {
        lines.push(json!({"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}}));
    }
    lines.push(json!({"metaData": metadata}));
    text(&lines)
}

fn text(lines: &[Value]) -> Bytes {
    let lines: Vec<String> = lines.iter().map(Value::to_string).collect();
    Bytes::from(lines.join("\n") + "\n")
}

/// The lines of an entry.
pub(super) fn parse(of: &Of, version: u64, bytes: &[u8]) -> Result<Vec<Line>, Error> {
    let lines = bytes.split(|b| *b == b'\n').filter(|line| !line.trim_ascii().is_empty());
    let parsed = lines.map(serde_json::from_slice).collect::<Result<_, _>>();
    parsed.map_err(|e| corrupt(of, version, format!("its log entry cannot be read: {e}")))
}

/// An error about a version of a table.
pub(super) fn corrupt(of: &Of, version: u64, fault: impl std::fmt::Display) -> Error {
    Error::new(Kind::Corrupt, format!("table {of}, version {version}: {fault}"))
}

impl Txn {
    /// The transaction, if it is one of ours.
    pub(super) fn ours(&self) -> Option<(App, Position)> {
        Some((App::parse(&self.app_id)?, Position(u64::try_from(self.version).ok()?)))
    }
}
