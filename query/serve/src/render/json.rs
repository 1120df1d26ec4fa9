//! Answers as JSON: `{"data":[{flat rows}],"meta":{…}}`.

use crate::render::cell::{push_decimal, push_int, push_json_text, push_real};
use crate::render::meta;
use crate::render::stamp::Stamps;
use engine::{Answer, FieldInfo, Values};
use schemas::sensor::Attributes;

/// Writes an answer. Every column stands in every row; what is not known is null.
pub(crate) fn write(answer: &Answer, out: &mut Vec<u8>) {
    let mut columns: Vec<Writer<'_>> = Vec::with_capacity(answer.columns.len());
    for column in &answer.columns {
        let mut key = vec![if columns.is_empty() { b'{' } else { b',' }];
        push_json_text(&column.name, &mut key);
        key.push(b':');
        let stamps = match &column.values {
            Values::Time { zone, .. } => Some(Stamps::new(zone)),
            _ => None,
        };
        columns.push(Writer { key, values: &column.values, stamps });
    }
    let width = |column: &Writer<'_>| column.key.len() + if column.stamps.is_some() { 28 } else { 12 };
    let row_bytes: usize = columns.iter().map(width).sum();
    out.reserve(answer.rows * row_bytes + 1024);
    out.extend_from_slice(b"{\"data\":[");
    for row in 0..answer.rows {
        out.extend_from_slice(if row == 0 { b"\n" } else { b",\n" });
        for column in &mut columns {
            column.push(row, out);
        }
        out.extend_from_slice(if columns.is_empty() { b"{}" } else { b"}" });
    }
    out.extend_from_slice(b"\n],\"meta\":");
    meta::write(&answer.meta, answer.rows, out);
    out.extend_from_slice(b"}\n");
}

/// A column and what is the same in each of its rows.
struct Writer<'a> {
    /// Its name as a member of the row, with what goes before it.
    key: Vec<u8>,
    values: &'a Values,
    stamps: Option<Stamps<'a>>,
}

impl Writer<'_> {
    /// Writes the member of one row.
    fn push(&mut self, row: usize, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.key);
        let written = match self.values {
            Values::Time { values, .. } => values[row].zip(self.stamps.as_mut()).map(|(time, stamps)| {
                out.push(b'"');
                stamps.push(time, out);
                out.push(b'"');
            }),
            Values::Text(values) => values[row].as_ref().map(|text| push_json_text(text, out)),
            Values::Int(values) => values[row].map(|value| push_int(value, out)),
            Values::Decimal { scale, values } => values[row].map(|value| push_decimal(value, *scale, out)),
            Values::Real(values) => values[row].map(|value| push_real(value, out)),
            Values::Bool(values) => {
                values[row].map(|value| out.extend_from_slice(if value { b"true" } else { b"false" }))
            }
            Values::Map(values) => values[row].as_ref().map(|map| push_map(map, out)),
            Values::Fields(values) => values[row].as_ref().map(|fields| push_list(fields, out, push_field)),
            Values::List(values) => {
                values[row].as_ref().map(|words| push_list(words, out, |word, out| push_json_text(word, out)))
            }
        };
        if written.is_none() {
            out.extend_from_slice(b"null");
        }
    }
}

/// Writes a list of things.
fn push_list<T>(list: &[T], out: &mut Vec<u8>, push: impl Fn(&T, &mut Vec<u8>)) {
    for (at, thing) in list.iter().enumerate() {
        out.push(if at == 0 { b'[' } else { b',' });
        push(thing, out);
    }
    out.extend_from_slice(if list.is_empty() { b"[]" } else { b"]" });
}

/// Writes words by name as an object.
fn push_map(map: &Attributes, out: &mut Vec<u8>) {
    out.push(b'{');
    for (at, (name, value)) in map.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        push_json_text(name, out);
        out.push(b':');
        push_json_text(value, out);
    }
    out.push(b'}');
}

/// Writes a field of a dataset. Its range is in units, not steps.
fn push_field(field: &FieldInfo, out: &mut Vec<u8>) {
    let text = |name: &str, value: &str, out: &mut Vec<u8>| {
        out.extend_from_slice(name.as_bytes());
        push_json_text(value, out);
    };
    text("{\"name\":", &field.name, out);
    out.extend_from_slice(b",\"title\":");
    push_map(&field.title, out);
    text(",\"unit\":", &field.unit, out);
    text(",\"symbol\":", &field.symbol, out);
    text(",\"kind\":", field.kind, out);
    out.extend_from_slice(b",\"resolution\":");
    let scale = u32::from(field.resolution.scale());
    push_decimal(1, scale, out);
    if let Some((least, most)) = field.range {
        out.extend_from_slice(b",\"range\":");
        push_list(&[least, most], out, |steps, out| push_decimal(i128::from(*steps), scale, out));
    }
    if !field.values.is_empty() {
        out.extend_from_slice(b",\"values\":");
        push_list(&field.values, out, |word, out| push_json_text(word, out));
    }
    out.extend_from_slice(b",\"functions\":");
    push_list(&field.functions, out, |name, out| push_json_text(name, out));
    out.push(b'}');
}
