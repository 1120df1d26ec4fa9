//! The doors over real sockets, in front of a real store.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]
#![allow(clippy::print_stderr, reason = "measurements and skipped tests are told to a person")]

mod broker;
mod chaos;
mod device;
mod graphite;
mod ground;
mod http;
mod import;
mod keys;
mod killed;
mod listener;
mod mosquitto;
mod rate;
