//! The rows of memory in the order of a file: by sensor id, then time.

use crate::tier::values::Values;
use crate::{Error, Keys, Kind, SensorTable};
use parquet::data_type::ByteArray;
use std::ops::Range;
use std::sync::Arc;

/// Sensors in the order of their ids, each with its rows in memory.
pub(super) struct Groups<'a> {
    groups: Vec<(&'a Arc<str>, Range<usize>)>,
    /// Rows of all.
    pub(super) rows: usize,
}

impl<'a> Groups<'a> {
    pub(super) fn of(keys: &Keys, sensors: &'a SensorTable) -> Result<Groups<'a>, Error> {
        let mut groups = Vec::with_capacity(keys.sensors.len());
        for (sensor, rows) in keys.each() {
            let Some(id) = sensors.ids.get(sensor as usize) else {
                return Err(Error::new(
                    Kind::Corrupt,
                    format!("sensor number {sensor} has no id; it must be given one first"),
                ));
            };
            groups.push((id, rows));
        }
        groups.sort_unstable_by_key(|(id, _)| *id);
        let rows = keys.time.len();
        if rows == 0 {
            return Err(Error::new(Kind::Corrupt, "a run without rows has no file; leave it out"));
        }
        Ok(Groups { groups, rows })
    }

    /// Integers in file order.
    pub(super) fn longs(&self, source: Source<'_>) -> Vec<i64> {
        let mut gathered = Vec::with_capacity(self.rows);
        for (_, rows) in &self.groups {
            match source {
                Source::Longs(values) => gathered.extend_from_slice(&values[rows.clone()]),
                Source::Values(values) => gathered.extend(rows.clone().map(|row| values.long(row))),
            }
        }
        gathered
    }

    /// Integers of any width in file order.
    pub(super) fn wides(&self, source: Source<'_>) -> Vec<Option<i128>> {
        let wide = |row: usize| match source {
            Source::Longs(values) => Some(values[row]).filter(|value| *value != schemas::ABSENT).map(i128::from),
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

    /// Sensor ids of the rows from `skip` on, repeated row by row.
    pub(super) fn ids(&self, skip: usize, take: usize) -> impl Iterator<Item = ByteArray> + '_ {
        let mut start = 0;
        let span = skip..skip + take;
        self.groups.iter().flat_map(move |(id, rows)| {
            let group = start..start + rows.len();
            start = group.end;
            let inside = group.end.min(span.end).saturating_sub(group.start.max(span.start));
            let id = ByteArray::from(id.as_bytes().to_vec());
            std::iter::repeat_n(id, inside)
        })
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
