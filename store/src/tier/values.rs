//! Values of one column of tier rows, in as little memory as they need.

use schemas::ABSENT;
use std::ops::Range;

/// The values of a column, by row. Absent values are [`ABSENT`], or empty where they are bytes.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// The same in every row: what, and how many rows.
    Same(i64, usize),
    /// Small ones; `i32::MIN` stands for absent.
    Short(Vec<i32>),
    /// Any that fit.
    Long(Vec<i64>),
    /// Long sums; `i128::MIN` stands for absent.
    Wide(Vec<i128>),
    /// Bytes of each row, end to end, and where each ends.
    Bytes {
        /// For each row the byte after its last.
        ends: Vec<u32>,
        /// All of them.
        bytes: Vec<u8>,
    },
}

impl Values {
    /// Integers in the smallest form that holds them.
    pub fn of(values: Vec<i64>) -> Values {
        let Some(&first) = values.first() else { return Values::Long(values) };
        if values.iter().all(|&value| value == first) {
            return Values::Same(first, values.len());
        }
        let short = |&value: &i64| value == ABSENT || (value > i64::from(i32::MIN) && value <= i64::from(i32::MAX));
        if values.iter().all(short) {
            return Values::Short(values.iter().map(|&v| if v == ABSENT { i32::MIN } else { v as i32 }).collect());
        }
        Values::Long(values)
    }

    /// The same values in the smallest form that holds them.
    pub fn smallest(self) -> Values {
        match self {
            Values::Long(values) => Values::of(values),
            Values::Short(values) if values.first().is_some_and(|first| values.iter().all(|value| value == first)) => {
                Values::Same(Values::Short(values[..1].to_vec()).long(0), values.len())
            }
            Values::Wide(values) => {
                let long = |value: &i128| match *value {
                    i128::MIN => Some(ABSENT),
                    value => i64::try_from(value).ok().filter(|value| *value != ABSENT),
                };
                match values.iter().map(long).collect::<Option<Vec<i64>>>() {
                    Some(longs) => Values::of(longs),
                    None => Values::Wide(values),
                }
            }
            other => other,
        }
    }

    /// Rows.
    pub fn len(&self) -> usize {
        match self {
            Values::Same(_, rows) => *rows,
            Values::Short(values) => values.len(),
            Values::Long(values) => values.len(),
            Values::Wide(values) => values.len(),
            Values::Bytes { ends, .. } => ends.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Memory in bytes.
    pub fn bytes(&self) -> usize {
        match self {
            Values::Same(..) => 16,
            Values::Short(values) => values.len() * 4,
            Values::Long(values) => values.len() * 8,
            Values::Wide(values) => values.len() * 16,
            Values::Bytes { ends, bytes } => ends.len() * 4 + bytes.len(),
        }
    }

    /// The integer in a row, or [`ABSENT`]; of a wide column only if it fits, of bytes never.
    pub fn long(&self, row: usize) -> i64 {
        match self {
            Values::Same(value, _) => *value,
            Values::Short(values) if values[row] == i32::MIN => ABSENT,
            Values::Short(values) => i64::from(values[row]),
            Values::Long(values) => values[row],
            Values::Wide(values) => values[row].try_into().unwrap_or(ABSENT),
            Values::Bytes { .. } => ABSENT,
        }
    }

    /// All integers, [`ABSENT`] where there is none; of a wide column those that fit, of bytes none.
    pub fn longs(&self) -> Vec<i64> {
        match self {
            Values::Short(values) => {
                values.iter().map(|&value| if value == i32::MIN { ABSENT } else { i64::from(value) }).collect()
            }
            Values::Long(values) => values.clone(),
            _ => (0..self.len()).map(|row| self.long(row)).collect(),
        }
    }

    /// The integer in a row, or nothing.
    pub fn wide(&self, row: usize) -> Option<i128> {
        match self {
            Values::Wide(values) => Some(values[row]).filter(|value| *value != i128::MIN),
            _ => Some(self.long(row)).filter(|value| *value != ABSENT).map(i128::from),
        }
    }

    /// The bytes in a row; none where it has none.
    pub fn blob(&self, row: usize) -> &[u8] {
        match self {
            Values::Bytes { ends, bytes } => {
                let start = if row == 0 { 0 } else { ends[row - 1] as usize };
                &bytes[start..ends[row] as usize]
            }
            _ => &[],
        }
    }

    /// Rows of several columns of one sort, stretch by stretch: (column, rows of it).
    pub fn gather(stretches: &[(&Values, Range<usize>)]) -> Values {
        let rows = stretches.iter().map(|(_, rows)| rows.len()).sum();
        let each = || stretches.iter().flat_map(|(values, rows)| rows.clone().map(move |row| (*values, row)));
        if stretches.iter().any(|(values, _)| matches!(values, Values::Bytes { .. })) {
            let (mut ends, mut bytes) = (Vec::with_capacity(rows), Vec::new());
            for (values, row) in each() {
                bytes.extend_from_slice(values.blob(row));
                ends.push(bytes.len() as u32);
            }
            return Values::Bytes { ends, bytes };
        }
        if stretches.iter().any(|(values, _)| matches!(values, Values::Wide(_))) {
            return Values::Wide(each().map(|(values, row)| values.wide(row).unwrap_or(i128::MIN)).collect());
        }
        Values::of(each().map(|(values, row)| values.long(row)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_take_the_smallest_form_and_come_back() {
        for (values, bytes) in [
            (vec![60; 100], 16),
            (vec![ABSENT; 3], 16),
            (vec![1, ABSENT, i64::from(i32::MAX)], 12),
            (vec![1, i64::from(i32::MIN)], 16),
            (vec![1, 1 << 40, ABSENT], 24),
        ] {
            let small = Values::of(values.clone());
            assert_eq!(small.bytes(), bytes, "{values:?}");
            let back: Vec<i64> = (0..small.len()).map(|row| small.long(row)).collect();
            assert_eq!(back, values);
            let wide: Vec<Option<i128>> = (0..small.len()).map(|row| small.wide(row)).collect();
            assert_eq!(wide.iter().flatten().count(), values.iter().filter(|v| **v != ABSENT).count());
        }
    }

    #[test]
    fn stretches_of_any_form_are_put_together() {
        let (same, long) = (Values::of(vec![7, 7]), Values::of(vec![1, ABSENT, 1 << 40]));
        let both = Values::gather(&[(&long, 1..3), (&same, 0..1)]);
        assert_eq!(both, Values::Long(vec![ABSENT, 1 << 40, 7]));
        let wide = Values::Wide(vec![1 << 100, i128::MIN]);
        assert_eq!(wide.clone().smallest(), wide);
        assert_eq!(Values::Wide(vec![1, i128::MIN]).smallest(), Values::of(vec![1, ABSENT]));
        assert_eq!(Values::Short(vec![i32::MIN; 3]).smallest(), Values::Same(ABSENT, 3));
        assert_eq!(Values::gather(&[(&wide, 0..2), (&same, 0..1)]), Values::Wide(vec![1 << 100, i128::MIN, 7]));
        let blobs = Values::Bytes { ends: vec![2, 2, 3], bytes: vec![1, 2, 3] };
        let some = Values::gather(&[(&blobs, 2..3), (&blobs, 0..2)]);
        assert_eq!([some.blob(0), some.blob(1), some.blob(2)], [&[3][..], &[1, 2], &[]]);
    }
}
