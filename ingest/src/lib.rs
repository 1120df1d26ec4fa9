//! The way in: doors take messages, the pipeline makes batches of them, the intake hands these to the store and tells the
//! doors when what they took is durable. Only then do they acknowledge.

pub mod catalog;
pub mod config;
pub mod decode;
pub mod doors;
pub mod error;
#[doc(hidden)]
pub mod fuzzing;
pub mod gather;
pub mod hash;
pub mod history;
pub mod import;
pub mod intake;
pub mod message;
pub mod metrics;
pub mod normalize;
pub mod parcel;
pub mod pipeline;
mod refusals;
pub mod sensors;
mod sheaf;
mod topics;

pub use catalog::{Catalog, Subscription};
pub use config::Config;
pub use error::{Error, Kind};
pub use gather::Gather;
pub use intake::{Intake, Ticket};
pub use message::Message;
pub use metrics::Metrics;
pub use parcel::{Outcome, Parcel};
pub use pipeline::{Past, Pipeline};
