//! The bytes of a Parquet file as a run.

use super::FileMeta;
use crate::paths::FileName;
use crate::{Error, Run, SensorIx};
use bytes::Bytes;
use schemas::Dataset;
use std::sync::Arc;

/// Gives the number of a sensor id; an error refuses the file (a sensor that should be known is not).
pub(crate) type Numbering = Arc<dyn Fn(&str) -> Result<SensorIx, Error> + Send + Sync>;

/// The run in a file: keys, and the columns asked for (indexes into the dataset's fields). Fields that the file does not
/// have yet, or has no value of, are `None`. `Kind::Corrupt`, naming the file, when the bytes are not such a file.
/// CPU work: call it on a blocking thread.
pub(crate) fn decode(
    _dataset: &Dataset,
    _meta: &FileMeta,
    _bytes: Bytes,
    _fields: &[usize],
    _number: &Numbering,
) -> Result<Run, Error> {
    todo!()
}

/// The figures of a file from its footer: for files that no manifest lists (late ones).
pub(crate) fn inspect(_name: FileName, _bytes: &Bytes) -> Result<FileMeta, Error> {
    todo!()
}
