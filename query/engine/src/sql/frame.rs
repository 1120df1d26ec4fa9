//! How messages travel between server and worker: a frame is the length of its body (u32), a tag (u8) and the body, integers
//! little-endian. [`Rows`] have a binary body: scan, rows, runs, columns (u32 each), the runs, the values column by
//! column; `Body` is the bytes themselves; all others are JSON.

use super::message::{FromWorker, Rows, ToWorker};
use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use std::io;

/// Bytes before a frame's body: its length and its tag.
pub const HEAD: usize = 5;
/// Bytes a frame's body may have.
pub const MOST: usize = 64 << 20;

/// Length and tag of the frame that begins so.
pub fn head(bytes: [u8; HEAD]) -> io::Result<(usize, u8)> {
    let [a, b, c, d, tag] = bytes;
    let length = u32::from_le_bytes([a, b, c, d]) as usize;
    if length > MOST { Err(bad(format!("a frame of {length} bytes"))) } else { Ok((length, tag)) }
}

impl ToWorker {
    /// The message as a whole frame.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            ToWorker::Ask(ask) => framed(b'A', ask),
            ToWorker::Names { scan, ids } => framed(b'N', &(scan, ids)),
            ToWorker::Rows(rows) => encode_rows(rows),
            ToWorker::Records { scan, rows } => framed(b'J', &(scan, rows)),
            ToWorker::End { scan, error } => framed(b'E', &(scan, error)),
        }
    }

    /// The message of a frame.
    pub fn decode(tag: u8, body: &[u8]) -> io::Result<ToWorker> {
        match tag {
            b'A' => Ok(ToWorker::Ask(parse(body)?)),
            b'N' => parse(body).map(|(scan, ids)| ToWorker::Names { scan, ids }),
            b'R' => decode_rows(body).map(ToWorker::Rows).ok_or_else(|| bad("rows cut short".to_owned())),
            b'J' => parse(body).map(|(scan, rows)| ToWorker::Records { scan, rows }),
            b'E' => parse(body).map(|(scan, error)| ToWorker::End { scan, error }),
            _ => Err(bad(format!("a frame of unknown tag {tag}"))),
        }
    }
}

impl FromWorker {
    /// The message as a whole frame.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            FromWorker::Ready => framed(b'r', &json!(null)),
            FromWorker::Scan(scan) => framed(b's', scan),
            FromWorker::More { scan } => framed(b'm', scan),
            FromWorker::Close { scan } => framed(b'c', scan),
            FromWorker::Head { columns } => framed(b'h', columns),
            FromWorker::Body(bytes) => frame(b'b', bytes),
            FromWorker::Done { rows } => framed(b'd', rows),
            FromWorker::Failed(failure) => framed(b'f', failure),
        }
    }

    /// The message of a frame.
    pub fn decode(tag: u8, body: Bytes) -> io::Result<FromWorker> {
        match tag {
            b'r' => Ok(FromWorker::Ready),
            b's' => parse(&body).map(FromWorker::Scan),
            b'm' => parse(&body).map(|scan| FromWorker::More { scan }),
            b'c' => parse(&body).map(|scan| FromWorker::Close { scan }),
            b'h' => parse(&body).map(|columns| FromWorker::Head { columns }),
            b'b' => Ok(FromWorker::Body(body)),
            b'd' => parse(&body).map(|rows| FromWorker::Done { rows }),
            b'f' => parse(&body).map(FromWorker::Failed),
            _ => Err(bad(format!("a frame of unknown tag {tag}"))),
        }
    }
}

/// A frame of a JSON body.
fn framed(tag: u8, body: &impl Serialize) -> Vec<u8> {
    // Nothing that is sent has keys other than text, the one thing JSON cannot write.
    frame(tag, &serde_json::to_vec(body).unwrap_or_default())
}

/// A frame.
fn frame(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEAD + body.len());
    bytes.extend_from_slice(&(body.len() as u32).to_le_bytes());
    bytes.push(tag);
    bytes.extend_from_slice(body);
    bytes
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> io::Result<T> {
    serde_json::from_slice(body).map_err(|error| bad(error.to_string()))
}

fn bad(what: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

fn encode_rows(rows: &Rows) -> Vec<u8> {
    let values: usize = rows.columns.iter().map(|column| column.len() * 8).sum();
    let length = 16 + rows.runs.len() * 8 + values;
    let mut bytes = Vec::with_capacity(HEAD + length);
    bytes.extend_from_slice(&(length as u32).to_le_bytes());
    bytes.push(b'R');
    for number in [rows.scan, rows.rows, rows.runs.len() as u32, rows.columns.len() as u32] {
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    for (sensor, run) in &rows.runs {
        bytes.extend_from_slice(&sensor.to_le_bytes());
        bytes.extend_from_slice(&run.to_le_bytes());
    }
    for column in &rows.columns {
        column.iter().for_each(|value| bytes.extend_from_slice(&value.to_le_bytes()));
    }
    bytes
}

fn decode_rows(mut body: &[u8]) -> Option<Rows> {
    let mut number = || {
        let (first, rest) = body.split_first_chunk()?;
        body = rest;
        Some(u32::from_le_bytes(*first))
    };
    let (scan, rows, runs, columns) = (number()?, number()?, number()?, number()?);
    let runs = (0..runs).map(|_| Some((number()?, number()?))).collect::<Option<_>>()?;
    let width = rows as usize * 8;
    let columns = (0..columns).map(|_| {
        let (column, rest) = body.split_at_checked(width)?;
        body = rest;
        Some(column.as_chunks().0.iter().map(|value| i64::from_le_bytes(*value)).collect())
    });
    let columns = columns.collect::<Option<_>>()?;
    body.is_empty().then_some(Rows { scan, rows, runs, columns })
}

#[cfg(test)]
mod tests;
