//! Bytes to the payload values a source's mapping wants. Nothing else of a payload is kept.

pub mod graphite;
pub mod json;
pub mod plan;
pub mod points;
pub mod senml;
pub mod shape;
pub mod slot;

pub use json::{Decoded, Fault};
pub use plan::{Part, Plan};
pub use shape::Shape;
pub use slot::Value;
