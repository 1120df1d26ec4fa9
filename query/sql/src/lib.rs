//! SQL in a process of its own: what `lamppost sql-worker` runs.

use engine::sql::FromWorker;
use std::io::{self, Read, Write};
use std::process::ExitCode;

/// Runs a worker on standard input and output until the input ends. `memory`: bytes of data the process may ever have, its
/// hard limit; what a question's operators may hold comes with the question and should be less.
pub fn run(_memory: u64) -> ExitCode {
    let ready = io::stdout().write_all(&FromWorker::Ready.encode()).and_then(|()| io::stdout().flush());
    let ended = ready.and_then(|()| io::stdin().read_to_end(&mut Vec::new()));
    if ended.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
