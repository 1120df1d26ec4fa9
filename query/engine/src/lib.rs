//! Question to answer: what may be asked, at what cost, and the one executor that answers it.
//!
//! The street: a typed [`Question`] is resolved against a snapshot ([`Engine::resolve`]: names, widened span, stamp, ETag; no
//! data read), then answered through the cache ([`Engine::body`]): plan → load columns → kernels → [`Answer`] → rendered bytes.
//! No sockets, no JSON, no status codes, no writes here.

pub mod aggregate;
pub mod answer;
pub mod columns;
pub mod config;
pub mod coverage;
pub mod engine;
pub mod error;
pub mod groups;
pub mod order;
pub mod question;
mod read;
pub mod sql;
#[cfg(test)]
mod testing;
mod tiers;

pub use answer::{Answer, Column, FieldInfo, Meta, MetaField, Values};
pub use config::Config;
pub use engine::{Engine, Figures, Resolved};
pub use error::{Error, Kind};
pub use order::Order;
pub use question::{
    Aggregates, BucketChoice, Fill, Group, Latest, Near, Question, Readings, Sensors, parse_bbox, parse_near,
    parse_time, parse_zone,
};
