//! Decoded keys and columns of files, kept in memory within a bound.

use crate::file::{FileMeta, Numbering};
use crate::{Error, Run};
use object_store::ObjectStore;
use schemas::Dataset;
use std::sync::Arc;

/// Reads files through a bounded memory of decoded columns. Cloneable: clones share the memory.
#[derive(Clone, Debug)]
pub(crate) struct Cache {
    store: Arc<dyn ObjectStore>,
}

impl Cache {
    /// A cache over the object store of the data folder that holds at most about `bytes` bytes of decoded columns.
    pub(crate) fn new(store: Arc<dyn ObjectStore>, _bytes: u64) -> Cache {
        Cache { store }
    }

    /// Keys and the given fields of a file as a run; other columns are `None`. Fetches and decodes only what is not in
    /// memory, decoding on the runtime's blocking threads. A dropped call leaves nothing hanging.
    pub(crate) async fn load(
        &self,
        _dataset: &Arc<Dataset>,
        _file: &FileMeta,
        _fields: &[usize],
        _number: &Numbering,
    ) -> Result<Run, Error> {
        todo!()
    }
}
