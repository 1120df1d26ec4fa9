//! The values of one column as text.

use super::interval;
use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Decimal128Array, Float32Array, Float64Array, Int64Array,
    ListArray, StringViewArray, TimestampMicrosecondArray,
};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType,
};
use datafusion::arrow::error::ArrowError;
use schemas::time::DAY;
use schemas::{Time, Zone, decimal};

/// A column, brought to one of few types.
pub(crate) struct Cells {
    array: ArrayRef,
    kind: Kind,
}

enum Kind {
    Null,
    Bool(BooleanArray),
    Int(Int64Array),
    Short(Float32Array),
    Real(Float64Array),
    Decimal(Decimal128Array, u32),
    /// Decimals of more than 38 digits, written by Arrow.
    Wide(StringViewArray),
    /// Times, and whether they are instants.
    Time(TimestampMicrosecondArray, bool),
    Date(Date32Array),
    Text(StringViewArray),
    List(ListArray),
    Record(Vec<(String, Cells)>),
}

/// PostgreSQL's name of a type.
pub(crate) fn type_name(kind: &DataType) -> String {
    let name = match kind {
        DataType::Boolean => "boolean",
        DataType::Int8 | DataType::Int16 | DataType::UInt8 => "smallint",
        DataType::Int32 | DataType::UInt16 => "integer",
        DataType::Int64 | DataType::UInt32 | DataType::UInt64 => "bigint",
        DataType::Float16 | DataType::Float32 => "real",
        DataType::Float64 => "double precision",
        kind if kind.is_decimal() => "numeric",
        DataType::Timestamp(_, Some(_)) => "timestamp with time zone",
        DataType::Timestamp(_, None) => "timestamp without time zone",
        DataType::Date32 | DataType::Date64 => "date",
        DataType::Time32(_) | DataType::Time64(_) => "time without time zone",
        DataType::Interval(_) | DataType::Duration(_) => "interval",
        DataType::List(item) | DataType::LargeList(item) => return format!("{}[]", type_name(item.data_type())),
        DataType::Struct(_) => "record",
        _ => "text",
    };
    name.to_owned()
}

impl Cells {
    /// The values of a column.
    pub(crate) fn new(array: &ArrayRef) -> Result<Cells, ArrowError> {
        let to = |kind: DataType| cast(array, &kind);
        let kind = match array.data_type() {
            DataType::Null => Kind::Null,
            DataType::Boolean => Kind::Bool(array.as_boolean().clone()),
            DataType::UInt64 => Kind::Decimal(to(DataType::Decimal128(20, 0))?.as_primitive().clone(), 0),
            kind if kind.is_integer() => Kind::Int(to(DataType::Int64)?.as_primitive::<Int64Type>().clone()),
            DataType::Float32 => Kind::Short(array.as_primitive::<Float32Type>().clone()),
            kind if kind.is_floating() => Kind::Real(to(DataType::Float64)?.as_primitive::<Float64Type>().clone()),
            DataType::Decimal256(..) => Kind::Wide(to(DataType::Utf8View)?.as_string_view().clone()),
            DataType::Decimal32(_, scale) | DataType::Decimal64(_, scale) | DataType::Decimal128(_, scale) => {
                let scale = (*scale).max(0);
                let decimals = to(DataType::Decimal128(38, scale))?;
                Kind::Decimal(decimals.as_primitive::<Decimal128Type>().clone(), u32::from(scale.unsigned_abs()))
            }
            DataType::Timestamp(_, zone) => {
                let times = to(DataType::Timestamp(TimeUnit::Microsecond, zone.clone()))?;
                Kind::Time(times.as_primitive::<TimestampMicrosecondType>().clone(), zone.is_some())
            }
            DataType::Date32 | DataType::Date64 => {
                Kind::Date(to(DataType::Date32)?.as_primitive::<Date32Type>().clone())
            }
            DataType::Interval(_) | DataType::Duration(_) => Kind::Text(interval::texts(array)?),
            DataType::List(_) => Kind::List(array.as_list::<i32>().clone()),
            DataType::Struct(fields) => {
                let parts = fields.iter().zip(array.as_struct().columns());
                let parts = parts.map(|(field, part)| Ok((field.name().clone(), Cells::new(part)?)));
                Kind::Record(parts.collect::<Result<_, ArrowError>>()?)
            }
            _ => Kind::Text(to(DataType::Utf8View)?.as_string_view().clone()),
        };
        Ok(Cells { array: array.clone(), kind })
    }

    /// Writes the value of a row as JSON.
    pub(crate) fn push_json(&self, row: usize, out: &mut Vec<u8>) {
        if self.is_null(row) {
            out.extend_from_slice(b"null");
            return;
        }
        match &self.kind {
            Kind::Text(texts) => push_json_text(texts.value(row), out),
            Kind::List(lists) => push_list(&lists.value(row), out),
            Kind::Record(parts) => {
                for (at, (name, part)) in parts.iter().enumerate() {
                    out.push(if at == 0 { b'{' } else { b',' });
                    push_json_text(name, out);
                    out.push(b':');
                    part.push_json(row, out);
                }
                out.extend_from_slice(if parts.is_empty() { b"{}" } else { b"}" });
            }
            // What JSON has no number for is a text, as in PostgreSQL's JSON.
            Kind::Real(reals) if !reals.value(row).is_finite() => self.push_quoted(row, out),
            Kind::Short(reals) if !reals.value(row).is_finite() => self.push_quoted(row, out),
            Kind::Time(..) | Kind::Date(_) => self.push_quoted(row, out),
            _ => self.push_bare(row, out),
        }
    }

    /// Writes the value of a row as a field of CSV.
    pub(crate) fn push_csv(&self, row: usize, out: &mut Vec<u8>) {
        if self.is_null(row) {
            return;
        }
        match &self.kind {
            Kind::Text(texts) => push_csv_text(texts.value(row), out),
            Kind::List(_) | Kind::Record(_) => {
                let mut json = Vec::new();
                self.push_json(row, &mut json);
                push_csv_text(&String::from_utf8_lossy(&json), out);
            }
            _ => self.push_bare(row, out),
        }
    }

    fn is_null(&self, row: usize) -> bool {
        matches!(self.kind, Kind::Null) || self.array.is_null(row)
    }

    fn push_quoted(&self, row: usize, out: &mut Vec<u8>) {
        out.push(b'"');
        self.push_bare(row, out);
        out.push(b'"');
    }

    /// Writes a value that needs no quotes of its own.
    fn push_bare(&self, row: usize, out: &mut Vec<u8>) {
        match &self.kind {
            Kind::Null | Kind::Text(_) | Kind::List(_) | Kind::Record(_) => {}
            Kind::Bool(values) => out.extend_from_slice(if values.value(row) { b"true" } else { b"false" }),
            Kind::Int(values) => out.extend_from_slice(itoa::Buffer::new().format(values.value(row)).as_bytes()),
            Kind::Short(values) => push_real(f64::from(values.value(row)), &values.value(row), out),
            Kind::Real(values) => push_real(values.value(row), &values.value(row), out),
            Kind::Decimal(values, scale) => {
                out.extend_from_slice(decimal::text(values.value(row), *scale).as_bytes());
            }
            Kind::Wide(values) => {
                let digits = values.value(row);
                let short =
                    if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits };
                out.extend_from_slice(short.as_bytes());
            }
            Kind::Time(values, zoned) => {
                let text = Zone::utc().format(Time(values.value(row)));
                let text = if *zoned { &text } else { text.trim_end_matches('Z') };
                out.extend_from_slice(text.as_bytes());
            }
            Kind::Date(values) => {
                let text = Zone::utc().format(Time(i64::from(values.value(row)).saturating_mul(DAY)));
                out.extend_from_slice(text.split('T').next().unwrap_or_default().as_bytes());
            }
        }
    }
}

/// Writes a real number with as many digits as tell it apart.
fn push_real(value: f64, shortest: &impl serde::Serialize, out: &mut Vec<u8>) {
    if value.is_finite() {
        // Writing into memory cannot fail.
        let _ = serde_json::to_writer(out, shortest);
        return;
    }
    let name = match value {
        value if value.is_nan() => "NaN",
        value if value > 0.0 => "Infinity",
        _ => "-Infinity",
    };
    out.extend_from_slice(name.as_bytes());
}

/// Writes a list as JSON.
fn push_list(items: &ArrayRef, out: &mut Vec<u8>) {
    out.push(b'[');
    if let Ok(cells) = Cells::new(items) {
        for row in 0..items.len() {
            if row > 0 {
                out.push(b',');
            }
            cells.push_json(row, out);
        }
    }
    out.push(b']');
}

/// Writes a JSON string with its quotes.
pub(crate) fn push_json_text(text: &str, out: &mut Vec<u8>) {
    // Writing into memory cannot fail.
    let _ = serde_json::to_writer(out, text);
}

/// Writes a CSV field, quoted where RFC 4180 needs it. Empty text is quoted to tell it from nothing.
pub(crate) fn push_csv_text(text: &str, out: &mut Vec<u8>) {
    if !text.is_empty() && !text.bytes().any(|byte| matches!(byte, b'"' | b',' | b'\r' | b'\n')) {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    out.push(b'"');
    out.extend_from_slice(text.replace('"', "\"\"").as_bytes());
    out.push(b'"');
}
