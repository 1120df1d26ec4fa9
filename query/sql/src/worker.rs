//! The life of a worker: confined first, then question by question until the server closes the pipe.

use crate::answer;
use crate::failure;
use crate::pipe::Pipe;
use crate::session::Engine;
use engine::sql::{Ask, FromWorker};
use rustix::process::{Resource, Rlimit, nice, setrlimit};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

/// Stack of the thread that parses, plans and runs: parsers and planners recurse as deep as a question nests.
const STACK: usize = 64 << 20;
/// How much nicer than the server a worker is: answering never takes time from taking in.
const NICE: i32 = 10;

/// Runs a worker on standard input and output until the input ends. `memory`: bytes of data the process may ever have, its
/// hard limit; what a question's operators may hold comes with the question and should be less.
pub fn run(memory: u64) -> ExitCode {
    match confine(memory).and_then(|()| start()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The server keeps the end of what its workers say.
            let _ = writeln!(io::stderr(), "sql-worker: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Takes away what a worker must not have: memory past its limit, a core dump, precedence.
fn confine(memory: u64) -> io::Result<()> {
    let most = |bytes| Rlimit { current: Some(bytes), maximum: Some(bytes) };
    setrlimit(Resource::Data, most(memory))?;
    setrlimit(Resource::Core, most(0))?;
    nice(NICE)?;
    Ok(())
}

/// Serves standard input and output. At the end of input the process ends at once, whatever still runs.
fn start() -> io::Result<()> {
    let input = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    let output = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    serve(input, output, |outcome| {
        if let Err(error) = &outcome {
            let _ = writeln!(io::stderr(), "sql-worker: {error}");
        }
        std::process::exit(i32::from(outcome.is_err()))
    })
}

/// Answers the questions that come by `input`; `ended` is told how reading ended.
pub(crate) fn serve(
    input: impl Read + Send + 'static,
    output: impl Write + Send + 'static,
    ended: impl FnOnce(io::Result<()>) + Send + 'static,
) -> io::Result<()> {
    let pipe = Arc::new(Pipe::new(output));
    let (asks, questions) = sync_channel(1);
    let frames = pipe.clone();
    thread::Builder::new().name("frames".to_owned()).spawn(move || ended(frames.read(input, &asks)))?;
    let answers = thread::Builder::new().name("answers".to_owned()).stack_size(STACK);
    let answers = answers.spawn(move || answer_all(&pipe, &questions))?;
    answers.join().unwrap_or_else(|_| Err(io::Error::other("the thread that answers has died")))
}

/// Answers one question after the other.
fn answer_all(pipe: &Arc<Pipe>, questions: &Receiver<Ask>) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let engine = Engine::new();
    pipe.send(&FromWorker::Ready)?;
    for ask in questions {
        // What a question has broken ends with it: nothing of it is kept.
        let outcome = catch_unwind(AssertUnwindSafe(|| runtime.block_on(answer::answer(pipe, &engine, &ask))));
        pipe.send(&match outcome {
            Ok(Ok(rows)) => FromWorker::Done { rows },
            Ok(Err(failure)) => FromWorker::Failed(failure),
            Err(_) => FromWorker::Failed(failure::broken()),
        })?;
    }
    Ok(())
}
