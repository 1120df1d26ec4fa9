//! What reads the payloads of a source: the key that names it, and what goes with it.

use super::section::{Item, Section};
use crate::Pattern;
use crate::pattern::{NAME, NAMES, PATH, VALUE};
use crate::source::{Decoder, Mapping};
use crate::template::Template;

/// The decoder: the one of `line`, `graphite` and `senml` that is given, else JSON.
pub(super) fn read(section: &Section<'_>) -> Option<Decoder> {
    let mut given = ["line", "graphite", "senml"].into_iter().filter(|key| section.has(key));
    let Some(key) = given.next() else {
        let item = section.take("decoder");
        return item.map_or(Some(Decoder::Json), |item| item.one_of(&[("json", ())]).map(|()| Decoder::Json));
    };
    section.refuse("decoder", &format!("`{key}` says what reads it: remove it"));
    for other in given {
        section.refuse(other, &format!("a source has one format, and this one has `{key}`: write another [[source]]"));
    }
    let item = section.take(key)?;
    match key {
        "line" => item.parsed(measurement).map(|name| Decoder::Line(name.as_str().into())),
        "graphite" => item.parsed(|text| Pattern::parse(text, PATH)).map(Decoder::Graphite),
        _ => item.parsed(|text| Pattern::parse(text, NAMES)).map(Decoder::Senml),
    }
}

fn measurement(text: &str) -> Result<String, String> {
    match text {
        "" => Err("write the measurement, the word a line begins with".into()),
        text if text.contains(['\n', '\r', '\0']) => Err("a measurement stands in one line".into()),
        text => Ok(text.into()),
    }
}

/// Doors that do not go with a decoder.
pub(super) fn refuse_others(section: &Section<'_>, decoder: &Decoder, mqtt: bool) {
    match decoder {
        Decoder::Json => {}
        Decoder::Line(_) => section.refuse("http", "lines come in at /write and /api/v2/write: remove it"),
        Decoder::Graphite(_) => section.refuse("http", "Graphite's lines come in at the TCP door: remove it"),
        Decoder::Senml(_) => section.refuse("http", "SenML comes in at every HTTP door for readings: remove it"),
    }
    if mqtt && matches!(decoder, Decoder::Line(_) | Decoder::Graphite(_)) {
        section
            .fault("has `mqtt`, and a format that is not read from there", "remove mqtt, or write another [[source]]");
    }
}

/// The holes of a sensor template have to be what the decoder fills.
pub(super) fn check_sensor(item: &Item<'_>, decoder: &Decoder, sensor: &Template) {
    if decoder.has_time() && sensor.needs_payload() {
        item.fault("has a JSON pointer, and the format has none", "write a part, as in \"{station}\"");
    }
    for part in sensor.parts() {
        check_part(item, decoder, part);
    }
}

/// Whether there is such a part; a fault if not.
pub(super) fn check_part(item: &Item<'_>, decoder: &Decoder, part: &str) -> bool {
    let (Decoder::Graphite(pattern) | Decoder::Senml(pattern)) = decoder else { return true };
    let known = pattern.parts().any(|known| known == part);
    if !known {
        let remedy = format!("take one of {}, or name it in \"{}\"", list(pattern), pattern.as_str());
        item.fault(format!("asks for the part \"{part}\", which the pattern does not have"), remedy);
    }
    known
}

fn list(pattern: &Pattern) -> String {
    let parts: Vec<String> = pattern.parts().map(|part| format!("\"{part}\"")).collect();
    if parts.is_empty() { "none".into() } else { parts.join(", ") }
}

/// A pattern without a name has one value.
pub(super) fn check_map(item: &Item<'_>, decoder: &Decoder, map: &Mapping) {
    let (Decoder::Graphite(pattern) | Decoder::Senml(pattern)) = decoder else { return };
    let Mapping::Wide(entries) = map else { return };
    let named = pattern.parts().any(|part| part == NAME);
    let one = matches!(&entries[..], [entry] if entry.path.parts == [VALUE]);
    if !named && !one {
        let remedy = format!("write map = {{ field = \"{VALUE}\" }}, or the part {{{NAME}}} in the pattern");
        item.fault("names several values, and the pattern tells one", remedy);
    }
}
