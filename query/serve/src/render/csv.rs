//! Answers as CSV: RFC 4180 with a header row, the names of JSON's members as columns.
//!
//! A map becomes a column per name it has in any row: `attributes_street`. Lists are joined by `;`.

use crate::render::cell::{push_csv_text, push_decimal, push_int, push_real};
use crate::render::stamp::Stamps;
use engine::{Answer, Values};
use std::collections::BTreeSet;

/// Writes an answer. What is not known is an empty field.
pub(crate) fn write(answer: &Answer, out: &mut Vec<u8>) {
    let mut columns: Vec<Writer<'_>> = Vec::new();
    for column in &answer.columns {
        match &column.values {
            Values::Map(maps) => {
                let names: BTreeSet<&str> =
                    maps.iter().flatten().flat_map(|map| map.keys().map(String::as_str)).collect();
                columns.extend(names.into_iter().map(|name| Writer {
                    header: format!("{}_{name}", column.name),
                    values: &column.values,
                    member: Some(name),
                    stamps: None,
                }));
            }
            values => {
                let stamps = match values {
                    Values::Time { zone, .. } => Some(Stamps::new(zone)),
                    _ => None,
                };
                columns.push(Writer { header: column.name.clone(), values, member: None, stamps });
            }
        }
    }
    out.reserve(answer.rows * columns.len() * 12 + 1024);
    for (at, column) in columns.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        push_csv_text(&column.header, out);
    }
    out.extend_from_slice(b"\r\n");
    for row in 0..answer.rows {
        for (at, column) in columns.iter_mut().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            column.push(row, out);
        }
        out.extend_from_slice(b"\r\n");
    }
}

/// A column of the file.
struct Writer<'a> {
    header: String,
    values: &'a Values,
    /// The name within a map.
    member: Option<&'a str>,
    stamps: Option<Stamps<'a>>,
}

impl Writer<'_> {
    /// Writes one field; nothing for null.
    fn push(&mut self, row: usize, out: &mut Vec<u8>) {
        match self.values {
            Values::Time { values, .. } => {
                if let Some((time, stamps)) = values[row].zip(self.stamps.as_mut()) {
                    stamps.push(time, out);
                }
            }
            Values::Text(values) => values[row].iter().for_each(|text| push_csv_text(text, out)),
            Values::Int(values) => values[row].iter().for_each(|value| push_int(*value, out)),
            Values::Decimal { scale, values } => values[row].iter().for_each(|value| push_decimal(*value, *scale, out)),
            Values::Real(values) => values[row].iter().for_each(|value| push_real(*value, out)),
            Values::Bool(values) => {
                values[row].iter().for_each(|value| out.extend_from_slice(if *value { b"true" } else { b"false" }));
            }
            Values::Map(values) => {
                let value = values[row].as_ref().zip(self.member).and_then(|(map, name)| map.get(name));
                value.into_iter().for_each(|text| push_csv_text(text, out));
            }
            Values::Fields(values) => values[row].iter().for_each(|fields| {
                let names: Vec<&str> = fields.iter().map(|field| &*field.name).collect();
                push_csv_text(&names.join(";"), out);
            }),
            Values::List(values) => values[row].iter().for_each(|words| push_csv_text(&words.join(";"), out)),
        }
    }
}
