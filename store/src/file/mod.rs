//! Sorted rows as Parquet files, and back.

mod column;
mod decode;
mod encode;
mod groups;
pub(crate) mod layout;
mod meta;
pub(crate) mod note;
mod order;
mod parts;
mod read;
mod trial;
mod values;

#[cfg(test)]
pub(crate) mod tests;

pub(crate) use decode::{Numbering, Opened};
#[allow(unused_imports, reason = "closing and refreshing use it")]
pub(crate) use encode::encode_tier;
pub(crate) use encode::{encode, encode_noted};
pub(crate) use meta::FileMeta;
pub(crate) use parts::Parts;
pub(crate) use read::{Footer, inspect};
