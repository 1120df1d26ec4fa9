//! `lamppost check`: config and contracts, every fault at once.

use crate::app::{self, certificates};
use crate::{Config, Error, console, contracts};
use schemas::source::{Decoder, TimeSpec};
use schemas::{Access, Cadence, Dataset, Faults, Source};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What `check` takes.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The config file.
    #[arg(long, default_value = "lamppost.toml", value_name = "FILE")]
    config: PathBuf,
    /// Judge it as `serve --insecure` would.
    #[arg(long)]
    insecure: bool,
}

/// Checks, and tells what stands there when it is right.
pub fn run(options: &Options) -> Result<(), Error> {
    let (config, datasets) = read(&options.config, options.insecure)?;
    console::say(format!("{} is right.", options.config.display()));
    for dataset in &datasets {
        console::say(line(dataset));
    }
    for warning in warnings(&config, &datasets) {
        console::note(format!("warning: {warning}"));
    }
    Ok(())
}

/// Config and contracts of a config file; the faults of both together.
pub fn read(file: &Path, insecure: bool) -> Result<(Config, Vec<Arc<Dataset>>), Faults> {
    let config = Config::read(file, insecure);
    // With a faulty config the contracts are still worth a look, if it is known where they are.
    let folder = match &config {
        Ok(config) => Some(config.contracts.clone()),
        Err(_) => contracts_folder(file),
    };
    match (config, folder.map(|folder| contracts::read(&folder))) {
        (Ok(config), Some(Ok(datasets))) => Ok((config, datasets)),
        (config, datasets) => {
            let mut faults = config.err().unwrap_or_default().0;
            faults.extend(datasets.and_then(Result::err).unwrap_or_default().0);
            Err(Faults(faults))
        }
    }
}

/// The contracts folder a faulty config means, if that much of it can be read.
fn contracts_folder(file: &Path) -> Option<PathBuf> {
    let table: toml::Table = std::fs::read_to_string(file).ok()?.parse().ok()?;
    let folder = file.parent()?;
    match table.get("contracts") {
        None => Some(Config::new(folder).contracts),
        Some(named) => Some(folder.join(named.as_str()?)),
    }
}

/// One dataset in one line.
fn line(dataset: &Dataset) -> String {
    let fields: Vec<&str> = dataset.fields.iter().map(|field| &*field.name).collect();
    let ways: Vec<String> = dataset.sources.iter().map(way).collect();
    let every = match dataset.every {
        Cadence::Every(micros) => format!("every {} s", micros / schemas::time::SECOND),
        Cadence::Event => "by event".into(),
    };
    let (fields, ways) = (fields.join(", "), ways.join(", "));
    format!("  {}: {fields}; {every}; from {ways}; {} sensors registered", dataset.id, dataset.sensors.len())
}

/// How readings of a source arrive, in a word or two.
fn way(source: &Source) -> String {
    let topic = source.mqtt.as_ref().map(|filter| filter.as_str());
    match (&source.decoder, topic) {
        (Decoder::Line(measurement), _) => format!("lines of {measurement:?}"),
        (Decoder::Graphite(pattern), _) => format!("Graphite paths {:?}", pattern.as_str()),
        (Decoder::Senml(pattern), None) => format!("SenML names {:?}", pattern.as_str()),
        (Decoder::Senml(pattern), Some(topic)) => format!("SenML names {:?} at {topic}", pattern.as_str()),
        (Decoder::Json, Some(topic)) => topic.to_owned(),
        (Decoder::Json, None) if source.http => "its HTTP door".to_owned(),
        (Decoder::Json, None) => "imports".to_owned(),
    }
}

/// What is allowed, but worth knowing.
fn warnings(config: &Config, datasets: &[Arc<Dataset>]) -> Vec<String> {
    let mut warnings = Vec::new();
    let sources = || datasets.iter().flat_map(|dataset| &dataset.sources);
    if config.mqtt.is_none() && config.brokers.is_empty() && sources().any(|source| source.mqtt.is_some()) {
        warnings.push("nothing can come in by MQTT: set mqtt.listen or add a [[broker]]".into());
    }
    let graphite = |source: &&Source| matches!(source.decoder, Decoder::Graphite(_));
    if config.graphite.is_none()
        && let Some(source) = sources().find(graphite)
    {
        warnings.push(format!("{}: nothing can come in by Graphite's plaintext: set graphite.listen", source.name));
    }
    let fronts = [("http", &config.http_front), ("mqtt", &config.mqtt_front)];
    warnings.extend(certificates::warnings(fronts, app::clock()()));
    if config.public_metrics
        && let Some(dataset) = datasets.iter().find(|dataset| dataset.access == Access::Restricted)
    {
        warnings.push(format!(
            "metrics.public tells anybody that there is {}, which is restricted, and how many readings it has; let \
             Prometheus show a key with the scope operate instead",
            dataset.id
        ));
    }
    for source in sources() {
        if matches!(source.time, TimeSpec::Arrival) {
            warnings.push(format!(
                "{}: time = \"arrival\" is at-least-once: a redelivery that comes late counts as a new reading; \
                 let devices send their time if they can",
                source.name
            ));
        }
    }
    warnings
}
