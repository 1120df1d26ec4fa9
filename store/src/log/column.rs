//! Columns of numbers, narrowed: the least value, then each value's distance from it in 0, 1, 2, 4 or 8 bytes.
//!
//! Form: a head byte (width, plus [`SPARSE`] when some rows have no value), the least value (8 bytes); if sparse one bit
//! per row, lowest first, set where there is a value; then the distances of the values there are, little-endian.

use super::wire::{Bytes, Malformed, put_u64};
use schemas::ABSENT;

/// Flag of the head byte: a presence bitmap follows.
const SPARSE: u8 = 0x80;

/// Appends a column whose values may be [`ABSENT`].
pub(super) fn put(out: &mut Vec<u8>, values: impl Iterator<Item = i64> + Clone) {
    put_at_least(out, 0, values);
}

/// Appends a column that takes at least one byte a row, so that the number of rows is bounded by the bytes that hold them.
pub(super) fn put_solid(out: &mut Vec<u8>, values: impl Iterator<Item = i64> + Clone) {
    put_at_least(out, 1, values);
}

/// Appends a column with distances of at least `width` bytes.
fn put_at_least(out: &mut Vec<u8>, width: u8, values: impl Iterator<Item = i64> + Clone) {
    let (mut low, mut high, mut rows, mut present) = (i64::MAX, i64::MIN, 0_usize, 0_usize);
    for value in values.clone() {
        let here = value != ABSENT;
        low = low.min(if here { value } else { i64::MAX });
        high = high.max(value);
        rows += 1;
        present += usize::from(here);
    }
    let spread = if present == 0 { 0 } else { high.wrapping_sub(low) as u64 };
    let width = width.max(width_of(spread));
    let sparse = present < rows;
    out.push(width | if sparse { SPARSE } else { 0 });
    put_u64(out, low as u64);
    if sparse {
        put_presence(out, rows, values.clone());
        put_distances(out, width, present, low, values.filter(|&value| value != ABSENT));
    } else {
        put_distances(out, width, rows, low, values);
    }
}

/// Bytes a distance takes.
fn width_of(spread: u64) -> u8 {
    match spread {
        0 => 0,
        1..=0xff => 1,
        0x100..=0xffff => 2,
        0x1_0000..=0xffff_ffff => 4,
        _ => 8,
    }
}

/// Appends one bit per row.
fn put_presence(out: &mut Vec<u8>, rows: usize, values: impl Iterator<Item = i64>) {
    let start = out.len();
    out.resize(start + rows.div_ceil(8), 0);
    for (row, value) in values.enumerate() {
        out[start + row / 8] |= u8::from(value != ABSENT) << (row % 8);
    }
}

/// Appends `count` distances from `low`.
fn put_distances(out: &mut Vec<u8>, width: u8, count: usize, low: i64, values: impl Iterator<Item = i64>) {
    fn put<const N: usize>(out: &mut Vec<u8>, count: usize, low: i64, values: impl Iterator<Item = i64>) {
        let start = out.len();
        out.resize(start + count * N, 0);
        for (slot, value) in out[start..].chunks_exact_mut(N).zip(values) {
            slot.copy_from_slice(&value.wrapping_sub(low).to_le_bytes()[..N]);
        }
    }
    match width {
        0 => {}
        1 => put::<1>(out, count, low, values),
        2 => put::<2>(out, count, low, values),
        4 => put::<4>(out, count, low, values),
        _ => put::<8>(out, count, low, values),
    }
}

/// Reads a solid column of `rows` rows that must all have a value.
pub(super) fn take_solid(bytes: &mut Bytes<'_>, rows: usize) -> Result<Vec<i64>, Malformed> {
    let head = bytes.u8()?;
    if head == 0 || head & SPARSE != 0 {
        return Err(Malformed("a column of keys has rows without a value"));
    }
    let low = bytes.i64()?;
    take_distances(bytes, head, rows, low)
}

/// Reads a column of `rows` rows; the caller has bounded `rows` by the record's bytes.
pub(super) fn take(bytes: &mut Bytes<'_>, rows: usize) -> Result<Vec<i64>, Malformed> {
    let head = bytes.u8()?;
    let low = bytes.i64()?;
    if head & SPARSE == 0 {
        return take_distances(bytes, head, rows, low);
    }
    let presence = bytes.take(rows.div_ceil(8))?;
    let present = presence.iter().map(|byte| byte.count_ones() as usize).sum::<usize>();
    if present > rows {
        return Err(Malformed("a presence bitmap has more values than rows"));
    }
    let mut values = take_distances(bytes, head & !SPARSE, present, low)?.into_iter();
    let row =
        |row: usize| if presence[row / 8] >> (row % 8) & 1 == 1 { values.next().unwrap_or(ABSENT) } else { ABSENT };
    Ok((0..rows).map(row).collect())
}

/// Reads `count` values by their distances from `low`.
fn take_distances(bytes: &mut Bytes<'_>, width: u8, count: usize, low: i64) -> Result<Vec<i64>, Malformed> {
    fn take<const N: usize>(bytes: &mut Bytes<'_>, count: usize, low: i64) -> Result<Vec<i64>, Malformed> {
        let length = count.checked_mul(N).ok_or(Malformed("a column is too long"))?;
        let value = |distance: &[u8]| {
            let mut wide = [0; 8];
            wide[..N].copy_from_slice(distance);
            low.wrapping_add(i64::from_le_bytes(wide))
        };
        Ok(bytes.take(length)?.chunks_exact(N).map(value).collect())
    }
    match width {
        0 => Ok(vec![low; count]),
        1 => take::<1>(bytes, count, low),
        2 => take::<2>(bytes, count, low),
        4 => take::<4>(bytes, count, low),
        8 => take::<8>(bytes, count, low),
        _ => Err(Malformed("a column has no such width")),
    }
}
