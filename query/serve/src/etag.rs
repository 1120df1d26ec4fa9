//! Whether a caller's copy is still good: `If-None-Match` (RFC 9110, section 13.1.2).

use axum::http::{HeaderMap, header};

/// Whether one of the tags the caller holds is this one. Weak comparison, as the RFC asks for here.
pub(crate) fn matches(headers: &HeaderMap, tag: &str) -> bool {
    let held = headers.get_all(header::IF_NONE_MATCH).into_iter().filter_map(|value| value.to_str().ok());
    held.flat_map(|value| value.split(',')).map(str::trim).any(|held| {
        let held = held.strip_prefix("W/").unwrap_or(held);
        held == "*" || held == tag
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn tags_are_compared_weakly_and_in_lists() {
        for (held, good) in [
            ("\"a\"", true),
            ("W/\"a\"", true),
            ("\"b\", W/\"c\" ,\"a\"", true),
            ("*", true),
            ("\"b\"", false),
            ("a", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_NONE_MATCH, HeaderValue::from_static(held));
            assert_eq!(matches(&headers, "\"a\""), good, "{held}");
        }
        assert!(!matches(&HeaderMap::new(), "\"a\""));
    }
}
