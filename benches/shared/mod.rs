//! What the benches share: the real binary as a process, a caller of HTTP doors, tables of results.
#![allow(dead_code, reason = "each bench uses its part")]

pub(crate) mod peer;
pub(crate) mod print;
pub(crate) mod process;
pub(crate) mod server;
pub(crate) mod table;
pub(crate) mod web;
