//! The pipe to the server: frames in and out, and which scan a piece of rows is for.

use engine::sql::frame::{self, HEAD};
use engine::sql::{Ask, Failure, FromWorker, Rows, Scan, ToWorker};
use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::mpsc;

/// Pieces of a scan that may be under way at once.
const AHEAD: u32 = 2;
/// Messages of a scan that may wait: its pieces under way, names and an end beside them.
const WAITING: usize = 64;

/// The worker's end of the pipe.
pub(crate) struct Pipe {
    out: Mutex<Box<dyn Write + Send>>,
    scans: Mutex<Scans>,
}

/// The scans under way, by number.
#[derive(Default)]
struct Scans {
    last: u32,
    open: HashMap<u32, mpsc::Sender<Piece>>,
}

/// What arrives for a scan.
#[derive(Debug)]
pub(crate) enum Piece {
    /// The sensors that rows from here on name by their place.
    Names(Vec<String>),
    /// Rows of a dataset.
    Rows(Rows),
    /// Rows of another table.
    Records(Vec<Vec<serde_json::Value>>),
    /// No more, and why if that is a failure.
    End(Option<Failure>),
}

impl Pipe {
    /// A pipe that writes to `out`.
    pub(crate) fn new(out: impl Write + Send + 'static) -> Pipe {
        Pipe { out: Mutex::new(Box::new(out)), scans: Mutex::default() }
    }

    /// Sends a message. The error means that the server is gone.
    pub(crate) fn send(&self, message: &FromWorker) -> io::Result<()> {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        out.write_all(&message.encode())
    }

    /// Starts a scan; its number is filled in here.
    pub(crate) fn scan(self: &Arc<Pipe>, mut scan: Scan) -> io::Result<Pieces> {
        let (sender, inbox) = mpsc::channel(WAITING);
        {
            let mut scans = self.scans();
            scans.last += 1;
            scan.scan = scans.last;
            scans.open.insert(scan.scan, sender);
        }
        let pieces = Pieces { pipe: self.clone(), scan: scan.scan, inbox, ended: false };
        self.send(&FromWorker::Scan(scan))?;
        for _ in 1..AHEAD {
            self.send(&FromWorker::More { scan: pieces.scan })?;
        }
        Ok(pieces)
    }

    /// Reads frames until the input ends: pieces go to their scans, questions to `asks`.
    pub(crate) fn read(&self, mut input: impl Read, asks: &SyncSender<Ask>) -> io::Result<()> {
        loop {
            let mut head = [0; HEAD];
            if input.read(&mut head[..1])? == 0 {
                return Ok(());
            }
            input.read_exact(&mut head[1..])?;
            let (length, tag) = frame::head(head)?;
            let mut body = Vec::with_capacity(length);
            if input.by_ref().take(length as u64).read_to_end(&mut body)? < length {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let (scan, piece) = match ToWorker::decode(tag, &body)? {
                ToWorker::Ask(ask) => {
                    asks.send(*ask).map_err(|_| io::Error::other("nobody answers questions any more"))?;
                    continue;
                }
                ToWorker::Names { scan, ids } => (scan, Piece::Names(ids)),
                ToWorker::Rows(rows) => (rows.scan, Piece::Rows(rows)),
                ToWorker::Records { scan, rows } => (scan, Piece::Records(rows)),
                ToWorker::End { scan, error } => (scan, Piece::End(error)),
            };
            // A scan that is closed may still get what was under way.
            let Some(inbox) = self.scans().open.get(&scan).cloned() else { continue };
            if let Err(mpsc::error::TrySendError::Full(_)) = inbox.try_send(piece) {
                return Err(io::Error::other("more pieces than were asked for"));
            }
        }
    }

    fn scans(&self) -> MutexGuard<'_, Scans> {
        self.scans.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Pipe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pipe")
    }
}

/// The pieces of one scan. Dropping it tells the server that no more is wanted.
pub(crate) struct Pieces {
    pipe: Arc<Pipe>,
    scan: u32,
    inbox: mpsc::Receiver<Piece>,
    ended: bool,
}

impl Pieces {
    /// The next piece; after an end there is none.
    pub(crate) async fn next(&mut self) -> Option<Piece> {
        if self.ended {
            return None;
        }
        let piece = self.inbox.recv().await?;
        self.ended = matches!(piece, Piece::End(_));
        Some(piece)
    }

    /// Asks for one more piece.
    pub(crate) fn more(&self) -> io::Result<()> {
        self.pipe.send(&FromWorker::More { scan: self.scan })
    }
}

impl Drop for Pieces {
    fn drop(&mut self) {
        self.pipe.scans().open.remove(&self.scan);
        if !self.ended {
            // When the server is gone, reading its frames says so.
            let _ = self.pipe.send(&FromWorker::Close { scan: self.scan });
        }
    }
}
