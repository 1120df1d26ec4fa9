//! `lamppost dashboards`: Grafana's provisioning and dashboards, from contracts.

use crate::commands::check;
use crate::town::Town;
use crate::{Error, console, contracts};
use dashboards::Language;
use schemas::Dataset;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use url::Url;

/// What `dashboards` takes.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Folder to write into; files of an earlier run are replaced.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Where Grafana reaches Lamppost.
    #[arg(long, default_value = "http://lamppost:8080", value_name = "URL")]
    url: Url,
    /// Folder of the contracts; the demo's datasets without it and --config.
    #[arg(long, value_name = "DIR", conflicts_with = "config")]
    contracts: Option<PathBuf>,
    /// Config file that names the folder of the contracts.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Which titles are shown, where contracts have several.
    #[arg(long, default_value = "en", value_name = "LANGUAGE")]
    lang: String,
    /// Let Grafana send the key in its environment variable LAMPPOST_KEY.
    #[arg(long)]
    with_key: bool,
}

/// Writes the files and tells which.
pub fn run(options: &Options) -> Result<(), Error> {
    if !["http", "https"].contains(&options.url.scheme()) {
        return Err(Error::usage(format!("--url {}: write http://… or https://…", options.url)));
    }
    let datasets = datasets(options)?;
    let wanted = dashboards::Options {
        url: options.url.as_str().trim_end_matches('/').to_owned(),
        with_key: options.with_key,
        language: Language(options.lang.clone()),
    };
    for file in dashboards::files(&datasets, &wanted) {
        let path = options.out.join(&file.path);
        write(&path, &file.text).map_err(|e| Error::run(format!("{}: {e}", path.display())))?;
        console::say(path.display());
    }
    Ok(())
}

/// The datasets asked for.
fn datasets(options: &Options) -> Result<Vec<Arc<Dataset>>, Error> {
    Ok(match (&options.contracts, &options.config) {
        (Some(folder), _) => contracts::read(folder)?,
        (None, Some(config)) => check::read(config, true)?.1,
        (None, None) => {
            let town = Town::new(1);
            contracts::shipped(|dataset| town.registry(dataset))?
        }
    })
}

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
    std::fs::write(path, text)
}
