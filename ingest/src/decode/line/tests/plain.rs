//! Line protocol read simply and slowly: letter by letter into owned texts, every value by the exact way. And bodies by chance.

use crate::Catalog;
use crate::decode::Value;
use crate::normalize::{self, Mapped};
use schemas::source::{Decoder, Mapping, Stamp};
use schemas::template::Piece;
use schemas::{Cadence, Decimal, Source, Time};

/// A row of numbers as good as random.
pub(super) struct Chance(pub(super) u64);

impl Chance {
    pub(super) fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % most
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }
}

/// Some lines, most of them right, and sometimes a byte that is not.
pub(super) fn random_body(chance: &mut Chance) -> Vec<u8> {
    let mut text = String::new();
    for _ in 0..=chance.below(6) {
        text += chance.one(&["air", "air", "air", r"clima\ te", "noise", "water", "# no", "", r"a\ir"]);
        for _ in 0..chance.below(4) {
            text += chance.one(&[",room=a1", ",room=b", ",site=s", r",room=a\ b", ",id=n", r",x\=y=1\\", ",room=č"]);
        }
        text += chance.one(&[" ", " ", " ", " ", "  ", ""]);
        for i in 0..=chance.below(4) {
            text += if i > 0 { "," } else { "" };
            text +=
                chance.one(&["co2=", "t=", "temp_f=", "v=", r"win\ dow=", r"c\o2=", "x=", "a_field_with_a_long_name="]);
            text += chance.one(&[
                "412i",
                "7",
                "21.55",
                "-3.25",
                "1e2",
                "99999",
                "-999",
                "T",
                "true",
                r#""shut""#,
                r#""na""#,
            ]);
            text += chance.one(&["", "", "", "", "", "", "", "i", "u", "0000000", ".125"]);
        }
        text += chance.one(&[
            "",
            " 1763719200000000000",
            " 1763719200000000000",
            " 1763719140000000000",
            " 1763719100123456789 ",
        ]);
        text += chance.one(&["\n", "\n", "\n", "\n", "\r\n", "\n\n"]);
    }
    let mut bytes = text.into_bytes();
    if chance.below(3) == 0 {
        let at = chance.below(bytes.len());
        bytes[at] = *b", =\\\"\nx1.\r\xff".get(chance.below(11)).unwrap_or(&b' ');
    }
    bytes
}

struct Line {
    measurement: String,
    tags: Vec<(String, String)>,
    fields: Vec<(String, Value<'static>)>,
    time: Option<i64>,
}

/// Letters one by one.
struct Letters<'a>(&'a [u8], usize);

impl Letters<'_> {
    fn peek(&self) -> Option<u8> {
        self.0.get(self.1).copied()
    }

    fn ended(&self) -> bool {
        matches!(self.peek(), None | Some(b'\n'))
            || (self.peek() == Some(b'\r') && matches!(self.0.get(self.1 + 1), None | Some(b'\n')))
    }

    /// A text with escapes up to one of these; it may not be empty.
    fn name(&mut self, stops: &[u8], escapable: &[u8]) -> Option<String> {
        let mut name = Vec::new();
        let start = self.1;
        while let Some(byte) = self.peek() {
            if byte == b'\n' || stops.contains(&byte) {
                break;
            }
            self.1 += 1;
            match self.peek() {
                Some(next) if byte == b'\\' && next != b'\n' => {
                    if next != b'\\' && !escapable.contains(&next) {
                        name.push(b'\\');
                    }
                    name.push(next);
                    self.1 += 1;
                }
                _ => name.push(byte),
            }
        }
        (self.1 > start).then_some(())?;
        String::from_utf8(name).ok()
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek() == Some(byte)).then(|| self.1 += 1)
    }

    fn spaces(&mut self) {
        while self.take(b' ').is_some() {}
    }

    fn value(&mut self) -> Option<Value<'static>> {
        if self.peek() == Some(b'"') {
            // A text that never ends takes no other line with it.
            let start = self.1;
            return self.quoted().or_else(|| {
                self.1 = start;
                None
            });
        }
        let start = self.1;
        while self.peek().is_some_and(|byte| !b", \r\n".contains(&byte)) {
            self.1 += 1;
        }
        let word = std::str::from_utf8(&self.0[start..self.1]).ok()?;
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let unsigned = |text: &str| text.strip_prefix(['-', '+']).unwrap_or(text).to_owned();
        let number = |text: &str| Some(Value::Number(Box::leak(text.to_owned().into_boxed_str())));
        match word {
            "t" | "T" | "true" | "True" | "TRUE" => Some(Value::Bool(true)),
            "f" | "F" | "false" | "False" | "FALSE" => Some(Value::Bool(false)),
            _ => match (word.strip_suffix('i'), word.strip_suffix('u')) {
                (Some(text), _) if digits(&unsigned(text)) => number(text),
                (_, Some(text)) if digits(text) => number(text),
                _ => (Decimal::parse(word.as_bytes()).is_some() || digits(&unsigned(word))).then(|| number(word))?,
            },
        }
    }

    fn quoted(&mut self) -> Option<Value<'static>> {
        let mut text = Vec::new();
        self.take(b'"')?;
        loop {
            let byte = self.peek()?;
            self.1 += 1;
            match byte {
                b'"' => return Some(Value::Text(String::from_utf8(text).ok()?.into())),
                b'\\' => {
                    let next = self.peek()?;
                    self.1 += 1;
                    text.extend_from_slice(if matches!(next, b'"' | b'\\') { &[] } else { b"\\" });
                    text.push(next);
                }
                other => text.push(other),
            }
        }
    }

    fn line(&mut self) -> Option<Line> {
        let measurement = self.name(b", ", b", ")?;
        let mut tags = Vec::new();
        while self.take(b',').is_some() {
            let tag = self.name(b"=, ", b",= ")?;
            self.take(b'=')?;
            tags.push((tag, self.name(b"=, ", b",= ")?));
        }
        self.take(b' ')?;
        self.spaces();
        let mut fields = Vec::new();
        loop {
            let name = self.name(b"=, ", b",= ")?;
            self.take(b'=')?;
            fields.push((name, self.value()?));
            if self.take(b',').is_none() {
                break;
            }
        }
        if !self.ended() {
            self.take(b' ')?;
        }
        self.spaces();
        let mut time = None;
        if !self.ended() {
            let start = self.1;
            while self.peek().is_some_and(|byte| byte == b'-' && self.1 == start || byte.is_ascii_digit()) {
                self.1 += 1;
            }
            time = Some(std::str::from_utf8(&self.0[start..self.1]).ok()?.parse().ok()?);
            self.spaces();
        }
        self.ended().then_some(Line { measurement, tags, fields, time })
    }
}

/// Rows and refusals as the tests show them.
pub(super) fn read(catalog: &Catalog, text: &[u8], now: Time) -> (Vec<String>, Vec<String>) {
    let (mut rows, mut refused) = (Vec::new(), Vec::new());
    let mut letters = Letters(text, 0);
    while let Some(byte) = letters.peek() {
        let start = letters.1;
        match byte {
            b'\n' | b' ' | b'\r' | b'\t' => letters.1 += 1,
            b'#' => {
                while letters.peek().is_some_and(|byte| byte != b'\n') {
                    letters.1 += 1
                }
            }
            _ => match letters.line() {
                Some(line) => take(catalog, &line, start, now, &mut rows, &mut refused),
                None => {
                    refused.push(format!("{start}: - invalid_payload "));
                    letters.1 = crate::decode::line::text::line_end(text, letters.1);
                }
            },
        }
    }
    (rows, refused)
}

fn take(catalog: &Catalog, line: &Line, start: usize, now: Time, rows: &mut Vec<String>, refused: &mut Vec<String>) {
    let takes =
        |route: &usize| matches!(&catalog.source(*route).decoder, Decoder::Line(name) if **name == *line.measurement);
    let routes: Vec<usize> = (0..catalog.routes.len()).filter(takes).collect();
    let Some(first) = routes.first() else {
        refused.push(format!("{start}: - unknown_topic "));
        return;
    };
    let mut faults: Vec<String> = Vec::new();
    let mut taken = Vec::new();
    let mut by_field = Vec::new();
    for &route in &routes {
        let source = catalog.source(route);
        let dataset = &catalog.datasets[catalog.routes[route].dataset];
        let Mapping::Wide(entries) = &source.map else { continue };
        let mut values = vec![None; dataset.fields.len()];
        for (place, (name, value)) in line.fields.iter().enumerate() {
            for entry in entries.iter().filter(|entry| entry.path.parts[0] == *name) {
                let field = &dataset.fields[entry.field];
                let mapped = Mapped { field, unit: &entry.unit, words: &entry.words, missing: &source.missing };
                match normalize::value(mapped, value) {
                    Ok(Some(steps)) => values[entry.field] = Some(steps),
                    Ok(None) => {}
                    Err(refusal) => {
                        by_field.push((place, format!("{start}: {route} {} {}", refusal.reason.name(), field.name)))
                    }
                }
            }
        }
        if values.iter().any(Option::is_some) {
            taken.push((route, values));
        }
    }
    by_field.sort();
    faults.extend(by_field.into_iter().map(|(_, fault)| fault));
    if taken.is_empty() && faults.is_empty() {
        faults.push(format!("{start}: {first} no_fields "));
    }
    for (route, values) in taken {
        let source = catalog.source(route);
        let dataset = &catalog.datasets[catalog.routes[route].dataset];
        let interval = match (source.stamp, dataset.every) {
            (Stamp::End, Cadence::Every(every)) => every,
            _ => 0,
        };
        let stamp = line.time.map_or(now, |nanos| Time(nanos.div_euclid(1000)));
        let reason = match (id(source, line), normalize::instant(stamp, interval, now)) {
            (None, _) => "missing_sensor",
            (Some(id), Ok(time)) => {
                let values: Vec<String> =
                    values.iter().map(|value| value.map_or("-".to_owned(), |value: i64| value.to_string())).collect();
                rows.push(format!("{start}: {route} {id} {} {}", time.0 - now.0, values.join(",")));
                continue;
            }
            (_, Err(refusal)) => refusal.reason.name(),
        };
        faults.push(format!("{start}: {route} {reason} "));
    }
    refused.extend(faults);
}

/// The sensor's id, from text and tags.
fn id(source: &Source, line: &Line) -> Option<String> {
    let tag = |name: &str| line.tags.iter().find(|(tag, _)| tag == name).map(|(_, value)| value.as_str());
    let piece = |piece: &'_ Piece| match piece {
        Piece::Literal(text) => Some(text.clone()),
        Piece::Part(name) => tag(name).map(str::to_owned),
        _ => None,
    };
    source.sensor.pieces.iter().map(piece).collect()
}
