//! Answers as bytes, by the conventions of the other endpoints: exact decimals without zeros at their end, RFC 3339 times in
//! UTC, null in JSON and nothing in CSV where a value is not known.

mod cells;
mod interval;

use cells::{Cells, push_csv_text, push_json_text};
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::Schema;
use datafusion::arrow::error::ArrowError;
use engine::sql::Format;

pub(crate) use cells::type_name;

/// An answer being written.
pub(crate) struct Page {
    format: Format,
    /// What stands before each column's value: the member's name in JSON, a comma in CSV.
    leads: Vec<Vec<u8>>,
    rows: u64,
    out: Vec<u8>,
}

impl Page {
    /// The beginning of an answer with these columns.
    pub(crate) fn new(format: Format, schema: &Schema) -> Page {
        let mut page = Page { format, leads: Vec::new(), rows: 0, out: Vec::new() };
        for (at, field) in schema.fields().iter().enumerate() {
            let mut lead = Vec::new();
            match format {
                Format::Json => {
                    lead.push(if at == 0 { b'{' } else { b',' });
                    push_json_text(field.name(), &mut lead);
                    lead.push(b':');
                }
                Format::Csv => {
                    if at > 0 {
                        lead.push(b',');
                    }
                    page.out.extend_from_slice(&lead);
                    push_csv_text(field.name(), &mut page.out);
                }
            }
            page.leads.push(lead);
        }
        if format == Format::Csv {
            page.out.extend_from_slice(b"\r\n");
        }
        page
    }

    /// Writes rows, and gives each piece away that has grown to `piece` bytes.
    pub(crate) fn write<E: From<ArrowError>>(
        &mut self,
        batch: &RecordBatch,
        piece: usize,
        mut give: impl FnMut(Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        let columns = batch.columns().iter().map(Cells::new).collect::<Result<Vec<_>, _>>()?;
        for row in 0..batch.num_rows() {
            if self.format == Format::Json && self.rows > 0 {
                self.out.extend_from_slice(b",\n");
            }
            for (lead, cells) in self.leads.iter().zip(&columns) {
                self.out.extend_from_slice(lead);
                match self.format {
                    Format::Json => cells.push_json(row, &mut self.out),
                    Format::Csv => cells.push_csv(row, &mut self.out),
                }
            }
            self.out.extend_from_slice(match (self.format, columns.is_empty()) {
                (Format::Json, false) => b"}",
                (Format::Json, true) => b"{}",
                (Format::Csv, _) => b"\r\n",
            });
            self.rows += 1;
            if self.out.len() >= piece {
                give(std::mem::replace(&mut self.out, Vec::with_capacity(piece * 5 / 4)))?;
            }
        }
        Ok(())
    }

    /// What has not been given away.
    pub(crate) fn rest(self) -> Vec<u8> {
        self.out
    }
}
