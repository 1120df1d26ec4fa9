//! A CSV file in blocks of whole lines, for those who read cells themselves.

use super::csv_file::CsvFile;
use super::topic::Pattern;
use super::{RowError, Source, open};
use crate::{Error, Message};
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bytes of a block, about: some ten thousand rows.
const BLOCK: usize = 1 << 20;

/// What is needed to read any of a file's lines.
#[derive(Clone, Debug)]
pub struct Head {
    file: PathBuf,
    /// Names of the columns.
    pub names: Vec<String>,
    /// What stands between cells.
    pub delimiter: u8,
}

/// Reads a CSV file block by block.
pub struct Blocks {
    source: Source,
    head: Arc<Head>,
    /// Bytes read past the last block.
    rest: Vec<u8>,
    /// Lines of the blocks before.
    lines: u64,
}

/// Some whole lines.
#[derive(Clone, Debug)]
pub struct Block {
    /// Their bytes.
    pub bytes: Arc<[u8]>,
    /// Lines of the file before them.
    pub lines: u64,
    /// The file they are of.
    pub head: Arc<Head>,
}

impl Blocks {
    /// Opens a file if it is a CSV file by its name; nothing otherwise.
    pub fn open(file: &Path, delimiter: Option<u8>) -> Result<Option<Blocks>, Error> {
        let plain = if file.extension().is_some_and(|ext| ext == "gz") { file.with_extension("") } else { file.into() };
        if !plain.extension().is_some_and(|ext| ext == "csv" || ext == "tsv") {
            return Ok(None);
        }
        let source = open(file)?;
        let csv = CsvFile::new(source, delimiter).map_err(|e| e.at(file))?;
        let head = Arc::new(Head { file: file.to_owned(), names: csv.names().to_vec(), delimiter: csv.delimiter() });
        // The reader of the header has read ahead: begin again, behind the header.
        let mut blocks = Blocks { source: open(file)?, head, rest: Vec::new(), lines: 0 };
        let header = csv.header_bytes();
        let skipped = std::io::copy(&mut (&mut blocks.source).take(header), &mut std::io::sink());
        skipped.map_err(|e| Error::run(format!("{}: {e}", file.display())))?;
        blocks.lines = 1;
        Ok(Some(blocks))
    }

    /// What its lines are read by.
    pub fn head(&self) -> &Arc<Head> {
        &self.head
    }

    /// The next block; nothing at the end.
    pub fn next_block(&mut self) -> Result<Option<Block>, Error> {
        let mut bytes = std::mem::take(&mut self.rest);
        loop {
            let before = bytes.len();
            let failed = |e: std::io::Error| Error::run(format!("{}: {e}", self.head.file.display()));
            (&mut self.source).take(BLOCK as u64).read_to_end(&mut bytes).map_err(failed)?;
            let ended = bytes.len() == before;
            let cut = if ended { bytes.len() } else { last_line_end(&bytes) };
            if cut == 0 && !ended {
                continue; // one line longer than a block
            }
            self.rest = bytes.split_off(cut);
            if bytes.is_empty() {
                return Ok(None);
            }
            let lines = self.lines;
            self.lines += bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
            return Ok(Some(Block { bytes: bytes.into(), lines, head: self.head.clone() }));
        }
    }
}

/// Where the last line that is whole ends; a line end inside quotes is none (RFC 4180).
fn last_line_end(bytes: &[u8]) -> usize {
    if !bytes.contains(&b'"') {
        return bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    }
    let (mut quoted, mut end) = (false, 0);
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' if !quoted => end = at + 1,
            _ => {}
        }
    }
    end
}

impl Block {
    /// Whether a line may hold what only a reader of CSV understands.
    pub fn is_quoted(&self) -> bool {
        self.bytes.contains(&b'"')
    }

    /// Leaves out its first rows, at most so many; gives how many are still to be left out.
    pub fn leave_out(&mut self, mut rows: u64) -> u64 {
        let mut at = 0;
        while rows > 0 && at < self.bytes.len() {
            let line = self.bytes[at..].iter().position(|byte| *byte == b'\n').map_or(self.bytes.len() - at, |n| n + 1);
            // A blank line is no row.
            rows -= u64::from(!self.bytes[at..at + line].trim_ascii().is_empty());
            at += line;
            self.lines += 1;
        }
        self.bytes = self.bytes[at..].into();
        rows
    }

    /// The rows of some of its bytes as messages of the topics that a pattern gives.
    pub fn messages(&self, bytes: std::ops::Range<usize>, pattern: &Pattern) -> Result<Vec<Message>, Error> {
        let before = self.lines + self.bytes[..bytes.start].iter().filter(|byte| **byte == b'\n').count() as u64;
        let some = self.bytes.clone();
        let wrong = |e: RowError| RowError { line: before + e.line, ..e }.at(&self.head.file);
        let source: Source = BufReader::new(Box::new(std::io::Cursor::new(some[bytes].to_vec())));
        let mut csv = CsvFile::below(&self.head.names, self.head.delimiter, source);
        let mut messages = Vec::new();
        while let Some(row) = csv.next_row().map_err(wrong)? {
            let topic =
                pattern.fill(|hole| csv.value(hole)).map_err(|e| wrong(RowError { line: csv.line(), wrong: e }))?;
            messages.push(Message { topic: topic.topic, payload: row.json.into() });
        }
        Ok(messages)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_hold_whole_lines_and_all_of_them() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("long.csv");
        let line = |n: usize| if n % 1000 == 7 { format!("\"a\n{n}\",1\r\n") } else { format!("s{n},{}\n", n % 13) };
        let text: String = std::iter::once("site,\"n\"\n".to_owned()).chain((0..300_000).map(line)).collect();
        std::fs::write(&file, &text).unwrap();
        let mut blocks = Blocks::open(&file, None).unwrap().unwrap();
        assert_eq!(blocks.head().names, ["site", "n"]);
        let pattern = Pattern::parse("a/{site}").unwrap();
        let (mut bytes, mut rows, mut many) = (Vec::new(), 0, 0);
        while let Some(block) = blocks.next_block().unwrap() {
            rows += block.messages(0..block.bytes.len(), &pattern).unwrap().len();
            bytes.extend_from_slice(&block.bytes);
            many += 1;
        }
        assert!(many > 2);
        let mut block = Block { bytes: (*b"a,1\n\nb,2\nc,3").into(), lines: 1, head: blocks.head().clone() };
        assert_eq!((block.leave_out(2), &*block.bytes, block.lines), (0, &b"c,3"[..], 4));
        assert_eq!((block.leave_out(3), block.bytes.len()), (2, 0));
        assert_eq!(rows, 300_000);
        assert_eq!(bytes, text.as_bytes()["site,\"n\"\n".len()..]);
        assert!(Blocks::open(&folder.path().join("x.jsonl"), None).unwrap().is_none());
    }
}
