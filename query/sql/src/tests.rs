//! Questions asked of a worker over its pipe, with a small server at the other end.

#![allow(clippy::print_stdout)]

mod abuse;
mod answers;
mod calls;
mod scans;
mod speed;
pub(crate) mod town;
