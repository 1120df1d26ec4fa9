//! `date_trunc(unit, time [, zone])` and `time_bucket(width, time [, zone])`, as PostgreSQL and Timescale have them.
//!
//! DataFusion's own `date_trunc` knows no zone, and is ten times slower on instants that carry one, even UTC.

use super::floor::{Floor, Width};
use datafusion::arrow::array::{Array, ArrayRef, AsArray, TimestampMicrosecondArray};
use datafusion::arrow::datatypes::{DataType, IntervalUnit, TimeUnit, TimestampMicrosecondType};
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};
use schemas::Zone;
use std::sync::Arc;

/// `date_trunc`.
pub(crate) fn date_trunc() -> ScalarUDF {
    bucket("date_trunc")
}

/// `time_bucket`.
pub(crate) fn time_bucket() -> ScalarUDF {
    bucket("time_bucket")
}

fn bucket(name: &'static str) -> ScalarUDF {
    ScalarUDF::from(Bucket { name, signature: Signature::user_defined(Volatility::Immutable) })
}

/// Both functions: they differ in how the width is said.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Bucket {
    name: &'static str,
    signature: Signature,
}

impl Bucket {
    fn width_type(&self) -> DataType {
        if self.name == "date_trunc" { DataType::Utf8 } else { DataType::Interval(IntervalUnit::MonthDayNano) }
    }
}

impl ScalarUDFImpl for Bucket {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let name = self.name;
        let (width, time, zone) = match types {
            [width, time] => (width, time, None),
            [width, time, zone] => (width, time, Some(zone)),
            _ => return plan_err!("{name} takes a width, a time and if wanted a zone"),
        };
        if !(is_text(width) || *width == self.width_type() || matches!(width, DataType::Interval(_))) {
            return plan_err!("{name} of a width of {width}: write {}", self.example());
        }
        let mut coerced = vec![self.width_type(), instant_type(name, time)?];
        if let Some(zone) = zone {
            if !is_text(zone) {
                return plan_err!("{name} in a zone of {zone}: write its name, such as 'Europe/Prague'");
            }
            coerced.push(DataType::Utf8);
        }
        Ok(coerced)
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        Ok(types[1].clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let zone = match args.args.get(2) {
            Some(zone) => Some(parse_zone(&constant_text(self.name, zone)?)?),
            None => None,
        };
        let DataType::Timestamp(TimeUnit::Microsecond, carried) = args.return_type() else {
            return exec_err!("{} gives a time", self.name);
        };
        if zone.is_some() && carried.is_none() {
            return exec_err!("{} of a timestamp without time zone takes no zone: leave it out", self.name);
        }
        let mut floor = Floor::new(self.width(&args.args[0])?, zone.filter(|zone| *zone != Zone::utc()));
        map_times(&args.args[1], args.return_type(), |time| floor.start(time))
    }
}

impl Bucket {
    fn example(&self) -> &'static str {
        if self.name == "date_trunc" {
            "'hour', 'day', 'week', 'month', 'quarter' or 'year'"
        } else {
            "'15 minutes', '1 hour', '1 day', '1 week' or '1 month'"
        }
    }

    /// The width that an argument says.
    fn width(&self, said: &ColumnarValue) -> Result<Width> {
        if self.name == "date_trunc" {
            let word = constant_text(self.name, said)?;
            return match Width::of_word(&word) {
                Some(width) => Ok(width),
                None => exec_err!("date_trunc to '{word}': write {}", self.example()),
            };
        }
        let ColumnarValue::Scalar(ScalarValue::IntervalMonthDayNano(Some(width))) = said else {
            return exec_err!("time_bucket takes a width that is the same for all rows: write {}", self.example());
        };
        let micros = i64::from(width.days).checked_mul(schemas::time::DAY).zip(Some(width.nanoseconds / 1000));
        let micros = micros.and_then(|(days, rest)| days.checked_add(rest));
        match (width.months, micros) {
            (0, Some(micros)) if micros > 0 && width.nanoseconds % 1000 == 0 => Ok(Width::Micros(micros)),
            (months, Some(0)) if months > 0 && width.nanoseconds == 0 => Ok(Width::Months(months)),
            _ => exec_err!(
                "time_bucket takes a width above nothing, of months or of less but not both: write {}",
                self.example()
            ),
        }
    }
}

/// Whether a type is one of texts.
pub(crate) fn is_text(kind: &DataType) -> bool {
    matches!(kind, DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 | DataType::Null)
}

/// The type that a time comes as: microseconds, in UTC unless it has no zone. Texts are instants, as they are beside `time`.
pub(crate) fn instant_type(name: &str, kind: &DataType) -> Result<DataType> {
    match kind {
        DataType::Timestamp(_, None) | DataType::Date32 | DataType::Date64 => {
            Ok(DataType::Timestamp(TimeUnit::Microsecond, None))
        }
        DataType::Timestamp(_, Some(_)) => Ok(utc()),
        text if is_text(text) => Ok(utc()),
        other => plan_err!("{name} of {other}: it takes a time"),
    }
}

/// The type of an instant.
pub(crate) fn utc() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

/// A text that is the same for all rows.
pub(crate) fn constant_text(name: &str, value: &ColumnarValue) -> Result<String> {
    match value {
        ColumnarValue::Scalar(ScalarValue::Utf8(Some(text))) => Ok(text.clone()),
        _ => exec_err!("{name} takes a text that is the same for all rows"),
    }
}

/// A zone by its name.
pub(crate) fn parse_zone(name: &str) -> Result<Zone> {
    Zone::parse(name).or_else(|remedy| exec_err!("there is no zone '{name}': {remedy}"))
}

/// Each time of a value changed; the result has that type.
pub(crate) fn map_times(
    value: &ColumnarValue,
    kind: &DataType,
    change: impl FnMut(i64) -> i64,
) -> Result<ColumnarValue> {
    let mut change = change;
    let mut map = |times: &ArrayRef| -> ArrayRef {
        let times = times.as_primitive::<TimestampMicrosecondType>();
        let changed: Vec<i64> = times.values().iter().map(|time| change(*time)).collect();
        let changed = TimestampMicrosecondArray::new(changed.into(), times.nulls().cloned());
        Arc::new(changed.with_data_type(kind.clone()))
    };
    Ok(match value {
        ColumnarValue::Array(times) => ColumnarValue::Array(map(times)),
        ColumnarValue::Scalar(time) => ColumnarValue::Scalar(ScalarValue::try_from_array(&map(&time.to_array()?), 0)?),
    })
}
