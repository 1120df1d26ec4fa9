//! A text in the footer of a late file: what the file says besides its rows.

use super::layout;
use super::read::guard;
use crate::Error;
use bytes::Bytes;
use parquet::errors::Result as Parquet;
use parquet::file::metadata::{KeyValue, ParquetMetaDataReader};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use std::sync::Arc;

/// Its key among the footer's.
const KEY: &str = "lamppost.erased";

/// The footer's entry of a text.
pub(super) fn entry(text: &str) -> KeyValue {
    KeyValue::new(KEY.to_owned(), text.to_owned())
}

/// A file of a text alone, without rows.
pub(crate) fn alone(text: &str) -> Parquet<Bytes> {
    let schema = layout::schema(vec![layout::sensor()?, layout::time()?])?;
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, Arc::new(WriterProperties::builder().build()))?;
    writer.append_key_value_metadata(entry(text));
    writer.into_inner().map(Bytes::from)
}

/// Rows of a file, and its text if it has one. `path` names it, with the dataset, should it be damaged.
pub(crate) fn read(path: &str, bytes: &Bytes) -> Result<(u64, Option<String>), Error> {
    guard(path, || {
        let found = ParquetMetaDataReader::new().parse_and_finish(bytes)?;
        let file = found.file_metadata();
        let entries = file.key_value_metadata().into_iter().flatten();
        let text = entries.filter(|entry| entry.key == KEY).find_map(|entry| entry.value.clone());
        Ok((file.num_rows().max(0) as u64, text))
    })
}
