//! Bytes at rest: the log, hot rows, sealed and late files, Delta tables, snapshots.
//!
//! The street: [`Writer::append`] → `log` (fsync, receipt) → `hot` (readable) → seal (sorted files) → flush (Delta commit) →
//! fold (late rows merged into files). Whatever stands is published as an immutable [`Snapshot`] that [`Reader`]s take.

pub mod act;
pub mod audit;
mod backup;
mod book;
mod cache;
mod compact;
pub mod config;
mod contract;
mod desk;
mod disk;
pub mod durations;
pub mod erasure;
pub mod error;
#[cfg(test)]
mod fault;
mod file;
mod flush;
mod fold;
mod format;
#[doc(hidden)]
pub mod fuzzing;
mod going;
mod holding;
mod hot;
mod intake;
mod late;
pub mod latest;
mod local;
mod log;
mod maintenance;
mod marks;
mod paths;
mod points;
pub mod position;
pub mod reader;
mod recover;
mod rejects;
mod released;
mod replay;
mod retention;
pub mod run;
mod seal;
mod shelf;
pub mod snapshot;
mod stamps;
mod state;
pub mod status;
mod store;
mod table;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
pub mod tier;
mod turns;
mod upkeep;
mod vacuum;
pub mod writer;

pub use act::Preview;
pub use audit::Act;
pub use backup::{Backup, Restored, restore};
pub use config::Config;
pub use durations::{Counted, Durations};
pub use erasure::Erasure;
pub use error::{Error, Kind};
pub use latest::Latest;
pub use position::{LogId, Position, Stamp};
pub use reader::Reader;
pub use run::{Keys, Run, SensorIx};
pub use snapshot::{Dirty, Loaded, SensorTable, Series, Snapshot};
pub use status::{DatasetStatus, RejectRow, Status, Task, TaskStatus, TierStatus, Turn};
pub use tier::Tier;
pub use tier::rollup::Rollup;
pub use tier::values::Values;
pub use writer::{Append, Clock, Receipt, Writer, open};
