//! Lamppost's own MQTT door, for devices that publish straight to it. Not a broker.
//!
//! CONNECT, PUBLISH with QoS 0 and 1, PING. PUBACK leaves once the message is durable, in arrival order, all that are due
//! in one send. SUBSCRIBE is refused and the connection stays. No session is kept, nothing is retained.

mod clients;
mod connection;
mod control;
pub mod gate;
mod greeting;
pub mod packet;
mod reply;
mod wire;

use crate::Intake;
use crate::metrics::DoorMetrics;
use access::Entrance;
use clients::Clients;
use gate::Gate;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Settings of the listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// QoS 1 messages of one connection that may be under way; past it the door stops reading from it.
    pub in_flight: u16,
    /// Topics that one connection remembers.
    pub topics: usize,
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
            in_flight: 1000,
            topics: 256,
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
    gate: Gate,
    config: Arc<Config>,
    metrics: DoorMetrics,
    clients: Clients,
}

/// Takes connections at an entrance until `shutdown` is ready, then lets them finish what they sent.
pub async fn run(entrance: Entrance, gate: Gate, intake: Intake, config: Config, shutdown: impl Future<Output = ()>) {
    let metrics = intake.metrics().door("listener");
    let shared = Shared { intake, gate, config: Arc::new(config), metrics, clients: Clients::default() };
    let (stop, stopped) = watch::channel(false);
    let mut open = JoinSet::new();
    let mut number = 0;
    let mut shutdown = pin!(shutdown);
    loop {
        while open.try_join_next().is_some() {}
        let (stream, seat) = tokio::select! {
            () = &mut shutdown => break,
            next = entrance.next() => next,
        };
        number += 1;
        let (front, shared, stopped) = (entrance.front().clone(), shared.clone(), stopped.clone());
        open.spawn(async move {
            shared.metrics.connections.inc();
            if let Some(line) = front.shake(stream, &seat).await {
                connection::serve(line, seat, number, &shared, stopped).await;
            }
            shared.metrics.connections.dec();
        });
    }
    drop(entrance);
    let _ = stop.send(true);
    let _ = tokio::time::timeout(shared.config.drain, async { while open.join_next().await.is_some() {} }).await;
    open.shutdown().await;
}
