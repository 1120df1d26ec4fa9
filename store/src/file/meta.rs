//! What is known of a file without opening it.

use crate::paths::FileName;

/// A file's name and figures, as kept in the manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileMeta {
    /// Its name: layer, day, log-id and last position.
    pub(crate) name: FileName,
    /// Its size.
    pub(crate) bytes: u64,
    /// Its rows; at least one.
    pub(crate) rows: u64,
    /// First instant in it, in UTC microseconds.
    pub(crate) min_time: i64,
    /// Last instant in it.
    pub(crate) max_time: i64,
    /// Least sensor id in it, by bytes.
    pub(crate) min_sensor: String,
    /// Greatest sensor id in it.
    pub(crate) max_sensor: String,
}
