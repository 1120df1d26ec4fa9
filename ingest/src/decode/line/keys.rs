//! The fields that lines of one measurement have, and who wants them. The field that followed last time is tried first.

use super::super::number::word;
use super::text::{Fault, fail, unescape, until};
use crate::decode::Quick;

/// Fields that nobody wants and are remembered all the same, so that they are passed over quickly.
const OTHERS: usize = 64;
/// Stands for no field.
pub(super) const NONE: usize = usize::MAX;

/// Who wants a field, and what for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Target {
    /// A source, for a value.
    Value { taker: usize, entry: usize, field: usize, quick: Quick },
    /// A source, for what it says of its sensor.
    Said { taker: usize, want: usize },
}

/// The fields of one measurement.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    /// As they stand in lines, wanted ones first.
    list: Vec<Key>,
    /// Name, without escapes, to who wants it.
    wanted: Vec<(String, Vec<Target>)>,
    /// The field that began the last line.
    first: usize,
}

/// A field, by its text in the line.
#[derive(Clone, Debug)]
pub(super) struct Key {
    /// Its first 16 bytes, and which of them count.
    words: [(u64, u64); 2],
    /// Its text, with the equals sign.
    text: Box<[u8]>,
    pub(super) targets: Box<[Target]>,
    /// Who wants it, if one does and for a value.
    pub(super) only: Option<(usize, usize, Quick)>,
    /// The field that came after it last time.
    next: usize,
}

impl Key {
    fn new(text: &[u8], targets: &[Target]) -> Key {
        let mask = |from: usize| match text.len().saturating_sub(from) {
            0 => 0,
            bytes @ 1..8 => (1 << (8 * bytes)) - 1,
            _ => u64::MAX,
        };
        let only = match targets {
            [Target::Value { taker, field, quick, .. }] => Some((*taker, *field, *quick)),
            _ => None,
        };
        let words = [0, 8].map(|from| (word(text, from), mask(from)));
        Key { words, text: text.into(), targets: targets.into(), only, next: NONE }
    }

    /// The byte after it, if it stands at a byte of the line.
    #[inline]
    fn after(&self, line: &[u8], at: usize) -> Option<usize> {
        let [(first, first_mask), (second, second_mask)] = self.words;
        let same = (word(line, at) ^ first) & first_mask == 0
            && (second_mask == 0 || (word(line, at + 8) ^ second) & second_mask == 0)
            && (self.text.len() <= 16 || line.get(at..).is_some_and(|rest| rest.starts_with(&self.text)));
        (same && at + self.text.len() <= line.len()).then(|| at + self.text.len())
    }
}

impl Keys {
    /// For a measurement of which these fields are wanted.
    pub(super) fn new(wanted: Vec<(String, Vec<Target>)>) -> Keys {
        let list = wanted.iter().map(|(name, targets)| Key::new(escaped(name).as_bytes(), targets)).collect();
        Keys { list, wanted, first: NONE }
    }

    /// The field that stands at a byte of the line, and the byte after its equals sign; `before` is the field before it.
    #[inline]
    pub(super) fn read(&mut self, before: usize, line: &[u8], at: usize) -> Result<(usize, usize), Fault> {
        let guess = if before == NONE { self.first } else { self.list[before].next };
        match self.list.get(guess).and_then(|key| key.after(line, at)) {
            Some(end) => Ok((guess, end)),
            None => self.find(before, line, at),
        }
    }

    /// The field of a number.
    #[inline]
    pub(super) fn key(&self, number: usize) -> &Key {
        &self.list[number]
    }

    fn find(&mut self, before: usize, line: &[u8], at: usize) -> Result<(usize, usize), Fault> {
        let end = until(line, at, b"=, ");
        if end == at || line.get(end) != Some(&b'=') {
            return fail(end, "a field such as co2=412i");
        }
        let text = &line[at..=end];
        let found = self.list.iter().position(|key| *key.text == *text);
        let number = match found {
            Some(number) => number,
            None => self.add(text).ok_or(Fault { at, expected: "a field's name in UTF-8" })?,
        };
        match before {
            NONE => self.first = number,
            before => self.list[before].next = number,
        }
        Ok((number, end + 1))
    }

    /// Adds a field; in the place of another one that nobody knew, if there are many.
    fn add(&mut self, text: &[u8]) -> Option<usize> {
        let name = unescape(std::str::from_utf8(&text[..text.len() - 1]).ok()?, &[',', '=', ' ']);
        let targets = self.wanted.iter().find(|(wanted, _)| *wanted == name).map_or(&[][..], |(_, targets)| targets);
        let key = Key::new(text, targets);
        if self.list.len() < self.wanted.len() + OTHERS {
            self.list.push(key);
        } else if let Some(last) = self.list.last_mut() {
            *last = key;
        }
        Some(self.list.len() - 1)
    }
}

/// A name as lines have it.
fn escaped(name: &str) -> String {
    let mut text = String::with_capacity(name.len() + 1);
    for letter in name.chars() {
        if matches!(letter, ',' | '=' | ' ' | '\\') {
            text.push('\\');
        }
        text.push(letter);
    }
    text.push('=');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(name: &str, want: usize) -> (String, Vec<Target>) {
        (name.to_owned(), vec![Target::Said { taker: 0, want }])
    }

    #[test]
    fn fields_are_found_in_any_order_and_by_any_spelling() {
        let long = "a name of more than sixteen bytes";
        let mut keys = Keys::new(vec![wanted("co2", 0), wanted("a b", 1), wanted(long, 2)]);
        for _ in 0..2 {
            for (line, want) in [
                ("co2=1", Some(0)),
                (r"a\ b=1", Some(1)),
                (r"a\ name\ of\ more\ than\ sixteen\ bytes=5", Some(2)),
                (r"a\ name\ of\ more\ than\ sixteen\ byteX=5", None),
                (r"c\o2=1", None),
                ("co=1", None),
                ("co22=1", None),
                ("co2=", Some(0)),
            ] {
                let (number, end) = keys.read(NONE, line.as_bytes(), 0).unwrap();
                assert_eq!(end, line.find('=').unwrap() + 1, "{line}");
                let found = keys.key(number).targets.first().copied();
                assert_eq!(found, want.map(|want| Target::Said { taker: 0, want }), "{line}");
            }
        }
        for wrong in ["", "=1", "co2", "co2 =1", "co2,x=1", "co2\n=1"] {
            assert!(keys.read(NONE, wrong.as_bytes(), 0).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn fields_that_nobody_wants_are_not_remembered_without_end() {
        let mut keys = Keys::new(vec![wanted("co2", 0)]);
        let mut before = NONE;
        for i in 0..1000 {
            before = keys.read(before, format!("f{i}=1").as_bytes(), 0).unwrap().0;
        }
        assert_eq!(keys.list.len(), 1 + OTHERS);
        let (co2, _) = keys.read(before, b"co2=1", 0).unwrap();
        assert!(!keys.key(co2).targets.is_empty());
    }
}
