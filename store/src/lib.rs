//! Bytes at rest: the log, hot rows, sealed and late files, Delta tables, snapshots.
//!
//! The street: [`Writer::append`] → `log` (fsync, receipt) → `hot` (readable) → seal (sorted files) → flush (Delta commit) →
//! fold (late rows merged into files). Whatever stands is published as an immutable [`Snapshot`] that [`Reader`]s take.

#[allow(dead_code, reason = "the writer takes it up next")]
mod cache;
#[allow(dead_code, unused_imports, reason = "the writer takes it up next")]
mod file;
#[allow(dead_code, reason = "the writer takes it up next")]
mod local;
#[allow(dead_code, reason = "the writer takes it up next")]
mod paths;
#[allow(dead_code, reason = "the writer takes it up next")]
mod table;

pub mod config;
#[allow(dead_code, reason = "the writer takes it up next")]
mod disk;
pub mod error;
pub mod latest;
#[allow(dead_code, reason = "the writer takes it up next")]
mod log;
pub mod position;
pub mod reader;
pub mod run;
pub mod snapshot;
pub mod status;
#[cfg(test)]
mod testing;
pub mod writer;

pub use config::Config;
pub use error::{Error, Kind};
pub use latest::Latest;
pub use position::{LogId, Position, Stamp};
pub use reader::Reader;
pub use run::{Keys, Run, SensorIx};
pub use snapshot::{Loaded, SensorTable, Series, Snapshot};
pub use status::{DatasetStatus, RejectRow, Status};
pub use writer::{Append, Clock, Receipt, Writer, open};
