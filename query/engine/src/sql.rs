//! SQL: answered by worker processes, so that a question that goes wrong ends a worker and nothing else.
//!
//! A worker is this same program started as `lamppost sql-worker`. It opens no file and no socket: it gets a question by its
//! standard input, asks the server back for the rows it needs ([`Scan`]), and writes the rendered answer to its standard
//! output. [`message`] says what passes, [`frame`] how. The worker's side is the crate `sql`.
//!
//! The street: [`Pool::ask`] waits for a place → a free [`worker`](self) or a new one → the conversation, in which scans run
//! on the query threads and send rows only on credit → the answer, whole. Whatever else happens (time up, the caller gone,
//! nonsense on the pipe) the worker is killed, and the next question gets another.

pub mod catalog;
pub mod config;
mod conversation;
mod counters;
mod failure;
pub mod frame;
mod ground;
pub mod message;
mod pool;
mod scan;
mod tables;
mod worker;

pub use catalog::{Catalog, Column, ColumnType, Table};
pub use config::Config;
pub use counters::Figures;
pub use message::{Ask, Failure, Fault, Format, FromWorker, Limits, Rows, Scan, ToWorker};
pub use pool::{Answer, Pool, Question};
pub use worker::Start;
