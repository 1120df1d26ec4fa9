//! The clauses of a query: those that are answered, taken apart field by field so that none is missed.

use super::caps::{ARMS, COLUMNS, SETS};
use super::place::at;
use crate::failure::failed;
use datafusion::sql::sqlparser::ast::{
    Cte, Distinct, Expr, Fetch, GroupByExpr, Join, JoinConstraint, JoinOperator, LimitClause, OrderBy, OrderByExpr,
    OrderByKind, Query, Select, SelectFlavor, SelectItem, SelectItemQualifiedWildcardKind, SetExpr, SetOperator,
    SetQuantifier, TableAlias, TableFactor, TableWithJoins, WildcardAdditionalOptions, With,
};
use engine::sql::{Failure, Fault};

/// A part that is SQL somewhere, but not here.
pub(crate) fn refused<T>(what: &str, place: &str, instead: &str) -> Result<T, Failure> {
    Err(failed(Fault::Refused, format!("{what}{place} is not answered here"), [instead]))
}

/// That a clause is absent.
fn absent(absent: bool, what: &str, instead: &str) -> Result<(), Failure> {
    if absent { Ok(()) } else { refused(what, "", instead) }
}

/// Checks what a query has around its SELECTs; the number of these.
pub(crate) fn check_query(query: &Query) -> Result<usize, Failure> {
    let Query { with, body, order_by, limit_clause, fetch, locks, for_clause, settings, format_clause, pipe_operators } =
        query;
    absent(locks.is_empty(), "FOR UPDATE or FOR SHARE", "the SELECT without it: nothing is locked here")?;
    absent(for_clause.is_none(), "FOR XML or FOR JSON", "the format parameter: json or csv")?;
    absent(settings.is_none(), "SETTINGS", "the SELECT without it")?;
    absent(format_clause.is_none(), "FORMAT", "the format parameter: json or csv")?;
    absent(pipe_operators.is_empty(), "the pipe operator |>", "WITH clauses or subqueries")?;
    with.as_ref().map_or(Ok(()), check_with)?;
    let arms = check_body(body)?;
    order_by.as_ref().map_or(Ok(()), check_order)?;
    limit_clause.as_ref().map_or(Ok(()), check_limit)?;
    match fetch {
        None | Some(Fetch { with_ties: false, percent: false, quantity: _ }) => Ok(arms),
        Some(_) => refused("FETCH with WITH TIES or PERCENT", "", "LIMIT"),
    }
}

fn check_with(with: &With) -> Result<(), Failure> {
    let With { with_token: _, recursive, cte_tables } = with;
    absent(!recursive, "WITH RECURSIVE", "WITH without RECURSIVE")?;
    for clause in cte_tables {
        let Cte { alias, query: _, from, materialized, closing_paren_token: _ } = clause;
        absent(from.is_none() && materialized.is_none(), "WITH … AS MATERIALIZED or FROM", "WITH name AS (SELECT …)")?;
        check_alias(Some(alias))?;
    }
    Ok(())
}

/// Checks SELECTs and what joins them; the number of SELECTs.
fn check_body(body: &SetExpr) -> Result<usize, Failure> {
    match body {
        SetExpr::Select(_) | SetExpr::Query(_) => Ok(1),
        SetExpr::Values(values) => {
            let widest = values.rows.iter().map(|row| row.content.len()).max();
            COLUMNS.hold(widest.unwrap_or_default())?;
            Ok(1)
        }
        SetExpr::SetOperation { left, op, set_quantifier, right } => {
            let plain = matches!(op, SetOperator::Union | SetOperator::Except | SetOperator::Intersect)
                && matches!(set_quantifier, SetQuantifier::All | SetQuantifier::Distinct | SetQuantifier::None);
            absent(plain, "MINUS or BY NAME", "UNION, EXCEPT or INTERSECT, with or without ALL")?;
            let arms = check_body(left)? + check_body(right)?;
            ARMS.hold(arms).map(|()| arms)
        }
        SetExpr::Table(table) => refused(&table.to_string(), "", "SELECT * FROM …"),
        SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_) => {
            refused("a statement that writes", "", "SELECT")
        }
    }
}

fn check_order(order: &OrderBy) -> Result<(), Failure> {
    let OrderBy { kind, interpolate } = order;
    absent(interpolate.is_none(), "INTERPOLATE", "ORDER BY without it")?;
    match kind {
        OrderByKind::All(_) => refused("ORDER BY ALL", "", "the columns by name"),
        OrderByKind::Expressions(columns) => check_columns(columns),
    }
}

/// Checks columns that rows are sorted by.
pub(crate) fn check_columns(columns: &[OrderByExpr]) -> Result<(), Failure> {
    COLUMNS.hold(columns.len())?;
    let filled = columns.iter().any(|OrderByExpr { expr: _, options: _, with_fill }| with_fill.is_some());
    absent(!filled, "WITH FILL", "ORDER BY without it")
}

fn check_limit(limit: &LimitClause) -> Result<(), Failure> {
    match limit {
        LimitClause::LimitOffset { limit, offset, limit_by } => {
            absent(limit_by.is_empty(), "LIMIT … BY", "row_number() OVER (PARTITION BY …)")?;
            let mut counts = limit.iter().chain(offset.iter().map(|offset| &offset.value));
            let plain = counts.all(|count| matches!(count, Expr::Value(_) | Expr::UnaryOp { .. }));
            absent(plain, "LIMIT or OFFSET by an expression", "LIMIT 100 OFFSET 200")
        }
        LimitClause::OffsetCommaLimit { .. } => refused("LIMIT a, b", "", "LIMIT b OFFSET a"),
    }
}

/// Checks what one SELECT is made of; the number of its joins.
pub(crate) fn check_select(select: &Select) -> Result<usize, Failure> {
    let Select {
        select_token: _,
        optimizer_hints,
        distinct,
        select_modifiers,
        top,
        top_before_distinct: _,
        projection,
        exclude,
        into,
        from,
        lateral_views,
        prewhere,
        selection: _,
        connect_by,
        group_by,
        cluster_by,
        distribute_by,
        sort_by,
        having: _,
        named_window: _,
        qualify,
        window_before_qualify: _,
        value_table_mode,
        flavor,
    } = select;
    absent(into.is_none(), "SELECT INTO", "SELECT without INTO: this door only reads")?;
    absent(top.is_none(), "TOP", "LIMIT")?;
    absent(qualify.is_none(), "QUALIFY", "WHERE around a subquery")?;
    let plain = optimizer_hints.is_empty()
        && select_modifiers.as_ref().is_none_or(|modifiers| !modifiers.is_any_set())
        && exclude.is_none()
        && lateral_views.is_empty()
        && prewhere.is_none()
        && connect_by.is_empty()
        && cluster_by.is_empty()
        && distribute_by.is_empty()
        && sort_by.is_empty()
        && value_table_mode.is_none()
        && *flavor == SelectFlavor::Standard;
    let whole = "SELECT … FROM … WHERE … GROUP BY … HAVING … ORDER BY … LIMIT";
    absent(plain, "a clause of another database's SELECT", whole)?;
    if let Some(Distinct::On(columns)) = distinct {
        COLUMNS.hold(columns.len())?;
    }
    COLUMNS.hold(projection.len())?;
    projection.iter().try_for_each(check_item)?;
    check_groups(group_by)?;
    from.iter().try_for_each(|tables| tables.joins.iter().try_for_each(check_join))?;
    Ok(from.len().saturating_sub(1) + from.iter().map(|tables| tables.joins.len()).sum::<usize>())
}

fn check_item(item: &SelectItem) -> Result<(), Failure> {
    let options = match item {
        SelectItem::UnnamedExpr(_) | SelectItem::ExprWithAlias { expr: _, alias: _ } => return Ok(()),
        SelectItem::ExprWithAliases { expr, aliases: _ } => {
            return refused("a list of aliases", &at(expr), "one alias");
        }
        SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::Expr(expr), _) => {
            return refused("a wildcard of an expression", &at(expr), "the columns by name");
        }
        SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(_), options)
        | SelectItem::Wildcard(options) => options,
    };
    let WildcardAdditionalOptions {
        wildcard_token: _,
        opt_ilike,
        opt_exclude,
        opt_except,
        opt_replace,
        opt_rename,
        opt_alias,
    } = options;
    let plain = opt_ilike.is_none()
        && opt_exclude.is_none()
        && opt_except.is_none()
        && opt_replace.is_none()
        && opt_rename.is_none()
        && opt_alias.is_none();
    absent(plain, "* with EXCLUDE, REPLACE or RENAME", "* or the columns by name")
}

/// Checks a GROUP BY: the sets of groups that its parts make multiply.
fn check_groups(groups: &GroupByExpr) -> Result<(), Failure> {
    let GroupByExpr::Expressions(columns, modifiers) = groups else {
        return refused("GROUP BY ALL", "", "the columns by name or number");
    };
    COLUMNS.hold(columns.len())?;
    let mut sets = 1_usize;
    for column in columns {
        sets = sets.saturating_mul(match column {
            Expr::Rollup(parts) => parts.len() + 1,
            Expr::Cube(parts) => 1_usize.checked_shl(parts.len() as u32).unwrap_or(usize::MAX),
            Expr::GroupingSets(parts) => parts.len(),
            _ => 1,
        });
    }
    absent(modifiers.is_empty(), "GROUP BY … WITH ROLLUP, CUBE or TOTALS", "GROUP BY ROLLUP (…)")?;
    SETS.hold(sets)
}

/// Checks one join. That it compares columns for equality is seen on the plan, where WHERE has come to it.
fn check_join(join: &Join) -> Result<(), Failure> {
    let Join { relation: _, global, join_operator } = join;
    let constraint = match join_operator {
        JoinOperator::Join(constraint)
        | JoinOperator::Inner(constraint)
        | JoinOperator::Left(constraint)
        | JoinOperator::LeftOuter(constraint)
        | JoinOperator::Right(constraint)
        | JoinOperator::RightOuter(constraint)
        | JoinOperator::FullOuter(constraint)
        | JoinOperator::CrossJoin(constraint)
        | JoinOperator::LeftSemi(constraint)
        | JoinOperator::RightSemi(constraint)
        | JoinOperator::LeftAnti(constraint)
        | JoinOperator::RightAnti(constraint) => constraint,
        JoinOperator::Semi(_)
        | JoinOperator::Anti(_)
        | JoinOperator::CrossApply
        | JoinOperator::OuterApply
        | JoinOperator::AsOf { .. }
        | JoinOperator::StraightJoin(_)
        | JoinOperator::ArrayJoin
        | JoinOperator::LeftArrayJoin
        | JoinOperator::InnerArrayJoin => return refused("a join of this kind", "", "JOIN … ON a.x = b.x"),
    };
    absent(!global, "GLOBAL JOIN", "JOIN")?;
    match constraint {
        JoinConstraint::Using(columns) => COLUMNS.hold(columns.len()),
        JoinConstraint::On(_) | JoinConstraint::Natural | JoinConstraint::None => Ok(()),
    }
}

/// Checks one thing that rows come from.
pub(crate) fn check_table(table: &TableFactor) -> Result<(), Failure> {
    match table {
        TableFactor::Table {
            name,
            alias,
            args,
            with_hints,
            version,
            with_ordinality,
            partitions,
            json_path,
            sample,
            index_hints,
        } => {
            let instead = "a table by its name";
            absent(args.is_none(), &format!("the table function {name}"), instead)?;
            let plain = with_hints.is_empty()
                && version.is_none()
                && !with_ordinality
                && partitions.is_empty()
                && json_path.is_none()
                && sample.is_none()
                && index_hints.is_empty();
            absent(plain, "a table with hints, a version or a sample", instead)?;
            check_alias(alias.as_ref())
        }
        TableFactor::Derived { lateral, subquery: _, alias, sample } => {
            absent(!lateral, "LATERAL", "a join")?;
            absent(sample.is_none(), "TABLESAMPLE", "a WHERE on \"time\"")?;
            check_alias(alias.as_ref())
        }
        TableFactor::NestedJoin { table_with_joins, alias } => {
            let TableWithJoins { relation: _, joins } = &**table_with_joins;
            joins.iter().try_for_each(check_join)?;
            check_alias(alias.as_ref())
        }
        TableFactor::TableFunction { expr, .. } => {
            refused(&format!("the table function {expr}"), "", "a table by its name")
        }
        TableFactor::Function { name, .. } => refused(&format!("the table function {name}"), "", "a table by its name"),
        TableFactor::UNNEST { .. } => refused("UNNEST", "", "the tables as they are: none has lists"),
        TableFactor::JsonTable { .. }
        | TableFactor::OpenJsonTable { .. }
        | TableFactor::Pivot { .. }
        | TableFactor::Unpivot { .. }
        | TableFactor::MatchRecognize { .. }
        | TableFactor::XmlTable { .. }
        | TableFactor::SemanticView { .. } => refused("a table of this kind", "", "a table by its name, or a subquery"),
    }
}

fn check_alias(alias: Option<&TableAlias>) -> Result<(), Failure> {
    let Some(TableAlias { explicit: _, name: _, columns, at }) = alias else { return Ok(()) };
    COLUMNS.hold(columns.len())?;
    let plain = at.is_none() && columns.iter().all(|column| column.data_type.is_none());
    absent(plain, "an alias with types or AT", "AS name (column, …)")
}
