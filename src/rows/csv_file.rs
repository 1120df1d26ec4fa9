//! A CSV file (RFC 4180): the header names the columns, each row becomes a JSON object of texts.

use super::topic::Hole;
use super::{Row, RowError, Source};
use std::io::BufRead;

/// Delimiters that are guessed.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// Reads a CSV file.
pub(super) struct CsvFile {
    reader: csv::Reader<Source>,
    names: Vec<String>,
    /// Each name as the JSON text `"name":`.
    keys: Vec<String>,
    record: csv::StringRecord,
    delimiter: u8,
}

impl CsvFile {
    /// Reads the header.
    pub(super) fn new(mut source: Source, delimiter: Option<u8>) -> Result<CsvFile, RowError> {
        let whole = |wrong: String| RowError { line: 0, wrong };
        let delimiter = match delimiter {
            Some(delimiter) => delimiter,
            None => guess(source.fill_buf().map_err(|e| whole(e.to_string()))?),
        };
        let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(source);
        let header = reader.headers().map_err(|e| told(&e))?;
        let names: Vec<String> = header.iter().map(|name| name.trim().to_owned()).collect();
        if names.is_empty() {
            return Err(whole("is empty; its first line must name the columns".into()));
        }
        if let Some(twice) = names.iter().enumerate().find(|(i, name)| names[..*i].contains(name)) {
            return Err(RowError {
                line: 1,
                wrong: format!("two columns are named {:?}; give each its own name", twice.1),
            });
        }
        Ok(CsvFile { reader, keys: keys(&names), names, record: csv::StringRecord::new(), delimiter })
    }

    /// Reads lines that come below a header.
    pub(super) fn below(names: &[String], delimiter: u8, source: Source) -> CsvFile {
        let mut builder = csv::ReaderBuilder::new();
        let reader = builder.delimiter(delimiter).flexible(true).has_headers(false).from_reader(source);
        CsvFile { reader, keys: keys(names), names: names.to_vec(), record: csv::StringRecord::new(), delimiter }
    }

    /// Names of the columns.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// What stands between cells.
    pub(super) fn delimiter(&self) -> u8 {
        self.delimiter
    }

    /// Bytes of the header, its line end included; to be asked before the first row.
    pub(super) fn header_bytes(&self) -> u64 {
        self.reader.position().byte()
    }

    /// The next row as a JSON object; cells missing at its end are left out.
    pub(super) fn next_row(&mut self) -> Result<Option<Row>, RowError> {
        if !self.reader.read_record(&mut self.record).map_err(|e| told(&e))? {
            return Ok(None);
        }
        if self.record.len() > self.keys.len() {
            let (cells, columns) = (self.record.len(), self.keys.len());
            let wrong = format!("{cells} cells, but the header names {columns} columns; is --delimiter right?");
            return Err(RowError { line: self.line(), wrong });
        }
        let mut json = Vec::with_capacity(self.record.as_slice().len() + 32 * self.keys.len());
        json.push(b'{');
        for (i, (key, cell)) in self.keys.iter().zip(&self.record).enumerate() {
            if i > 0 {
                json.push(b',');
            }
            json.extend_from_slice(key.as_bytes());
            // Writing text to memory cannot fail.
            let _ = serde_json::to_writer(&mut json, cell);
        }
        json.push(b'}');
        Ok(Some(Row { json }))
    }

    /// A cell of the row read last.
    pub(super) fn value(&self, hole: &Hole) -> Result<String, String> {
        let name = hole.name().ok_or_else(|| format!("{hole} reaches below a column; a CSV row has columns only"))?;
        let columns = || format!("no column {name:?}; there are {}", self.names.join(", "));
        let at = self.names.iter().position(|n| n == name).ok_or_else(columns)?;
        Ok(self.record.get(at).unwrap_or_default().to_owned())
    }

    /// Line of the row read last.
    pub(super) fn line(&self) -> u64 {
        self.record.position().map_or(1, csv::Position::line)
    }
}

/// The delimiter that occurs most in the first line, outside quotes.
fn guess(start: &[u8]) -> u8 {
    let mut counts = [0_usize; DELIMITERS.len()];
    let mut quoted = false;
    for &byte in start {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' if !quoted => break,
            _ if quoted => {}
            _ => {
                if let Some(at) = DELIMITERS.iter().position(|&d| d == byte) {
                    counts[at] += 1;
                }
            }
        }
    }
    let most = counts.iter().copied().max().unwrap_or(0);
    DELIMITERS[counts.iter().position(|&count| count == most).unwrap_or(0)]
}

/// Each name as the JSON text `"name":`.
fn keys(names: &[String]) -> Vec<String> {
    names.iter().map(|name| format!("{}:", serde_json::Value::from(name.as_str()))).collect()
}

fn told(error: &csv::Error) -> RowError {
    let line = error.position().map_or(0, csv::Position::line);
    let wrong = match error.kind() {
        csv::ErrorKind::Utf8 { .. } => "is not UTF-8; convert the file first, for example with iconv".into(),
        csv::ErrorKind::Io(e) => e.to_string(),
        _ => error.to_string(),
    };
    RowError { line, wrong }
}
