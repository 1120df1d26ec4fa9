//! The command line: what can be asked for, and how a run ends.

use crate::commands;
use crate::logging::{self, Format};
use crate::{Error, console, runtime};
use clap::{Parser, Subcommand};
use std::ffi::OsString;
use std::process::ExitCode;

/// Open telemetry for cities: sensors in, open data out, one binary.
#[derive(Debug, Parser)]
#[command(name = "lamppost", version, after_help = "Try it: lamppost demo")]
pub struct Cli {
    /// What of the log to show on standard error: a level, or directives such as warn,ingest=debug.
    #[arg(long, global = true, default_value = "warn", value_name = "FILTER")]
    pub log_level: String,
    /// How log lines look.
    #[arg(long, global = true, value_enum, default_value_t = Format::Text)]
    pub log_format: Format,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a whole town: simulated devices, doors, store and answers in one process.
    #[command(after_help = "Example: lamppost demo --http 127.0.0.1:8080 --mqtt 127.0.0.1:1883")]
    Demo(commands::demo::Options),
    /// Run the server.
    #[command(after_help = "Example: lamppost serve --config lamppost.toml")]
    Serve(commands::serve::Options),
    /// Check config and contracts: every fault at once.
    #[command(after_help = "Example: lamppost check --config lamppost.toml")]
    Check(commands::check::Options),
    /// Publish the rows of CSV or JSON-lines files as MQTT messages, in their order.
    #[command(after_help = "Example: lamppost replay air.csv.gz --to mqtt://127.0.0.1:1883 --topic 'city/{site}/air'")]
    Replay(commands::replay::Options),
    /// Put the rows of CSV or JSON-lines files straight into a dataset, while no server runs.
    #[command(after_help = "Example: lamppost import 2025.csv.gz --dataset air_quality --config lamppost.toml")]
    Import(commands::import::Options),
    /// Have the running server forget readings of a sensor, or list what was erased.
    #[command(after_help = "Example: lamppost erase parking --sensor p7 --from 2026-11-19 --to 2026-11-20")]
    Erase(commands::erase::Options),
    /// Have the running server copy all it keeps into a folder.
    #[command(after_help = "Example: lamppost backup --to /var/backups/lamppost/2026-11-20")]
    Backup(commands::backup::Options),
    /// Make a backup the data and log of a config, while no server runs.
    #[command(after_help = "Example: lamppost restore --from /var/backups/lamppost/2026-11-20 --config lamppost.toml")]
    Restore(commands::restore::Options),
    /// Write Grafana dashboards, one for each dataset and one over all.
    #[command(after_help = "Example: lamppost dashboards --out grafana --url http://127.0.0.1:8080")]
    Dashboards(commands::dashboards::Options),
    /// Make, list and revoke the keys that callers show.
    Key(commands::key::Options),
    /// Ask the running server how it is.
    #[command(after_help = "Example: lamppost status --url http://127.0.0.1:8080")]
    Status(commands::status::Options),
    /// Ask the running server a question in SQL.
    #[command(after_help = "Example: lamppost sql 'SELECT sensor, sum(vehicles) FROM traffic GROUP BY sensor'")]
    Sql(commands::sql::Options),
    /// Answer questions in SQL, on standard input and output. The server starts it.
    #[command(hide = true)]
    SqlWorker {
        /// Bytes it may have.
        memory: u64,
    },
}

/// Parses the command line and runs what it asks for.
pub fn main(words: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(words) {
        Ok(cli) => cli,
        Err(told) => {
            // Help and version are answers, not failures; clap prints each to its right stream.
            let _ = told.print();
            return if told.use_stderr() { Error::usage("").exit_code() } else { ExitCode::SUCCESS };
        }
    };
    match run(cli) {
        Ok(code) => code,
        Err(error) => {
            console::note(&error);
            error.exit_code()
        }
    }
}

/// Runs a command to its exit code.
fn run(cli: Cli) -> Result<ExitCode, Error> {
    logging::start(&cli.log_level, cli.log_format)?;
    match cli.command {
        Command::Check(options) => commands::check::run(&options),
        Command::Dashboards(options) => commands::dashboards::run(&options),
        Command::Demo(options) => runtime::run(commands::demo::run(options)),
        Command::Serve(options) => runtime::run(commands::serve::run(options)),
        Command::Replay(options) => runtime::run(commands::replay::run(options)),
        Command::Import(options) => runtime::run(commands::import::run(options)),
        Command::Backup(options) => runtime::run(commands::backup::run(options)),
        Command::Restore(options) => commands::restore::run(&options),
        Command::Erase(options) => runtime::run(commands::erase::run(options)),
        Command::Key(options) => commands::key::run(options),
        Command::Status(options) => runtime::run(commands::status::run(options)),
        Command::Sql(options) => runtime::run(commands::sql::run(options)),
        Command::SqlWorker { memory } => return Ok(sql::run(memory)),
    }?;
    Ok(ExitCode::SUCCESS)
}
