//! Templates over topic levels and payload values, and JSON pointers into payloads.

use std::fmt;

/// A JSON pointer (RFC 6901), split into its unescaped parts: `/a/0/b`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pointer {
    /// The unescaped reference tokens.
    pub parts: Vec<String>,
}

impl Pointer {
    /// Parses a pointer; it begins with `/`. The error says what would be right.
    pub fn parse(text: &str) -> Result<Pointer, String> {
        let Some(path) = text.strip_prefix('/') else {
            return Err(format!("write a JSON pointer: it begins with \"/\", as in \"/{text}\""));
        };
        Ok(Pointer { parts: path.split('/').map(unescape).collect::<Result<_, _>>()? })
    }
}

/// A reference token with `~1` as `/` and `~0` as `~` (RFC 6901, section 4).
fn unescape(token: &str) -> Result<String, String> {
    let mut pieces = token.split('~');
    let mut text = pieces.next().unwrap_or_default().to_string();
    for piece in pieces {
        let (sign, rest) = match piece.as_bytes().first() {
            Some(b'0') => ('~', &piece[1..]),
            Some(b'1') => ('/', &piece[1..]),
            _ => return Err("in a JSON pointer write \"~0\" for \"~\" and \"~1\" for \"/\" inside a name".into()),
        };
        text.push(sign);
        text.push_str(rest);
    }
    Ok(text)
}

impl fmt::Display for Pointer {
    /// As parsed, escapes included.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts.iter().try_for_each(|part| write!(f, "/{}", part.replace('~', "~0").replace('/', "~1")))
    }
}

/// A text with holes: `{topic.1}` (level 1, counted from 0), `{/id}` (payload value) and `{station}` (part).
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
    /// A part of what names the record: a tag, or a part of a pattern.
    Part(String),
}

impl Template {
    /// Parses a template over topic and payload; the error says what would be right.
    pub fn parse(text: &str) -> Result<Template, String> {
        let template = Template::parse_named(text)?;
        let part = template.parts().next().map(str::to_owned);
        match part {
            None => Ok(template),
            Some(part) => Err(format!(
                "\"{{{part}}}\" is not a hole: write \"{{topic.1}}\" for a topic level (counted from 0) or \"{{/id}}\" for a payload value"
            )),
        }
    }

    /// Parses a template that may name parts; the error says what would be right.
    pub fn parse_named(text: &str) -> Result<Template, String> {
        if text.is_empty() {
            return Err("write a template such as \"{topic.1}\" or \"{/id}\"".into());
        }
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(open) = rest.find(['{', '}']) {
            let (literal, hole) = rest.split_at(open);
            let Some((inside, after)) = hole.strip_prefix('{').and_then(|hole| hole.split_once('}')) else {
                return Err("close each \"{\" with one \"}\", as in \"{topic.1}\"".into());
            };
            if !literal.is_empty() {
                pieces.push(Piece::Literal(literal.into()));
            }
            pieces.push(hole_of(inside)?);
            rest = after;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Literal(rest.into()));
        }
        Ok(Template { pieces })
    }

    /// The parts its holes ask for.
    pub fn parts(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Part(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// Whether any hole is a payload value.
    pub fn needs_payload(&self) -> bool {
        self.pieces.iter().any(|piece| matches!(piece, Piece::Payload(_)))
    }

    /// The highest topic level any hole asks for.
    pub fn deepest_level(&self) -> Option<usize> {
        self.pieces
            .iter()
            .filter_map(|piece| match piece {
                Piece::Topic(level) => Some(*level),
                _ => None,
            })
            .max()
    }

    /// Fills the holes; nothing if a hole has nothing to fill it with, or asks for a part. `value` gives a payload value as text.
    pub fn fill(&self, topic: &str, mut value: impl FnMut(&Pointer) -> Option<String>) -> Option<String> {
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Literal(literal) => text.push_str(literal),
                Piece::Topic(level) => text.push_str(topic.split('/').nth(*level).filter(|level| !level.is_empty())?),
                Piece::Payload(pointer) => text.push_str(&value(pointer).filter(|value| !value.is_empty())?),
                Piece::Part(_) => return None,
            }
        }
        Some(text)
    }
}

/// What stands between braces.
fn hole_of(inside: &str) -> Result<Piece, String> {
    if inside.starts_with('/') {
        return Pointer::parse(inside).map(Piece::Payload);
    }
    let Some(level) = inside.strip_prefix("topic.") else {
        return match inside {
            "" => Err("\"{}\" is empty: write what it stands for, as in \"{topic.1}\" or \"{/id}\"".into()),
            part => Ok(Piece::Part(part.into())),
        };
    };
    let wrong = || format!("\"{{{inside}}}\" is no topic level: write \"{{topic.1}}\"; levels are counted from 0");
    level.parse().map(Piece::Topic).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_come_back_as_written() {
        for (text, parts) in
            [("/a", vec!["a"]), ("/a/0/b", vec!["a", "0", "b"]), ("/a~1b/~01", vec!["a/b", "~1"]), ("/", vec![""])]
        {
            let pointer = Pointer::parse(text).expect(text);
            assert_eq!(pointer.parts, parts);
            assert_eq!(pointer.to_string(), text);
        }
        for wrong in ["", "a", "a/b", "/~", "/~2", "/a~"] {
            assert!(Pointer::parse(wrong).is_err(), "{wrong}");
        }
    }

    fn check_fill(template: &str, topic: &str, expect: Option<&str>) {
        let values = |pointer: &Pointer| match pointer.to_string().as_str() {
            "/id" => Some("7".to_string()),
            "/blank" => Some(String::new()),
            _ => None,
        };
        let found = Template::parse(template).expect(template).fill(topic, values);
        assert_eq!(found.as_deref(), expect, "{template} with {topic}");
    }

    #[test]
    fn holes_are_filled_or_nothing_is() {
        check_fill("{topic.1}", "city/a/air", Some("a"));
        check_fill("{/id}-{topic.0}", "city/a", Some("7-city"));
        check_fill("fixed", "x", Some("fixed"));
        check_fill("{topic.5}", "city/a", None);
        check_fill("{topic.1}", "city//air", None);
        check_fill("{/id}/{/source}", "city", None);
        check_fill("{/blank}", "city", None);
    }

    #[test]
    fn wrong_templates_say_what_would_be_right() {
        for (wrong, says) in [
            ("", "{topic.1}"),
            ("{topic.1", "close"),
            ("a}b", "close"),
            ("{id}", "{/id}"),
            ("{topic.x}", "{topic.1}"),
            ("{/~}", "~0"),
        ] {
            let error = Template::parse(wrong).expect_err(wrong);
            assert!(error.contains(says), "{wrong}: {error}");
        }
    }

    #[test]
    fn parts_are_holes_where_there_are_parts() {
        let template = Template::parse_named("{street}-{host.name}").expect("template");
        assert_eq!(template.parts().collect::<Vec<_>>(), ["street", "host.name"]);
        assert_eq!(template.fill("a/b", |_| None), None);
        assert!(Template::parse_named("{}").is_err());
    }

    #[test]
    fn templates_know_what_they_need() {
        let template = Template::parse("{topic.1}-{topic.3}{/id}").expect("template");
        assert_eq!((template.needs_payload(), template.deepest_level()), (true, Some(3)));
        let template = Template::parse("fixed").expect("template");
        assert_eq!((template.needs_payload(), template.deepest_level()), (false, None));
    }
}
