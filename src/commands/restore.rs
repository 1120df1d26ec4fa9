//! `lamppost restore`: makes a backup the data and log of a config, while no server runs.

use crate::{Config, Error, console};
use std::path::PathBuf;

/// What `restore` takes.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Folder of the backup.
    #[arg(long, value_name = "DIR")]
    from: PathBuf,
    /// The config whose folders of data and log it goes to; both must be empty or not there yet.
    #[arg(long, default_value = "lamppost.toml", value_name = "FILE")]
    config: PathBuf,
}

/// Restores and says what came back.
pub fn run(options: &Options) -> Result<(), Error> {
    // Nothing listens here: where the doors would be does not matter.
    let config = Config::read(&options.config, true)?;
    let restored = store::restore(&options.from, &config.store.data, &config.store.log)?;
    console::say(format!(
        "{} files, {} bytes, checked, up to position {}, of {}; start the server as ever",
        console::count(restored.files),
        console::count(restored.bytes),
        restored.position.0,
        restored.datasets.join(", ")
    ));
    Ok(())
}
