//! The rows of memory in the order of a file: by sensor id, then time.

use crate::tier::values::Values;
use crate::{Error, Kind, SensorIx, SensorTable};
use schemas::ABSENT;
use std::ops::Range;
use std::sync::Arc;

/// Sensors in the order of their ids, each with its rows in memory.
pub(super) struct Groups<'a> {
    groups: Vec<(&'a Arc<str>, Range<usize>)>,
    /// Rows of all.
    pub(super) rows: usize,
}

/// Rows of a page in order: (number of a sensor's id, how many).
pub(super) type Stretches = Vec<(usize, usize)>;

impl<'a> Groups<'a> {
    /// Of rows picked from memory, by sensor.
    pub(super) fn of(
        picked: impl Iterator<Item = (SensorIx, Range<usize>)>,
        sensors: &'a SensorTable,
    ) -> Result<Groups<'a>, Error> {
        let mut groups = Vec::new();
        let mut all = 0;
        for (sensor, rows) in picked.filter(|(_, rows)| !rows.is_empty()) {
            let Some(id) = sensors.ids.get(sensor as usize) else {
                return Err(Error::new(
                    Kind::Corrupt,
                    format!("sensor number {sensor} has no id; it must be given one first"),
                ));
            };
            all += rows.len();
            groups.push((id, rows));
        }
        groups.sort_by_key(|(id, _)| *id);
        if all == 0 {
            return Err(Error::new(Kind::Corrupt, "a run without rows has no file; leave it out"));
        }
        Ok(Groups { groups, rows: all })
    }

    /// Least and greatest of some integers.
    pub(super) fn bounds(&self, values: &[i64]) -> (i64, i64) {
        let all = self.groups.iter().flat_map(|(_, rows)| &values[rows.clone()]);
        all.fold((i64::MAX, i64::MIN), |(low, high), &value| (low.min(value), high.max(value)))
    }

    /// Integers in file order.
    pub(super) fn longs(&self, source: Source<'_>) -> Vec<i64> {
        let mut gathered = Vec::with_capacity(self.rows);
        for (_, rows) in &self.groups {
            source.longs(rows.clone(), &mut gathered);
        }
        gathered
    }

    /// Goes through a column in the order of the file.
    pub(super) fn cursor<'b>(&'b self, source: Source<'b>) -> Cursor<'b> {
        Cursor { groups: &self.groups, source, given: 0 }
    }

    /// The greatest absolute value of integers.
    pub(super) fn greatest(&self, source: Source<'_>) -> u64 {
        let absolute = |value: i64| if value == ABSENT { 0 } else { value.unsigned_abs() };
        let most = |values: &[i64]| values.iter().fold(0, |most, &value| most.max(absolute(value)));
        let one = |(_, rows): &(&Arc<str>, Range<usize>)| match source {
            Source::Longs(values) => most(&values[rows.clone()]),
            Source::Values(Values::Long(values)) => most(&values[rows.clone()]),
            Source::Values(Values::Short(values)) => {
                values[rows.clone()].iter().fold(0, |most, &value| most.max(absolute(widened(value))))
            }
            Source::Values(values) => rows.clone().fold(0, |most, row| most.max(absolute(values.long(row)))),
        };
        self.groups.iter().map(one).max().unwrap_or(0)
    }

    /// Integers of any width in file order.
    pub(super) fn wides(&self, source: Source<'_>) -> Vec<Option<i128>> {
        let wide = |row: usize| match source {
            Source::Longs(values) => Some(values[row]).filter(|value| *value != ABSENT).map(i128::from),
            Source::Values(values) => values.wide(row),
        };
        self.groups.iter().flat_map(|(_, rows)| rows.clone()).map(wide).collect()
    }

    /// Bytes in file order.
    pub(super) fn blobs<'v>(&self, source: Source<'v>) -> Vec<&'v [u8]> {
        let blob = |row: usize| match source {
            Source::Longs(_) => &[],
            Source::Values(values) => values.blob(row),
        };
        self.groups.iter().flat_map(|(_, rows)| rows.clone()).map(blob).collect()
    }

    /// Each sensor with its number of rows, in file order.
    pub(super) fn each(&self) -> impl Iterator<Item = (&str, usize)> {
        self.groups.iter().map(|(id, rows)| (&***id, rows.len()))
    }

    /// The rows of pages: a page ends with a sensor, once it has `least` rows; one sensor may fill several.
    pub(super) fn pages(&self, least: usize) -> Vec<Range<usize>> {
        let mut pages = Vec::new();
        let (mut start, mut end) = (0, 0);
        for (_, rows) in &self.groups {
            end += rows.len();
            while end - start >= 2 * least {
                pages.push(start..start + least);
                start += least;
            }
            if end - start >= least {
                pages.push(start..end);
                start = end;
            }
        }
        if start < end {
            pages.push(start..end);
        }
        pages
    }

    /// Least and greatest sensor id.
    pub(super) fn ends(&self) -> (String, String) {
        let id = |group: Option<&(&Arc<str>, Range<usize>)>| group.map(|(id, _)| id.to_string()).unwrap_or_default();
        (id(self.groups.first()), id(self.groups.last()))
    }

    /// The distinct ids of the rows of some pages, and for each page the rows of each: (number of the id, rows).
    pub(super) fn ids(&self, pages: &[Range<usize>]) -> (Vec<&'a str>, Vec<Stretches>) {
        let (mut ids, mut parts) = (Vec::new(), vec![Vec::new(); pages.len()]);
        let (mut start, mut page) = (0, 0);
        for (id, rows) in &self.groups {
            let group = start..start + rows.len();
            start = group.end;
            while let Some(place) = pages.get(page).filter(|place| place.start < group.end) {
                let inside = group.end.min(place.end).saturating_sub(group.start.max(place.start));
                if inside > 0 {
                    if ids.last() != Some(&&***id) {
                        ids.push(&***id);
                    }
                    parts[page].push((ids.len() - 1, inside));
                }
                if place.end > group.end {
                    break;
                }
                page += 1;
            }
        }
        (ids, parts)
    }
}

/// A short value as an integer.
fn widened(value: i32) -> i64 {
    if value == i32::MIN { ABSENT } else { i64::from(value) }
}

/// Goes through the rows of a file in order, without holding a column of them.
pub(super) struct Cursor<'a> {
    groups: &'a [(&'a Arc<str>, Range<usize>)],
    source: Source<'a>,
    /// Rows of the first group that were given.
    given: usize,
}

impl Cursor<'_> {
    /// Appends the integers of the next rows.
    pub(super) fn next(&mut self, mut rows: usize, out: &mut Vec<i64>) {
        while let Some(((_, group), rest)) = self.groups.split_first().filter(|_| rows > 0) {
            let from = group.start + self.given;
            let some = rows.min(group.end - from);
            self.source.longs(from..from + some, out);
            rows -= some;
            (self.groups, self.given) = match from + some == group.end {
                true => (rest, 0),
                false => (self.groups, self.given + some),
            };
        }
    }
}

impl Source<'_> {
    /// Appends the integers of some rows.
    fn longs(self, rows: Range<usize>, out: &mut Vec<i64>) {
        match self {
            Source::Longs(values) => out.extend_from_slice(&values[rows]),
            Source::Values(Values::Long(values)) => out.extend_from_slice(&values[rows]),
            Source::Values(Values::Short(values)) => out.extend(values[rows].iter().map(|&value| widened(value))),
            Source::Values(values) => out.extend(rows.map(|row| values.long(row))),
        }
    }
}

/// Values of a column in memory.
#[derive(Clone, Copy)]
pub(super) enum Source<'a> {
    /// Of a run.
    Longs(&'a [i64]),
    /// Of a tier's rows.
    Values(&'a Values),
}
