//! Rows of CSV and JSON-lines files, plain or gzipped, as JSON objects.

pub mod blocks;
pub mod bookmark;
mod csv_file;
mod json_lines;
pub mod topic;

use crate::Error;
use csv_file::CsvFile;
use flate2::read::MultiGzDecoder;
use json_lines::JsonLines;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

/// Bytes read from a file at once.
const BUFFER: usize = 256 << 10;

/// One row, as a JSON object.
#[derive(Debug)]
pub struct Row {
    /// The object's text.
    pub json: Vec<u8>,
}

/// Reads the rows of one file in order.
pub struct Reader {
    file: PathBuf,
    form: Form,
}

enum Form {
    Csv(CsvFile),
    Json(JsonLines),
}

/// Decompressed bytes of a file.
type Source = BufReader<Box<dyn Read + Send>>;

impl Reader {
    /// Opens a file. Its form follows from its name (`.csv`, `.jsonl`, each also with `.gz`), else from its first byte.
    /// `delimiter` is that of a CSV file; without one it is guessed from the header.
    pub fn open(file: &Path, delimiter: Option<u8>) -> Result<Reader, Error> {
        let unreadable = |e: std::io::Error| Error::run(format!("{}: {e}", file.display()));
        let mut source = open(file)?;
        let gzipped = file.extension().is_some_and(|ext| ext == "gz");
        let name = if gzipped { file.with_extension("") } else { file.to_owned() };
        let form = match name.extension().and_then(|ext| ext.to_str()) {
            Some("jsonl" | "ndjson" | "json") => Form::Json(JsonLines::new(source)),
            Some("csv" | "tsv") => Form::Csv(CsvFile::new(source, delimiter).map_err(|e| e.at(file))?),
            _ if source.fill_buf().map_err(unreadable)?.trim_ascii_start().starts_with(b"{") => {
                Form::Json(JsonLines::new(source))
            }
            _ => Form::Csv(CsvFile::new(source, delimiter).map_err(|e| e.at(file))?),
        };
        Ok(Reader { file: file.to_owned(), form })
    }

    /// The next row; nothing at the end.
    pub fn next_row(&mut self) -> Result<Option<Row>, Error> {
        let row = match &mut self.form {
            Form::Csv(csv) => csv.next_row(),
            Form::Json(lines) => lines.next_row(),
        };
        row.map_err(|e| e.at(&self.file))
    }

    /// Fills a topic pattern with values of the row read last.
    pub fn topic(&self, pattern: &topic::Pattern) -> Result<topic::Filled, Error> {
        let filled = match &self.form {
            Form::Csv(csv) => pattern.fill(|hole| csv.value(hole)),
            Form::Json(lines) => {
                let object = if pattern.has_holes() { lines.parse() } else { Ok(serde_json::Value::Null) };
                object.and_then(|object| pattern.fill(|hole| json_lines::value(&object, hole)))
            }
        };
        let line = match &self.form {
            Form::Csv(csv) => csv.line(),
            Form::Json(lines) => lines.line(),
        };
        filled.map_err(|wrong| RowError { line, wrong }.at(&self.file))
    }
}

/// Opens a file, behind its byte order mark.
fn open(file: &Path) -> Result<Source, Error> {
    let unreadable = |e: std::io::Error| Error::run(format!("{}: {e}", file.display()));
    let opened = File::open(file).map_err(unreadable)?;
    let bytes: Box<dyn Read + Send> = match file.extension().is_some_and(|ext| ext == "gz") {
        true => Box::new(MultiGzDecoder::new(BufReader::with_capacity(BUFFER, opened))),
        false => Box::new(opened),
    };
    let mut source = BufReader::with_capacity(BUFFER, bytes);
    if source.fill_buf().map_err(unreadable)?.starts_with(b"\xef\xbb\xbf") {
        source.consume(3);
    }
    Ok(source)
}

/// What is wrong with a row.
#[derive(Debug)]
struct RowError {
    /// Line in the file, from 1; 0 for the file as a whole.
    line: u64,
    wrong: String,
}

impl RowError {
    fn at(self, file: &Path) -> Error {
        match self.line {
            0 => Error::run(format!("{}: {}", file.display(), self.wrong)),
            line => Error::run(format!("{}:{line}: {}", file.display(), self.wrong)),
        }
    }
}

#[cfg(test)]
mod tests;
