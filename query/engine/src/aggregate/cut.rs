//! Cutting a sensor's time into pieces: buckets of the question, and segments in which it belongs to one group.

use schemas::Time;
use std::ops::Range;

/// Where a piece's rows are added up: bucket, then group, ascending in both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Number of the bucket.
    pub bucket: u32,
    /// Number of the group.
    pub group: u32,
}

/// The buckets of a question.
#[derive(Clone, Debug)]
pub struct Buckets {
    /// Starts, and the end of the last.
    edges: Vec<Time>,
    /// Their common width in microseconds, where they have one.
    width: Option<i64>,
}

/// A span of time in which a sensor belongs to one group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// First instant.
    pub from: i64,
    /// First instant after.
    pub to: i64,
    /// The group.
    pub group: u32,
}

/// Neighbouring rows of a sensor that belong to one bucket and group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Where they belong.
    pub key: Key,
    /// Which rows.
    pub rows: Range<usize>,
}

impl Buckets {
    /// Buckets between ascending edges, of which there are at least two; `width` if all are equally wide.
    pub fn new(edges: Vec<Time>, width: Option<i64>) -> Buckets {
        debug_assert!(edges.len() > 1 && edges.is_sorted());
        Buckets { edges, width }
    }

    /// How many.
    pub fn count(&self) -> usize {
        self.edges.len() - 1
    }

    /// Their common width in microseconds, where they have one.
    pub fn width(&self) -> Option<i64> {
        self.width
    }

    /// Their edges: starts, and the end of the last.
    pub fn edges(&self) -> &[Time] {
        &self.edges
    }

    /// First instant of a bucket.
    pub fn start(&self, bucket: usize) -> i64 {
        self.edges[bucket].0
    }

    /// First instant after a bucket.
    pub fn end(&self, bucket: usize) -> i64 {
        self.edges[bucket + 1].0
    }

    /// First instant of all.
    pub fn from(&self) -> i64 {
        self.edges[0].0
    }

    /// First instant after all.
    pub fn to(&self) -> i64 {
        self.edges[self.count()].0
    }

    /// The bucket of an instant between [`Buckets::from`] and [`Buckets::to`].
    pub fn of(&self, time: i64) -> usize {
        match self.width {
            Some(width) => ((time - self.from()) / width) as usize,
            None => self.edges.partition_point(|edge| edge.0 <= time) - 1,
        }
    }

    /// The pieces of a span in one group: (key, first instant, first instant after), ascending.
    pub fn pieces(&self, span: Segment) -> impl Iterator<Item = (Key, i64, i64)> {
        let (from, to) = (span.from.max(self.from()), span.to.min(self.to()));
        let first = if from < to { self.of(from) } else { self.count() };
        (first..self.count())
            .map(move |bucket| {
                let key = Key { bucket: bucket as u32, group: span.group };
                (key, self.start(bucket).max(from), self.end(bucket).min(to))
            })
            .take_while(|(_, start, end)| start < end)
    }

    /// The rows of each piece that has any, in the order of time. `time` ascends; `segments` ascend and do not overlap.
    pub fn parts(&self, time: &[i64], segments: &[Segment]) -> Vec<Part> {
        let mut parts = Vec::new();
        let mut row = 0;
        for segment in segments {
            let (from, to) = (segment.from.max(self.from()), segment.to.min(self.to()));
            row = gallop(time, row, from);
            while row < time.len() && time[row] < to {
                let bucket = self.of(time[row]);
                let end = gallop(time, row, self.end(bucket).min(to));
                parts.push(Part { key: Key { bucket: bucket as u32, group: segment.group }, rows: row..end });
                row = end;
            }
        }
        parts
    }
}

/// The first row from `row` on whose time is not before `until`: doubling steps, then halves.
fn gallop(time: &[i64], row: usize, until: i64) -> usize {
    let mut step = 1;
    let mut low = row;
    while low + step < time.len() && time[low + step] < until {
        low += step;
        step *= 2;
    }
    let high = (low + step).min(time.len());
    low + time[low..high].partition_point(|&t| t < until)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buckets(edges: &[i64], width: Option<i64>) -> Buckets {
        Buckets::new(edges.iter().map(|&e| Time(e)).collect(), width)
    }

    #[test]
    fn rows_fall_into_their_buckets_and_segments() {
        let even = buckets(&[0, 10, 20, 30, 40], Some(10));
        let uneven = buckets(&[0, 10, 20, 30, 40], None);
        let time: Vec<i64> = vec![-3, 0, 1, 9, 10, 15, 19, 20, 39, 40, 99];
        let segments = [Segment { from: i64::MIN, to: 15, group: 1 }, Segment { from: 18, to: i64::MAX, group: 0 }];
        for buckets in [even, uneven] {
            let parts = buckets.parts(&time, &segments);
            let found: Vec<_> = parts.iter().map(|p| (p.key.bucket, p.key.group, p.rows.clone())).collect();
            assert_eq!(found, [(0, 1, 1..4), (1, 1, 4..5), (1, 0, 6..7), (2, 0, 7..8), (3, 0, 8..9)]);
            let pieces: Vec<_> = buckets.pieces(segments[0]).map(|(k, a, b)| (k.bucket, a, b)).collect();
            assert_eq!(pieces, [(0, 0, 10), (1, 10, 15)]);
            assert_eq!(buckets.pieces(Segment { from: 40, to: 50, group: 0 }).count(), 0);
        }
    }

    #[test]
    fn galloping_finds_what_a_loop_finds() {
        let time: Vec<i64> = (0..100).map(|i| i * i / 7).collect();
        for row in 0..=time.len() {
            for until in [-1, 0, 3, 40, 700, 1399, 1400, 9999] {
                let looped = (row..time.len()).find(|&i| time[i] >= until).unwrap_or(time.len());
                assert_eq!(gallop(&time, row, until), looped.max(row));
            }
        }
    }
}
