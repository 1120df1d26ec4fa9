//! Structured logs on standard error, quiet by default.

use crate::Error;
use tracing_subscriber::EnvFilter;

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line, for machines.
    Json,
}

/// Starts logging for the process. `filter` is a level (`info`) or directives (`warn,ingest=debug`).
pub fn start(filter: &str, format: Format) -> Result<(), Error> {
    let filter = EnvFilter::builder().parse(filter).map_err(|e| {
        Error::usage(format!("--log-level {filter:?}: {e}; write a level such as info, or warn,ingest=debug"))
    })?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false);
    let started = match format {
        Format::Text => builder.try_init(),
        Format::Json => builder.json().flatten_event(true).try_init(),
    };
    started.map_err(|e| Error::run(format!("cannot start logging: {e}")))
}
