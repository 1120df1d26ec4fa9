//! What a record carries, as bytes. A batch names its dataset and fields, so the contract may change between writing and reading.
//!
//! - batch: dataset, sensors (count, ids), rows, sensor column, time column, fields (count; name and column each; those
//!   without any value are left out), notes, marks.
//! - rejects: count, then each: source, topic, hash, reason's name, field, detail, payload, time.
//! - erasure: dataset, sensor, first instant, instant after the last, fields (count, names), when, who, rows.
//! - days that go: dataset, days (count, and for each its days since 1970).
//!
//! Texts and counts as in [`super::wire`], columns as in [`super::column`]; a note is JSON, since there
//! are few and they will learn to say more.

use super::Entry;
use super::column;
use super::wire::{Bytes, Malformed, put_bytes, put_count, put_u64};
use crate::going::Going;
use crate::{Erasure, Error, Kind};
use schemas::{ABSENT, Batch, Dataset, Day, Mark, Note, Reason, Reject, Span, Time};
use serde::Deserialize;
use serde::de::value::{Error as NoReason, StrDeserializer};
use std::sync::Arc;

/// Kind byte of a record that carries nothing but its note.
pub(super) const NOTE: u8 = 0;
/// Kind byte of a batch.
pub(super) const BATCH: u8 = 1;
/// Kind byte of rejects.
pub(super) const REJECTS: u8 = 2;
/// Kind byte of an erasure (rule 14).
pub(super) const ERASURE: u8 = 3;
/// Kind byte of days that go (rule 16).
pub(super) const GOING: u8 = 4;

/// Why a body cannot be read.
#[derive(Debug)]
pub(super) enum Unread {
    /// Its bytes are not what any Lamppost writes.
    Malformed(Malformed),
    /// A newer Lamppost wrote it.
    Kind(u8),
}

impl From<Malformed> for Unread {
    fn from(malformed: Malformed) -> Unread {
        Unread::Malformed(malformed)
    }
}

/// Reads a body.
pub(super) fn take(kind: u8, body: &[u8], datasets: &[Arc<Dataset>]) -> Result<Entry, Unread> {
    let mut bytes = Bytes(body);
    let entry = match kind {
        BATCH => take_batch(&mut bytes, datasets)?,
        REJECTS => Entry::Rejects(take_rejects(&mut bytes)?),
        ERASURE => take_erasure(&mut bytes, datasets)?,
        GOING => take_going(&mut bytes, datasets)?,
        other => return Err(Unread::Kind(other)),
    };
    match entry {
        Entry::Foreign { .. } => Ok(entry),
        _ => bytes.end().map(|()| entry).map_err(Unread::from),
    }
}

/// The kind of an entry's record; nothing if it needs none.
pub(super) fn kind(entry: &Entry) -> Option<u8> {
    match entry {
        Entry::Batch(batch) => (!batch.is_empty() || !batch.marks.is_empty()).then_some(BATCH),
        Entry::Rejects(rejects) => (!rejects.is_empty()).then_some(REJECTS),
        Entry::Erase(_) => Some(ERASURE),
        Entry::Going(_) => Some(GOING),
        Entry::Foreign { .. } => None,
    }
}

/// Appends the body of an entry that needs a record.
pub(super) fn put(out: &mut Vec<u8>, entry: &Entry) {
    match entry {
        Entry::Batch(batch) => put_batch(out, batch),
        Entry::Rejects(rejects) => put_rejects(out, rejects),
        Entry::Erase(erasure) => put_erasure(out, erasure),
        Entry::Going(going) => put_going(out, going),
        Entry::Foreign { .. } => {}
    }
}

/// Appends a batch whose columns are as long as its rows and whose sensor numbers are those of its sensors.
pub(super) fn put_batch(out: &mut Vec<u8>, batch: &Batch) {
    put_bytes(out, batch.dataset.id.as_bytes());
    put_count(out, batch.sensors.len());
    for sensor in &batch.sensors {
        put_bytes(out, sensor.as_bytes());
    }
    put_count(out, batch.len());
    if !batch.time.is_empty() {
        column::put_solid(out, batch.sensor.iter().map(|&sensor| i64::from(sensor)));
        column::put_solid(out, batch.time.iter().copied());
        let fields = batch.dataset.fields.iter().zip(&batch.columns);
        let filled = fields.filter(|(_, column)| column.iter().any(|&value| value != ABSENT));
        put_count(out, filled.clone().count());
        for (field, column) in filled {
            put_bytes(out, field.name.as_bytes());
            column::put(out, column.iter().copied());
        }
    }
    put_count(out, batch.notes.len());
    for note in &batch.notes {
        // Only a map with keys that are no texts could fail.
        put_bytes(out, &serde_json::to_vec(note).unwrap_or_default());
    }
    put_count(out, batch.marks.len());
    for mark in &batch.marks {
        put_u64(out, mark.hash);
        put_u64(out, mark.time.0 as u64);
    }
}

/// Reads a batch, or says that the contracts do not know it.
fn take_batch(bytes: &mut Bytes<'_>, datasets: &[Arc<Dataset>]) -> Result<Entry, Malformed> {
    let id = bytes.text()?;
    let Some(dataset) = datasets.iter().find(|dataset| &*dataset.id == id) else {
        return Ok(foreign(id, "but no contract declares it"));
    };
    let mut batch = Batch::new(dataset.clone());
    batch.sensors = (0..bytes.count()?).map(|_| bytes.text().map(Arc::from)).collect::<Result<_, _>>()?;
    let rows = bytes.count()?;
    if rows > 0
        && let Some(unknown) = take_rows(bytes, rows, &mut batch)?
    {
        return Ok(foreign(id, &format!("with the field {unknown}, which its contract no longer has")));
    }
    batch.notes = (0..bytes.count()?).map(|_| take_note(bytes)).collect::<Result<_, _>>()?;
    batch.marks = (0..bytes.count()?)
        .map(|_| Ok(Mark { hash: bytes.u64()?, time: Time(bytes.i64()?) }))
        .collect::<Result<_, Malformed>>()?;
    Ok(Entry::Batch(batch))
}

/// Reads keys and fields of at least one row. Gives back the name of a field that the dataset does not have.
fn take_rows<'a>(bytes: &mut Bytes<'a>, rows: usize, batch: &mut Batch) -> Result<Option<&'a str>, Malformed> {
    let sensors = batch.sensors.len();
    let number = |value: i64| u32::try_from(value).ok().filter(|&sensor| (sensor as usize) < sensors);
    batch.sensor = column::take_solid(bytes, rows)?
        .into_iter()
        .map(|value| number(value).ok_or(Malformed("a row names a sensor that is not listed")))
        .collect::<Result<_, _>>()?;
    batch.time = column::take_solid(bytes, rows)?;
    for _ in 0..bytes.count()? {
        let name = bytes.text()?;
        let Some((field, _)) = batch.dataset.field(name) else {
            return Ok(Some(name));
        };
        if !batch.columns[field].is_empty() {
            return Err(Malformed("a field comes twice"));
        }
        batch.columns[field] = column::take(bytes, rows)?;
    }
    for column in batch.columns.iter_mut().filter(|column| column.is_empty()) {
        *column = vec![ABSENT; rows];
    }
    Ok(None)
}

/// A batch that the contracts cannot read, with the error for when it is needed.
fn foreign(dataset: &str, why: &str) -> Entry {
    let message = format!(
        "the log holds records of the dataset {dataset} {why}; \
         put it back until they are filed (a clean stop files everything), then take it out"
    );
    Entry::Foreign { dataset: dataset.to_owned(), why: Error::new(Kind::Mismatch, message) }
}

/// Reads what a payload said of its sensor.
fn take_note(bytes: &mut Bytes<'_>) -> Result<Note, Malformed> {
    // By way of a Value, whose numbers keep their digits, so that coordinates come back bit for bit.
    let value: serde_json::Value =
        serde_json::from_slice(bytes.bytes()?).map_err(|_| Malformed("a note is not JSON"))?;
    serde_json::from_value(value).map_err(|_| Malformed("a note is not what this version writes"))
}

/// Appends rejects.
pub(super) fn put_rejects(out: &mut Vec<u8>, rejects: &[Reject]) {
    put_count(out, rejects.len());
    for reject in rejects {
        put_bytes(out, reject.source.as_bytes());
        put_bytes(out, reject.topic.as_bytes());
        put_u64(out, reject.hash);
        put_bytes(out, reject.reason.name().as_bytes());
        put_bytes(out, reject.field.as_bytes());
        put_bytes(out, reject.detail.as_bytes());
        put_bytes(out, &reject.payload);
        put_u64(out, reject.time.0 as u64);
    }
}

/// Reads rejects.
fn take_rejects(bytes: &mut Bytes<'_>) -> Result<Vec<Reject>, Malformed> {
    (0..bytes.count()?).map(|_| take_reject(bytes)).collect()
}

/// Reads one reject.
fn take_reject(bytes: &mut Bytes<'_>) -> Result<Reject, Malformed> {
    Ok(Reject {
        source: bytes.text()?.into(),
        topic: bytes.text()?.into(),
        hash: bytes.u64()?,
        reason: Reason::deserialize(StrDeserializer::<NoReason>::new(bytes.text()?))
            .map_err(|_| Malformed("a reject has a reason this version does not know"))?,
        field: bytes.text()?.into(),
        detail: bytes.text()?.to_owned(),
        payload: bytes.bytes()?.to_vec(),
        time: Time(bytes.i64()?),
    })
}

/// Appends an erasure.
pub(super) fn put_erasure(out: &mut Vec<u8>, erasure: &Erasure) {
    put_bytes(out, erasure.dataset.as_bytes());
    put_bytes(out, erasure.sensor.as_bytes());
    put_u64(out, erasure.span.from.0 as u64);
    put_u64(out, erasure.span.to.0 as u64);
    put_count(out, erasure.fields.len());
    erasure.fields.iter().for_each(|field| put_bytes(out, field.as_bytes()));
    put_u64(out, erasure.at.0 as u64);
    put_bytes(out, erasure.who.as_bytes());
    put_u64(out, erasure.rows);
}

/// Reads an erasure, or says that the contracts do not know it.
fn take_erasure(bytes: &mut Bytes<'_>, datasets: &[Arc<Dataset>]) -> Result<Entry, Malformed> {
    let erasure = Erasure {
        dataset: bytes.text()?.into(),
        sensor: bytes.text()?.into(),
        span: Span { from: Time(bytes.i64()?), to: Time(bytes.i64()?) },
        fields: (0..bytes.count()?).map(|_| bytes.text().map(Arc::from)).collect::<Result<_, _>>()?,
        at: Time(bytes.i64()?),
        who: bytes.text()?.into(),
        rows: bytes.u64()?,
    };
    let Some(dataset) = datasets.iter().find(|dataset| dataset.id == erasure.dataset) else {
        return Ok(foreign(&erasure.dataset, "but no contract declares it"));
    };
    // To erase fewer fields, or all of them instead, would both be wrong.
    match erasure.fields.iter().find(|field| dataset.field(field).is_none()) {
        Some(unknown) => {
            let why = format!("with the field {unknown}, which its contract no longer has");
            Ok(foreign(&erasure.dataset, &why))
        }
        None => Ok(Entry::Erase(erasure)),
    }
}

/// Appends days that go.
fn put_going(out: &mut Vec<u8>, going: &Going) {
    put_bytes(out, going.dataset.as_bytes());
    put_count(out, going.days.len());
    going.days.iter().for_each(|day| put_u64(out, i64::from(day.0) as u64));
}

/// Reads days that go, or says that the contracts do not know their dataset.
fn take_going(bytes: &mut Bytes<'_>, datasets: &[Arc<Dataset>]) -> Result<Entry, Malformed> {
    let dataset = bytes.text()?;
    if !datasets.iter().any(|known| &*known.id == dataset) {
        return Ok(foreign(dataset, "but no contract declares it"));
    }
    let days = (0..bytes.count()?)
        .map(|_| i32::try_from(bytes.i64()?).map(Day).map_err(|_| Malformed("a day lies beyond all time")))
        .collect::<Result<_, _>>()?;
    Ok(Entry::Going(Going { dataset: dataset.into(), days }))
}
