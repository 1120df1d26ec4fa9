//! Meters: growth from reading to reading, across buckets and resets.

use super::Rows;
use super::cut::Part;
use schemas::ABSENT;
use schemas::time::DAY;

/// The longest silence a growth is counted across, in microseconds. A meter that was silent for longer starts anew, so
/// that what a bucket holds depends on its readings and not on how far a question looks back.
pub const LONGEST_SILENCE: i64 = 366 * DAY;

/// Growth of the readings of a part, each against the one before it, which may lie before the part.
pub fn increase(rows: Rows<'_>, part: &Part) -> i128 {
    let earlier = &rows.values[..part.rows.start];
    let before = earlier.iter().rposition(|&value| value != ABSENT).map(|row| (rows.time[row], rows.values[row]));
    let mut before = before.or(rows.before);
    let mut sum = 0;
    for row in part.rows.clone() {
        let (time, value) = (rows.time[row], rows.values[row]);
        if value == ABSENT {
            continue;
        }
        if let Some((then, old)) = before
            && time - then <= LONGEST_SILENCE
        {
            sum += growth(old, value);
        }
        before = Some((time, value));
    }
    sum
}

/// Growth from one reading to the next; a smaller one means the meter began again at zero.
fn growth(old: i64, new: i64) -> i128 {
    if new >= old { i128::from(new) - i128::from(old) } else { i128::from(new.max(0)) }
}
