//! `lamppost demo`: a whole town in one process, with a week behind it and live devices over real MQTT.

mod folder;
mod gateways;
mod guide;
mod history;

use crate::app::{self, App, Sockets, sockets};
use crate::runtime::Interrupts;
use crate::town::Town;
use crate::{Config, Error, console, contracts};
use folder::Folder;
use schemas::Dataset;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use tokio::sync::watch;

/// Usual port of HTTP servers beside the system's own.
const HTTP_PORT: u16 = 8080;
/// Port of MQTT without TLS (IANA).
const MQTT_PORT: u16 = 1883;

/// What `demo` takes.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Folder to keep the town's data in; without it a temporary one, removed at the end.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Where the HTTP door listens; 127.0.0.1:8080 without it, or a free port if that one is taken.
    #[arg(long, value_name = "ADDRESS")]
    http: Option<SocketAddr>,
    /// Where the MQTT door listens; 127.0.0.1:1883 without it, or a free port if that one is taken.
    #[arg(long, value_name = "ADDRESS")]
    mqtt: Option<SocketAddr>,
    /// Another seed is another town.
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
}

/// Runs the town until interrupted.
pub async fn run(options: Options) -> Result<(), Error> {
    let http = listen("http", options.http, HTTP_PORT).await?;
    let mqtt = listen("mqtt", options.mqtt, MQTT_PORT).await?;
    let mut interrupts = Interrupts::listen()?;
    let town = Arc::new(Town::new(options.seed));
    let folder = Folder::take(options.dir)?;
    let mut config = Config::new(folder.path());
    (config.http, config.mqtt) = (http, Some(mqtt));
    let sockets = Sockets::bind(&config).await?;
    let http = sockets::address(&sockets.http)?;
    let mqtt = sockets.mqtt.as_ref().map_or(Ok(mqtt), sockets::address)?;
    let clock = app::clock();
    let datasets = datasets(&town)?;
    let app = App::open(&config, datasets.clone(), clock.clone()).await?;
    guide::greet(&folder, http, mqtt);
    let (stop, stopped) = watch::channel(false);
    let now = clock();
    let gaps = history::plan(&app, &datasets, now)?;
    let mut past = tokio::spawn(history::fill(gaps, town.clone(), stopped.clone()));
    let gateways = tokio::spawn(gateways::run(town, mqtt, now, clock, stopped));
    let (tell, told) = tokio::sync::oneshot::channel();
    let shutdown = async {
        let mut wish = pin!(interrupts.next());
        let filled = tokio::select! {
            () = &mut wish => None,
            filled = &mut past => Some(filled.unwrap_or_else(|e| Err(Error::run(format!("history broke down: {e}"))))),
        };
        if let Some(Ok(filled)) = &filled {
            guide::filled(filled);
            wish.await;
        }
        // The devices stop first, so that the door does not cut them off.
        let _ = stop.send(true);
        let _ = gateways.await;
        let outcome = match filled {
            Some(filled) => filled.map(|_| ()),
            None => past.await.map_or(Ok(()), |filled| filled.map(|_| ())),
        };
        let _ = tell.send(outcome);
    };
    let summary = app.serve(&config, sockets, shutdown).await?;
    console::say(summary);
    drop(folder);
    told.await.unwrap_or(Ok(()))
}

/// Where a door listens: at the address named, or at its usual port on this machine if that is free.
async fn listen(door: &str, named: Option<SocketAddr>, usual: u16) -> Result<SocketAddr, Error> {
    match named {
        Some(address) if !address.ip().to_canonical().is_loopback() => Err(Error::usage(format!(
            "--{door} {address} is reachable from other machines, and the demo has neither keys nor TLS: write 127.0.0.1:{}",
            address.port()
        ))),
        Some(address) => Ok(address),
        None => Ok(sockets::free(SocketAddr::from((Ipv4Addr::LOCALHOST, usual))).await),
    }
}

/// The shipped datasets with the town's registry.
fn datasets(town: &Town) -> Result<Vec<Arc<Dataset>>, Error> {
    Ok(contracts::shipped(|dataset| town.registry(dataset))?)
}
