//! Contracts: TOML text to datasets, all faults of all files in one run.

use crate::{Dataset, Faults};
use std::path::PathBuf;
use std::sync::Arc;

/// A contract's text as read from disk, by whoever may do I/O.
#[derive(Clone, Debug)]
pub struct Text {
    /// Its file, for messages.
    pub file: PathBuf,
    /// Its TOML.
    pub toml: String,
    /// The registry file its `sensors` key names: path for messages, and text or why it could not be read.
    pub registry: Option<(PathBuf, Result<String, String>)>,
}

/// The `sensors` file a contract's TOML names, so that the caller can read it before [`parse`]; nothing if it names none.
pub fn registry_file(_toml: &str) -> Option<String> {
    todo!()
}

/// Parses contracts. Dataset ids are unique over all files. Every fault of every file is reported.
pub fn parse(_texts: &[Text]) -> Result<Vec<Arc<Dataset>>, Faults> {
    todo!()
}

/// What of a contract gives stored data its meaning: zone, and per field name, unit, kind, resolution and state values.
/// Kept beside the data as JSON; a later contract is compared with it.
pub fn shape(_dataset: &Dataset) -> String {
    todo!()
}

/// Compares a contract with the stored shape. New fields and new state words at the end are welcome; anything that would
/// reinterpret stored data is refused, naming the way out.
pub fn check_shape(_stored: &str, _dataset: &Dataset) -> Result<(), Vec<String>> {
    todo!()
}
