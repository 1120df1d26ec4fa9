//! Questions asked of a worker over its pipe, with a small server at the other end.

mod abuse;
mod answers;
mod calls;
mod scans;
mod speed;
mod town;
