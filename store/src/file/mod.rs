//! Sorted rows as Parquet files, and back.

mod chunk;
mod column;
mod decode;
mod encode;
mod groups;
mod index;
pub(crate) mod layout;
mod meta;
pub(crate) mod note;
mod order;
mod packed;
mod parts;
mod read;
mod trial;
mod values;

#[cfg(test)]
pub(crate) mod tests;

pub(crate) use decode::{Numbering, Opened};
pub(crate) use encode::{encode, encode_noted, encode_picked, encode_tier};
pub(crate) use meta::FileMeta;
pub(crate) use order::Order;
pub(crate) use parts::Parts;
pub(crate) use read::{Footer, inspect};
pub(crate) use trial::Effort;
