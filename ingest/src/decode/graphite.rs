//! Graphite's plaintext: a line is `path value timestamp`
//! (<https://graphite.readthedocs.io/en/latest/feeding-carbon.html#the-plaintext-protocol>).
//!
//! The timestamp is seconds since 1970; `-1`, `N` or none means the arrival. A path may carry tags (`path;tag=value`), which
//! no pattern reads: they stay part of the path.

use super::Value;
use super::points::{Names, Point, Points};
use crate::Parcel;
use bytes::Bytes;
use schemas::source::{EpochUnit, TimeFormat};
use schemas::{Reason, Time};

/// Bytes of a line that is read.
pub const LONGEST: usize = 4096;

/// Reads lines; the last may lack its end. `topic` names the door in rejects, `now` is the arrival.
pub fn read(names: &mut Names, topic: &str, body: Bytes, now: Time) -> Parcel {
    let mut points = Points::new(names, topic, now);
    let mut start = 0;
    for line in body.split_inclusive(|&byte| byte == b'\n') {
        let at = start;
        start += line.len();
        let line = line.trim_ascii();
        if line.is_empty() {
            continue;
        }
        if line.len() > LONGEST {
            let detail = format!("the line has {} bytes; at most {LONGEST} are taken", line.len());
            points.refuse(at, Reason::TooLarge, detail);
            continue;
        }
        match point(line, at, now) {
            Ok(point) => points.put(&point),
            Err((reason, detail)) => points.refuse(at, reason, detail),
        }
    }
    points.finish(body)
}

fn point(line: &[u8], at: usize, now: Time) -> Result<Point<'_>, (Reason, String)> {
    const FORM: &str = "\"path value timestamp\" is expected, as in \"city.a.co2 412 1732147200\"";
    let line = std::str::from_utf8(line).map_err(|_| (Reason::InvalidPayload, format!("not UTF-8; {FORM}")))?;
    let mut words = line.split_ascii_whitespace();
    let (Some(name), Some(value), stamp, None) = (words.next(), words.next(), words.next(), words.next()) else {
        return Err((Reason::InvalidPayload, format!("not two or three words; {FORM}")));
    };
    let stamp = match stamp {
        None | Some("-1" | "N") => now,
        Some(text) => TimeFormat::Epoch(EpochUnit::Second).read(text)?,
    };
    // Carbon drops these in silence; they are what collectors send for "no value".
    let value = match value {
        "nan" | "NaN" | "None" | "null" => Value::Absent,
        text => Value::Number(text),
    };
    Ok(Point { at, name, stamp, value, unit: None })
}
