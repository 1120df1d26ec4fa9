//! One question's conversation with its worker: what the worker says is heard at any time, whatever is being told to it, so
//! that neither can wait for the other.

use super::ground::Ground;
use super::message::{Ask, Failure, FromWorker, Scan, ToWorker};
use super::pool::Answer;
use super::scan::{self, Pieces};
use super::worker::{Output, Worker, receive};
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use tokio::io::AsyncWriteExt;
use tokio::process::ChildStdin;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::{AbortHandle, JoinSet};

/// Frames that wait to be written; with the pieces of scans in it, this bounds a question's memory here.
const QUEUE: usize = 2;
/// Pieces a worker may ask for ahead of time.
const CREDIT: usize = 16;
/// Scans of one question.
const SCANS: usize = 256;

/// Asks a worker that is free. After an error the worker is of no more use; after a failure it is free again.
pub(super) async fn hold(worker: &mut Worker, ask: Ask, ground: Arc<Ground>) -> io::Result<Result<Answer, Failure>> {
    let (frames, queue) = mpsc::channel(QUEUE);
    let limit = ask.limits.bytes;
    let first = ToWorker::Ask(Box::new(ask)).encode();
    let heard = async {
        let mut scans = Scans { ground, frames, open: BTreeMap::new(), tasks: JoinSet::new() };
        hear(&mut worker.output, &mut scans, limit).await
    };
    // What is being written when the answer is whole is written to its end: the next question needs whole frames.
    let (told, ()) = tokio::join!(heard, tell(&mut worker.input, first, queue));
    told
}

/// Writes frames until there are no more. A worker that takes none has ended, and whoever hears it will learn so.
async fn tell(input: &mut ChildStdin, first: Vec<u8>, mut queue: mpsc::Receiver<Vec<u8>>) {
    let mut written = input.write_all(&first).await;
    while written.is_ok()
        && let Some(frame) = queue.recv().await
    {
        written = input.write_all(&frame).await;
    }
}

/// Hears the worker until it has answered or failed.
async fn hear(output: &mut Output, scans: &mut Scans, limit: u64) -> io::Result<Result<Answer, Failure>> {
    let mut answer = Answer::default();
    loop {
        match receive(output).await? {
            FromWorker::Scan(scan) => scans.open(scan)?,
            FromWorker::More { scan } => scans.credit(scan),
            FromWorker::Close { scan } => scans.close(scan),
            FromWorker::Head { columns } => answer.columns = columns,
            FromWorker::Body(bytes) => {
                answer.body.extend_from_slice(&bytes);
                if answer.body.len() as u64 > limit {
                    return Err(nonsense("it sends more bytes than it was allowed"));
                }
            }
            FromWorker::Done { rows } => return Ok(Ok(Answer { rows, ..answer })),
            FromWorker::Failed(failure) => return Ok(Err(failure)),
            FromWorker::Ready => return Err(nonsense("it says twice that it is ready")),
        }
    }
}

fn nonsense(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// The scans of a question. They end when this is dropped.
struct Scans {
    ground: Arc<Ground>,
    frames: mpsc::Sender<Vec<u8>>,
    /// Credit and task of each.
    open: BTreeMap<u32, (Arc<Semaphore>, AbortHandle)>,
    tasks: JoinSet<()>,
}

impl Scans {
    fn open(&mut self, scan: Scan) -> io::Result<()> {
        if self.open.len() == SCANS || self.open.contains_key(&scan.scan) {
            return Err(nonsense("it opens a scan twice, or far too many"));
        }
        let (number, credit) = (scan.scan, Arc::new(Semaphore::new(1)));
        let pieces = Pieces::new(credit.clone(), self.frames.clone());
        let task = self.tasks.spawn(run(scan, self.ground.clone(), pieces));
        self.open.insert(number, (credit, task));
        Ok(())
    }

    fn credit(&self, scan: u32) {
        let credit = self.open.get(&scan).map(|(credit, _)| credit);
        if let Some(credit) = credit.filter(|credit| credit.available_permits() < CREDIT) {
            credit.add_permits(1);
        }
    }

    fn close(&mut self, scan: u32) {
        if let Some((_, task)) = self.open.get(&scan) {
            task.abort();
        }
    }
}

/// Runs a scan to its end and tells how it ended.
async fn run(scan: Scan, ground: Arc<Ground>, pieces: Pieces) {
    let error = scan::run(&scan, &ground, &pieces).await.err();
    // Nobody to tell: the question has ended meanwhile.
    let _ = pieces.tell(&ToWorker::End { scan: scan.scan, error }).await;
}
