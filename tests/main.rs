//! The one integration-test binary of the workspace root: each further one would link everything again.

mod cli;
mod clients;
mod crash;
mod dashboards;
mod front;
mod install;
mod keys;
mod metrics;
mod mosquitto;
mod pressure;
mod recorded;
mod server;
mod sql;
mod tidy;
