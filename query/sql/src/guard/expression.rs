//! Expressions: the kinds that are answered. Each is checked alone; what is inside it comes to the same check by the walk.

use super::caps::LIST;
use super::clause::{check_columns, refused};
use super::names::{function_name, no_function};
use super::place::{at, folded};
use crate::failure::failed;
use crate::functions;
use datafusion::sql::sqlparser::ast::{
    BinaryOperator, CeilFloorKind, DataType, DuplicateTreatment, ExactNumberInfo, Expr, Function, FunctionArg,
    FunctionArgExpr, FunctionArgumentClause, FunctionArgumentList, FunctionArguments, TypedString, UnaryOperator,
    WindowSpec, WindowType,
};
use engine::sql::{Failure, Fault};

/// Checks one expression without what is inside it.
pub(crate) fn check(expr: &Expr) -> Result<(), Failure> {
    match expr {
        Expr::Identifier(_)
        | Expr::CompoundIdentifier(_)
        | Expr::IsFalse(_)
        | Expr::IsNotFalse(_)
        | Expr::IsTrue(_)
        | Expr::IsNotTrue(_)
        | Expr::IsNull(_)
        | Expr::IsNotNull(_)
        | Expr::IsUnknown(_)
        | Expr::IsNotUnknown(_)
        | Expr::IsDistinctFrom(_, _)
        | Expr::IsNotDistinctFrom(_, _)
        | Expr::InSubquery { .. }
        | Expr::Between { .. }
        | Expr::SimilarTo { .. }
        | Expr::AtTimeZone { .. }
        | Expr::Extract { .. }
        | Expr::Position { .. }
        | Expr::Substring { .. }
        | Expr::Trim { .. }
        | Expr::Overlay { .. }
        | Expr::Nested(_)
        | Expr::Value(_)
        | Expr::Case { .. }
        | Expr::Exists { .. }
        | Expr::Subquery(_)
        | Expr::GroupingSets(_)
        | Expr::Cube(_)
        | Expr::Rollup(_)
        | Expr::Tuple(_)
        | Expr::Interval(_) => Ok(()),
        Expr::InList { list, .. } => LIST.hold(list.len()),
        Expr::Like { any: false, .. } | Expr::ILike { any: false, .. } => Ok(()),
        Expr::BinaryOp { op, .. } => check_binary(op, expr),
        Expr::UnaryOp { op, .. } => match op {
            UnaryOperator::Plus | UnaryOperator::Minus | UnaryOperator::Not => Ok(()),
            other => refused(&format!("the operator {other}"), &at(expr), "+, - or NOT"),
        },
        Expr::Cast { kind: _, expr: _, data_type, array: false, format: None }
        | Expr::TypedString(TypedString { data_type, value: _, uses_odbc_syntax: _ }) => check_type(data_type, expr),
        Expr::Ceil { field, .. } | Expr::Floor { field, .. } => match field {
            CeilFloorKind::DateTimeField(_) => Ok(()),
            CeilFloorKind::Scale(_) => refused("ceil or floor with a scale", &at(expr), "round(x, digits)"),
        },
        Expr::Function(function) => check_function(function),
        other => {
            let start: String = other.to_string().chars().take(40).collect();
            refused(&format!("the expression {start}"), &at(other), "columns, literals, operators, CASE and functions")
        }
    }
}

fn check_binary(op: &BinaryOperator, expr: &Expr) -> Result<(), Failure> {
    match op {
        BinaryOperator::Plus
        | BinaryOperator::Minus
        | BinaryOperator::Multiply
        | BinaryOperator::Divide
        | BinaryOperator::Modulo
        | BinaryOperator::StringConcat
        | BinaryOperator::Gt
        | BinaryOperator::Lt
        | BinaryOperator::GtEq
        | BinaryOperator::LtEq
        | BinaryOperator::Eq
        | BinaryOperator::NotEq
        | BinaryOperator::And
        | BinaryOperator::Or
        | BinaryOperator::BitwiseOr
        | BinaryOperator::BitwiseAnd
        | BinaryOperator::PGRegexMatch
        | BinaryOperator::PGRegexIMatch
        | BinaryOperator::PGRegexNotMatch
        | BinaryOperator::PGRegexNotIMatch
        | BinaryOperator::PGLikeMatch
        | BinaryOperator::PGILikeMatch
        | BinaryOperator::PGNotLikeMatch
        | BinaryOperator::PGNotILikeMatch => Ok(()),
        other => refused(&format!("the operator {other}"), &at(expr), "+ - * / % || = <> < > <= >= AND OR LIKE ~"),
    }
}

/// Checks a type by name: those of PostgreSQL that the columns have, and their kin.
fn check_type(data_type: &DataType, expr: &Expr) -> Result<(), Failure> {
    match data_type {
        DataType::Text
        | DataType::Varchar(_)
        | DataType::CharacterVarying(_)
        | DataType::SmallInt(None)
        | DataType::Int2(None)
        | DataType::Int(None)
        | DataType::Integer(None)
        | DataType::Int4(None)
        | DataType::BigInt(None)
        | DataType::Int8(None)
        | DataType::Real
        | DataType::Float4
        | DataType::Float(ExactNumberInfo::None)
        | DataType::Float8
        | DataType::Double(ExactNumberInfo::None)
        | DataType::DoublePrecision
        | DataType::Numeric(_)
        | DataType::Decimal(_)
        | DataType::Dec(_)
        | DataType::Bool
        | DataType::Boolean
        | DataType::Date
        | DataType::Time(_, _)
        | DataType::Timestamp(_, _)
        | DataType::TimestampNtz(_)
        | DataType::Interval { .. } => Ok(()),
        other => {
            let message = format!("there is no type {other}{} to turn a value into", at(expr));
            let accepted = ["text", "integer", "bigint", "numeric(20, 4)", "double precision", "boolean", "date"];
            Err(failed(Fault::Mismatch, message, accepted.into_iter().chain(["timestamp", "timestamptz", "interval"])))
        }
    }
}

/// Checks a call: its name is on the list, and it has no clause but those that are known.
fn check_function(function: &Function) -> Result<(), Failure> {
    let Function { name, uses_odbc_syntax, parameters, args, filter: _, null_treatment: _, over, within_group } =
        function;
    let known = function_name(name).filter(|name| functions::is_allowed(&folded(name)));
    if known.is_none() {
        return Err(no_function(&name.to_string(), &at(name)));
    }
    let place = at(name);
    if *uses_odbc_syntax || !matches!(parameters, FunctionArguments::None) {
        return refused(&format!("{name} with braces or parameters"), &place, "name(arguments)");
    }
    check_columns(within_group)?;
    match over {
        None | Some(WindowType::NamedWindow(_)) => {}
        Some(WindowType::WindowSpec(WindowSpec { window_name: _, partition_by: _, order_by, window_frame: _ })) => {
            check_columns(order_by)?;
        }
    }
    let list = match args {
        FunctionArguments::None => return Ok(()),
        FunctionArguments::Subquery(_) => {
            return refused(&format!("{name} of a subquery"), &place, "(SELECT …) in brackets");
        }
        FunctionArguments::List(list) => list,
    };
    let FunctionArgumentList { duplicate_treatment, args, clauses } = list;
    match duplicate_treatment {
        None | Some(DuplicateTreatment::Distinct | DuplicateTreatment::All) => {}
    }
    for clause in clauses {
        match clause {
            FunctionArgumentClause::OrderBy(columns) => check_columns(columns)?,
            FunctionArgumentClause::IgnoreOrRespectNulls(_) => {}
            other => return refused(&format!("{other} in a call of {name}"), &place, "ORDER BY or IGNORE NULLS"),
        }
    }
    for arg in args {
        match arg {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(_) | FunctionArgExpr::Wildcard) => {}
            FunctionArg::Unnamed(FunctionArgExpr::QualifiedWildcard(_) | FunctionArgExpr::WildcardWithOptions(_))
            | FunctionArg::Named { .. }
            | FunctionArg::ExprNamed { .. } => {
                return refused(&format!("the argument {arg} of {name}"), &place, "arguments by position");
            }
        }
    }
    Ok(())
}
