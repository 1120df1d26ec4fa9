//! Where a wanted value lies in the payload, and what it is.

use std::borrow::Cow;

/// What stands at a wanted place of a payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// Nothing, or JSON null.
    Absent,
    /// `true` or `false`.
    Bool(bool),
    /// A number, by its text.
    Number(&'a str),
    /// A string, unescaped.
    Text(Cow<'a, str>),
    /// An object or array, or a string with half a surrogate pair: no single value.
    Nested,
}

impl<'a> Value<'a> {
    /// The value as text, as templates, words and attributes take it; nothing for absent and nested ones.
    pub fn text(&self) -> Option<&str> {
        match self {
            Value::Absent | Value::Nested => None,
            Value::Bool(true) => Some("true"),
            Value::Bool(false) => Some("false"),
            Value::Number(text) => Some(text),
            Value::Text(text) => Some(text),
        }
    }
}

/// Sort of a value found by the scanner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Sort {
    /// Nothing, or null.
    #[default]
    Absent,
    /// `true`.
    True,
    /// `false`.
    False,
    /// A number.
    Number,
    /// A string without escapes.
    Plain,
    /// A string with escapes.
    Escaped,
    /// An object or array.
    Nested,
}

/// A found value: its sort and the bytes it takes in the payload, quotes included.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Slot {
    /// Its sort.
    pub(super) sort: Sort,
    /// First byte.
    pub(super) start: u32,
    /// The byte after the last.
    pub(super) end: u32,
}

impl Slot {
    /// The value in the text it was found in.
    pub(super) fn value(self, text: &str) -> Value<'_> {
        let (start, end) = (self.start as usize, self.end as usize);
        match self.sort {
            Sort::Absent => Value::Absent,
            Sort::True => Value::Bool(true),
            Sort::False => Value::Bool(false),
            Sort::Number => Value::Number(&text[start..end]),
            Sort::Plain => Value::Text(Cow::Borrowed(&text[start + 1..end - 1])),
            Sort::Escaped => match serde_json::from_str::<String>(&text[start..end]) {
                Ok(owned) => Value::Text(Cow::Owned(owned)),
                Err(_) => Value::Nested,
            },
            Sort::Nested => Value::Nested,
        }
    }
}
