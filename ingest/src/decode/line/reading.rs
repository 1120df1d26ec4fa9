//! One body, line by line.

use super::Reader;
use super::keys::{NONE, Target};
use super::series::{Series, Tags, mark, saying};
use super::text::{Fault, ends_value, fail, line_end, series_end, value};
use crate::Parcel;
use crate::decode::{Quick, number};
use crate::normalize::{self, Mapped, Refusal};
use crate::parcel::Refused;
use schemas::source::Mapping;
use schemas::{Reason, Time};
use std::ops::Range;
use std::sync::Arc;

/// A body that is being read.
pub(super) struct Reading<'a> {
    pub(super) reader: &'a mut Reader,
    pub(super) text: &'a [u8],
    pub(super) now: Time,
    pub(super) parcel: &'a mut Parcel,
}

impl Reading<'_> {
    /// Reads all lines.
    pub(super) fn run(mut self) {
        let mut at = 0;
        while let Some(byte) = self.text.get(at) {
            at = match byte {
                b'\n' | b' ' | b'\r' | b'\t' => at + 1,
                b'#' => line_end(self.text, at),
                _ if self.parcel.refused.len() >= self.reader.bounds.max_refused => return self.stop(at),
                _ => self.line(at),
            };
        }
    }

    /// Reads the line that begins at a byte; gives the first byte of what comes after it.
    #[inline]
    fn line(&mut self, start: usize) -> usize {
        let refused = self.parcel.refused.len();
        match self.read(start, refused) {
            Ok(next) => next,
            Err(fault) => {
                self.reader.sheets.iter_mut().for_each(super::Sheet::drop_row);
                self.reader.heard.iter_mut().for_each(|heard| heard.fill(None));
                self.parcel.refused.truncate(refused);
                let (column, expected) = (fault.at - start + 1, fault.expected);
                let detail = format!("not line protocol at byte {column} of the line: expected {expected}");
                self.refuse(start, None, "", Refusal::new(Reason::InvalidPayload, detail));
                line_end(self.text, fault.at)
            }
        }
    }

    #[inline]
    fn read(&mut self, start: usize, refused: usize) -> Result<usize, Fault> {
        let known = self.reader.series.next(self.reader.last, self.text, start);
        let (series, mut at) = match known {
            Some((number, end)) => {
                self.reader.last = number;
                (Some(*self.reader.series.value(number)), end)
            }
            None => self.series(start)?,
        };
        while self.text.get(at) == Some(&b' ') {
            at += 1;
        }
        let measure = series.map_or(self.reader.measures.ranges.len(), |series| series.measure);
        let takers = series.map_or(0..0, |series| self.reader.measures.ranges[series.measure].clone());
        takers.clone().for_each(|taker| self.reader.sheets[taker].open());
        let at = self.fields(measure, start, at)?;
        let (stamp, next) = self.reader.stamps.read(self.text, at)?;
        match series {
            Some(series) => self.close(series, takers, stamp, start, refused),
            None => self.unknown(start),
        }
        Ok(next)
    }

    /// The series of a line that was not foreseen, and the byte after its space; none if nobody takes its measurement.
    fn series(&mut self, start: usize) -> Result<(Option<Series>, usize), Fault> {
        let Some(end) = series_end(self.text, start) else {
            return fail(line_end(self.text, start), "a space and fields after measurement and tags");
        };
        let (raw, at) = (&self.text[start..=end], end + 1);
        let reader = &mut *self.reader;
        if let Some(number) = reader.series.find(reader.last, raw) {
            reader.last = number;
            return Ok((Some(*reader.series.value(number)), at));
        }
        let tags = Tags::read(self.text, start, end)?;
        let measures = reader.measures.clone();
        let Some(&measure) = measures.names.get(&*tags.measurement) else { return Ok((None, at)) };
        if reader.series.is_full(raw.len()) {
            self.parcel.readings.extend(reader.sheets.iter_mut().filter_map(super::Sheet::take));
            reader.sheets.iter_mut().for_each(super::Sheet::forget);
            reader.series.clear();
            (reader.members, reader.last) = (Vec::new(), u32::MAX);
        }
        let series = Series { measure, members: reader.members.len() };
        for taker in measures.ranges[measure].clone() {
            reader.members.push(tags.member(&measures.takers[taker], &mut reader.sheets[taker]));
        }
        reader.last = reader.series.add(reader.last, raw, series);
        Ok((Some(series), at))
    }

    /// Reads the fields of a line; gives the byte after them.
    #[inline]
    fn fields(&mut self, measure: usize, start: usize, mut at: usize) -> Result<usize, Fault> {
        let mut before = NONE;
        loop {
            let (key_number, begin) = self.reader.keys[measure].read(before, self.text, at)?;
            let key = self.reader.keys[measure].key(key_number);
            let quick = match &key.only {
                Some((taker, field, quick)) => quick_value(self.text, quick, begin).map(|read| (*taker, *field, read)),
                None => None,
            };
            let passed = || key.targets.is_empty().then(|| number::skip(self.text, begin)).flatten();
            let passed = if quick.is_none() { passed() } else { None };
            at = match quick {
                Some((taker, field, (steps, end))) => {
                    self.reader.sheets[taker].set(field, steps);
                    end
                }
                None => match passed.filter(|end| ends_value(self.text.get(*end))) {
                    Some(end) => end,
                    None => self.value(measure, key_number, start, begin)?,
                },
            };
            match self.text.get(at) {
                Some(b',') => at += 1,
                _ => return Ok(at),
            }
            before = key_number;
        }
    }

    /// Any value, for all who want it.
    fn value(&mut self, measure: usize, key: usize, start: usize, at: usize) -> Result<usize, Fault> {
        let (value, end) = value(self.text, at)?;
        if !ends_value(self.text.get(end)) {
            return fail(end, "a comma, a space or the end of the line after a value");
        }
        let measures = self.reader.measures.clone();
        for i in 0..self.reader.keys[measure].key(key).targets.len() {
            match self.reader.keys[measure].key(key).targets[i] {
                Target::Said { taker, want } => self.reader.heard[taker][want] = Some(at),
                Target::Value { taker, entry, field, .. } => {
                    let of = &measures.takers[taker];
                    let Mapping::Wide(entries) = &of.source().map else { continue };
                    let (entry, missing) = (&entries[entry], &of.source().missing[..]);
                    let field_of = &of.dataset.fields[field];
                    let mapped = Mapped { field: field_of, unit: &entry.unit, words: &entry.words, missing };
                    match normalize::value(mapped, &value) {
                        Ok(Some(steps)) => self.reader.sheets[taker].set(field, steps),
                        Ok(None) => {}
                        Err(refusal) => self.refuse(start, Some(of.route), &field_of.name, refusal),
                    }
                }
            }
        }
        Ok(end)
    }

    /// A line has been read: it is a reading of each source for which it has a value.
    #[inline]
    fn close(&mut self, series: Series, takers: Range<usize>, stamp: Time, start: usize, refused: usize) {
        let mut filled = false;
        for (i, taker) in takers.clone().enumerate() {
            if self.reader.sheets[taker].is_filled() {
                filled = true;
                self.row(series.members + i, taker, stamp, start);
            }
            self.reader.heard[taker].fill(None);
        }
        if !filled && self.parcel.refused.len() == refused {
            let detail = "none of the mapped fields is in the line, or has a value; see `map` of the source";
            let route = self.reader.measures.takers[takers.start].route;
            self.refuse(start, Some(route), "", Refusal::new(Reason::NoFields, detail));
        }
    }

    /// Closes a row of a source.
    #[inline]
    fn row(&mut self, member: usize, taker: usize, stamp: Time, start: usize) {
        let of = &self.reader.measures.takers[taker];
        let member = &self.reader.members[member];
        let (sheet, heard) = (&mut self.reader.sheets[taker], &self.reader.heard[taker][..]);
        let taken = match &member.sensor {
            Ok(sensor) => normalize::instant(stamp, of.interval, self.now).map(|time| (*sensor, time)),
            Err(refusal) => Err((**refusal).clone()),
        };
        let (sensor, time) = match taken {
            Ok(taken) => taken,
            Err(refusal) => {
                sheet.drop_row();
                let route = of.route;
                return self.refuse(start, Some(route), "", refusal);
            }
        };
        sheet.close(sensor, time, start as u32);
        if !of.says() {
            return;
        }
        let (from_fields, text) = (heard.iter().any(Option::is_some), self.text);
        let mark = if from_fields { mark(member, heard, text) } else { member.mark };
        if mark != 0 {
            let refused = &mut self.parcel.refused;
            sheet.say(sensor, time, mark, || {
                saying(of, member, heard, text, |field, refusal| {
                    refused.push(Refused { at: start as u32, route: Some(of.route), field: field.into(), refusal });
                })
            });
        }
    }

    /// Refuses a line whose measurement nobody takes.
    #[cold]
    fn unknown(&mut self, start: usize) {
        let detail =
            "no contract has a source for this measurement; a source's `line` must be the word the line begins with";
        self.refuse(start, None, "", Refusal::new(Reason::UnknownTopic, detail));
    }

    #[cold]
    fn refuse(&mut self, start: usize, route: Option<usize>, field: &str, refusal: Refusal) {
        let field: Arc<str> = field.into();
        self.parcel.refused.push(Refused { at: start as u32, route, field, refusal });
    }

    /// Too much was refused: all that comes is refused as one.
    #[cold]
    fn stop(&mut self, start: usize) {
        let (most, left) = (self.reader.bounds.max_refused, self.text[start..].split(|&b| b == b'\n').count());
        let detail =
            format!("{most} lines and fields of the body were refused: the {left} lines from here on were not read");
        self.refuse(start, None, "", Refusal::new(Reason::TooLarge, detail));
    }
}

/// A plain number within its field's range, and the byte after it.
#[inline(always)]
fn quick_value(text: &[u8], quick: &Quick, at: usize) -> Option<(i64, usize)> {
    let (steps, end) = quick.read(text, at)?;
    let next = text.get(end);
    if ends_value(next) {
        return Some((steps, end));
    }
    let whole = next == Some(&b'i') && !text[at..end].contains(&b'.');
    (whole && ends_value(text.get(end + 1))).then_some((steps, end + 1))
}
