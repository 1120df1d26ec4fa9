//! Rows of a file, which lie by sensor id, on their way to the order of sensor numbers.

use crate::SensorIx;
use crate::tier::values::Values;
use std::ops::Range;

/// Rows of one sensor in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    /// The sensor.
    pub(crate) sensor: SensorIx,
    /// Its first row in the file.
    pub(crate) start: u32,
    /// The row after its last.
    pub(crate) end: u32,
}

/// Some sensors' rows: where they come from, and where they go.
#[derive(Debug)]
pub(crate) struct Order {
    /// Sensors ascending by number.
    pub(crate) sensors: Vec<SensorIx>,
    /// For each of them the row after its last.
    pub(crate) ends: Vec<u32>,
    /// For each sensor in the order of the file how many rows it has, and where its first goes.
    moves: Vec<(usize, usize)>,
    /// Rows of all.
    pub(crate) rows: usize,
    /// Nothing moves: ids and numbers are in the same order.
    straight: bool,
    /// The rows in the file when they are not all of it, ascending.
    pub(super) picked: Option<Vec<Range<usize>>>,
}

impl Order {
    /// Of groups in the order of the file.
    pub(crate) fn of(groups: &[Group]) -> Order {
        let mut numbered: Vec<(SensorIx, usize)> = groups.iter().map(|group| group.sensor).zip(0..).collect();
        numbered.sort_unstable();
        let mut moves = vec![(0, 0); groups.len()];
        let mut ends = Vec::with_capacity(groups.len());
        let mut rows = 0;
        for &(_, at) in &numbered {
            let own = (groups[at].end - groups[at].start) as usize;
            moves[at] = (own, rows);
            rows += own;
            ends.push(rows as u32);
        }
        let straight = numbered.iter().zip(0..).all(|((_, at), place)| *at == place);
        let sensors = numbered.iter().map(|(sensor, _)| *sensor).collect();
        Order { sensors, ends, moves, rows, straight, picked: None }
    }

    /// Of some of a file's groups, in the order of the file.
    pub(crate) fn of_some(groups: &[Group]) -> Order {
        let picked = groups.iter().map(|group| group.start as usize..group.end as usize).collect();
        Order { picked: Some(picked), ..Order::of(groups) }
    }

    /// Rows of each sensor in the order of the file, among those of all.
    pub(super) fn stretches(&self) -> impl Iterator<Item = Range<usize>> + '_ {
        let mut start = 0;
        self.moves.iter().map(move |(rows, _)| {
            start += rows;
            start - rows..start
        })
    }

    /// Integers in the order of sensor numbers. There are as many as rows.
    pub(super) fn place<T: Copy + Default>(&self, values: Vec<T>) -> Vec<T> {
        match self.straight {
            true => values,
            false => self.mapped(&values, |value| value),
        }
    }

    /// As [`Order::place`], each value made another.
    pub(super) fn mapped<T: Copy, U: Copy + Default>(&self, values: &[T], map: impl Fn(T) -> U) -> Vec<U> {
        let mut placed = vec![U::default(); values.len()];
        for (from, &(rows, to)) in self.stretches().zip(&self.moves) {
            placed[to..to + rows].iter_mut().zip(&values[from]).for_each(|(to, &from)| *to = map(from));
        }
        placed
    }

    /// Values in the order of sensor numbers.
    pub(super) fn arrange(&self, values: Values) -> Values {
        match values {
            Values::Same(..) => values,
            Values::Short(values) => Values::Short(self.place(values)),
            Values::Long(values) => Values::Long(self.place(values)),
            Values::Wide(values) => Values::Wide(self.place(values)),
            Values::Bytes { .. } if self.straight => values,
            Values::Bytes { .. } => {
                let mut from = vec![0..0; self.moves.len()];
                for (stretch, (rows, to)) in self.stretches().zip(&self.moves) {
                    let place = self.ends.partition_point(|end| (*end as usize) < to + rows);
                    from[place] = stretch;
                }
                Values::gather(&from.into_iter().map(|rows| (&values, rows)).collect::<Vec<_>>())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_go_where_their_sensors_numbers_are() {
        let group = |sensor, start, end| Group { sensor, start, end };
        let order = Order::of(&[group(5, 0, 2), group(1, 2, 3), group(3, 10, 13)]);
        assert_eq!((&order.sensors[..], &order.ends[..], order.rows), (&[1, 3, 5][..], &[1, 4, 6][..], 6));
        assert_eq!(order.place(vec![50, 51, 10, 30, 31, 32]), [10, 30, 31, 32, 50, 51]);
        assert_eq!(order.mapped(&[50, 51, 10, 30, 31, 32], i64::from), [10_i64, 30, 31, 32, 50, 51]);
        let bytes = Values::Bytes { ends: vec![1, 1, 3, 4, 4, 5], bytes: vec![50, 10, 11, 30, 32] };
        let arranged = order.arrange(bytes);
        let rows: Vec<&[u8]> = (0..6).map(|row| arranged.blob(row)).collect();
        assert_eq!(rows, [&[10, 11][..], &[30], &[], &[32], &[50], &[]]);
        let straight = Order::of(&[group(1, 0, 1), group(2, 1, 3)]);
        assert_eq!(straight.place(vec![7, 8, 9]), [7, 8, 9]);
    }
}
