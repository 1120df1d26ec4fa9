//! A run as the bytes of a Parquet file.

use super::FileMeta;
use crate::paths::FileName;
use crate::{Error, Run, SensorTable};
use bytes::Bytes;
use schemas::Dataset;

/// The Parquet file of a run, and its figures. The run has at least one row, all within the day of `name`.
///
/// Rows are sorted by (sensor id as bytes, time). Columns: `sensor` (string), `time` (timestamp, µs, UTC), one DECIMAL per
/// field, states as words. A field without a value in the run is a column of nulls. CPU work: call it on a blocking thread.
pub(crate) fn encode(
    _dataset: &Dataset,
    _run: &Run,
    _sensors: &SensorTable,
    _name: FileName,
) -> Result<(FileMeta, Bytes), Error> {
    todo!()
}
