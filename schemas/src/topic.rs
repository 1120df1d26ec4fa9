//! MQTT topic filters (MQTT 3.1.1, section 4.7).

/// A valid topic filter: levels separated by `/`, `+` for one level, `#` at the end for the rest.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Filter(String);

impl Filter {
    /// Parses a filter; the error says what would be right.
    pub fn parse(text: &str) -> Result<Filter, String> {
        if text.is_empty() || text.contains('\0') || text.len() > 65_535 {
            return Err("write a topic filter such as \"city/+/air\"".into());
        }
        let levels: Vec<&str> = text.split('/').collect();
        let last = levels.len() - 1;
        for (i, level) in levels.iter().enumerate() {
            if level.contains('+') && *level != "+" {
                return Err(format!("\"+\" stands for a whole level: write \"+\" instead of \"{level}\""));
            }
            if level.contains('#') && (*level != "#" || i != last) {
                return Err(
                    "\"#\" stands for all further levels: write it alone in the last level, as in \"city/#\"".into()
                );
            }
        }
        Ok(Filter(text.into()))
    }

    /// Whether a topic name matches. Topics that begin with `$` match no filter that begins with a wildcard.
    pub fn matches(&self, topic: &str) -> bool {
        if topic.starts_with('$') && self.0.starts_with(['+', '#']) {
            return false;
        }
        let mut topic = topic.split('/');
        for level in self.0.split('/') {
            match (level, topic.next()) {
                ("#", _) => return true, // `a/#` matches `a` too
                ("+", Some(_)) => {}
                (level, Some(name)) if level == name => {}
                _ => return false,
            }
        }
        topic.next().is_none()
    }

    /// How many levels each matching topic has at least, and whether it may have more.
    pub fn levels(&self) -> (usize, bool) {
        match self.0.strip_suffix('#') {
            Some(rest) => (rest.split('/').count() - 1, true),
            None => (self.0.split('/').count(), false),
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_valid_or_say_what_would_be() {
        for right in ["a", "/", "a/b", "+", "+/+", "a/+/c", "#", "a/#", "a/+/#", "/+", "$SYS/#", "město/+/air"] {
            assert!(Filter::parse(right).is_ok(), "{right}");
        }
        for wrong in ["", "a+", "a/b+/c", "#/a", "a#", "a/#/b", "a/b#", "a\0"] {
            assert!(Filter::parse(wrong).is_err(), "{wrong}");
        }
    }

    fn check(filter: &str, topic: &str, expect: bool) {
        assert_eq!(Filter::parse(filter).expect("filter").matches(topic), expect, "{topic} by {filter}");
    }

    #[test]
    fn topics_match_as_the_standard_says() {
        check("city/+/air", "city/a/air", true);
        check("city/+/air", "city//air", true);
        check("city/+/air", "city/a/b/air", false);
        check("city/+/air", "city/a/air/x", false);
        check("city/+", "city", false);
        check("city/+", "city/", true);
        check("sport/tennis/player1/#", "sport/tennis/player1", true);
        check("sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true);
        check("sport/#", "sports", false);
        check("#", "/", true);
        check("+/+", "/finance", true);
        check("/+", "/finance", true);
        check("+", "/finance", false);
        check("#", "$SYS/x", false);
        check("+/x", "$SYS/x", false);
        check("$SYS/#", "$SYS/x", true);
    }

    #[test]
    fn levels_are_counted() {
        for (filter, expect) in [("a", (1, false)), ("a/+/c", (3, false)), ("a/#", (1, true)), ("#", (0, true))] {
            assert_eq!(Filter::parse(filter).expect("filter").levels(), expect, "{filter}");
        }
    }

    #[test]
    fn names_have_no_wildcards() {
        for (text, expect) in [("a/b", true), ("", false), ("a/+", false), ("#", false), ("a\0", false)] {
            assert_eq!(is_name(text), expect, "{text:?}");
        }
    }
}
