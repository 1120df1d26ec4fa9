//! Reads CSV files in blocks and has their rows turned into readings side by side, in the files' order. What no mapping by columns
//! fits, or holds quotes, is fed row by row.

use super::feed::{Feed, Pace};
use crate::rows::blocks::{Block, Blocks};
use crate::rows::topic::Pattern;
use crate::{Error, Message};
use ingest::history::{Piece, Table};
use schemas::{Dataset, Time};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinHandle;

/// Blocks read and not handed over yet.
const BLOCKS: usize = 6;

/// What comes out, in order.
pub(super) enum Fed {
    /// A row as its message.
    Row(Message),
    /// A block's rows, once they are read.
    Block(Block, JoinHandle<Vec<Piece>>, OwnedSemaphorePermit),
}

/// What is to be imported.
pub(super) struct Bulk {
    pub(super) files: Vec<PathBuf>,
    pub(super) delimiter: Option<u8>,
    pub(super) pattern: Pattern,
    pub(super) dataset: Arc<Dataset>,
    /// Which of its sources maps the rows.
    pub(super) source: usize,
    /// Bounds how far ahead a stamp may be.
    pub(super) now: Time,
    /// Rows to leave out, over all files.
    pub(super) skip: u64,
    /// Rows to hand over at most.
    pub(super) limit: u64,
    /// Set when the person wants it to end.
    pub(super) stop: Arc<AtomicBool>,
    pub(super) queue: mpsc::Sender<Fed>,
}

impl Bulk {
    /// Feeds until the rows end, or nobody takes them.
    pub(super) fn run(mut self) -> Result<(), Error> {
        let room = Arc::new(Semaphore::new(BLOCKS));
        for file in std::mem::take(&mut self.files) {
            // Rows to be counted one by one are read one by one.
            let blocks = if self.limit == u64::MAX { Blocks::open(&file, self.delimiter)? } else { None };
            let table = blocks.as_ref().and_then(|blocks| self.table(blocks));
            match (blocks, table) {
                (Some(blocks), Some(table)) => self.blocks(blocks, &Arc::new(table), &room)?,
                _ => self.rows(&file)?,
            }
        }
        Ok(())
    }

    /// How the source reads the file's columns.
    fn table(&self, blocks: &Blocks) -> Option<Table> {
        let head = blocks.head();
        let level = |at| self.pattern.level(at, &head.names);
        Table::new(&self.dataset, self.source, &head.names, head.delimiter, &level)
    }

    /// Feeds a file block by block.
    fn blocks(&mut self, mut blocks: Blocks, table: &Arc<Table>, room: &Arc<Semaphore>) -> Result<(), Error> {
        let handle = Handle::current();
        while let Some(mut block) = blocks.next_block()? {
            if self.stop.load(Ordering::Acquire) {
                return Ok(());
            }
            if block.is_quoted() {
                let all = 0..block.bytes.len();
                for message in block.messages(all, &self.pattern)? {
                    if self.skip > 0 {
                        self.skip -= 1;
                    } else if self.queue.blocking_send(Fed::Row(message)).is_err() {
                        return Ok(());
                    }
                }
                continue;
            }
            if self.skip > 0 {
                self.skip = block.leave_out(self.skip);
            }
            let Ok(permit) = handle.block_on(room.clone().acquire_owned()) else { return Ok(()) };
            let (bytes, table, now) = (block.bytes.clone(), table.clone(), self.now);
            let read = handle.spawn_blocking(move || table.read(&bytes, now));
            if self.queue.blocking_send(Fed::Block(block, read, permit)).is_err() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Feeds a file row by row.
    fn rows(&mut self, file: &Path) -> Result<(), Error> {
        let (queue, mut messages) = mpsc::channel(1024);
        let feed = Feed {
            files: vec![file.to_owned()],
            delimiter: self.delimiter,
            pattern: self.pattern.clone(),
            skip: self.skip,
            limit: self.limit,
            pace: Pace::new(None),
            stop: self.stop.clone(),
            queue,
        };
        let feeding = Handle::current().spawn_blocking(move || feed.run());
        let mut handed = 0;
        while let Some(message) = messages.blocking_recv() {
            handed += 1;
            if self.queue.blocking_send(Fed::Row(message)).is_err() {
                break;
            }
        }
        drop(messages);
        let fed = Handle::current().block_on(feeding).map_err(|e| Error::run(format!("reading broke down: {e}")))?;
        self.limit = self.limit.saturating_sub(handed);
        self.skip = fed?.skip;
        Ok(())
    }
}
