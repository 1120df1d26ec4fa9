//! Where in the text something stands.

use datafusion::sql::sqlparser::ast::{Ident, Spanned};
use datafusion::sql::sqlparser::tokenizer::Location;
use std::collections::HashMap;

/// Where each name first stands.
#[derive(Debug, Default)]
pub(crate) struct Places(HashMap<String, Location>);

impl Places {
    /// Notes a name, by its last part as SQL folds it.
    pub(crate) fn note(&mut self, name: &Ident) {
        self.0.entry(folded(name)).or_insert(name.span.start);
    }

    /// ` at line 1, column 8`, or nothing where that is not known.
    pub(crate) fn of(&self, name: &str) -> String {
        self.0.get(name).map_or_else(String::new, |location| written(*location))
    }
}

/// ` at line 1, column 8` for where something begins, or nothing where that is not known. Walks all that is inside it, so
/// only failures ask.
pub(crate) fn at(thing: &impl Spanned) -> String {
    written(thing.span().start)
}

/// A name as PostgreSQL folds it: lower case unless it is quoted.
pub(crate) fn folded(name: &Ident) -> String {
    if name.quote_style.is_some() { name.value.clone() } else { name.value.to_lowercase() }
}

fn written(location: Location) -> String {
    if location.line == 0 {
        return String::new();
    }
    format!(" at line {}, column {}", location.line, location.column)
}
