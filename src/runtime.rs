//! The tokio runtime of the process, and the signals that end it.

use crate::Error;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Runs a command to its end.
pub(crate) fn run(command: impl Future<Output = Result<(), Error>>) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().thread_name("lamppost").build();
    let runtime = runtime.map_err(|e| Error::run(format!("cannot start threads: {e}")))?;
    runtime.block_on(command)
}

/// The person's wish to end: Ctrl-C, or a polite kill (SIGTERM). None is lost between two waits.
#[derive(Debug)]
pub(crate) struct Interrupts {
    int: Signal,
    term: Signal,
}

impl Interrupts {
    /// Listens from now on.
    pub(crate) fn listen() -> Result<Interrupts, Error> {
        let listen = |kind| signal(kind).map_err(|e| Error::run(format!("cannot listen for signals: {e}")));
        Ok(Interrupts { int: listen(SignalKind::interrupt())?, term: listen(SignalKind::terminate())? })
    }

    /// The next wish to end.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.int.recv() => {}
            _ = self.term.recv() => {}
        }
    }
}
