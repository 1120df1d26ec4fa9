//! The tokens of line protocol: texts with escapes, values, ends of lines.

use super::super::number::word;
use crate::decode::Value;
use schemas::Decimal;
use std::borrow::Cow;

/// Where a line is not line protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// The byte at which it goes wrong.
    pub(super) at: usize,
    /// What would have been right there.
    pub(super) expected: &'static str,
}

pub(super) fn fail<T>(at: usize, expected: &'static str) -> Result<T, Fault> {
    Err(Fault { at, expected })
}

/// The first of these bytes from `at` on that no backslash escapes, or the end of the line.
pub(super) fn until(text: &[u8], mut at: usize, stops: &[u8]) -> usize {
    while let Some(&byte) = text.get(at) {
        match byte {
            b'\n' => break,
            b'\\' if !matches!(text.get(at + 1), None | Some(b'\n')) => at += 1,
            byte if stops.contains(&byte) => break,
            _ => {}
        }
        at += 1;
    }
    at.min(text.len())
}

/// The end of the line: its line feed, or the end of the text.
pub(super) fn line_end(text: &[u8], at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    at + rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len())
}

/// Whether a line, or what is left of it, ends at a byte; the first byte of the next one.
#[inline]
pub(super) fn next_line(text: &[u8], at: usize) -> Option<usize> {
    match text.get(at) {
        None => Some(at),
        Some(b'\n') => Some(at + 1),
        Some(b'\r') => match text.get(at + 1) {
            None => Some(at + 1),
            Some(b'\n') => Some(at + 2),
            _ => None,
        },
        _ => None,
    }
}

/// The space after measurement and tags, if there is one in the line.
pub(super) fn series_end(text: &[u8], mut at: usize) -> Option<usize> {
    /// The high bit of each byte that is this one, and perhaps of those after the first.
    fn equal(word: u64, byte: u8) -> u64 {
        let same = word ^ (0x0101_0101_0101_0101 * u64::from(byte));
        same.wrapping_sub(0x0101_0101_0101_0101) & !same & 0x8080_8080_8080_8080
    }
    loop {
        let word = word(text, at);
        let found = equal(word, b' ') | equal(word, b'\\') | equal(word, b'\n');
        if found == 0 {
            at += 8;
            if at >= text.len() {
                return None;
            }
            continue;
        }
        at += found.trailing_zeros() as usize / 8;
        match text.get(at)? {
            b' ' => return Some(at),
            b'\\' => at += 2 - usize::from(text.get(at + 1) == Some(&b'\n')),
            _ => return None,
        }
    }
}

/// A text without the backslashes before these bytes and before backslashes.
pub(super) fn unescape<'a>(raw: &'a str, escapable: &[char]) -> Cow<'a, str> {
    if !raw.contains('\\') {
        return raw.into();
    }
    let mut text = String::with_capacity(raw.len());
    let mut letters = raw.chars().peekable();
    while let Some(letter) = letters.next() {
        match letters.peek() {
            Some(next) if letter == '\\' && (*next == '\\' || escapable.contains(next)) => {
                text.push(*next);
                letters.next();
            }
            _ => text.push(letter),
        }
    }
    text.into()
}

/// Whether a value ends before this byte.
#[inline]
pub(super) fn ends_value(byte: Option<&u8>) -> bool {
    matches!(byte, None | Some(b',' | b' ' | b'\n' | b'\r'))
}

/// The value that begins at a byte, and the byte after it.
pub(super) fn value(text: &[u8], at: usize) -> Result<(Value<'_>, usize), Fault> {
    if text.get(at) == Some(&b'"') {
        return quoted(text, at);
    }
    let rest = text.get(at..).unwrap_or_default();
    let end = at + rest.iter().position(|byte| ends_value(Some(byte))).unwrap_or(rest.len());
    let raw = &text[at..end];
    let expected = "a value: a number such as 21.5, 21i or 21u, true or false, or a text in double quotes";
    let Ok(word) = std::str::from_utf8(raw) else { return fail(at, expected) };
    let value = match word {
        "t" | "T" | "true" | "True" | "TRUE" => Value::Bool(true),
        "f" | "F" | "false" | "False" | "FALSE" => Value::Bool(false),
        _ => match raw.split_last() {
            Some((b'i', digits)) if is_whole(digits, true) => Value::Number(&word[..word.len() - 1]),
            Some((b'u', digits)) if is_whole(digits, false) => Value::Number(&word[..word.len() - 1]),
            // More digits than any number has are a number still; its field says what it takes.
            Some((last, _)) if last.is_ascii_digit() || *last == b'.' => {
                match Decimal::parse(raw).is_some() || is_whole(raw, true) {
                    true => Value::Number(word),
                    false => return fail(at, expected),
                }
            }
            _ => return fail(at, expected),
        },
    };
    Ok((value, end))
}

/// Whether all of it are digits, with a sign before them where there may be one.
fn is_whole(text: &[u8], signed: bool) -> bool {
    let digits = match text.split_first() {
        Some((b'-' | b'+', digits)) if signed => digits,
        _ => text,
    };
    !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
}

/// A text in double quotes. It may go over several lines.
fn quoted(text: &[u8], start: usize) -> Result<(Value<'_>, usize), Fault> {
    let mut at = start + 1;
    loop {
        match text.get(at) {
            Some(b'"') => break,
            Some(b'\\') => at += 2,
            Some(_) => at += 1,
            None => return fail(start, "a double quote at the end of the text that begins here"),
        }
    }
    let Ok(raw) = std::str::from_utf8(&text[start + 1..at]) else {
        return fail(start, "text in UTF-8");
    };
    Ok((Value::Text(unescape(raw, &['"'])), at + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_end_where_nothing_escapes_their_end() {
        for (text, end) in [("a b", 1), (r"a\ b c", 4), (r"a\\ b", 3), ("abcdefghijk l", 11), (r"0123456\ 9 x", 10)] {
            assert_eq!(series_end(text.as_bytes(), 0), Some(end), "{text}");
            assert_eq!(until(text.as_bytes(), 0, b" "), end, "{text}");
        }
        for text in ["", "abc", "abcdefgh", "abcdefghi\nx y", "a\\\nb c", "\n", r"a\ ", r"ab\"] {
            assert_eq!(series_end(text.as_bytes(), 0), None, "{text:?}");
        }
        assert_eq!(unescape(r"a\ b\,c\=d\\e\x\", &[',', '=', ' ']), r"a b,c=d\e\x\");
    }

    #[test]
    fn values_are_what_line_protocol_has() {
        let read = |text: &str| value(text.as_bytes(), 0).map(|(value, end)| (format!("{value:?}"), end));
        let number = |text: &str| format!("Number({text:?})");
        for (text, expect, end) in [
            ("21.5,", number("21.5"), 4),
            ("-3i\n", number("-3"), 3),
            ("7u", number("7"), 2),
            ("1e-3 ", number("1e-3"), 4),
            ("+.5\r", number("+.5"), 3),
            ("true,", "Bool(true)".into(), 4),
            ("F", "Bool(false)".into(), 1),
            (r#""a \"b\" \\ \n, c=d" 5"#, r#"Text("a \"b\" \\ \\n, c=d")"#.into(), 20),
            ("\"two\nlines\"", r#"Text("two\nlines")"#.into(), 11),
        ] {
            assert_eq!(read(text), Ok((expect, end)), "{text}");
        }
        for wrong in
            ["", ",", "x", "1.5i", "-1u", "i", "NaN", "inf", "1e", "yes", "\"open", "1.2.3", "0x10", "tru", "--1"]
        {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
