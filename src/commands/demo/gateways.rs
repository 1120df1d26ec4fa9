//! The town's gateways: each a real MQTT client that publishes for its share of the devices.

use crate::Message;
use crate::publisher::{Publisher, Target};
use crate::town::Town;
use schemas::{Span, Time};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use store::Clock;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Gateways of the town.
const GATEWAYS: usize = 6;
/// How often a gateway looks which of its devices woke up.
const TICK: Duration = Duration::from_secs(1);
/// How long a gateway may take to hear its last acknowledgements.
const GOODBYE: Duration = Duration::from_secs(5);

/// Publishes what the devices send from `from` on, until `stopped` turns true.
pub(super) async fn run(town: Arc<Town>, door: SocketAddr, from: Time, clock: Clock, stopped: watch::Receiver<bool>) {
    let mut gateways = JoinSet::new();
    for number in 0..GATEWAYS {
        gateways.spawn(gateway(number, town.clone(), door, from, clock.clone(), stopped.clone()));
    }
    while gateways.join_next().await.is_some() {}
}

async fn gateway(
    number: usize,
    town: Arc<Town>,
    door: SocketAddr,
    mut from: Time,
    clock: Clock,
    mut stopped: watch::Receiver<bool>,
) {
    let publisher = Publisher::start(Target {
        host: door.ip().to_string(),
        port: door.port(),
        tls: false,
        client_id: format!("gateway-{number}"),
        login: None,
        acknowledged: true,
    });
    let queue = publisher.queue();
    let mut tick = tokio::time::interval(TICK);
    loop {
        tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => break,
            _ = tick.tick() => {}
        }
        let to = clock();
        for message in woken(&town, number, Span { from, to }) {
            if queue.send(message).await.is_err() {
                break;
            }
        }
        from = to;
    }
    drop(queue);
    let (_, sent) = publisher.finish(tokio::time::sleep(GOODBYE)).await;
    if let Err(error) = sent {
        tracing::warn!(gateway = number, %error, "a gateway of the demo lost its door");
    }
}

/// What a gateway's devices send in a span.
fn woken(town: &Town, number: usize, span: Span) -> Vec<Message> {
    let devices = town.devices().iter().skip(number).step_by(GATEWAYS);
    devices.flat_map(|device| town.wakes(device, span).flat_map(|time| town.messages(device, time))).collect()
}
