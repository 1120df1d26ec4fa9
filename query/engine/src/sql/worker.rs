//! One worker process: started, spoken with, and ended for sure.

use super::counters::Counters;
use super::failure::SMALLER;
use super::frame::{self, HEAD};
use super::message::{Failure, Fault, FromWorker};
use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::io::{AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::JoinHandle;

/// Bytes kept of what a worker says on its standard error: the last ones.
const TAIL: usize = 4096;
/// How long the end of a worker that has closed its pipes is waited for before it is killed.
const PARTING: Duration = Duration::from_secs(1);
/// Questions a worker answers before another takes its place.
const QUESTIONS: u32 = 1000;

/// How a worker is started.
#[derive(Clone, Debug)]
pub struct Start {
    /// The program, as an absolute path.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// Its whole environment.
    pub environment: Vec<(&'static str, &'static str)>,
}

/// A worker that has said that it is ready. Dropping it kills it.
pub(super) struct Worker {
    process: Process,
    pub(super) input: ChildStdin,
    pub(super) output: Output,
    /// What it last said on its standard error, once it has closed that.
    tail: JoinHandle<String>,
    questions: u32,
}

/// Its standard output.
pub(super) type Output = BufReader<ChildStdout>;

/// The process itself; killed and waited for when dropped, so that no zombie stays.
struct Process {
    child: Option<Child>,
    runtime: Handle,
    counters: Arc<Counters>,
    /// The place of the question it answers: free again only when the process is gone.
    place: Option<OwnedSemaphorePermit>,
}

impl Worker {
    /// Starts one on this runtime and waits until it is ready.
    pub(super) async fn start(
        start: &Start,
        place: OwnedSemaphorePermit,
        counters: &Arc<Counters>,
    ) -> Result<Worker, Failure> {
        let mut command = Command::new(&start.program);
        // A group of its own: Ctrl-C in the server's terminal is for the server alone, which lets questions end.
        command
            .args(&start.arguments)
            .env_clear()
            .envs(start.environment.iter().copied())
            .current_dir("/")
            .process_group(0)
            .kill_on_drop(true);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| failed(&format!("a SQL worker cannot be started: {error}")))?;
        if let Some(id) = child.id() {
            // When the machine runs out of memory, a question should end and not the server. Not every kernel asks.
            let _ = std::fs::write(format!("/proc/{id}/oom_score_adj"), "1000");
        }
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        counters.workers.fetch_add(1, Ordering::Relaxed);
        counters.started.fetch_add(1, Ordering::Relaxed);
        let process =
            Process { child: Some(child), runtime: Handle::current(), counters: counters.clone(), place: Some(place) };
        let (Some(input), Some(output), Some(errors)) = pipes else {
            return Err(failed("a SQL worker has no pipes"));
        };
        let tail = tokio::spawn(tail(errors));
        let mut worker = Worker { process, input, output: BufReader::new(output), tail, questions: 0 };
        match receive(&mut worker.output).await {
            Ok(FromWorker::Ready) => Ok(worker),
            Ok(_) => Err(failed("a SQL worker did not begin by saying that it is ready")),
            Err(error) => Err(worker.ended(&error).await),
        }
    }

    /// Takes the place of the next question.
    pub(super) fn sit(&mut self, place: OwnedSemaphorePermit) {
        self.process.place = Some(place);
    }

    /// Gives the place back; nothing when the worker is worn and should not be asked again.
    pub(super) fn rise(&mut self, memory: u64) -> Option<OwnedSemaphorePermit> {
        self.questions += 1;
        let fresh = self.questions < QUESTIONS && self.process.resident()? < memory / 2;
        self.process.place.take_if(|_| fresh)
    }

    /// Whether it still runs, as far as the kernel says.
    pub(super) fn is_alive(&mut self) -> bool {
        self.process.child.as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(None)))
    }

    /// Lets go of it in peace: its end is no question's.
    pub(super) fn dismiss(mut self) {
        self.process.end(false);
    }

    /// What a question is told whose worker's pipe ended or carries nonsense. The log says more.
    pub(super) async fn ended(mut self, error: &io::Error) -> Failure {
        let child = self.process.child.as_mut().filter(|_| error.kind() != io::ErrorKind::InvalidData);
        let waited = match child {
            Some(child) => tokio::time::timeout(PARTING, child.wait()).await.ok().and_then(Result::ok),
            None => None,
        };
        self.process.end(waited.is_none());
        let tail = tokio::time::timeout(PARTING, &mut self.tail).await;
        let said = tail.ok().and_then(Result::ok).unwrap_or_default();
        let fate = waited.map_or_else(|| "killed".to_owned(), |status| status.to_string());
        tracing::warn!(%error, fate, said, "a SQL worker ended in the middle of a question");
        cause(waited, &said)
    }
}

/// Why a worker ended, by how and by its last words.
fn cause(status: Option<ExitStatus>, said: &str) -> Failure {
    let signal = status.and_then(|status| std::os::unix::process::ExitStatusExt::signal(&status));
    // Signal 9 was not ours here: the kernel makes room so when the machine's memory is used up.
    let memory = said.contains("memory allocation of") || signal == Some(9);
    if memory {
        return Failure::new(Fault::Memory, "the question needs more memory than it may have", &SMALLER);
    }
    if said.contains("overflowed its stack") {
        return Failure::new(
            Fault::TooMuch,
            "the question is nested too deeply",
            &["fewer terms, or fewer levels of them"],
        );
    }
    Failure::internal()
}

/// Logs what went wrong, and tells the caller only that something did.
fn failed(what: &str) -> Failure {
    tracing::error!("{what}");
    Failure::internal()
}

impl Process {
    /// Kills it if it still runs and has it waited for. `wrong`: it counts as killed because a question had gone wrong.
    fn end(&mut self, wrong: bool) {
        let Some(mut child) = self.child.take() else { return };
        let place = self.place.take();
        self.counters.workers.fetch_sub(1, Ordering::Relaxed);
        if child.id().is_some() && child.start_kill().is_ok() && wrong {
            self.counters.killed.fetch_add(1, Ordering::Relaxed);
        }
        self.runtime.spawn(async move {
            let _ = child.wait().await;
            drop(place);
        });
    }

    /// Bytes it has resident.
    fn resident(&self) -> Option<u64> {
        let id = self.child.as_ref()?.id()?;
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kibibytes| kibibytes << 10)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end(true);
    }
}

/// The next message of a worker.
pub(super) async fn receive(output: &mut Output) -> io::Result<FromWorker> {
    let mut head = [0; HEAD];
    output.read_exact(&mut head).await?;
    let (length, tag) = frame::head(head)?;
    let mut body = vec![0; length];
    output.read_exact(&mut body).await?;
    FromWorker::decode(tag, body.into())
}

/// Reads a worker's standard error to its end and keeps the last of it.
async fn tail(mut errors: ChildStderr) -> String {
    let (mut kept, mut read) = (Vec::new(), [0; 1024]);
    while let Ok(bytes @ 1..) = errors.read(&mut read).await {
        kept.extend_from_slice(&read[..bytes]);
        kept.drain(..kept.len().saturating_sub(TAIL));
    }
    String::from_utf8_lossy(&kept).into_owned()
}
