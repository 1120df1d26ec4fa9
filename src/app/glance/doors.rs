//! The doors, and what they took.

use crate::app::pulse::{Counters, rate};
use crate::app::sockets::{self, Sockets};
use crate::{Config, Error};
use ingest::metrics::DoorMetrics;
use serde::{Deserialize, Serialize};

/// One door.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Door {
    /// Its name.
    pub name: String,
    /// Where it listens, or the broker it subscribes at.
    pub address: String,
    /// Messages taken.
    pub messages: u64,
    /// Messages acknowledged.
    pub acked: u64,
    /// Messages without delivery guarantee dropped under pressure.
    pub dropped: u64,
    /// Messages a second, over the last minute.
    pub messages_per_second: Option<f64>,
    /// Seconds from reading a message to its acknowledgement, the mean over the last minute.
    pub ack_seconds: Option<f64>,
    /// Connections open now. For a broker 1 while it is connected.
    pub connections: i64,
    /// Connections refused or closed for what they sent.
    pub refused: u64,
    /// Topic filters that the broker refuses.
    pub refused_filters: i64,
    /// Whether it is a broker's.
    pub broker: bool,
}

/// The doors there are, and where their counters stand.
#[derive(Clone, Debug)]
pub struct Doors(Vec<(Door, DoorMetrics)>);

impl Doors {
    /// The doors of a config.
    pub fn new(config: &Config, sockets: &Sockets, metrics: &ingest::Metrics) -> Result<Doors, Error> {
        let mut doors = Vec::new();
        if let Some(socket) = &sockets.mqtt {
            let scheme = if config.mqtt_front.tls.is_some() { "mqtts" } else { "mqtt" };
            let address = format!("{scheme}://{}", sockets::address(socket)?);
            let door = Door { name: "listener".to_owned(), address, ..Door::default() };
            doors.push((door, metrics.door("listener")));
        }
        if let Some(socket) = &sockets.graphite {
            let address = format!("tcp://{}", sockets::address(socket)?);
            let door = Door { name: "graphite".to_owned(), address, ..Door::default() };
            doors.push((door, metrics.door("graphite")));
        }
        for broker in &config.brokers {
            let (name, address) = (broker.name(), broker.url.to_string());
            let door = Door { name: format!("broker {name}"), address, broker: true, ..Door::default() };
            doors.push((door, metrics.door(&name)));
        }
        let scheme = if config.http_front.tls.is_some() { "https" } else { "http" };
        let address = format!("{scheme}://{}", sockets::address(&sockets.http)?);
        doors.push((Door { name: "http".to_owned(), address, ..Door::default() }, metrics.door("http")));
        Ok(Doors(doors))
    }

    /// Their counters, in order.
    pub(in crate::app) fn counters(&self) -> impl Iterator<Item = &DoorMetrics> {
        self.0.iter().map(|(_, metrics)| metrics)
    }

    /// The doors now. `earlier`: the counters so many seconds ago.
    pub(super) fn look(&self, now: &Counters, earlier: Option<(f64, &Counters)>) -> Vec<Door> {
        let door = |(i, (door, metrics)): (usize, &(Door, DoorMetrics))| Door {
            messages: metrics.messages.get(),
            acked: metrics.acked.get(),
            dropped: metrics.dropped.get(),
            messages_per_second: earlier.map(|(seconds, before)| rate(seconds, before.messages[i], now.messages[i])),
            ack_seconds: earlier.and_then(|(_, before)| now.acks[i].mean_since(&before.acks[i])),
            connections: metrics.connections.get(),
            refused: metrics.refused.get(),
            refused_filters: metrics.refused_filters.get(),
            ..door.clone()
        };
        self.0.iter().enumerate().map(door).collect()
    }
}
