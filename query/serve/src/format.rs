//! The format of an answer: the parameter `format` wins, else the header `Accept` decides.

use access::{Kind, Problem};
use axum::http::{HeaderMap, HeaderValue, header};

/// A format answers can be given in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// Rows as flat objects under `data`, `meta` beside them.
    Json,
    /// RFC 4180 with a header row.
    Csv,
}

impl Format {
    /// All, the preferred first.
    pub(crate) const ALL: [Format; 2] = [Format::Json, Format::Csv];

    /// Value of the parameter `format`, and part of entity tags.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Format::Json => "json",
            Format::Csv => "csv",
        }
    }

    /// The Content-Type it is sent with.
    pub(crate) fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Format::Json => "application/json",
            Format::Csv => "text/csv; charset=utf-8; header=present",
        })
    }

    /// The media types that ask for it. Browsers (text/html) and Grafana's Infinity (text/plain) read JSON.
    fn media_types(self) -> &'static [&'static str] {
        match self {
            Format::Json => &["application/json", "text/plain", "text/html"],
            Format::Csv => &["text/csv"],
        }
    }

    /// The format a request asks for.
    pub(crate) fn choose(parameter: Option<&str>, headers: &HeaderMap) -> Result<Format, Problem> {
        if let Some(name) = parameter {
            let known = Format::ALL.into_iter().find(|format| format.name() == name);
            return known.ok_or_else(|| not_acceptable("format", format!("format {name:?} cannot be given")));
        }
        let accept: Vec<&str> =
            headers.get_all(header::ACCEPT).into_iter().filter_map(|value| value.to_str().ok()).collect();
        let ranges = ranges(&accept);
        if ranges.is_empty() {
            return Ok(Format::Json);
        }
        let mut best: Option<(u16, Format)> = None;
        for format in Format::ALL {
            let quality = format.media_types().iter().filter_map(|kind| quality(&ranges, kind)).max().unwrap_or(0);
            if quality > best.map_or(0, |(quality, _)| quality) {
                best = Some((quality, format));
            }
        }
        best.map(|(_, format)| format)
            .ok_or_else(|| not_acceptable("Accept", format!("Accept {:?} cannot be met", accept.join(", "))))
    }
}

/// 406 with the list.
fn not_acceptable(what: &str, detail: String) -> Problem {
    let accepted = Format::ALL.map(|format| match what {
        "format" => format.name(),
        _ => format.media_types()[0],
    });
    Problem::parameter(what, detail, accepted).with_kind(Kind::NotAcceptable)
}

/// One range of an Accept header: type, subtype, quality in thousandths.
type Range = (String, String, u16);

/// The ranges of Accept headers; what cannot be read is passed over.
fn ranges(accept: &[&str]) -> Vec<Range> {
    let parts = accept.iter().flat_map(|value| value.split(','));
    parts
        .filter_map(|part| {
            let mut pieces = part.split(';').map(str::trim);
            let (kind, subtype) = pieces.next()?.split_once('/')?;
            let quality = pieces.find_map(|piece| piece.strip_prefix("q=").or_else(|| piece.strip_prefix("Q=")));
            let quality = match quality {
                None => 1000,
                Some(text) => (text.parse::<f32>().ok()?.clamp(0.0, 1.0) * 1000.0).round() as u16,
            };
            Some((kind.to_ascii_lowercase(), subtype.to_ascii_lowercase(), quality))
        })
        .collect()
}

/// Quality of a media type: that of the most specific range that covers it (RFC 9110, section 12.5.1).
fn quality(ranges: &[Range], media_type: &str) -> Option<u16> {
    let (kind, subtype) = media_type.split_once('/')?;
    let covering = ranges.iter().filter_map(|(k, s, q)| match (k.as_str(), s.as_str()) {
        ("*", "*") => Some((0, *q)),
        (k, "*") if k == kind => Some((1, *q)),
        (k, s) if k == kind && s == subtype => Some((2, *q)),
        _ => None,
    });
    covering.max().map(|(_, quality)| quality)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(parameter: Option<&str>, accept: &str) -> Result<Format, Kind> {
        let mut headers = HeaderMap::new();
        if let Ok(value) = HeaderValue::from_str(accept) {
            headers.insert(header::ACCEPT, value);
        }
        Format::choose(parameter, &headers).map_err(|problem| problem.kind)
    }

    #[test]
    fn real_clients_get_what_they_read() {
        for (client, accept, format) in [
            ("Infinity, JSON", "application/json;q=0.9,text/plain", Format::Json),
            ("Infinity, CSV", "text/csv; charset=utf-8", Format::Csv),
            ("curl", "*/*", Format::Json),
            ("a browser", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", Format::Json),
            ("none", "", Format::Json),
            ("CSV before all", "text/csv, */*;q=0.1", Format::Csv),
            ("all but CSV", "*/*, text/csv;q=0", Format::Json),
            ("no JSON", "application/json;q=0, text/html;q=0, text/plain;q=0, */*;q=0.5", Format::Csv),
        ] {
            assert_eq!(chosen(None, accept), Ok(format), "{client}");
        }
    }

    #[test]
    fn the_parameter_wins_and_the_rest_is_refused() {
        assert_eq!(chosen(Some("csv"), "application/json"), Ok(Format::Csv));
        assert_eq!(chosen(Some("xml"), "*/*"), Err(Kind::NotAcceptable));
        assert_eq!(chosen(None, "image/png"), Err(Kind::NotAcceptable));
        assert_eq!(chosen(None, "application/xml, image/*"), Err(Kind::NotAcceptable));
    }
}
