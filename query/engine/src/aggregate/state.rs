//! States: time in each, split at the edges of buckets and groups.

use super::cut::{Key, Segment};
use super::{Cell, Last, Rows, Sums};
use schemas::ABSENT;

/// The cells of a state with so many values: readings of each part, and time of each piece that a state stands in. A state
/// stands from its reading to the sensor's next, `hold` microseconds at most, and not past now. Rows from `hold` before the
/// first bucket on must be there.
pub fn cells(rows: Rows<'_>, values: usize, hold: i64) -> Vec<(Key, Cell)> {
    let mut times = Times { cells: Vec::with_capacity(rows.parts.len()), values };
    let mut from = 0;
    let mut standing: Option<(i64, i64)> = None;
    for (&time, &value) in rows.time.iter().zip(rows.values).filter(|(_, value)| **value != ABSENT) {
        if let Some((since, state)) = standing {
            from = times.add(rows, from, (since, time.min(since + hold)), state);
        }
        standing = Some((time, value));
    }
    if let Some((since, state)) = standing {
        times.add(rows, from, (since, since + hold), state);
    }
    let mut cells = times.cells;
    for part in rows.parts {
        let values_here = &rows.values[part.rows.clone()];
        let Some(last) = Last::of(&rows.time[part.rows.clone()], values_here, rows.rank) else { continue };
        let sums = Sums::State(vec![0; values].into());
        cells.push((part.key, Cell { n: super::count(values_here), last: Some(last), sums }));
    }
    cells.sort_by_key(|(key, _)| *key);
    cells.dedup_by(|later, first| {
        let same = later.0 == first.0;
        if same {
            first.1.merge(&later.1);
        }
        same
    });
    cells
}

/// Time in states, piece after piece.
struct Times {
    cells: Vec<(Key, Cell)>,
    values: usize,
}

impl Times {
    /// Adds the time a state stands, looking from the `from`-th segment on; gives the first that later time may lie in.
    fn add(&mut self, rows: Rows<'_>, mut from: usize, (since, until): (i64, i64), state: i64) -> usize {
        let until = until.min(rows.now);
        while rows.segments.get(from).is_some_and(|segment| segment.to <= since) {
            from += 1;
        }
        for segment in rows.segments[from..].iter().take_while(|segment| segment.from < until) {
            let span = Segment { from: segment.from.max(since), to: segment.to.min(until), group: segment.group };
            for (key, start, end) in rows.buckets.pieces(span) {
                self.time(key, state, end - start);
            }
        }
        from
    }

    fn time(&mut self, key: Key, state: i64, micros: i64) {
        if self.cells.last().is_none_or(|(last, _)| *last != key) {
            let sums = Sums::State(vec![0; self.values].into());
            self.cells.push((key, Cell { n: 0, last: None, sums }));
        }
        if let Some((_, Cell { sums: Sums::State(times), .. })) = self.cells.last_mut()
            && let Some(time) = usize::try_from(state).ok().and_then(|state| times.get_mut(state))
        {
            *time += micros;
        }
    }
}
