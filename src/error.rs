//! Why a command failed, and with which exit code.

use std::process::ExitCode;

/// What sort of failure it was; the exit code follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The command line is wrong: 64 (`EX_USAGE` of sysexits.h).
    Usage,
    /// The config or a contract is wrong: 78 (`EX_CONFIG`).
    Config,
    /// Anything else: 1.
    Run,
}

/// A failure of a command, told in words for the person who started it.
#[derive(Debug)]
pub struct Error {
    /// Its sort.
    pub kind: Kind,
    /// What was wrong and what would be right; faults of files one per line.
    pub message: String,
}

impl Error {
    /// The command line asks for something that cannot be.
    pub fn usage(message: impl Into<String>) -> Error {
        Error { kind: Kind::Usage, message: message.into() }
    }

    /// Something went wrong while running.
    pub fn run(message: impl Into<String>) -> Error {
        Error { kind: Kind::Run, message: message.into() }
    }

    /// The exit code to end with.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self.kind {
            Kind::Usage => 64,
            Kind::Config => 78,
            Kind::Run => 1,
        })
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.message.trim_end())
    }
}

impl std::error::Error for Error {}

impl From<schemas::Faults> for Error {
    fn from(faults: schemas::Faults) -> Error {
        Error { kind: Kind::Config, message: faults.to_string() }
    }
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Error {
        let kind = if error.kind == store::Kind::Mismatch { Kind::Config } else { Kind::Run };
        Error { kind, message: error.message }
    }
}
