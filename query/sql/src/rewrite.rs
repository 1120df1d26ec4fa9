//! What is put in the place of parts of a question before it is planned.

use datafusion::sql::sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList, FunctionArguments, Ident, ObjectName, Query,
    Select, SelectItem, VisitMut, VisitorMut,
};
use std::ops::ControlFlow;

/// Gives each column without a name its text as one, and writes `AT TIME ZONE` as the call it stands for in PostgreSQL.
pub(crate) fn rewrite(mut query: Box<Query>) -> Box<Query> {
    let ControlFlow::Continue(()) = query.visit(&mut Rewrite);
    query
}

struct Rewrite;

impl VisitorMut for Rewrite {
    type Break = std::convert::Infallible;

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<Self::Break> {
        for item in &mut select.projection {
            if let SelectItem::UnnamedExpr(expr) = item
                && !matches!(expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_))
            {
                let alias = Ident::with_quote('"', expr.to_string());
                *item = SelectItem::ExprWithAlias { expr: expr.clone(), alias };
            }
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Self::Break> {
        if let Expr::AtTimeZone { timestamp, time_zone } = expr {
            *expr = call("timezone", [(**time_zone).clone(), (**timestamp).clone()]);
        }
        ControlFlow::Continue(())
    }
}

/// A call of a function.
fn call(name: &str, args: [Expr; 2]) -> Expr {
    let args = args.map(|arg| FunctionArg::Unnamed(FunctionArgExpr::Expr(arg)));
    Expr::Function(Function {
        name: ObjectName::from(vec![Ident::new(name)]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None,
            args: args.into(),
            clauses: Vec::new(),
        }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}
