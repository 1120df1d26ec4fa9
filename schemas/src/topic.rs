//! MQTT topic filters (MQTT 3.1.1, section 4.7).

/// A valid topic filter: levels separated by `/`, `+` for one level, `#` at the end for the rest.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Filter(String);

impl Filter {
    /// Parses a filter; the error says what would be right.
    pub fn parse(_text: &str) -> Result<Filter, String> {
        todo!()
    }

    /// Whether a topic name matches. Topics that begin with `$` match no filter that begins with a wildcard.
    pub fn matches(&self, _topic: &str) -> bool {
        todo!()
    }

    /// The filter as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether `text` is a topic name that may be published to: not empty, no wildcard, no NUL.
pub fn is_name(text: &str) -> bool {
    !text.is_empty() && !text.contains(['+', '#', '\0'])
}
