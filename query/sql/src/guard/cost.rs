//! What a question will cost to plan. A WITH clause is planned anew for each use of it, so each use costs all of it, with what
//! it uses itself; one that is not used costs its text.

use super::caps::{ARMS, JOINS, LITERALS, NODES, TABLES};
use super::place::folded;
use datafusion::sql::sqlparser::ast::Query;
use engine::sql::Failure;
use std::collections::{HashMap, VecDeque};

/// Counts of what a query is made of.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cost {
    /// Expressions that are no literals.
    pub(crate) nodes: usize,
    /// Literals.
    pub(crate) literals: usize,
    /// Tables.
    pub(crate) tables: usize,
    /// Joins.
    pub(crate) joins: usize,
    /// SELECTs beyond the first that UNION and the like put together.
    pub(crate) arms: usize,
}

impl Cost {
    fn plus(self, other: Cost) -> Cost {
        Cost {
            nodes: self.nodes + other.nodes,
            literals: self.literals + other.literals,
            tables: self.tables + other.tables,
            joins: self.joins + other.joins,
            arms: self.arms + other.arms,
        }
    }

    fn hold(self) -> Result<(), Failure> {
        NODES.hold(self.nodes)?;
        LITERALS.hold(self.literals)?;
        TABLES.hold(self.tables)?;
        JOINS.hold(self.joins)?;
        ARMS.hold(self.arms + 1)
    }
}

/// The cost of the queries that are being walked, from the outermost in.
#[derive(Debug, Default)]
pub(crate) struct Ledger(Vec<Open>);

/// A query that is being walked.
#[derive(Debug, Default)]
struct Open {
    cost: Cost,
    /// Its WITH clauses that are still to be walked; they come before all else.
    ahead: VecDeque<String>,
    /// Those that have been, and whether they were used.
    known: HashMap<String, (Cost, bool)>,
}

impl Ledger {
    /// A query begins.
    pub(crate) fn open(&mut self, query: &Query) {
        let clauses = query.with.iter().flat_map(|with| &with.cte_tables);
        let ahead = clauses.map(|clause| folded(&clause.alias.name)).collect();
        self.0.push(Open { ahead, ..Open::default() });
    }

    /// The innermost query ends.
    pub(crate) fn close(&mut self) -> Result<(), Failure> {
        let closed = self.0.pop().unwrap_or_default();
        let unused = closed.known.values().filter(|(_, used)| !used).map(|(cost, _)| *cost);
        let cost = unused.fold(closed.cost, Cost::plus);
        if let Some(outer) = self.0.last_mut()
            && let Some(name) = outer.ahead.pop_front()
        {
            outer.known.insert(name, (cost, false));
            return cost.hold();
        }
        self.add(cost)
    }

    /// The innermost query has this too.
    pub(crate) fn add(&mut self, cost: Cost) -> Result<(), Failure> {
        match self.0.last_mut() {
            Some(open) => {
                open.cost = open.cost.plus(cost);
                open.cost.hold()
            }
            None => cost.hold(),
        }
    }

    /// Takes the use of a WITH clause down, if there is one of that name.
    pub(crate) fn used(&mut self, name: &str) -> Result<bool, Failure> {
        let Some((cost, used)) = self.0.iter_mut().rev().find_map(|open| open.known.get_mut(name)) else {
            return Ok(false);
        };
        *used = true;
        let cost = *cost;
        self.add(cost).map(|()| true)
    }
}
