//! States: time in each, split at the edges of buckets and groups.
//!
//! A state stands from its reading to the sensor's next, `hold` at most, and not past now. A window of a tier knows how long
//! its readings stand within it; how long the last stands beyond its end follows from the next reading, wherever that is.

use super::cut::{Key, Segment};
use super::tally::{Frame, Rows, in_order};
use super::window::Strip;
use super::{Cell, Last, Sums};
use schemas::ABSENT;
use store::tier::columns::Part as Column;

/// How a state stands after what was added.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Standing {
    /// From when it is not yet counted, until when at most, which.
    now: Option<(i64, i64, i64)>,
    /// The first segment that later time may lie in.
    from: usize,
}

/// Cells by key, not yet merged.
type Cells = Vec<(Key, Cell)>;

impl Standing {
    /// Adds raw rows of a state with so many values and such a hold.
    pub(super) fn rows(&mut self, rows: Rows<'_>, frame: &Frame<'_>, (values, hold): (usize, i64), cells: &mut Cells) {
        for (&time, &value) in rows.time.iter().zip(rows.values).filter(|(_, value)| **value != ABSENT) {
            self.until(time, frame, values, cells);
            self.now = Some((time, time.saturating_add(hold), value));
        }
        for part in rows.parts {
            let own = &rows.values[part.rows.clone()];
            let Some(last) = Last::of(&rows.time[part.rows.clone()], own, frame.rank) else { continue };
            let sums = Sums::State(vec![0; values].into());
            cells.push((part.key, Cell { n: super::count(own), last: Some(last), sums, counts: None }));
        }
    }

    /// Adds windows.
    pub(super) fn windows(
        &mut self,
        field: usize,
        strips: &[Strip<'_>],
        frame: &Frame<'_>,
        (values, hold): (usize, i64),
        cells: &mut Cells,
    ) {
        for (at, row) in in_order(strips) {
            let strip = &strips[at];
            let columns = strip.columns(field);
            let n = columns.n(row..row + 1);
            if n == 0 {
                continue;
            }
            let start = strip.rollup.keys.time[row];
            let (first, last) = (columns.long(Column::FirstAt, row), columns.long(Column::LastAt, row));
            let value = columns.long(Column::Last, row);
            if first != ABSENT {
                self.until(first, frame, values, cells);
            }
            if let Some(key) = frame.key(start) {
                let micros = (0..values).map(|word| columns.long(Column::Micros(word), row).max(0)).collect();
                let last = (value != ABSENT).then_some(Last { time: last, rank: frame.rank, value });
                cells.push((key, Cell { n, last, sums: Sums::State(micros), counts: None }));
            }
            self.now = Some((strip.windows.end(start), last.saturating_add(hold), value));
        }
    }

    /// Ends it: the last state stands as long as it may.
    pub(super) fn close(&mut self, frame: &Frame<'_>, values: usize, cells: &mut Cells) {
        self.until(i64::MAX, frame, values, cells);
    }

    /// Counts the time it stands until an instant.
    fn until(&mut self, next: i64, frame: &Frame<'_>, values: usize, cells: &mut Cells) {
        let Some((since, most, state)) = self.now.take() else { return };
        let until = next.min(most).min(frame.now);
        while frame.segments.get(self.from).is_some_and(|segment| segment.to <= since) {
            self.from += 1;
        }
        for segment in frame.segments[self.from..].iter().take_while(|segment| segment.from < until) {
            let span = Segment { from: segment.from.max(since), to: segment.to.min(until), group: segment.group };
            for (key, start, end) in frame.buckets.pieces(span) {
                add(cells, key, values, state, end - start);
            }
        }
    }
}

/// Adds time in a state to the last cell, or to a new one.
fn add(cells: &mut Cells, key: Key, values: usize, state: i64, micros: i64) {
    if cells.last().is_none_or(|(last, _)| *last != key) {
        let sums = Sums::State(vec![0; values].into());
        cells.push((key, Cell { n: 0, last: None, sums, counts: None }));
    }
    if let Some((_, Cell { sums: Sums::State(times), .. })) = cells.last_mut()
        && let Some(time) = usize::try_from(state).ok().and_then(|state| times.get_mut(state))
    {
        *time += micros;
    }
}
