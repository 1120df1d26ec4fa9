//! How large a question may be: one table of caps. They are chosen so that planning stays under half a second, measured by
//! `tests/speed.rs`; what an analyst writes by hand is ten times smaller.

use crate::failure::failed;
use engine::sql::{Failure, Fault};

/// A bound on one thing a question is made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cap {
    /// As many are fine.
    pub(crate) most: usize,
    /// What is counted.
    what: &'static str,
    /// What to do instead.
    instead: &'static str,
}

/// The text.
pub(crate) const TEXT: Cap = Cap {
    most: 16 << 10,
    what: "bytes of SQL text",
    instead: "a shorter question; join to a list by VALUES is no shorter",
};
/// Nesting of expressions and queries; the parser stops there too.
pub(crate) const DEPTH: Cap = Cap { most: 50, what: "levels of nesting", instead: "WITH clauses instead of nesting" };
/// Expressions that are not literals, those of a WITH clause once for each use.
pub(crate) const NODES: Cap =
    Cap { most: 500, what: "expressions (those of WITH once per use)", instead: "several smaller questions" };
/// Operators in one chain: planning takes time with its square.
pub(crate) const CHAIN: Cap =
    Cap { most: 200, what: "operators in one chain", instead: "IN, BETWEEN, or several columns" };
/// Literals in all.
pub(crate) const LITERALS: Cap = Cap { most: 1000, what: "literals", instead: "a range, or several smaller questions" };
/// Literals in one list.
pub(crate) const LIST: Cap =
    Cap { most: 500, what: "values in one IN list", instead: "a range, a join to \"sensors\", or several questions" };
/// Bytes of one literal.
pub(crate) const LITERAL: Cap = Cap { most: 4 << 10, what: "bytes in one literal", instead: "a shorter literal" };
/// Tables read, those of a WITH clause once for each use.
pub(crate) const TABLES: Cap =
    Cap { most: 24, what: "tables read (those of WITH once per use)", instead: "fewer tables or uses of WITH" };
/// Joins, by JOIN or by comma, those of a WITH clause once for each use.
pub(crate) const JOINS: Cap =
    Cap { most: 8, what: "joins (those of WITH once per use)", instead: "fewer tables in one question" };
/// Arms of UNION, EXCEPT and INTERSECT.
pub(crate) const ARMS: Cap =
    Cap { most: 16, what: "SELECTs joined by UNION, EXCEPT or INTERSECT", instead: "one SELECT with IN or CASE" };
/// Columns of one SELECT, GROUP BY or ORDER BY.
pub(crate) const COLUMNS: Cap = Cap { most: 200, what: "columns in one clause", instead: "fewer columns" };
/// Sets of groups that ROLLUP, CUBE and GROUPING SETS make.
pub(crate) const SETS: Cap = Cap { most: 16, what: "grouping sets", instead: "UNION ALL of a few GROUP BYs" };

impl Cap {
    /// Whether so many are fine.
    pub(crate) fn hold(self, count: usize) -> Result<(), Failure> {
        if count > self.most { Err(self.exceeded()) } else { Ok(()) }
    }

    /// The failure of a question that goes past it.
    pub(crate) fn exceeded(self) -> Failure {
        let message = format!("the question is too large: it has more than {} {}", self.most, self.what);
        failed(Fault::TooMuch, message, [format!("at most {}", self.most).as_str(), self.instead])
    }
}
