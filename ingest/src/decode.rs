//! Bytes to the payload values a source's mapping wants. Nothing else of a payload is kept.

pub mod graphite;
mod groove;
pub mod json;
pub mod line;
pub mod memory;
pub mod news;
pub mod number;
pub mod plan;
pub mod points;
pub mod senml;
pub mod shape;
pub mod sheet;
pub mod slot;

pub(crate) use groove::Groove;
pub use json::{Decoded, Fault};
pub use memory::Memory;
pub use news::News;
pub use number::Quick;
pub use plan::{Part, Plan};
pub use shape::Shape;
pub use sheet::{Saying, Sheet};
pub use slot::Value;
