//! Lamppost: open telemetry for cities. Sensors in, open data out, one binary.
//!
//! This crate is the thin top: the command line, the config file, the one place where the rooms are wired together
//! ([`app`]), and the simulated town that demo, tests and benches share ([`town`]).

pub mod app;
pub mod cli;
mod client;
pub mod commands;
pub mod config;
mod console;
pub mod contracts;
pub mod error;
pub mod logging;
pub mod message;
mod notify;
pub mod publisher;
pub mod rows;
mod runtime;
pub mod town;

pub use config::Config;
pub use error::{Error, Kind};
pub use message::Message;
