//! Templates over topic levels and payload values, and JSON pointers into payloads.

/// A JSON pointer (RFC 6901), split into its unescaped parts: `/a/0/b`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pointer {
    /// The unescaped reference tokens.
    pub parts: Vec<String>,
}

impl Pointer {
    /// Parses a pointer; it begins with `/`. The error says what would be right.
    pub fn parse(_text: &str) -> Result<Pointer, String> {
        todo!()
    }
}

impl std::fmt::Display for Pointer {
    fn fmt(&self, _f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        todo!()
    }
}

/// A text with holes: `{topic.1}` (level 1, counted from 0) and `{/id}` (payload value).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// Literal pieces and holes, in order.
    pub pieces: Vec<Piece>,
}

/// A piece of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Text as it stands.
    Literal(String),
    /// A level of the topic, counted from 0.
    Topic(usize),
    /// A value of the payload.
    Payload(Pointer),
}

impl Template {
    /// Parses a template; the error says what would be right.
    pub fn parse(_text: &str) -> Result<Template, String> {
        todo!()
    }

    /// Whether any hole is a payload value.
    pub fn needs_payload(&self) -> bool {
        todo!()
    }

    /// Fills the holes; nothing if a hole has nothing to fill it with. `value` gives a payload value as text.
    pub fn fill(&self, _topic: &str, _value: impl FnMut(&Pointer) -> Option<String>) -> Option<String> {
        todo!()
    }
}
