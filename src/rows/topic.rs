//! A topic made from a row: `city/{site}/air`, or `city/{/device/id}/air` with a JSON pointer.

use ingest::history::Cell;
use std::fmt;

/// Stands where a value had a character that a topic level cannot have.
const REPLACEMENT: char = '_';

/// A topic with holes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Literal(String),
    Hole(Hole),
}

/// A value of the row: a column or key by name, or a JSON pointer (RFC 6901).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hole(String);

impl Hole {
    /// The name of a top-level key, if it is one.
    pub(super) fn name(&self) -> Option<&str> {
        match self.0.strip_prefix('/') {
            Some(below) => (!below.contains('/')).then_some(below),
            None => Some(&self.0),
        }
    }

    /// As a JSON pointer.
    pub(super) fn pointer(&self) -> String {
        match self.0.starts_with('/') {
            true => self.0.clone(),
            false => format!("/{}", self.0.replace('~', "~0").replace('/', "~1")),
        }
    }
}

impl fmt::Display for Hole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{}}}", self.0)
    }
}

/// A topic filled from a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filled {
    /// The topic.
    pub topic: String,
    /// Whether a value had characters that had to be replaced.
    pub replaced: bool,
}

impl Pattern {
    /// Parses a pattern; the error says what would be right.
    pub fn parse(text: &str) -> Result<Pattern, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(open) = rest.find('{') {
            let close =
                rest[open..].find('}').ok_or("a `{` is not closed; write {column}, such as city/{site}/air")? + open;
            let hole = &rest[open + 1..close];
            if hole.is_empty() {
                return Err("`{}` names nothing; write {column}, such as city/{site}/air".into());
            }
            pieces.push(Piece::Literal(rest[..open].to_owned()));
            pieces.push(Piece::Hole(Hole(hole.to_owned())));
            rest = &rest[close + 1..];
        }
        pieces.push(Piece::Literal(rest.to_owned()));
        let literal = |piece: &Piece| matches!(piece, Piece::Literal(text) if text.contains(['+', '#', '\0', '}']));
        if text.is_empty() || pieces.iter().any(literal) {
            return Err("a topic is not empty and has no `+`, `#` or `}`; write such as city/{site}/air".into());
        }
        Ok(Pattern { pieces })
    }

    /// Whether it takes anything from the row.
    pub fn has_holes(&self) -> bool {
        self.pieces.iter().any(|piece| matches!(piece, Piece::Hole(_)))
    }

    /// Where a level of the topic, counted from 0, comes from, if it is one text or one column of `names`.
    pub fn level(&self, at: usize, names: &[String]) -> Option<Cell> {
        let mut levels: Vec<Vec<Cell>> = vec![Vec::new()];
        for piece in &self.pieces {
            match piece {
                Piece::Hole(hole) => {
                    let column = names.iter().position(|name| Some(name.as_str()) == hole.name())?;
                    levels.last_mut()?.push(Cell::Level(column));
                }
                Piece::Literal(text) => {
                    for (i, part) in text.split('/').enumerate() {
                        if i > 0 {
                            levels.push(Vec::new());
                        }
                        if !part.is_empty() {
                            levels.last_mut()?.push(Cell::Text(part.to_owned()));
                        }
                    }
                }
            }
        }
        match levels.get(at)?.as_slice() {
            [one] => Some(one.clone()),
            _ => None,
        }
    }

    /// Fills the holes. `/`, `+`, `#` and control characters of values become `_`: a value is one level of the topic.
    pub fn fill(&self, mut value: impl FnMut(&Hole) -> Result<String, String>) -> Result<Filled, String> {
        let mut filled = Filled { topic: String::new(), replaced: false };
        for piece in &self.pieces {
            match piece {
                Piece::Literal(text) => filled.topic.push_str(text),
                Piece::Hole(hole) => {
                    for letter in value(hole)?.chars() {
                        let illegal = letter.is_control() || matches!(letter, '/' | '+' | '#');
                        filled.topic.push(if illegal { REPLACEMENT } else { letter });
                        filled.replaced |= illegal;
                    }
                }
            }
        }
        Ok(filled)
    }
}
