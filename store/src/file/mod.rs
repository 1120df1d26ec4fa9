//! Sorted runs as Parquet files, and back.

mod column;
mod decode;
mod encode;
pub(crate) mod layout;
mod meta;
mod parts;
mod read;
mod trial;
pub(crate) mod values;

#[cfg(test)]
pub(crate) mod tests;

#[cfg(test)]
pub(crate) use decode::decode;
pub(crate) use decode::{FileKeys, Numbering};
pub(crate) use encode::encode;
pub(crate) use meta::FileMeta;
pub(crate) use parts::Parts;
pub(crate) use read::{Footer, inspect};
