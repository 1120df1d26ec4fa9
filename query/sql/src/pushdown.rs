//! What a WHERE leaves of a dataset before its rows travel: sensors and a span of time.

use datafusion::common::ScalarValue;
use datafusion::logical_expr::expr::{Between, BinaryExpr, Cast, InList};
use datafusion::logical_expr::{Expr, Operator};
use std::collections::BTreeSet;

/// Rows that are wanted: never fewer than the filters let through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// Only these sensors.
    pub(crate) sensors: Option<Vec<String>>,
    /// Only rows from this instant on, microseconds.
    pub(crate) from: Option<i64>,
    /// Only rows before this instant, microseconds.
    pub(crate) to: Option<i64>,
}

impl Wanted {
    /// Narrows what is wanted by a filter that must hold; whether it could.
    pub(crate) fn narrow(&mut self, filter: &Expr) -> bool {
        match filter {
            Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) => self.narrow(left) | self.narrow(right),
            Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
                if is_time(left)
                    && let Some(instant) = instant(right)
                {
                    return self.compare(*op, instant);
                }
                if is_time(right)
                    && let (Some(instant), Some(op)) = (instant(left), op.swap())
                {
                    return self.compare(op, instant);
                }
                sensors(filter).is_some_and(|sensors| self.only(&sensors))
            }
            Expr::Between(Between { expr, negated: false, low, high }) if is_time(expr) => {
                let low = instant(low).is_some_and(|low| self.compare(Operator::GtEq, low));
                instant(high).is_some_and(|high| self.compare(Operator::LtEq, high)) | low
            }
            other => sensors(other).is_some_and(|sensors| self.only(&sensors)),
        }
    }

    fn compare(&mut self, op: Operator, Instant { micros, rest }: Instant) -> bool {
        // The first microsecond that is not before the instant, and the first after it.
        let (reached, past) = (micros.saturating_add(i64::from(rest)), micros.saturating_add(1));
        match op {
            Operator::Gt => self.span(Some(past), None),
            Operator::GtEq => self.span(Some(reached), None),
            Operator::Lt => self.span(None, Some(reached)),
            Operator::LtEq => self.span(None, Some(past)),
            Operator::Eq => self.span(Some(reached), Some(past)),
            _ => return false,
        }
        true
    }

    fn span(&mut self, from: Option<i64>, to: Option<i64>) {
        self.from = self.from.max(from);
        self.to = match (self.to, to) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
    }

    fn only(&mut self, sensors: &BTreeSet<String>) -> bool {
        self.sensors = Some(match &self.sensors {
            Some(before) => before.iter().filter(|sensor| sensors.contains(*sensor)).cloned().collect(),
            None => sensors.iter().cloned().collect(),
        });
        true
    }
}

/// An instant, and whether it is a part of a microsecond past that.
#[derive(Clone, Copy, Debug)]
struct Instant {
    micros: i64,
    rest: bool,
}

/// The instant a literal stands for; one without a zone is UTC's, as everywhere here.
fn instant(expr: &Expr) -> Option<Instant> {
    let Expr::Literal(value, _) = expr else { return None };
    let whole = |micros| Some(Instant { micros, rest: false });
    match value {
        ScalarValue::TimestampSecond(Some(time), _) => whole(time.checked_mul(1_000_000)?),
        ScalarValue::TimestampMillisecond(Some(time), _) => whole(time.checked_mul(1000)?),
        ScalarValue::TimestampMicrosecond(Some(time), _) => whole(*time),
        ScalarValue::TimestampNanosecond(Some(time), _) => {
            Some(Instant { micros: time.div_euclid(1000), rest: time.rem_euclid(1000) != 0 })
        }
        ScalarValue::Date32(Some(day)) => whole(i64::from(*day).checked_mul(schemas::time::DAY)?),
        _ => None,
    }
}

/// Whether an expression is the column `time`, or that as another type of instant at least as fine.
fn is_time(expr: &Expr) -> bool {
    use datafusion::arrow::datatypes::{DataType, TimeUnit};
    match expr {
        Expr::Column(column) => column.name == "time",
        Expr::Cast(Cast { expr, field }) => {
            let fine = DataType::Timestamp(TimeUnit::Microsecond, None);
            let same =
                matches!(field.data_type(), DataType::Timestamp(TimeUnit::Nanosecond, _)) || *field.data_type() == fine;
            same && is_time(expr)
        }
        _ => false,
    }
}

/// The sensors an expression lets through, if it says which.
fn sensors(expr: &Expr) -> Option<BTreeSet<String>> {
    match expr {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) => {
            let text = if is_sensor(left) { text(right) } else { text(left).filter(|_| is_sensor(right)) };
            text.map(|text| BTreeSet::from([text]))
        }
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Or, right }) => {
            let (mut one, other) = (sensors(left)?, sensors(right)?);
            one.extend(other);
            Some(one)
        }
        Expr::InList(InList { expr, list, negated: false }) if is_sensor(expr) => list.iter().map(text).collect(),
        _ => None,
    }
}

fn is_sensor(expr: &Expr) -> bool {
    matches!(expr, Expr::Column(column) if column.name == "sensor")
}

fn text(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Literal(ScalarValue::Utf8(text) | ScalarValue::Utf8View(text) | ScalarValue::LargeUtf8(text), _) => {
            text.clone()
        }
        _ => None,
    }
}
