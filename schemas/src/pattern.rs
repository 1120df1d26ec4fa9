//! Patterns of dotted paths and of names: `city.{station}.air.{name}`.

/// A pattern: literal text and parts in braces, each of which stands for text without separators.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    pieces: Vec<Piece>,
    separators: &'static [u8],
}

/// A piece of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    /// Text as it stands.
    Literal(String),
    /// Text to be told from the others by its name; `*` is told to nobody.
    Part(String),
}

/// The part that names the quantity, by which `map` finds the field.
pub const NAME: &str = "name";
/// Under this name `map` finds the field where a pattern has no part [`NAME`].
pub const VALUE: &str = "value";
/// What separates the levels of a Graphite path.
pub const PATH: &[u8] = b".";
/// What separates the pieces of a SenML name (RFC 8428, section 4.5.1, allows both in names).
pub const NAMES: &[u8] = b":/";

impl Pattern {
    /// Parses a pattern; no part matches any of `separators`, nor nothing. The error says what would be right.
    pub fn parse(text: &str, separators: &'static [u8]) -> Result<Pattern, String> {
        let mut pieces: Vec<Piece> = Vec::new();
        let mut rest = text;
        while let Some(open) = rest.find(['{', '}']) {
            let (literal, hole) = rest.split_at(open);
            let Some((name, after)) = hole.strip_prefix('{').and_then(|hole| hole.split_once('}')) else {
                return Err("close each \"{\" with one \"}\", as in \"{station}\"".into());
            };
            if name.is_empty() || name.contains(['{', '/']) || name.starts_with("topic.") {
                return Err(format!("\"{{{name}}}\" is no part: give it a name, as in \"{{station}}\", or \"{{*}}\""));
            }
            if name != "*" && pieces.contains(&Piece::Part(name.into())) {
                return Err(format!("\"{{{name}}}\" stands there twice: give each part its own name"));
            }
            match (literal.is_empty(), pieces.last()) {
                (true, Some(Piece::Part(_))) => return Err("put something between two parts, as in \"{a}.{b}\"".into()),
                (true, _) => {}
                (false, _) => pieces.push(Piece::Literal(literal.into())),
            }
            pieces.push(Piece::Part(name.into()));
            rest = after;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Literal(rest.into()));
        }
        if pieces.is_empty() {
            return Err("write a pattern such as \"city.{station}.{name}\"".into());
        }
        Ok(Pattern { text: text.into(), pieces, separators })
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The names of its parts, in order; not of those nobody is told.
    pub fn parts(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Part(name) if name != "*" => Some(name.as_str()),
            _ => None,
        })
    }

    /// What the parts stand for in a text, in the order of [`Pattern::parts`], put into `found`. Whether it matches; `found`
    /// is of no use if not. A part takes as little as it can.
    pub fn matches<'a>(&self, text: &'a str, found: &mut Vec<&'a str>) -> bool {
        found.clear();
        let mut rest = text;
        let mut pieces = self.pieces.iter().peekable();
        while let Some(piece) = pieces.next() {
            match piece {
                Piece::Literal(literal) => match rest.strip_prefix(literal.as_str()) {
                    Some(after) => rest = after,
                    None => return false,
                },
                Piece::Part(name) => {
                    let end = match pieces.peek() {
                        // A part is never empty: what comes after it begins behind its first character.
                        Some(Piece::Literal(next)) => match rest.char_indices().nth(1) {
                            Some((second, _)) => rest[second..].find(next.as_str()).map(|at| second + at),
                            None => None,
                        },
                        _ => Some(rest.len()),
                    };
                    let Some(part) = end.map(|end| &rest[..end]).filter(|part| self.is_part(part)) else {
                        return false;
                    };
                    if name != "*" {
                        found.push(part);
                    }
                    rest = &rest[part.len()..];
                }
            }
        }
        rest.is_empty()
    }

    fn is_part(&self, text: &str) -> bool {
        !text.is_empty() && !text.bytes().any(|byte| self.separators.contains(&byte))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_found_or_nothing_matches() {
        for (pattern, separators, text, expect) in [
            ("city.{station}.air.{name}", PATH, "city.a-1.air.co2", Some(vec!["a-1", "co2"])),
            ("city.{station}.air.{name}", PATH, "city.a.b.air.co2", None),
            ("city.{station}.air.{name}", PATH, "city..air.co2", None),
            ("city.{station}.air.{name}", PATH, "city.a.air.co2.x", None),
            ("city.{*}.{station}", PATH, "city.north.7", Some(vec!["7"])),
            ("{station}_{name}", PATH, "a_b_c", Some(vec!["a", "b_c"])),
            ("{station}.co2", PATH, "7.co2", Some(vec!["7"])),
            ("{station}.co2", PATH, ".co2", None),
            ("urn:dev:ow:{station}:{name}", NAMES, "urn:dev:ow:10e2073a:temp.x", Some(vec!["10e2073a", "temp.x"])),
            ("urn:dev:ow:{station}/{name}", NAMES, "urn:dev:ow:10/e2/temp", None),
            ("{station}°{name}", PATH, "ä°ö", Some(vec!["ä", "ö"])),
            ("fixed", PATH, "fixed", Some(vec![])),
            ("fixed", PATH, "fixed.", None),
        ] {
            let pattern = Pattern::parse(pattern, separators).unwrap();
            let mut found = Vec::new();
            let matched = pattern.matches(text, &mut found);
            assert_eq!(matched.then_some(found), expect, "{} with {text}", pattern.as_str());
        }
        let pattern = Pattern::parse("{a}.{*}.{b}", PATH).unwrap();
        assert_eq!(pattern.parts().collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn wrong_patterns_say_what_would_be_right() {
        for (wrong, says) in [
            ("", "{station}"),
            ("a.{b", "close"),
            ("a}b", "close"),
            ("{}", "name"),
            ("{/id}", "name"),
            ("{a}{b}", "between"),
            ("{a}.{a}", "twice"),
        ] {
            let error = Pattern::parse(wrong, PATH).expect_err(wrong);
            assert!(error.contains(says), "{wrong}: {error}");
        }
    }
}
