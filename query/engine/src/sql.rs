//! SQL: answered by worker processes, so that a question that goes wrong ends a worker and nothing else.
//!
//! A worker is this same program started as `lamppost sql-worker`. It opens no file and no socket: it gets a question by its
//! standard input, asks the server back for the rows it needs ([`Scan`]), and writes the rendered answer to its standard
//! output. [`message`] says what passes, [`frame`] how. The worker's side is the crate `sql`.

pub mod catalog;
pub mod frame;
pub mod message;

pub use catalog::{Catalog, Column, ColumnType, Table};
pub use message::{Ask, Failure, Fault, Format, FromWorker, Limits, Rows, Scan, ToWorker};
