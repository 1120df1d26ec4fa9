//! Sorted runs as Parquet files, and back.

mod decode;
mod encode;
mod layout;
mod meta;

pub(crate) use decode::{Numbering, decode, inspect};
pub(crate) use encode::encode;
pub(crate) use meta::FileMeta;
