//! Meters: growth from reading to reading, across buckets and resets.

use super::cut::Key;
use super::tally::{Frame, Rows, in_order};
use super::window::Strip;
use super::{Cell, Last, Sums};
use schemas::ABSENT;
use schemas::time::DAY;
use std::ops::Range;
use store::tier::columns::Part as Column;
use store::tier::growth;

/// The longest silence a growth is counted across, in microseconds. A meter that was silent for longer starts anew, so
/// that what a bucket holds depends on its readings and not on how far a question looks back.
pub const LONGEST_SILENCE: i64 = 366 * DAY;

/// A reading: when, what.
type Reading = (i64, i64);

/// Growth of the readings of a piece, each against the one before it, which may lie before the piece or be `before` all rows.
pub(super) fn increase(rows: Rows<'_>, piece: Range<usize>, before: Option<Reading>) -> i128 {
    let mut before = newest(rows, piece.start, before);
    let mut sum = 0;
    for row in piece {
        let (time, value) = (rows.time[row], rows.values[row]);
        if value != ABSENT {
            sum += joined(before, (time, value));
            before = Some((time, value));
        }
    }
    sum
}

/// The newest reading of the first rows, else the one before them.
pub(super) fn newest(rows: Rows<'_>, end: usize, before: Option<Reading>) -> Option<Reading> {
    let row = rows.values[..end].iter().rposition(|&value| value != ABSENT);
    row.map(|row| (rows.time[row], rows.values[row])).or(before)
}

/// Adds windows: growth within each, and from the last reading before it to its first (rule 27).
pub(super) fn windows(
    field: usize,
    strips: &[Strip<'_>],
    frame: &Frame<'_>,
    meter: &mut Option<Reading>,
    cells: &mut Vec<(Key, Cell)>,
) {
    for (at, row) in in_order(strips) {
        let strip = &strips[at];
        let columns = strip.columns(field);
        let n = columns.n(row..row + 1);
        if n == 0 {
            continue;
        }
        let reading = |time, value| (columns.long(time, row), columns.long(value, row));
        let (first, last) = (reading(Column::FirstAt, Column::First), reading(Column::LastAt, Column::Last));
        let within = columns.get(Column::Increase).and_then(|values| values.wide(row)).unwrap_or(0);
        if let Some(key) = frame.key(strip.rollup.keys.time[row]) {
            let last = Some(Last { time: last.0, rank: frame.rank, value: last.1 }).filter(|last| last.value != ABSENT);
            let growth = if first.1 == ABSENT { 0 } else { joined(*meter, first) };
            cells.push((key, Cell { n, last, sums: Sums::Cumulative(within + growth), counts: None }));
        }
        if last.1 != ABSENT {
            *meter = Some(last);
        }
    }
}

/// Growth to a reading from the one before it.
fn joined(before: Option<Reading>, (time, value): Reading) -> i128 {
    before.filter(|(then, _)| time - then <= LONGEST_SILENCE).map_or(0, |(_, old)| growth(old, value))
}
