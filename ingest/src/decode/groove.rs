//! The groove of a device's payloads: what of the last one was the same as in the one before. Most devices send one text again
//! and again, with other values in the same places; following it finds those without reading JSON.
//!
//! Whatever does not lie in the groove is read as JSON, so nothing depends on it but speed.

use super::slot::{Slot, Sort};

/// Misses in a row after which no groove is looked for any more.
const MISSES: u32 = 32;

/// Where the wanted values of a payload of one object stand, and what stands between them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Groove {
    pieces: Vec<Piece>,
    /// What follows the last value.
    end: Box<[u8]>,
    /// Whether one was learned.
    known: bool,
    misses: u32,
}

/// One wanted value, and what stands before it, the quote of a string included.
#[derive(Clone, Debug)]
struct Piece {
    before: Box<[u8]>,
    /// Number of its slot.
    slot: usize,
    /// Whether it is a string.
    quoted: bool,
}

impl Groove {
    /// Finds the values of a payload that lies in the groove; whether it does. `slots` are those of one record, all absent.
    pub(super) fn follow(&mut self, text: &[u8], slots: &mut [Slot]) -> bool {
        if !self.known {
            return false;
        }
        let followed = self.values(text, slots).is_some();
        self.misses = if followed { 0 } else { self.misses + 1 };
        followed
    }

    fn values(&self, text: &[u8], slots: &mut [Slot]) -> Option<()> {
        let mut at = 0;
        for piece in &self.pieces {
            let rest = text.get(at..)?.strip_prefix(&*piece.before)?;
            let begin = at + piece.before.len();
            at = begin + if piece.quoted { plain(rest)? } else { number(rest)? };
            let (sort, quote) = if piece.quoted { (Sort::Plain, 1) } else { (Sort::Number, 0) };
            at += quote;
            slots[piece.slot] = Slot { sort, start: (begin - quote) as u32, end: at as u32 };
        }
        (text.get(at..)? == &*self.end).then_some(())
    }

    /// Learns from a payload of one object that was read as JSON, and its record's slots.
    pub(super) fn learn(&mut self, text: &[u8], slots: &[Slot]) {
        self.known = false;
        if self.misses > MISSES {
            return;
        }
        let mut found: Vec<(usize, Slot)> = slots.iter().copied().enumerate().collect();
        found.retain(|(_, slot)| slot.sort != Sort::Absent);
        if !found.iter().all(|(_, slot)| matches!(slot.sort, Sort::Number | Sort::Plain)) {
            return;
        }
        found.sort_unstable_by_key(|(_, slot)| slot.start);
        self.pieces.clear();
        let mut at = 0;
        for (number, slot) in found {
            let quoted = slot.sort == Sort::Plain;
            let begin = slot.start as usize + usize::from(quoted);
            self.pieces.push(Piece { before: text[at..begin].into(), slot: number, quoted });
            at = slot.end as usize;
        }
        self.end = text[at..].into();
        self.known = true;
    }
}

/// Bytes of a string of printable ASCII without escapes, up to its closing quote.
fn plain(text: &[u8]) -> Option<usize> {
    let end = text.iter().position(|byte| !matches!(byte, b' '..=b'~') || matches!(byte, b'"' | b'\\'))?;
    (text[end] == b'"').then_some(end)
}

/// Bytes of a JSON number without exponent.
fn number(text: &[u8]) -> Option<usize> {
    let digits = |from: usize| text[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let sign = usize::from(text.first() == Some(&b'-'));
    let whole = digits(sign);
    let end = sign + whole;
    if whole == 0 || whole > 1 && text[sign] == b'0' {
        return None;
    }
    if text.get(end) != Some(&b'.') {
        return Some(end);
    }
    let fraction = digits(end + 1);
    (fraction > 0).then_some(end + 1 + fraction)
}

#[cfg(test)]
mod tests {
    use crate::decode::{Decoded, Groove, Shape};
    use schemas::template::Pointer;

    /// Texts of which each is read after having learned from each other: as if nothing had been learned.
    #[test]
    fn a_groove_changes_nothing_but_the_pace() {
        let texts = [
            r#"{"ts":"2026-01-01T00:00:00Z","a":1,"b":2.5}"#,
            r#"{"ts":"2026-01-01T00:00:05Z","a":-17,"b":0.25}"#,
            r#"{"ts":"x","a":01,"b":2.5}"#,
            r#"{"ts":"x","a":1e2,"b":2.5}"#,
            r#"{"ts":"x","a":1,"b":2.}"#,
            r#"{"ts":"x","a":-,"b":2}"#,
            r#"{"ts":"x\"y","a":1,"b":2}"#,
            r#"{"ts":"x\u00e4","a":1,"b":2}"#,
            r#"{"ts":"ž","a":1,"b":2}"#,
            "{\"ts\":\"x\u{1}\",\"a\":1,\"b\":2}",
            r#"{"ts":"x","a":1,"b":2}  "#,
            r#"{"ts":"x","a":1,"b":2}}"#,
            r#"{"ts":"x","a":1,"b":2"#,
            r#"{"ts":"x","a":1,"b":2,"a":3}"#,
            r#"{"ts":"x","n":5,"a":1,"b":2}"#,
            r#"{"ts":"x","n":6,"a":1,"b":2}"#,
            r#"{"ts":"x","a":null,"b":2}"#,
            r#"{"ts":"x","a":true,"b":2}"#,
            r#"{"ts":"x","a":{"a":1},"b":2}"#,
            r#"{"a":1,"ts":"x","b":2}"#,
            r#"{"ts":"","a":"1","b":"2"}"#,
            r#"{"ts":"x"}"#,
            r#"[{"ts":"x","a":1,"b":2}]"#,
            "{}",
            "",
        ];
        let pointers: Vec<Pointer> = ["/ts", "/a", "/b"].map(|text| Pointer::parse(text).unwrap()).into();
        let (shape, slots) = Shape::new(&pointers.iter().collect::<Vec<_>>());
        let shown = |decoded: &Decoded, text: &str| -> Vec<String> {
            slots.iter().map(|slot| format!("{:?}", decoded.value(text, 0, *slot))).collect()
        };
        let mut followed = 0;
        for first in texts {
            for second in texts {
                let (mut groove, mut decoded, mut fresh) = (Groove::default(), Decoded::default(), Decoded::default());
                let _ = decoded.read_along(&shape, first, &mut groove);
                followed += usize::from(groove.follow(second.as_bytes(), &mut [super::Slot::default(); 3]));
                let read = decoded.read_along(&shape, second, &mut groove);
                assert_eq!(read, fresh.read(&shape, second), "{second} after {first}");
                assert_eq!(
                    (decoded.records(), decoded.array),
                    (fresh.records(), fresh.array),
                    "{second} after {first}"
                );
                if read.is_ok() {
                    assert_eq!(shown(&decoded, second), shown(&fresh, second), "{second} after {first}");
                }
            }
        }
        assert!(followed > 10, "{followed} lay in a groove");
    }
}
