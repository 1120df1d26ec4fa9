//! What a key lets its holder do: read, write or operate, everywhere or in one dataset.

use std::fmt;
use std::str::FromStr;

/// What may be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Right {
    /// Read restricted datasets, and all of them with a larger budget.
    Read,
    /// Send readings.
    Write,
    /// See and steer the server itself.
    Operate,
}

/// One right, in one dataset or in all.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Scope {
    /// The right.
    pub right: Right,
    /// The dataset; all of them when nothing.
    pub dataset: Option<String>,
}

impl Scope {
    /// Whether it covers a right in a dataset; in the whole server when nothing is named.
    pub fn covers(&self, right: Right, dataset: Option<&str>) -> bool {
        self.right == right && (self.dataset.is_none() || self.dataset.as_deref() == dataset)
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Right::Read => "read",
            Right::Write => "write",
            Right::Operate => "operate",
        })
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.dataset {
            None => write!(f, "{}", self.right),
            Some(dataset) => write!(f, "{}:{dataset}", self.right),
        }
    }
}

impl FromStr for Scope {
    type Err = String;

    /// `read`, `write:traffic`.
    fn from_str(text: &str) -> Result<Scope, String> {
        let (right, dataset) = match text.split_once(':') {
            Some((right, dataset)) => (right, Some(dataset)),
            None => (text, None),
        };
        let right = match right {
            "read" => Right::Read,
            "write" => Right::Write,
            "operate" => Right::Operate,
            _ => {
                return Err(format!(
                    "{text:?} is no scope: write read, write or operate, or one with a dataset: read:traffic"
                ));
            }
        };
        match dataset {
            Some("") => Err(format!("{text:?} names no dataset: write {right} for all, or {right}:traffic")),
            Some(_) if right == Right::Operate => {
                Err(format!("{text:?}: operate is for the whole server: write operate"))
            }
            dataset => Ok(Scope { right, dataset: dataset.map(str::to_owned) }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_covers_its_right_in_its_dataset_and_nothing_else() {
        let all: Scope = "read".parse().expect("a scope");
        let one: Scope = "read:parking".parse().expect("a scope");
        assert!(all.covers(Right::Read, Some("parking")) && all.covers(Right::Read, None));
        assert!(one.covers(Right::Read, Some("parking")));
        assert!(!one.covers(Right::Read, Some("traffic")) && !one.covers(Right::Read, None));
        assert!(!all.covers(Right::Write, Some("parking")) && !all.covers(Right::Operate, None));
        assert_eq!((all.to_string(), one.to_string()), ("read".to_owned(), "read:parking".to_owned()));
    }

    #[test]
    fn what_is_no_scope_is_told_with_what_would_be() {
        for (wrong, hint) in
            [("admin", "read, write or operate"), ("read:", "names no dataset"), ("operate:x", "whole server")]
        {
            let told = wrong.parse::<Scope>().expect_err(wrong);
            assert!(told.contains(hint), "{told}");
        }
    }
}
