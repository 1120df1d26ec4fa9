//! The walk over a parsed question: each part is checked where it stands, and what it costs is counted.

use super::caps::{CHAIN, DEPTH, LITERAL};
use super::clause;
use super::cost::{Cost, Ledger};
use super::expression;
use super::names::{no_table, table_name};
use super::place::{Places, at};
use crate::failure::failed;
use datafusion::sql::sqlparser::ast::{Expr, ObjectName, Query, Select, TableFactor, Value, ValueWithSpan, Visitor};
use engine::sql::{Catalog, Failure, Fault};
use std::ops::ControlFlow;

/// A walk; it breaks off at the first failure.
pub(crate) struct Walk<'a> {
    catalog: &'a Catalog,
    ledger: Ledger,
    /// Expressions and queries around this one.
    depth: usize,
    /// Those of them that are no operators between two sides: a chain of operators is a tree as deep as it is long.
    levels: usize,
    /// Where the columns stand that it has met.
    pub(crate) places: Places,
}

impl<'a> Walk<'a> {
    /// A walk over a question on these tables.
    pub(crate) fn new(catalog: &'a Catalog) -> Walk<'a> {
        Walk { catalog, ledger: Ledger::default(), depth: 0, levels: 0, places: Places::default() }
    }

    fn enter(&mut self, levels: usize) -> Result<(), Failure> {
        self.depth += 1;
        self.levels += levels;
        DEPTH.hold(self.levels)?;
        CHAIN.hold(self.depth)
    }

    fn leave(&mut self, levels: usize) {
        self.depth -= 1;
        self.levels -= levels;
    }

    fn expression(&mut self, expr: &Expr) -> Result<(), Failure> {
        self.enter(levels(expr))?;
        expression::check(expr)?;
        match expr {
            Expr::Identifier(name) => self.places.note(name),
            Expr::CompoundIdentifier(names) => names.last().into_iter().for_each(|name| self.places.note(name)),
            _ => {}
        }
        let literal = usize::from(matches!(expr, Expr::Value(_)));
        self.ledger.add(Cost { nodes: 1 - literal, literals: literal, ..Cost::default() })
    }

    fn relation(&mut self, name: &ObjectName) -> Result<(), Failure> {
        let table = table_name(name);
        if let (Some(table), 1) = (&table, name.0.len())
            && self.ledger.used(table)?
        {
            return Ok(());
        }
        let known = table.is_some_and(|table| self.catalog.tables.iter().any(|known| known.name == table));
        if !known {
            return Err(no_table(name, &at(name), self.catalog));
        }
        self.ledger.add(Cost { tables: 1, ..Cost::default() })
    }
}

/// Levels of nesting an expression adds.
fn levels(expr: &Expr) -> usize {
    usize::from(!matches!(expr, Expr::BinaryOp { .. }))
}

/// A failure breaks the walk off.
fn flow(checked: Result<(), Failure>) -> ControlFlow<Failure> {
    match checked {
        Ok(()) => ControlFlow::Continue(()),
        Err(failure) => ControlFlow::Break(failure),
    }
}

impl Visitor for Walk<'_> {
    type Break = Failure;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<Failure> {
        let checked = self.enter(1).and_then(|()| clause::check_query(query));
        flow(checked.and_then(|arms| {
            self.ledger.open(query);
            self.ledger.add(Cost { arms: arms.saturating_sub(1), ..Cost::default() })
        }))
    }

    fn post_visit_query(&mut self, _: &Query) -> ControlFlow<Failure> {
        self.leave(1);
        flow(self.ledger.close())
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<Failure> {
        flow(clause::check_select(select).and_then(|joins| self.ledger.add(Cost { joins, ..Cost::default() })))
    }

    fn pre_visit_table_factor(&mut self, table: &TableFactor) -> ControlFlow<Failure> {
        // Those that stand in a FROM are counted with their SELECT.
        let joins = match table {
            TableFactor::NestedJoin { table_with_joins, alias: _ } => table_with_joins.joins.len(),
            _ => 0,
        };
        flow(clause::check_table(table).and_then(|()| self.ledger.add(Cost { joins, ..Cost::default() })))
    }

    fn pre_visit_relation(&mut self, name: &ObjectName) -> ControlFlow<Failure> {
        flow(self.relation(name))
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Failure> {
        flow(self.expression(expr))
    }

    fn post_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Failure> {
        self.leave(levels(expr));
        ControlFlow::Continue(())
    }

    fn pre_visit_value(&mut self, value: &ValueWithSpan) -> ControlFlow<Failure> {
        flow(literal(value))
    }
}

/// A literal that is short, and is one.
fn literal(value: &ValueWithSpan) -> Result<(), Failure> {
    match &value.value {
        Value::Boolean(_) | Value::Null => Ok(()),
        Value::SingleQuotedString(text) | Value::EscapedStringLiteral(text) | Value::UnicodeStringLiteral(text) => {
            LITERAL.hold(text.len())
        }
        Value::DollarQuotedString(text) => LITERAL.hold(text.value.len()),
        Value::Number(digits, _) => {
            let exponent = digits.split_once(['e', 'E']).map_or("0", |(_, exponent)| exponent);
            let small = exponent.parse::<i32>().is_ok_and(|exponent| exponent.abs() <= 38);
            if digits.len() <= 80 && small {
                return Ok(());
            }
            let start: String = digits.chars().take(20).collect();
            let message = format!("the number {start}…{} is too long", at(value));
            Err(failed(Fault::Value, message, ["a number of at most 38 digits"]))
        }
        Value::Placeholder(name) => {
            let message = format!("the question has a parameter, {name}{}, and nothing to put there", at(value));
            Err(failed(Fault::Refused, message, ["the value itself"]))
        }
        other => {
            let start: String = other.to_string().chars().take(20).collect();
            let message = format!("literals like {start}{} are not known here", at(value));
            Err(failed(Fault::Refused, message, ["'text'", "12.5", "true", "null"]))
        }
    }
}
