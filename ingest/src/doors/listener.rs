//! Lamppost's own MQTT door, for devices that publish straight to it. Not a broker.
//!
//! CONNECT, PUBLISH with QoS 0 and 1, PING. PUBACK leaves once the message is durable, in arrival order, all that are due
//! in one send. SUBSCRIBE is refused and the connection stays. No session is kept, nothing is retained.

mod clients;
mod connection;
pub mod packet;
mod reply;

mod wire;

use crate::Intake;
use crate::metrics::DoorMetrics;
use clients::Clients;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

/// Settings of the listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Connections at once; past it new ones are closed at once.
    pub connections: usize,
    /// QoS 1 messages of one connection that may be under way; past it the door stops reading from it.
    pub in_flight: u16,
    /// Bytes of a packet; a larger one ends the connection.
    pub max_packet: u32,
    /// Bytes of a payload read whole; of a larger one only `reject_bytes` are kept, for its reject.
    pub max_message: usize,
    /// Bytes kept of a payload that is too large.
    pub reject_bytes: usize,
    /// How long a new connection has for its CONNECT, and any send for being taken by the peer.
    pub patience: Duration,
    /// How long a connection without keep-alive may be silent.
    pub idle: Duration,
    /// How long connections have at shutdown until what they sent is durable and acknowledged.
    pub drain: Duration,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            connections: 10_000,
            in_flight: 1000,
            max_packet: 16 << 20,
            max_message: 256 << 10,
            reject_bytes: 2048,
            patience: Duration::from_secs(10),
            idle: Duration::from_secs(3600),
            drain: Duration::from_secs(5),
        }
    }
}

/// What all connections share.
#[derive(Clone, Debug)]
struct Shared {
    intake: Intake,
    config: Arc<Config>,
    metrics: DoorMetrics,
    clients: Clients,
}

/// Takes connections on a bound socket until `shutdown` is ready, then lets them finish what they sent.
pub async fn run(listener: TcpListener, intake: Intake, config: Config, shutdown: impl Future<Output = ()>) {
    let metrics = intake.metrics().door("listener");
    let places = Arc::new(Semaphore::new(config.connections));
    let shared = Shared { intake, config: Arc::new(config), metrics, clients: Clients::default() };
    let (stop, stopped) = watch::channel(false);
    let mut open = JoinSet::new();
    let mut number = 0;
    let mut shutdown = pin!(shutdown);
    loop {
        while open.try_join_next().is_some() {}
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "cannot accept an MQTT connection");
                // Out of file descriptors or the like: others must end first.
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let Ok(place) = places.clone().try_acquire_owned() else {
            shared.metrics.refused.inc();
            tracing::warn!(%peer, most = shared.config.connections, "too many MQTT connections; this one is closed");
            continue;
        };
        number += 1;
        let (shared, stopped) = (shared.clone(), stopped.clone());
        open.spawn(async move {
            shared.metrics.connections.inc();
            connection::serve(stream, peer, number, &shared, stopped).await;
            shared.metrics.connections.dec();
            drop(place);
        });
    }
    drop(listener);
    let _ = stop.send(true);
    let _ = tokio::time::timeout(shared.config.drain, async { while open.join_next().await.is_some() {} }).await;
    open.shutdown().await;
}
