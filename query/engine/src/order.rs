//! The order of an answer's rows by one of its columns.

use crate::answer::{Column, Values};
use crate::{Answer, Error};
use std::cmp::Ordering;
use std::str::FromStr;

/// Rows by a column, those without a value last; of equal ones the order without it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// The column.
    pub column: String,
    /// Whether the greatest come first.
    pub descending: bool,
}

impl FromStr for Order {
    type Err = Error;

    /// Parses `order`: a column, with `-` before it for the greatest first.
    fn from_str(text: &str) -> Result<Order, Error> {
        let column = text.strip_prefix('-').unwrap_or(text);
        if column.is_empty() {
            let accepted = ["a column, such as co2_mean", "-co2_mean for the greatest first"].map(str::to_owned);
            return Err(Error::invalid("order", "order names no column", accepted));
        }
        Ok(Order { column: column.to_owned(), descending: column.len() < text.len() })
    }
}

impl Order {
    /// Refuses a column the answer does not have, or whose values have no order.
    pub(crate) fn check<'a>(&self, columns: impl Iterator<Item = &'a str>) -> Result<(), Error> {
        let accepted: Vec<String> = columns.map(str::to_owned).collect();
        if accepted.contains(&self.column) {
            return Ok(());
        }
        let message = format!("the answer has no column {:?} to order by", self.column);
        Err(Error::invalid("order", message, accepted))
    }

    /// Puts an answer's rows in this order and keeps the first `limit`.
    pub(crate) fn apply(&self, answer: &mut Answer, limit: Option<usize>) {
        let Some(by) = answer.columns.iter().find(|column| column.name == self.column) else { return };
        let mut rows: Vec<usize> = (0..answer.rows).collect();
        match &by.values {
            Values::Time { values, .. } => self.sort(&mut rows, values),
            Values::Text(values) => self.sort(&mut rows, values),
            Values::Int(values) => self.sort(&mut rows, values),
            Values::Decimal { values, .. } => self.sort(&mut rows, values),
            Values::Bool(values) => self.sort(&mut rows, values),
            Values::Real(values) => {
                rows.sort_by(|&a, &b| self.compare(&values[a], &values[b], |a: &f64, b: &f64| a.total_cmp(b)));
            }
            Values::Map(_) | Values::Fields(_) | Values::List(_) => {}
        }
        rows.truncate(limit.unwrap_or(usize::MAX));
        answer.rows = rows.len();
        answer.columns.iter_mut().for_each(|column: &mut Column| column.values.take(&rows));
    }

    fn sort<T: Ord>(&self, rows: &mut [usize], values: &[Option<T>]) {
        rows.sort_by(|&a, &b| self.compare(&values[a], &values[b], T::cmp));
    }

    fn compare<T>(&self, a: &Option<T>, b: &Option<T>, compare: impl Fn(&T, &T) -> Ordering) -> Ordering {
        match (a, b) {
            (Some(a), Some(b)) if self.descending => compare(b, a),
            (Some(a), Some(b)) => compare(a, b),
            (a, b) => a.is_none().cmp(&b.is_none()),
        }
    }
}

impl Values {
    /// Keeps these rows, in this order.
    fn take(&mut self, rows: &[usize]) {
        fn picked<T: Clone>(values: &mut Vec<T>, rows: &[usize]) {
            *values = rows.iter().map(|&row| values[row].clone()).collect();
        }
        match self {
            Values::Time { values, .. } => picked(values, rows),
            Values::Text(values) => picked(values, rows),
            Values::Int(values) => picked(values, rows),
            Values::Decimal { values, .. } => picked(values, rows),
            Values::Real(values) => picked(values, rows),
            Values::Bool(values) => picked(values, rows),
            Values::Map(values) => picked(values, rows),
            Values::Fields(values) => picked(values, rows),
            Values::List(values) => picked(values, rows),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Meta;

    #[test]
    fn rows_are_sorted_nulls_last_and_cut() {
        let values = vec![Some(3), None, Some(7), Some(3), Some(-1)];
        let ids = (0..5).map(Some).collect();
        let columns = vec![
            Column { name: "id".to_owned(), values: Values::Int(ids) },
            Column { name: "n".to_owned(), values: Values::Int(values) },
        ];
        let answer = Answer { meta: Meta::default(), columns, rows: 5 };
        for (text, limit, expected) in
            [("n", None, vec![4, 0, 3, 2, 1]), ("-n", None, vec![2, 0, 3, 4, 1]), ("-n", Some(2), vec![2, 0])]
        {
            let mut sorted = answer.clone();
            let order: Order = text.parse().unwrap();
            order.check(["id", "n"].into_iter()).unwrap();
            order.apply(&mut sorted, limit);
            assert_eq!(sorted.columns[0].values, Values::Int(expected.iter().map(|&i| Some(i)).collect()));
            assert_eq!(sorted.rows, expected.len());
        }
        assert!("".parse::<Order>().is_err() && "-".parse::<Order>().is_err());
        assert_eq!("m".parse::<Order>().unwrap().check(["n"].into_iter()).unwrap_err().accepted, ["n"]);
    }
}
