//! `lamppost serve`: the server.

use super::check;
use crate::app::{self, App, Sockets, sockets};
use crate::runtime::Interrupts;
use crate::{Error, console, notify};
use std::path::PathBuf;

/// What `serve` takes.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The config file.
    #[arg(long, default_value = "lamppost.toml", value_name = "FILE")]
    config: PathBuf,
    /// Let doors listen beyond this machine without keys, TLS or trusted proxies.
    #[arg(long)]
    insecure: bool,
}

/// Serves until interrupted.
pub async fn run(options: Options) -> Result<(), Error> {
    let (config, datasets) = check::read(&options.config, options.insecure)?;
    let mut interrupts = Interrupts::listen()?;
    let sockets = Sockets::bind(&config).await?;
    let http = sockets::address(&sockets.http)?;
    let mqtt = sockets.mqtt.as_ref().map(sockets::address).transpose()?;
    let graphite = sockets.graphite.as_ref().map(sockets::address).transpose()?;
    let app = App::open(&config, datasets, app::clock()).await?;
    let secured = |front: &access::Front| if front.tls.is_some() { "s" } else { "" };
    console::say(format!("http door: http{}://{http}", secured(&config.http_front)));
    if let Some(mqtt) = mqtt {
        console::say(format!("mqtt door: mqtt{}://{mqtt}", secured(&config.mqtt_front)));
    }
    if let Some(graphite) = graphite {
        console::say(format!("graphite door: tcp://{graphite}"));
    }
    for broker in &config.brokers {
        console::say(format!("broker: {}", broker.name()));
    }
    let shutdown = async {
        interrupts.next().await;
        notify::stopping();
    };
    notify::ready();
    let summary = app.serve(&config, sockets, shutdown).await?;
    console::say(summary);
    Ok(())
}
