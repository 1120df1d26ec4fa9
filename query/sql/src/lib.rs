//! SQL in a process of its own: what `lamppost sql-worker` runs.
//!
//! A question comes in by standard input, is checked (`guard`), planned and run by DataFusion (`session`) over tables whose
//! rows are asked back from the server (`table`, `pipe`), and leaves by standard output as it is to be sent (`answer`).
//! `engine::sql` says what passes between the two.

mod answer;
mod failure;
mod functions;
mod guard;
mod pipe;
mod pushdown;
mod render;
mod rewrite;
mod rows;
mod scan;
mod session;
mod table;
mod times;
mod types;
mod worker;

pub use worker::run;

#[cfg(test)]
mod tests;
