//! Texts that stand for times: beside a time, and in `TIMESTAMP '…'`. They are read here, before DataFusion would: it wants
//! seconds where PostgreSQL does not, and its errors name formats instead of examples.

use crate::failure::{carried, failed};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, Result, ScalarValue};
use datafusion::logical_expr::expr::{Between, BinaryExpr, Cast, InList};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, Operator};
use datafusion::optimizer::AnalyzerRule;
use engine::sql::Fault;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use std::sync::Arc;

/// Turns texts beside times into times. Comes before types are brought together.
#[derive(Debug)]
pub(crate) struct TimeTexts;

impl AnalyzerRule for TimeTexts {
    fn name(&self) -> &str {
        "time_texts"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        let read = plan.transform_up_with_subqueries(|plan| {
            let schema = merge_schema(&plan.inputs());
            let names = NamePreserver::new(&plan);
            plan.map_expressions(|expr| {
                let name = names.save(&expr);
                let read = expr.transform_up(|expr| beside(expr, &schema))?;
                Ok(read.update_data(|expr| name.restore(expr)))
            })
        })?;
        Ok(read.data)
    }
}

/// Whether an operator has the same type on both sides.
fn is_comparison(op: Operator) -> bool {
    use Operator::{Eq, Gt, GtEq, IsDistinctFrom, IsNotDistinctFrom, Lt, LtEq, NotEq};
    matches!(op, Eq | NotEq | Lt | LtEq | Gt | GtEq | IsDistinctFrom | IsNotDistinctFrom)
}

/// Reads the texts of one expression.
fn beside(expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let kind = |expr: &Expr| expr.get_type(schema).unwrap_or(DataType::Null);
    Ok(match expr {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) if is_comparison(op) => {
            let (left, right) = match (text(&left), text(&right)) {
                (Some(text), None) => (read(text, &kind(&right))?.map_or(left, Box::new), right),
                (None, Some(text)) => {
                    let right = read(text, &kind(&left))?.map_or(right, Box::new);
                    (left, right)
                }
                _ => (left, right),
            };
            Transformed::yes(Expr::BinaryExpr(BinaryExpr { left, op, right }))
        }
        Expr::Between(Between { expr, negated, low, high }) => {
            let (low, high) = (beside_kind(*low, &kind(&expr))?, beside_kind(*high, &kind(&expr))?);
            Transformed::yes(Expr::Between(Between { expr, negated, low: Box::new(low), high: Box::new(high) }))
        }
        Expr::InList(InList { expr, list, negated }) => {
            let list = list.into_iter().map(|item| beside_kind(item, &kind(&expr))).collect::<Result<_>>()?;
            Transformed::yes(Expr::InList(InList { expr, list, negated }))
        }
        Expr::Cast(Cast { expr, field }) => match text(&expr).map(|text| read(text, field.data_type())).transpose()? {
            Some(Some(time)) => Transformed::yes(time),
            _ => Transformed::no(Expr::Cast(Cast { expr, field })),
        },
        other => Transformed::no(other),
    })
}

/// The expression, read if it is a text where a time is wanted.
fn beside_kind(expr: Expr, kind: &DataType) -> Result<Expr> {
    match text(&expr).map(|text| read(text, kind)).transpose()? {
        Some(Some(time)) => Ok(time),
        _ => Ok(expr),
    }
}

/// The text of a literal.
fn text(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Literal(ScalarValue::Utf8(text) | ScalarValue::Utf8View(text) | ScalarValue::LargeUtf8(text), _) => {
            text.as_deref()
        }
        _ => None,
    }
}

/// A text as a time of that type, if that is one of times; the error if the text is no time.
fn read(text: &str, kind: &DataType) -> Result<Option<Expr>> {
    let DataType::Timestamp(_, zone) = kind else { return Ok(None) };
    let found = if zone.is_some() { instant(text) } else { civil(text) };
    let Some(micros) = found else {
        let start: String = text.chars().take(40).collect();
        let accepted =
            ["'2026-11-20'", "'2026-11-20 10:30'", "'2026-11-20T10:30:00+01:00'", "now() - INTERVAL '1 day'"];
        return Err(carried(failed(Fault::Value, format!("'{start}' is no time"), accepted)));
    };
    let zone = zone.as_ref().map(|_| Arc::from("UTC"));
    Ok(Some(Expr::Literal(ScalarValue::TimestampMicrosecond(Some(micros), zone), None)))
}

/// The instant a text stands for: UTC's unless it says another offset.
fn instant(text: &str) -> Option<i64> {
    let text = text.trim();
    let text = text.strip_suffix("UTC").map_or_else(|| text.to_owned(), |rest| format!("{}Z", rest.trim_end()));
    let stamp = text.parse::<Timestamp>().ok().map(|stamp| stamp.as_microsecond());
    stamp.or_else(|| civil(&text))
}

/// The civil time a text stands for, in microseconds as if it were UTC.
fn civil(text: &str) -> Option<i64> {
    let text = text.trim();
    let civil =
        text.parse::<DateTime>().ok().or_else(|| Some(text.parse::<Date>().ok()?.to_datetime(jiff::civil::Time::MIN)));
    Some(TimeZone::UTC.to_timestamp(civil?).ok()?.as_microsecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_postgresql_reads_them() {
        let at = |text: &str| text.parse::<Timestamp>().map(|stamp| stamp.as_microsecond()).ok();
        for (text, stamp) in [
            ("2026-11-20", "2026-11-20T00:00:00Z"),
            ("2026-11-20 10:30", "2026-11-20T10:30:00Z"),
            (" 2026-11-20T10:30:15.5 ", "2026-11-20T10:30:15.5Z"),
            ("2026-11-20 10:30+01", "2026-11-20T09:30:00Z"),
            ("2026-11-20 10:30:00+01:00", "2026-11-20T09:30:00Z"),
            ("2026-11-20T10:30Z", "2026-11-20T10:30:00Z"),
            ("2026-11-20 10:30 UTC", "2026-11-20T10:30:00Z"),
        ] {
            assert_eq!(instant(text), at(stamp), "{text}");
        }
        for text in ["yesterday", "", "2026-13-01", "2026-02-30", "10:30", "1700000000"] {
            assert_eq!(instant(text), None, "{text}");
        }
        assert_eq!(civil("2026-11-20 10:30+01"), at("2026-11-20T10:30:00Z"), "a civil time has no offset");
    }
}
