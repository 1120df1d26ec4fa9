//! A file of which only some stretches are at hand.

use bytes::{Buf, Bytes};
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, Length};
use std::ops::Range;
use std::sync::Arc;

/// Stretches of a file; reading elsewhere is an error.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parts {
    length: u64,
    /// Start and bytes.
    parts: Arc<Vec<(u64, Bytes)>>,
}

impl Parts {
    /// Nothing yet of a file of that length.
    pub(crate) fn new(length: u64) -> Parts {
        Parts { length, parts: Arc::default() }
    }

    /// Adds a stretch.
    pub(crate) fn add(&mut self, start: u64, bytes: Bytes) {
        Arc::make_mut(&mut self.parts).push((start, bytes));
    }

    /// Whether a range is there.
    pub(crate) fn holds(&self, range: &Range<u64>) -> bool {
        self.parts.iter().any(|(at, bytes)| *at <= range.start && range.end <= at + bytes.len() as u64)
    }

    /// The bytes from `start` to the end of the stretch that holds it.
    fn from(&self, start: u64) -> Result<Bytes> {
        let holds = |(at, bytes): &&(u64, Bytes)| *at <= start && start < at + bytes.len() as u64;
        let (at, bytes) =
            self.parts.iter().find(holds).ok_or_else(|| ParquetError::EOF(format!("nothing at byte {start}")))?;
        Ok(bytes.slice((start - at) as usize..))
    }
}

impl Length for Parts {
    fn len(&self) -> u64 {
        self.length
    }
}

impl ChunkReader for Parts {
    type T = bytes::buf::Reader<Bytes>;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        Ok(self.from(start)?.reader())
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        let bytes = self.from(start)?;
        match length <= bytes.len() {
            true => Ok(bytes.slice(..length)),
            false => Err(ParquetError::EOF(format!("{length} bytes at byte {start} are not all there"))),
        }
    }
}
