//! An upload in parts, written as one put when it is complete: only checkpoints come so, and they fit in memory.

use super::Durable;
use async_trait::async_trait;
use futures::FutureExt;
use object_store::path::Path as Place;
use object_store::{MultipartUpload, PutMode, PutPayload, PutResult, Result, UploadPart};

/// Parts that have arrived so far.
#[derive(Debug)]
pub(super) struct Upload {
    store: Durable,
    place: Place,
    parts: Vec<PutPayload>,
}

impl Upload {
    /// An upload without parts.
    pub(super) fn new(store: Durable, place: Place) -> Upload {
        Upload { store, place, parts: Vec::new() }
    }
}

#[async_trait]
impl MultipartUpload for Upload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        self.parts.push(data);
        async { Ok(()) }.boxed()
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let whole: PutPayload = self.parts.drain(..).flatten().collect();
        self.store.write(&self.place, whole, PutMode::Overwrite).await
    }

    async fn abort(&mut self) -> Result<()> {
        self.parts.clear();
        Ok(())
    }
}
