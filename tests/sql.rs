//! SQL over HTTP with the real binary and its real workers: right numbers, clear refusals, and abuse that harms nobody.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where it stands")]

mod abuse;
mod asking;
mod flow;
mod numbers;
mod place;
