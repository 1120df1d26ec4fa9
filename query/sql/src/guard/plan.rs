//! What only the optimized plan tells: whether each join compares columns for equality, wherever the question says so (ON,
//! USING, WHERE, a correlated subquery). One that does not compares each row with each, and hardly ever yields.

use crate::failure::failed;
use datafusion::common::Result;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::logical_expr::LogicalPlan;
use engine::sql::{Failure, Fault};

/// Rows of one side of a join with which comparing each row with each is fine: one from an aggregate, a short VALUES.
const FEW: usize = 100;

/// Refuses joins without an equality, unless one side has few rows.
pub(crate) fn check(plan: &LogicalPlan) -> Result<Result<(), Failure>> {
    let mut found = Ok(());
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::Join(join) = node
            && join.on.is_empty()
            && !is_few(&join.left)
            && !is_few(&join.right)
        {
            let message =
                "a join that compares no columns for equality is not answered here: it would pair each row with each";
            let accepted = ["JOIN … ON a.sensor = b.sensor AND …", "FROM a, b WHERE a.sensor = b.sensor"];
            found = Err(failed(Fault::Refused, message, accepted));
            return Ok(TreeNodeRecursion::Stop);
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(found)
}

fn is_few(plan: &LogicalPlan) -> bool {
    plan.max_rows().is_some_and(|rows| rows <= FEW)
}
