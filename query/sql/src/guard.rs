//! What may be asked: one reading statement of known parts and bounded size, decided on the parsed tree before anything is
//! planned. Planning folds constants and is quadratic in places, so what comes after this is too late to refuse.
//!
//! The walk is an allow-list: each struct is taken apart field by field, so that a part a newer parser knows does not compile
//! here until it is decided on, and each kind of expression that is not named is refused.

mod caps;
mod clause;
mod cost;
mod expression;
mod names;
mod place;
mod plan;
mod walk;

pub(crate) use names::no_column;
pub(crate) use place::Places;
pub(crate) use plan::check as check_plan;

use crate::failure::failed;
use caps::{DEPTH, TEXT};
use datafusion::sql::sqlparser::ast::{DescribeAlias, Query, Statement, Visit};
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::Token;
use engine::sql::{Catalog, Failure, Fault};
use std::ops::ControlFlow;

/// A query that may be planned.
#[derive(Debug)]
pub(crate) struct Checked {
    /// The query.
    pub(crate) query: Box<Query>,
    /// Whether only its plan is asked for.
    pub(crate) explain: bool,
    /// Where its columns stand in the text.
    pub(crate) places: Places,
}

/// Parses and checks a question.
pub(crate) fn check(text: &str, catalog: &Catalog) -> Result<Checked, Failure> {
    TEXT.hold(text.len())?;
    if let Some(at) = text.find('\0') {
        return Err(failed(Fault::Syntax, format!("the text has a NUL byte at byte {at}"), ["text without it"]));
    }
    let parser = Parser::new(&PostgreSqlDialect {}).with_recursion_limit(DEPTH.most);
    let mut parser = parser.try_with_sql(text).map_err(syntax)?;
    let mut statements = parser.parse_statements().map_err(syntax)?;
    // The parser takes END for the end, and leaves what follows unread.
    parser.expect_token(&Token::EOF).map_err(syntax)?;
    let statement = match statements.len() {
        1 => statements.remove(0),
        0 => return Err(refused("there is no statement")),
        more => return Err(refused(format!("there are {more} statements, and one is answered at a time"))),
    };
    let (query, explain) = query(statement)?;
    let mut walk = walk::Walk::new(catalog);
    match query.visit(&mut walk) {
        ControlFlow::Break(failure) => Err(failure),
        ControlFlow::Continue(()) => Ok(Checked { query, explain, places: walk.places }),
    }
}

/// The query of a statement that only reads, and whether it is a plain `EXPLAIN` of it.
fn query(statement: Statement) -> Result<(Box<Query>, bool), Failure> {
    match statement {
        Statement::Query(query) => Ok((query, false)),
        Statement::Explain { analyze: true, .. } => {
            Err(refused("EXPLAIN ANALYZE runs the question without its answer"))
        }
        Statement::Explain {
            describe_alias: DescribeAlias::Explain,
            analyze: false,
            verbose: false,
            query_plan: false,
            estimate: false,
            statement,
            format: None,
            options: None,
        } => match *statement {
            Statement::Query(query) => Ok((query, true)),
            other => Err(unreadable(&other)),
        },
        Statement::Explain { .. } => Err(refused("EXPLAIN takes no options here")),
        other => Err(unreadable(&other)),
    }
}

/// A statement that is no query, by its first word.
fn unreadable(statement: &Statement) -> Failure {
    let text = statement.to_string();
    let word: String = text.chars().take_while(|letter| letter.is_alphanumeric()).take(24).collect();
    refused(format!("{} is not answered here: this door only reads", word.to_uppercase()))
}

/// A statement of a kind that is not answered.
fn refused(message: impl Into<String>) -> Failure {
    failed(Fault::Refused, message, ["one SELECT, WITH … SELECT or VALUES statement", "EXPLAIN SELECT …"])
}

/// What a parser says of text that is not SQL.
fn syntax(error: ParserError) -> Failure {
    match error {
        ParserError::RecursionLimitExceeded => DEPTH.exceeded(),
        ParserError::TokenizerError(told) | ParserError::ParserError(told) => {
            let told = told.replacen(" at Line: ", " at line ", 1).replacen(", Column: ", ", column ", 1);
            failed(Fault::Syntax, format!("this is not SQL: {told}"), ["one SELECT statement in PostgreSQL's grammar"])
        }
    }
}

#[cfg(test)]
mod tests;
