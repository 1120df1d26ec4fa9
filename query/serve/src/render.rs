//! Answers as bytes, written straight from their columns: no tree of values in between.

pub(crate) mod cell;
pub(crate) mod csv;
pub(crate) mod json;
pub(crate) mod meta;
pub(crate) mod page;
pub(crate) mod sql;
pub(crate) mod stamp;

#[cfg(test)]
mod tests;
