//! JSON (RFC 8259) in one pass: checks the whole payload and notes where the wanted values lie.
//!
//! Of keys that occur twice the last wins. Numbers stay text. Nothing is allocated per value.

use super::groove::Groove;
use super::shape::{NodeIx, Shape};
use super::slot::{Slot, Sort, Value};
use std::fmt;

/// How deep objects and arrays may nest.
pub const MAX_DEPTH: usize = 64;

/// Why a payload cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Byte at which it went wrong.
    pub at: usize,
    /// What would have been right there.
    pub expected: &'static str,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not JSON at byte {}: expected {}", self.at, self.expected)
    }
}

/// The wanted values of a payload's records, by place. Reused from message to message.
#[derive(Debug, Default)]
pub struct Decoded {
    slots: Vec<Slot>,
    width: usize,
    records: usize,
    /// Whether the payload was an array.
    pub array: bool,
    /// Elements of the array that are no objects, by index.
    pub odd: Vec<usize>,
}

impl Decoded {
    /// Records found: one per object.
    pub fn records(&self) -> usize {
        self.records
    }

    /// A value of a record. `text` is the payload that was read.
    pub fn value<'a>(&self, text: &'a str, record: usize, slot: usize) -> Value<'a> {
        self.slots.get(record * self.width + slot).map_or(Value::Absent, |slot| slot.value(text))
    }

    /// Reads like [`Decoded::read`], faster where a payload is like the one before.
    pub(crate) fn read_along(&mut self, shape: &Shape, text: &str, groove: &mut Groove) -> Result<(), Fault> {
        self.slots.clear();
        self.slots.resize(shape.width, Slot::default());
        if groove.follow(text.as_bytes(), &mut self.slots) {
            self.odd.clear();
            (self.width, self.records, self.array) = (shape.width, 1, false);
            return Ok(());
        }
        self.read(shape, text)?;
        if !self.array {
            groove.learn(text.as_bytes(), &self.slots);
        }
        Ok(())
    }

    /// Reads an object or an array of objects. After a fault it holds nothing of use.
    pub fn read(&mut self, shape: &Shape, text: &str) -> Result<(), Fault> {
        self.slots.clear();
        self.odd.clear();
        self.width = shape.width;
        self.records = 0;
        self.array = false;
        let mut scan = Scan { bytes: text.as_bytes(), at: 0, shape, slots: &mut self.slots, base: 0 };
        scan.blanks();
        match scan.peek() {
            Some(b'{') => {
                scan.record()?;
                self.records = 1;
            }
            Some(b'[') => {
                self.array = true;
                let mut index = 0;
                scan.at += 1;
                scan.list(b']', |scan| {
                    if scan.peek() == Some(b'{') {
                        scan.record()?;
                        self.records += 1;
                    } else {
                        scan.value(None, 1)?;
                        self.odd.push(index);
                    }
                    index += 1;
                    Ok(())
                })?;
            }
            _ => return scan.fail("an object or an array of objects"),
        }
        scan.blanks();
        if scan.at == scan.bytes.len() { Ok(()) } else { scan.fail("the end") }
    }
}

/// The scanner: a place in the bytes, and the record being filled.
struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
    shape: &'a Shape,
    slots: &'a mut Vec<Slot>,
    base: usize,
}

impl Scan<'_> {
    fn fail<T>(&self, expected: &'static str) -> Result<T, Fault> {
        Err(Fault { at: self.at, expected })
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn blanks(&mut self) {
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    /// A top-level object: one record.
    fn record(&mut self) -> Result<(), Fault> {
        self.base = self.slots.len();
        self.slots.resize(self.base + self.shape.width, Slot::default());
        self.object(Some(0), 1)
    }

    /// Elements up to `close`, separated by commas; the opening bracket has been read.
    fn list(&mut self, close: u8, mut element: impl FnMut(&mut Self) -> Result<(), Fault>) -> Result<(), Fault> {
        self.blanks();
        if self.peek() == Some(close) {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.blanks();
            element(self)?;
            self.blanks();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(byte) if byte == close => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return self.fail(if close == b'}' { "`,` or `}`" } else { "`,` or `]`" }),
            }
        }
    }

    fn object(&mut self, node: Option<NodeIx>, depth: usize) -> Result<(), Fault> {
        if depth > MAX_DEPTH {
            return self.fail("at most 64 levels of nesting");
        }
        let shape = self.shape;
        let keys = node.map_or(&[][..], |ix| &shape.nodes[ix as usize].keys);
        // Payloads of one sort of device keep their order: the key after the last one found is tried first.
        let mut guess = 0;
        self.at += 1;
        self.list(b'}', |scan| {
            if scan.peek() != Some(b'"') {
                return scan.fail("a key in quotes");
            }
            let start = scan.at;
            let escaped = scan.string()?;
            let found = match (keys.is_empty(), escaped) {
                (true, _) => None,
                (false, false) => find(keys, &scan.bytes[start + 1..scan.at - 1], &mut guess),
                (false, true) => {
                    unescape(&scan.bytes[start..scan.at]).and_then(|key| find(keys, key.as_bytes(), &mut guess))
                }
            };
            scan.blanks();
            if scan.peek() != Some(b':') {
                return scan.fail("`:`");
            }
            scan.at += 1;
            scan.blanks();
            scan.value(found, depth + 1)
        })
    }

    fn array(&mut self, node: Option<NodeIx>, depth: usize) -> Result<(), Fault> {
        if depth > MAX_DEPTH {
            return self.fail("at most 64 levels of nesting");
        }
        let shape = self.shape;
        let items = node.map_or(&[][..], |ix| &shape.nodes[ix as usize].items);
        let mut index = 0;
        self.at += 1;
        self.list(b']', |scan| {
            let found = items.iter().find(|(wanted, _)| *wanted == index).map(|(_, ix)| *ix);
            index += 1;
            scan.value(found, depth + 1)
        })
    }

    /// Any value; noted when its place is wanted.
    fn value(&mut self, node: Option<NodeIx>, depth: usize) -> Result<(), Fault> {
        if let Some(ix) = node {
            // A key that occurs again replaces all that its first value held.
            let (first, end) = self.shape.nodes[ix as usize].slots;
            self.slots[self.base + first as usize..self.base + end as usize].fill(Slot::default());
        }
        let start = self.at;
        let sort = match self.peek() {
            Some(b'"') if self.string()? => Sort::Escaped,
            Some(b'"') => Sort::Plain,
            Some(b'{') => {
                self.object(node, depth)?;
                Sort::Nested
            }
            Some(b'[') => {
                self.array(node, depth)?;
                Sort::Nested
            }
            Some(b'-' | b'0'..=b'9') => {
                self.number()?;
                Sort::Number
            }
            Some(b't') => self.word(b"true", Sort::True)?,
            Some(b'f') => self.word(b"false", Sort::False)?,
            Some(b'n') => self.word(b"null", Sort::Absent)?,
            _ => return self.fail("a value"),
        };
        if let Some(slot) = node.and_then(|ix| self.shape.nodes[ix as usize].slot) {
            self.slots[self.base + slot as usize] = Slot { sort, start: start as u32, end: self.at as u32 };
        }
        Ok(())
    }

    fn word(&mut self, word: &'static [u8], sort: Sort) -> Result<Sort, Fault> {
        if self.bytes[self.at..].starts_with(word) {
            self.at += word.len();
            return Ok(sort);
        }
        self.fail("`true`, `false` or `null`")
    }

    /// A string, opening quote included. Whether it has escapes.
    fn string(&mut self) -> Result<bool, Fault> {
        let mut escaped = false;
        self.at += 1;
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(escaped);
                }
                Some(b'\\') => {
                    escaped = true;
                    self.at += 1;
                    self.escape()?;
                }
                Some(0x20..) => self.at += 1,
                _ => return self.fail("a closing quote and no bare control characters"),
            }
        }
    }

    fn escape(&mut self) -> Result<(), Fault> {
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 1,
            Some(b'u') => {
                let digits = self.bytes.get(self.at + 1..self.at + 5);
                if !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
                    return self.fail("four hexadecimal digits after `\\u`");
                }
                self.at += 5;
            }
            _ => return self.fail("an escape such as `\\n` or `\\u00e4`"),
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), Fault> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        if self.at == start { self.fail("a digit") } else { Ok(()) }
    }

    fn number(&mut self) -> Result<(), Fault> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            _ => self.digits()?,
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }
}

/// The place a key leads to, tried from `guess` on.
fn find(keys: &[(Box<str>, NodeIx)], key: &[u8], guess: &mut usize) -> Option<NodeIx> {
    for step in 0..keys.len() {
        let i = (*guess + step) % keys.len();
        if keys[i].0.as_bytes() == key {
            *guess = i + 1;
            return Some(keys[i].1);
        }
    }
    None
}

/// The text of a quoted string with escapes; nothing when half a surrogate pair is in it.
fn unescape(quoted: &[u8]) -> Option<String> {
    serde_json::from_slice(quoted).ok()
}

#[cfg(test)]
mod tests;
