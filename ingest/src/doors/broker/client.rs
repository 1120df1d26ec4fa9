//! The MQTT client behind the door: rumqttc in both its versions, as one thing. Another client would be another file.

use super::Config;
use crate::{Error, Kind, Subscription};
use bytes::Bytes;
use rumqttc::{Transport, v5};
use std::sync::Arc;
use std::time::Duration;

/// The protocol version spoken with a broker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Version {
    /// MQTT 3.1.1.
    V311,
    /// MQTT 5.0 (the default): the broker learns how much may be under way and how large packets may be.
    #[default]
    V5,
}

/// Room in the client's queue: an ack for every packet id there is, and subscriptions.
const QUEUE: usize = 70_000;

/// The half that is polled.
pub(super) enum Client {
    V311(Box<rumqttc::EventLoop>),
    V5(Box<v5::EventLoop>),
}

/// The half that queues acks and subscriptions, without ever waiting.
pub(super) enum Acker {
    V311(rumqttc::AsyncClient),
    V5(v5::AsyncClient),
}

/// What the client tells.
pub(super) enum Event {
    /// The connection stands; whether the broker had kept the session.
    Connected { resumed: bool },
    /// A SUBACK: per filter whether it was granted.
    Subscribed(Vec<bool>),
    /// A message.
    Publish(Publish),
    /// Anything else.
    Other,
}

/// A message from the broker.
pub(super) struct Publish {
    pub(super) topic: Arc<str>,
    pub(super) payload: Bytes,
    pub(super) retain: bool,
    pub(super) dup: bool,
    /// Packet id to acknowledge; nothing for QoS 0.
    pub(super) id: Option<u16>,
}

impl Client {
    /// Both halves of a client. Nothing is connected yet.
    pub(super) fn new(config: &Config) -> Result<(Client, Acker), Error> {
        let secure = config.url.scheme() == "mqtts";
        let host = config.url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let port = config.url.port().unwrap_or(if secure { 8883 } else { 1883 });
        let transport = if secure { tls(config)? } else { Transport::tcp() };
        Ok(match config.version {
            Version::V311 => {
                let mut options = rumqttc::MqttOptions::new(&config.client_id, host, port);
                options
                    .set_transport(transport)
                    .set_keep_alive(config.keep_alive)
                    .set_clean_session(false)
                    .set_manual_acks(true)
                    .set_max_packet_size(config.max_packet as usize, config.max_packet as usize);
                if let Some((user, password)) = &config.login {
                    options.set_credentials(user, password);
                }
                let (client, events) = rumqttc::AsyncClient::new(options, QUEUE);
                (Client::V311(Box::new(events)), Acker::V311(client))
            }
            Version::V5 => {
                let mut options = v5::MqttOptions::new(&config.client_id, host, port);
                options
                    .set_transport(transport)
                    .set_keep_alive(config.keep_alive)
                    .set_clean_start(false)
                    .set_manual_acks(true)
                    .set_receive_maximum(Some(config.in_flight))
                    .set_max_packet_size(Some(config.max_packet))
                    .set_session_expiry_interval(Some(seconds(config.session_expiry)));
                if let Some((user, password)) = &config.login {
                    options.set_credentials(user, password);
                }
                let (client, events) = v5::AsyncClient::new(options, QUEUE);
                (Client::V5(Box::new(events)), Acker::V5(client))
            }
        })
    }

    /// What happens next. Not to be cancelled but at the very end: a packet on its way out would be lost.
    pub(super) async fn next(&mut self) -> Result<Event, String> {
        match self {
            Client::V311(events) => events.poll().await.map(Event::from).map_err(|error| error.to_string()),
            Client::V5(events) => events.poll().await.map(Event::from).map_err(|error| error.to_string()),
        }
    }

    /// After an error: drops every queued packet, and gives the messages that were read but not handed out.
    /// rumqttc would hand them out on the next connection, as if they were of it.
    pub(super) fn clear(&mut self) -> Vec<Publish> {
        let publish = |event| match event {
            Event::Publish(publish) => Some(publish),
            _ => None,
        };
        match self {
            Client::V311(events) => {
                events.clean();
                events.pending.clear();
                events.state.events.drain(..).map(Event::from).filter_map(publish).collect()
            }
            Client::V5(events) => {
                events.clean();
                events.pending.clear();
                events.state.events.drain(..).map(Event::from).filter_map(publish).collect()
            }
        }
    }
}

impl Acker {
    /// Queues a PUBACK. Whether there was room.
    pub(super) fn ack(&self, id: u16) -> bool {
        match self {
            Acker::V311(client) => {
                let mut publish = rumqttc::Publish::from_bytes("", rumqttc::QoS::AtLeastOnce, Bytes::new());
                publish.pkid = id;
                client.try_ack(&publish).is_ok()
            }
            Acker::V5(client) => {
                let qos = v5::mqttbytes::QoS::AtLeastOnce;
                let publish = v5::mqttbytes::v5::Publish { qos, pkid: id, ..Default::default() };
                client.try_ack(&publish).is_ok()
            }
        }
    }

    /// Queues one SUBSCRIBE for all of these with QoS 1. Whether there was room.
    pub(super) fn subscribe(&self, wanted: &[Subscription]) -> bool {
        match self {
            Acker::V311(client) => {
                let filters = wanted
                    .iter()
                    .map(|wanted| rumqttc::SubscribeFilter::new(wanted.filter.clone(), rumqttc::QoS::AtLeastOnce));
                client.try_subscribe_many(filters).is_ok()
            }
            Acker::V5(client) => {
                use v5::mqttbytes::v5::{Filter, RetainForwardRule};
                let filters = wanted.iter().map(|wanted| {
                    let mut filter = Filter::new(wanted.filter.clone(), v5::mqttbytes::QoS::AtLeastOnce);
                    if !wanted.retained {
                        filter.retain_forward_rule = RetainForwardRule::Never;
                    }
                    filter
                });
                client.try_subscribe_many(filters).is_ok()
            }
        }
    }

    /// Queues a DISCONNECT.
    pub(super) fn disconnect(&self) {
        let queued = match self {
            Acker::V311(client) => client.try_disconnect().is_ok(),
            Acker::V5(client) => client.try_disconnect().is_ok(),
        };
        tracing::debug!(queued, "leaving the broker");
    }
}

impl From<rumqttc::Event> for Event {
    fn from(event: rumqttc::Event) -> Event {
        use rumqttc::{Packet, QoS, SubscribeReasonCode};
        match event {
            rumqttc::Event::Incoming(Packet::ConnAck(ack)) => Event::Connected { resumed: ack.session_present },
            rumqttc::Event::Incoming(Packet::SubAck(ack)) => {
                let granted = |code: &SubscribeReasonCode| matches!(code, SubscribeReasonCode::Success(_));
                Event::Subscribed(ack.return_codes.iter().map(granted).collect())
            }
            rumqttc::Event::Incoming(Packet::Publish(publish)) => Event::Publish(Publish {
                topic: publish.topic.into(),
                payload: publish.payload,
                retain: publish.retain,
                dup: publish.dup,
                id: (publish.qos != QoS::AtMostOnce).then_some(publish.pkid),
            }),
            _ => Event::Other,
        }
    }
}

impl From<v5::Event> for Event {
    fn from(event: v5::Event) -> Event {
        use v5::mqttbytes::QoS;
        use v5::mqttbytes::v5::{Packet, SubscribeReasonCode};
        match event {
            v5::Event::Incoming(Packet::ConnAck(ack)) => Event::Connected { resumed: ack.session_present },
            v5::Event::Incoming(Packet::SubAck(ack)) => {
                let granted = |code: &SubscribeReasonCode| matches!(code, SubscribeReasonCode::Success(_));
                Event::Subscribed(ack.return_codes.iter().map(granted).collect())
            }
            v5::Event::Incoming(Packet::Publish(publish)) => Event::Publish(Publish {
                topic: String::from_utf8_lossy(&publish.topic).into(),
                payload: publish.payload,
                retain: publish.retain,
                dup: publish.dup,
                id: (publish.qos != QoS::AtMostOnce).then_some(publish.pkid),
            }),
            _ => Event::Other,
        }
    }
}

fn seconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_secs()).unwrap_or(u32::MAX)
}

/// TLS by the given authorities and identity, or by the system's.
fn tls(config: &Config) -> Result<Transport, Error> {
    access::tls::choose_library();
    if let Some(ca) = &config.ca {
        return Ok(Transport::tls(ca.clone(), config.identity.clone(), None));
    }
    let wrong = |what: &str| Error::new(Kind::Setting, format!("broker {}: {what}", config.url));
    if config.identity.is_some() {
        return Err(wrong("a client certificate needs `ca`, the authority of the broker's certificate"));
    }
    // rumqttc panics where the system has no readable certificates.
    std::panic::catch_unwind(Transport::tls_with_default_config)
        .map_err(|_| wrong("the system's certificates cannot be read; name the authority's file as `ca`"))
}
