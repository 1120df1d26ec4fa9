//! The subscriber to compare with: rumqttc as Lamppost uses it, that counts and acknowledges, and keeps nothing.

use crate::say;
use rumqttc::Outgoing;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::Packet;
use rumqttc::v5::{AsyncClient, Event, MqttOptions};
use std::time::Duration;

/// Subscribes, says `ready`, takes so many messages, says `done` once the last is acknowledged.
pub(crate) fn run(port: u16, messages: usize) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
    runtime.block_on(count(port, messages));
}

async fn count(port: u16, messages: usize) {
    // As the broker door is set by default: MQTT 5, a thousand under way.
    let mut options = MqttOptions::new("counter", "127.0.0.1", port);
    options.set_keep_alive(Duration::from_secs(30)).set_receive_maximum(Some(1000));
    options.set_max_packet_size(Some(16 << 20));
    let (client, mut events) = AsyncClient::new(options, 16);
    client.subscribe("city/+/traffic", QoS::AtLeastOnce).await.expect("room for a subscription");
    let (mut taken, mut acked) = (0, 0);
    while acked < messages {
        match events.poll().await.expect("a broker that stays") {
            Event::Incoming(Packet::SubAck(_)) => say("ready"),
            Event::Incoming(Packet::Publish(_)) => taken += 1,
            Event::Outgoing(Outgoing::PubAck(_)) => acked += 1,
            _ => {}
        }
    }
    assert_eq!(taken, messages, "each message once");
    say("done");
    // What is still to be flushed goes with the next polls; the parent ends this process.
    while events.poll().await.is_ok() {}
}
