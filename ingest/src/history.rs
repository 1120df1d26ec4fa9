//! Rows of a CSV file straight into columns, for mappings whose values stand in columns: history comes in as fast as the
//! machine allows.
//!
//! Pure. Only what is plain is taken here: a number in the field's own unit, an instant, an id. A row that is out of the
//! ordinary in any way (quoted, missing its time, out of range, in the future …) is left to the pipeline, which takes it
//! as a message or rejects it. So both ways come to the same, and this one has no rejects of its own.

mod cells;

#[cfg(test)]
mod tests;

use crate::decode::Value;
use crate::normalize::{self, Mapped};
use cells::{instant, split, steps};
use hashbrown::HashMap;
use schemas::source::{Mapping, TimeFormat, TimeSpec};
use schemas::template::{Piece as Hole, Pointer};
use schemas::{ABSENT, Batch, Dataset, Time};
use std::ops::Range;
use std::sync::Arc;

/// Where a piece of a sensor's id stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// The same in every row.
    Text(String),
    /// In a column.
    Column(usize),
    /// In a column, as a level of a topic, which cannot hold every character.
    Level(usize),
}

/// How the rows of a file are read.
#[derive(Clone, Debug)]
pub struct Table {
    dataset: Arc<Dataset>,
    source: usize,
    delimiter: u8,
    columns: usize,
    sensor: Vec<Cell>,
    time: usize,
    format: TimeFormat,
    interval: i64,
    /// For each entry of the wide mapping its column, if the file has it.
    values: Vec<Option<usize>>,
}

/// Some neighbouring rows of a block.
#[derive(Clone, Debug)]
pub struct Piece {
    /// Their bytes in the block, line ends included.
    pub bytes: Range<usize>,
    /// How many there are.
    pub rows: u64,
    /// Their readings; nothing when they are out of the ordinary.
    pub batch: Option<Batch>,
}

impl Table {
    /// How a source's mapping reads a file with these columns; nothing when a row of it needs more than its own cells, or says
    /// more than readings (places, attributes). `level` tells where a level of the topic comes from.
    pub fn new(
        dataset: &Arc<Dataset>,
        source: usize,
        columns: &[String],
        delimiter: u8,
        level: &dyn Fn(usize) -> Option<Cell>,
    ) -> Option<Table> {
        let from = dataset.sources.get(source)?;
        let column = |pointer: &Pointer| match &pointer.parts[..] {
            [name] => columns.iter().position(|column| column == name),
            _ => None,
        };
        let TimeSpec::Payload { path, format } = &from.time else { return None };
        let Mapping::Wide(entries) = &from.map else { return None };
        let silent = from.place.is_none() && from.attributes.is_empty();
        if !silent || from.every.is_some_and(|every| every != dataset.every) {
            return None;
        }
        let piece = |hole: &Hole| match hole {
            Hole::Literal(text) => Some(Cell::Text(text.clone())),
            Hole::Topic(at) => level(*at),
            Hole::Payload(pointer) => column(pointer).map(Cell::Column),
            Hole::Part(_) => None,
        };
        // A pointer with a deeper path may mean something below a cell, which never is an object.
        let values = entries.iter().map(|entry| column(&entry.path)).collect();
        Some(Table {
            dataset: dataset.clone(),
            source,
            delimiter,
            columns: columns.len(),
            sensor: from.sensor.pieces.iter().map(piece).collect::<Option<_>>()?,
            time: column(path)?,
            format: format.clone(),
            interval: normalize::interval(from, dataset),
            values,
        })
    }

    /// Reads the rows of a block, which ends at the end of a line. `now` bounds how far ahead a stamp may be.
    pub fn read(&self, block: &[u8], now: Time) -> Vec<Piece> {
        let mut reading = Reading { table: self, now, sensors: HashMap::new(), id: String::new(), values: Vec::new() };
        let mut pieces: Vec<Piece> = Vec::new();
        let mut cells = Vec::with_capacity(self.columns);
        let mut start = 0;
        while start < block.len() {
            let end = block[start..].iter().position(|&b| b == b'\n').map_or(block.len(), |at| start + at + 1);
            let line = block[start..end].strip_suffix(b"\n").unwrap_or(&block[start..end]);
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.is_empty() {
                // Nothing stands there: it counts as no row, as for the reader of CSV.
                extend(&mut pieces, start..end, 0, None);
            } else {
                let plain = std::str::from_utf8(line).ok().filter(|line| split(line, self.delimiter, &mut cells));
                let whole = plain.filter(|_| cells.len() <= self.columns);
                match whole {
                    Some(line) => reading.row(line, &cells, &mut pieces, start..end),
                    None => extend(&mut pieces, start..end, 1, Some(false)),
                }
            }
            start = end;
        }
        pieces
    }

    /// Texts that mean no value.
    fn missing(&self) -> &[String] {
        &self.dataset.sources[self.source].missing
    }

    /// The source's mapping entries.
    fn entries(&self) -> &[schemas::source::Mapped] {
        match &self.dataset.sources[self.source].map {
            Mapping::Wide(entries) => entries,
            Mapping::Long { .. } => &[],
        }
    }
}

/// Lengthens the last piece, or begins one. `taken`: into a batch or not; blank lines belong to whatever comes before.
fn extend(pieces: &mut Vec<Piece>, bytes: Range<usize>, rows: u64, taken: Option<bool>) {
    match pieces.last_mut() {
        Some(last) if taken.is_none_or(|taken| taken == last.batch.is_some()) => {
            last.bytes.end = bytes.end;
            last.rows += rows;
        }
        _ => pieces.push(Piece { bytes, rows, batch: None }),
    }
}

/// Rows being read.
struct Reading<'a> {
    table: &'a Table,
    now: Time,
    /// Numbers of the sensors in the batch under way.
    sensors: HashMap<String, u32>,
    id: String,
    values: Vec<i64>,
}

impl Reading<'_> {
    /// Takes a row into the batch under way, or leaves it to the pipeline.
    fn row(&mut self, line: &str, cells: &[Range<usize>], pieces: &mut Vec<Piece>, bytes: Range<usize>) {
        let Some(time) = self.time(line, cells).filter(|_| self.identify(line, cells) && self.fill(line, cells)) else {
            return extend(pieces, bytes, 1, Some(false));
        };
        if pieces.last().is_none_or(|last| last.batch.is_none()) {
            self.sensors.clear();
            let batch = Some(Batch::new(self.table.dataset.clone()));
            pieces.push(Piece { bytes: bytes.start..bytes.start, rows: 0, batch });
        }
        let Some(Piece { batch: Some(batch), bytes: own, rows }) = pieces.last_mut() else { return };
        own.end = bytes.end;
        *rows += 1;
        let number = match self.sensors.get(self.id.as_str()) {
            Some(number) => *number,
            None => {
                let number = batch.sensors.len() as u32;
                batch.sensors.push(self.id.as_str().into());
                self.sensors.insert(self.id.clone(), number);
                number
            }
        };
        batch.sensor.push(number);
        batch.time.push(time);
        batch.columns.iter_mut().zip(&self.values).for_each(|(column, value)| column.push(*value));
    }

    /// The instant of a row.
    fn time(&self, line: &str, cells: &[Range<usize>]) -> Option<i64> {
        let table = self.table;
        let text = line[cells.get(table.time)?.clone()].trim();
        if table.missing().iter().any(|missing| missing.trim() == text) {
            return None;
        }
        let stamp = match instant(&table.format, text) {
            Some(stamp) => stamp,
            None => table.format.read(text).ok()?,
        };
        normalize::instant(stamp, table.interval, self.now).ok().map(|time| time.0)
    }

    /// Puts the sensor's id together; false when it is none.
    fn identify(&mut self, line: &str, cells: &[Range<usize>]) -> bool {
        self.id.clear();
        for piece in &self.table.sensor {
            match piece {
                Cell::Text(text) => self.id.push_str(text),
                Cell::Column(column) | Cell::Level(column) => match cells.get(*column) {
                    Some(cell) if !cell.is_empty() => self.id.push_str(&line[cell.clone()]),
                    _ => return false,
                },
            }
        }
        let level = self.table.sensor.iter().any(|piece| matches!(piece, Cell::Level(_)));
        normalize::sensor(&self.id).is_ok() && !(level && self.id.contains(['/', '+', '#']))
    }

    /// Fills the values; false when one of them is refused, or none is there.
    fn fill(&mut self, line: &str, cells: &[Range<usize>]) -> bool {
        let (table, mut present) = (self.table, false);
        let missing = table.missing();
        self.values.clear();
        self.values.resize(table.dataset.fields.len(), ABSENT);
        for (entry, column) in table.entries().iter().zip(&table.values) {
            let Some(cell) = column.and_then(|column| cells.get(column)) else { continue };
            let (text, field) = (&line[cell.clone()], &table.dataset.fields[entry.field]);
            let plain = steps(text.as_bytes(), field.resolution.scale());
            let plain = plain.filter(|_| entry.words.is_empty() && missing.is_empty() && entry.unit == field.unit);
            let value = match plain {
                Some(steps) if field.range.0 <= steps && steps <= field.range.1 => steps,
                _ => {
                    let mapped = Mapped { field, unit: &entry.unit, words: &entry.words, missing };
                    match normalize::value(mapped, &Value::Text(text.into())) {
                        Ok(value) => value.unwrap_or(ABSENT),
                        Err(_) => return false,
                    }
                }
            };
            self.values[entry.field] = value;
            present |= value != ABSENT;
        }
        present
    }
}
