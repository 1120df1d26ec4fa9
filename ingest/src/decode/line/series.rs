//! A series, the measurement and tags of a line, and what it is to each source that takes it.

use super::measure::{Taker, What};
use super::text::{Fault, fail, unescape, until};
use crate::decode::{Saying, Sheet, Value, news};
use crate::normalize::{self, Refusal};
use schemas::Reason;
use std::borrow::Cow;

/// What is remembered of a series.
#[derive(Clone, Copy, Debug)]
pub(super) struct Series {
    /// Number of its measurement.
    pub(super) measure: usize,
    /// Its first member; as many follow as its measurement has takers.
    pub(super) members: usize,
}

/// A series as a source takes it.
#[derive(Debug)]
pub(super) struct Member {
    /// Its sensor in the source's sheet, or why it has none.
    pub(super) sensor: Result<u32, Box<Refusal>>,
    /// What its tags tell of what the source wants to know.
    pub(super) told: Box<[Option<Box<str>>]>,
    /// The mark of that; zero when it is nothing.
    pub(super) mark: u64,
}

/// Measurement and tags, without escapes.
pub(super) struct Tags<'a> {
    pub(super) measurement: Cow<'a, str>,
    tags: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

const ESCAPABLE: [char; 3] = [',', '=', ' '];

impl<'a> Tags<'a> {
    /// Reads a line from its first byte up to the space at `end`.
    pub(super) fn read(text: &'a [u8], start: usize, end: usize) -> Result<Tags<'a>, Fault> {
        let piece = |from: usize, to: usize, escapable: &[char]| match std::str::from_utf8(&text[from..to]) {
            Ok(raw) => Ok(unescape(raw, escapable)),
            Err(_) => fail(from, "text in UTF-8"),
        };
        let mut at = until(text, start, b", ");
        if at == start {
            return fail(at, "a measurement");
        }
        let measurement = piece(start, at, &[',', ' '])?;
        let mut tags = Vec::new();
        while at < end {
            let key = at + 1;
            let equals = until(text, key, b"=, ");
            if equals == key || text.get(equals) != Some(&b'=') {
                return fail(equals, "a tag such as station=a1 after the comma");
            }
            at = until(text, equals + 1, b"=, ");
            if at == equals + 1 || text.get(at) == Some(&b'=') {
                return fail(at, "a tag's value of one character or more, with a backslash before an equals sign");
            }
            tags.push((piece(key, equals, &ESCAPABLE)?, piece(equals + 1, at, &ESCAPABLE)?));
        }
        Ok(Tags { measurement, tags })
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.tags.iter().find(|(tag, _)| tag == name).map(|(_, value)| &**value)
    }

    /// What the series is to a source.
    pub(super) fn member(&self, taker: &Taker, sheet: &mut Sheet) -> Member {
        let told: Box<[_]> = taker.wants.iter().map(|want| self.get(&want.name).map(Box::from)).collect();
        let sensor = self.id(taker).and_then(|id| normalize::sensor(&id).map(|()| sheet.sensor(&id)));
        let mut member = Member { sensor: sensor.map_err(Box::new), told, mark: 0 };
        if taker.every.is_some() || member.told.iter().any(Option::is_some) {
            member.mark = mark(&member, &[], &[]);
        }
        member
    }

    /// The sensor's id.
    fn id(&self, taker: &Taker) -> Result<String, Refusal> {
        let mut id = String::new();
        for (piece, is_tag) in taker.pieces() {
            id.push_str(match is_tag {
                false => piece,
                true => self.get(piece).ok_or_else(|| {
                    let detail = format!("the sensor's id asks for the tag {piece:?}, and the line has none");
                    Refusal::new(Reason::MissingSensor, detail)
                })?,
            });
        }
        Ok(id)
    }
}

/// The mark of what a series and the fields of a line (`heard`: where their values begin) say.
pub(super) fn mark(member: &Member, heard: &[Option<usize>], line: &[u8]) -> u64 {
    let tags = member.told.iter().map(|told| told.as_deref().map(str::as_bytes));
    let end = |at: usize| super::text::value(line, at).map_or(at, |(_, end)| end);
    let fields = heard.iter().map(|at| at.map(|at| &line[at..end(at)]));
    news::mark(tags.chain(fields)) | 1
}

/// What a series and the fields of a line say of a sensor; tags come first. What is wrong with it goes to `refuse`.
pub(super) fn saying(
    taker: &Taker,
    member: &Member,
    heard: &[Option<usize>],
    line: &[u8],
    mut refuse: impl FnMut(&str, Refusal),
) -> Saying {
    let missing = &taker.source().missing[..];
    let mut saying = Saying { every: taker.every, ..Saying::default() };
    let (mut lon, mut lat) = (Value::Absent, Value::Absent);
    for (i, want) in taker.wants.iter().enumerate() {
        let tag = member.told[i].as_deref().map(|text| Value::Text(text.into()));
        let field = || heard[i].and_then(|at| super::text::value(line, at).ok()).map(|(value, _)| value);
        let value = tag.or_else(field).unwrap_or(Value::Absent);
        match &want.what {
            What::Lon => lon = value,
            What::Lat => lat = value,
            What::Attribute(name) => match normalize::attribute(name, &value, missing) {
                Ok(Some(text)) => drop(saying.attributes.insert(name.clone(), text)),
                Ok(None) => {}
                Err(refusal) => refuse(name, refusal),
            },
        }
    }
    match normalize::place(&lon, &lat, missing) {
        Ok(place) => saying.place = place,
        Err(refusal) => refuse("place", refusal),
    }
    saying
}
