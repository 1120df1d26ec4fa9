//! A JSON-lines file: one object a line, passed on as it stands. Blank lines are no rows.

use super::topic::Hole;
use super::{Row, RowError, Source};
use serde_json::Value;
use std::io::BufRead;

/// The longest line taken.
const LONGEST: usize = 16 << 20;

/// Reads a JSON-lines file.
pub(super) struct JsonLines {
    source: Source,
    text: Vec<u8>,
    line: u64,
}

impl JsonLines {
    /// Starts at the top.
    pub(super) fn new(source: Source) -> JsonLines {
        JsonLines { source, text: Vec::new(), line: 0 }
    }

    /// The next line that is not blank, whatever is in it: what cannot be read is for the receiver to reject.
    pub(super) fn next_row(&mut self) -> Result<Option<Row>, RowError> {
        loop {
            self.text.clear();
            let read = std::io::Read::take(&mut self.source, LONGEST as u64 + 1).read_until(b'\n', &mut self.text);
            let fault = |line, wrong| RowError { line, wrong };
            if read.map_err(|e| fault(self.line, e.to_string()))? == 0 {
                return Ok(None);
            }
            self.line += 1;
            if self.text.len() > LONGEST {
                return Err(fault(
                    self.line,
                    format!("longer than {} MiB; put each object on its own line", LONGEST >> 20),
                ));
            }
            let json = self.text.trim_ascii();
            if !json.is_empty() {
                return Ok(Some(Row { json: json.to_vec() }));
            }
        }
    }

    /// The row read last, parsed.
    pub(super) fn parse(&self) -> Result<Value, String> {
        serde_json::from_slice(&self.text).map_err(|e| format!("not JSON ({e}), so the topic cannot be filled"))
    }

    /// Line of the row read last.
    pub(super) fn line(&self) -> u64 {
        self.line
    }
}

/// A value of a parsed row, as text.
pub(super) fn value(object: &Value, hole: &Hole) -> Result<String, String> {
    match object.pointer(&hole.pointer()) {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(Value::Number(number)) => Ok(number.to_string()),
        Some(Value::Bool(truth)) => Ok(truth.to_string()),
        Some(_) => Err(format!("{hole} is not a text or number")),
        None => Err(format!("the object has no {hole}")),
    }
}
