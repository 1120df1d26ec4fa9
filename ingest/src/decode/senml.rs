//! SenML in JSON (RFC 8428): an array of records, where base values hold for all records after them.

mod units;

use super::Value;
use super::points::{Names, Point, Points};
use crate::Parcel;
use bytes::Bytes;
use schemas::source::{EpochUnit, TimeFormat};
use schemas::time::SECOND;
use schemas::{Decimal, Reason, Time, Unit, decimal};
use serde_json::value::RawValue;
use serde_json::{Map, Number};
use std::borrow::Cow;

/// The newest version of the format that is read (section 4.4).
const VERSION: u64 = 10;
/// Instants below this many seconds are counted from now (section 4.5.3).
const RELATIVE: i64 = 1 << 28;

/// What holds for all records after it.
#[derive(Debug, Default)]
struct Base {
    name: String,
    /// Microseconds, and whether any was given.
    time: i64,
    unit: Option<String>,
    value: Option<Decimal>,
    sum: Option<Decimal>,
    /// Whether any record was counted from now.
    relative: bool,
}

/// Why a record cannot be read.
type Wrong = (Reason, String);

/// A pack as it came.
#[derive(Clone, Debug)]
pub struct Pack<'a> {
    /// Topic or path it came by.
    pub topic: &'a str,
    /// Its text.
    pub body: Bytes,
    /// When it came.
    pub now: Time,
    /// Whether a broker kept it for unknown time, so that nothing in it can be counted from now.
    pub retained: bool,
}

/// Reads a pack, and tells whether any of it was counted from now. A pack that is no SenML is refused as a whole.
pub fn read(names: &mut Names, pack: &Pack<'_>) -> (Parcel, bool) {
    let Pack { topic, body, now, .. } = pack;
    let mut points = Points::new(names, topic, *now);
    let mut base = Base::default();
    match serde_json::from_slice::<Vec<&RawValue>>(body) {
        Err(error) => {
            let detail = format!("not a SenML pack: {error}; a JSON array of records is expected (RFC 8428)");
            points.refuse(0, Reason::InvalidPayload, detail);
        }
        Ok(records) => {
            for record in records {
                // A raw value is a piece of the body.
                let at = record.get().as_ptr() as usize - body.as_ptr() as usize;
                if let Err((reason, detail)) = base.record((record, at), pack, &mut points) {
                    points.refuse(at, reason, detail);
                }
            }
        }
    }
    (points.finish(body.clone()), base.relative)
}

/// Where each record of a pack begins, in bytes; none if it cannot be read.
pub fn places(body: &[u8]) -> Vec<u32> {
    let records = serde_json::from_slice::<Vec<&RawValue>>(body).unwrap_or_default();
    records.iter().map(|record| (record.get().as_ptr() as usize - body.as_ptr() as usize) as u32).collect()
}

impl Base {
    fn record(&mut self, (raw, at): (&RawValue, usize), pack: &Pack<'_>, points: &mut Points<'_>) -> Result<(), Wrong> {
        let record: Map<String, serde_json::Value> =
            serde_json::from_str(raw.get()).map_err(|_| wrong("a record is not an object"))?;
        if let Some(key) = record.keys().find(|key| key.ends_with('_')) {
            // Section 4.4: whoever does not know it must not go on.
            return Err(wrong(format!("{key:?} must be understood, and is not known here")));
        }
        self.take(&record)?;
        let name = format!("{}{}", self.name, text(&record, "n")?.unwrap_or_default());
        let Some(value) = self.value(&record)? else { return Ok(()) };
        let own = micros(&record, "t")?.unwrap_or(0);
        let seconds = self.time.saturating_add(own);
        let stamp = match seconds < RELATIVE * SECOND {
            true if pack.retained => {
                let detail = "a retained pack does not say when it was measured; send absolute times, or without the retain flag";
                return Err((Reason::RetainedWithoutTime, detail.into()));
            }
            true => {
                self.relative = true;
                pack.now.plus(seconds)
            }
            false => Time(seconds),
        };
        let unit = text(&record, "u")?.or(self.unit.as_deref()).map(unit).transpose()?;
        if name.is_empty() {
            return Err((Reason::MissingSensor, "a record has neither `n` nor a base name `bn`".into()));
        }
        points.put(&Point { at, name: &name, stamp, value, unit });
        Ok(())
    }

    /// Takes over base values.
    fn take(&mut self, record: &Map<String, serde_json::Value>) -> Result<(), Wrong> {
        if let Some(version) = record.get("bver")
            && version.as_u64().is_none_or(|version| version > VERSION)
        {
            return Err(wrong(format!("version {version} of SenML; up to {VERSION} is read")));
        }
        if let Some(name) = text(record, "bn")? {
            self.name = name.to_owned();
        }
        if let Some(unit) = text(record, "bu")? {
            self.unit = Some(unit.to_owned());
        }
        self.time = micros(record, "bt")?.unwrap_or(self.time);
        self.value = number(record, "bv")?.map(|(_, number)| number).or(self.value);
        self.sum = number(record, "bs")?.map(|(_, number)| number).or(self.sum);
        Ok(())
    }

    /// The value of a record; nothing where it has only base values.
    fn value<'a>(&self, record: &'a Map<String, serde_json::Value>) -> Result<Option<Value<'a>>, Wrong> {
        if let Some(word) = text(record, "vs")? {
            return Ok(Some(Value::Text(Cow::Borrowed(word))));
        }
        if let Some(value) = record.get("vb") {
            let value = value.as_bool().ok_or_else(|| wrong(format!("`vb` is {value}; true or false is expected")))?;
            return Ok(Some(Value::Bool(value)));
        }
        if record.contains_key("vd") {
            return Err((
                Reason::InvalidValue,
                "`vd` (data) is no value of a field; `v`, `vs` or `vb` is expected".into(),
            ));
        }
        for (key, base) in [("v", self.value), ("s", self.sum)] {
            let own = number(record, key)?;
            match (own, base) {
                (Some((text, _)), None) => return Ok(Some(Value::Number(text))),
                (Some((_, number)), Some(base)) => return sum(number, base).map(Some),
                // A base value alone is the value of a record that has a name or a time (section 4.1: one of them is enough).
                (None, Some(base)) if key == "v" && (record.contains_key("n") || record.contains_key("t")) => {
                    return sum(Decimal { mantissa: 0, scale: 0 }, base).map(Some);
                }
                (None, _) => {}
            }
        }
        match record.contains_key("n") || record.contains_key("t") {
            true => Err((Reason::NoFields, "a record has no value; `v`, `vs` or `vb` is expected".into())),
            false => Ok(None),
        }
    }
}

fn wrong(detail: impl Into<String>) -> Wrong {
    (Reason::InvalidPayload, detail.into())
}

fn text<'a>(record: &'a Map<String, serde_json::Value>, key: &str) -> Result<Option<&'a str>, Wrong> {
    match record.get(key) {
        None => Ok(None),
        Some(serde_json::Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(wrong(format!("`{key}` is {other}; a text is expected"))),
    }
}

fn number<'a>(record: &'a Map<String, serde_json::Value>, key: &str) -> Result<Option<(&'a str, Decimal)>, Wrong> {
    let number = match record.get(key) {
        None => return Ok(None),
        Some(serde_json::Value::Number(number)) => Number::as_str(number),
        Some(other) => return Err(wrong(format!("`{key}` is {other}; a number is expected"))),
    };
    match Decimal::parse(number.as_bytes()) {
        Some(decimal) => Ok(Some((number, decimal))),
        None => Err(wrong(format!("`{key}` is {number}, which has too many digits"))),
    }
}

/// Seconds as microseconds.
fn micros(record: &Map<String, serde_json::Value>, key: &str) -> Result<Option<i64>, Wrong> {
    let Some((text, _)) = number(record, key)? else { return Ok(None) };
    TimeFormat::Epoch(EpochUnit::Second).read(text).map(|Time(micros)| Some(micros))
}

/// The exact sum of two numbers, as text.
fn sum(a: Decimal, b: Decimal) -> Result<Value<'static>, Wrong> {
    let scale = a.scale.max(b.scale).max(0);
    let shifted = |number: Decimal| {
        let digits = u32::try_from(scale - number.scale).ok()?;
        number.mantissa.checked_mul(10_i128.checked_pow(digits)?)
    };
    let sum = shifted(a).zip(shifted(b)).and_then(|(a, b)| a.checked_add(b));
    let sum = sum.ok_or_else(|| (Reason::InvalidValue, "value and base value together have too many digits".into()))?;
    Ok(Value::Text(Cow::Owned(decimal::text(sum, scale as u32))))
}

fn unit(symbol: &str) -> Result<Unit, Wrong> {
    units::unit(symbol).ok_or_else(|| {
        let detail = format!("unit {symbol:?} is not known; send the unit of the field, or none");
        (Reason::InvalidValue, detail)
    })
}
