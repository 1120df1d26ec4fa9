//! Scans: the rows a worker asks for, piece by piece, each only when the worker has asked for one more.

mod readings;
mod records;

use super::ground::Ground;
use super::message::{Failure, Scan, ToWorker};
use std::sync::Arc;
use tokio::sync::{Semaphore, mpsc};

/// Sends all rows of a scan.
pub(super) async fn run(scan: &Scan, ground: &Ground, pieces: &Pieces) -> Result<(), Failure> {
    let table = ground.table(&scan.table)?;
    match table.series {
        true => readings::send(scan, ground, pieces).await,
        false => records::send(scan, table, ground, pieces).await,
    }
}

/// Where the pieces of a scan go.
pub(super) struct Pieces {
    credit: Arc<Semaphore>,
    frames: mpsc::Sender<Vec<u8>>,
}

/// The worker takes no more of a scan: its question has ended.
pub(super) struct Ended;

impl Pieces {
    /// Each costs a permit, and goes this way.
    pub(super) fn new(credit: Arc<Semaphore>, frames: mpsc::Sender<Vec<u8>>) -> Pieces {
        Pieces { credit, frames }
    }

    /// Sends a piece of rows once there is credit for it.
    async fn send(&self, piece: &ToWorker) -> Result<(), Ended> {
        self.credit.acquire().await.map_err(|_| Ended)?.forget();
        self.tell(piece).await
    }

    /// Sends what costs no credit.
    pub(super) async fn tell(&self, message: &ToWorker) -> Result<(), Ended> {
        self.frames.send(message.encode()).await.map_err(|_| Ended)
    }
}

impl From<Ended> for Failure {
    /// Nobody will read it.
    fn from(_: Ended) -> Failure {
        Failure::internal()
    }
}

#[cfg(test)]
mod tests;
