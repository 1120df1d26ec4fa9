//! Subscriptions at a broker that does exactly what the test wants: what rumqttc does when connections break.

use crate::device::{Device, packet, puback, publish};
use crate::ground::{Ground, PATIENCE, ago, until};
use ingest::{Config, doors::broker};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::time::timeout;
use url::Url;

/// A broker made of a listening socket; the test plays its part.
pub(crate) struct Broker {
    socket: TcpListener,
    v5: bool,
}

impl Broker {
    pub(crate) async fn new(v5: bool) -> Broker {
        Broker { socket: TcpListener::bind("127.0.0.1:0").await.unwrap(), v5 }
    }

    /// Its name in the figures.
    pub(crate) fn name(&self) -> String {
        self.socket.local_addr().unwrap().to_string()
    }

    pub(crate) fn config(&self) -> broker::Config {
        let port = self.socket.local_addr().unwrap().port();
        let mut config = broker::Config::new(Url::parse(&format!("mqtt://127.0.0.1:{port}")).unwrap(), "test");
        config.version = if self.v5 { broker::Version::V5 } else { broker::Version::V311 };
        config.back_off = (Duration::from_millis(1), Duration::from_millis(5));
        config.resubscribe = Duration::from_millis(20);
        config
    }

    /// Accepts the next connection, up to its CONNECT; gives the CONNECT's body.
    pub(crate) async fn accept(&self) -> (Device, Vec<u8>) {
        let (stream, _) = timeout(PATIENCE, self.socket.accept()).await.unwrap().unwrap();
        let mut client = Device { stream, v5: self.v5 };
        let (first, body) = client.packet().await.unwrap();
        assert_eq!(first, 0x10);
        (client, body)
    }

    /// Accepts the next connection, greets it and grants its subscriptions.
    pub(crate) async fn greet(&self, session_present: u8) -> Device {
        let (mut client, _) = self.accept().await;
        welcome(&mut client, session_present).await;
        grant(&mut client, 3, 1).await;
        client
    }
}

pub(crate) async fn welcome(client: &mut Device, session_present: u8) {
    let answer: &[u8] = if client.v5 { &[session_present, 0, 0] } else { &[session_present, 0] };
    client.send(&packet(0x20, answer)).await;
}

/// Reads SUBSCRIBE and answers so many filters with a code. Gives the body of the SUBSCRIBE.
pub(crate) async fn grant(client: &mut Device, filters: usize, code: u8) -> Vec<u8> {
    let (first, body) = client.packet().await.unwrap();
    assert_eq!(first, 0x82);
    let mut answer = vec![body[0], body[1]];
    answer.extend(client.v5.then_some(0));
    answer.extend(vec![code; filters]);
    client.send(&packet(0x90, &answer)).await;
    body
}

pub(crate) fn air(at: i64, co2: u32) -> Vec<u8> {
    format!(r#"{{"ts":{at},"co2":{co2}}}"#).into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_are_acknowledged_in_order_once_they_can_be_read() {
    for v5 in [false, true] {
        let mut ground = Ground::new(Config::default()).await;
        let broker = Broker::new(v5).await;
        ground.broker(broker.config());
        let mut client = broker.greet(0).await;
        let start = ago(500);
        for id in 1..=200 {
            client.send(&publish(v5, "city/a/air", &air(start + i64::from(id), 400), 1, id, false)).await;
        }
        client.send(&publish(v5, "sea/level", b"?", 1, 201, false)).await;
        for id in 1..=201 {
            assert_eq!(client.packet().await, Some(puback(id)));
        }
        assert_eq!(ground.rows("air").await.len(), 200);
        assert_eq!(ground.rejects(), ["unknown_topic sea/level  x1"]);
    }
}

/// rumqttc hands out messages of a dead connection after the next one stands. Acknowledged there, their packet ids may
/// stand for messages that were never stored.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_dead_connection_is_acknowledged_on_the_next() {
    for v5 in [false, true] {
        let mut ground = Ground::new(Config::default()).await;
        let broker = Broker::new(v5).await;
        ground.broker(broker.config());
        let start = ago(5000);
        let mut stored = 0;
        for round in 0..20_u32 {
            let mut client = broker.greet(0).await;
            // Sent and gone in one breath, so that they wait in the client when it sees the end.
            let mut bytes = Vec::new();
            for id in 1..=9_u16 {
                let at = start + i64::from(round) * 10 + i64::from(id);
                bytes.extend(publish(v5, "city/old/air", &air(at, round), 1, id, false));
            }
            client.send(&bytes).await;
            drop(client);
            stored += 9;

            // The broker has forgotten the session and begins its ids anew with other messages.
            let mut client = broker.greet(0).await;
            let still = timeout(Duration::from_millis(30), client.packet()).await;
            assert!(still.is_err(), "an ack of the old connection: {still:?}");
            client.send(&publish(v5, "city/new/air", &air(start + i64::from(round), 1), 1, 1, false)).await;
            assert_eq!(client.packet().await, Some(puback(1)));
            drop(client);
        }
        // What the client had read by then is stored all the same; it may never have seen some of it.
        let rows = ground.rows("air").await;
        assert_eq!(rows.iter().filter(|row| row.starts_with("new")).count(), 20);
        assert!(rows.len() <= stored + 20);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn redeliveries_of_a_session_count_once_and_are_acknowledged() {
    let mut ground = Ground::new(Config::default()).await;
    let broker = Broker::new(false).await;
    ground.broker(broker.config());
    let mut client = broker.greet(0).await;
    client.send(&publish(false, "doors/gate", br#"{"n":1}"#, 1, 1, false)).await;
    until("it is stored", async || ground.rows("doors").await.len() == 1).await;
    drop(client);
    let mut client = broker.greet(1).await;
    client.send(&publish(false, "doors/gate", br#"{"n":1}"#, 1, 1, true)).await;
    assert_eq!(client.packet().await, Some(puback(1)));
    assert_eq!(ground.rows("doors").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn subscriptions_ask_for_a_lasting_session_and_no_useless_retained_messages() {
    let mut ground = Ground::new(Config::default()).await;
    let broker = Broker::new(true).await;
    let mut config = broker.config();
    config.share = Some("pair".into());
    config.login = Some(("lamp".into(), "post".into()));
    ground.broker(config);
    let (mut client, connect) = broker.accept().await;
    assert_eq!(connect[7], 0xc0, "user, password, and no clean start");
    // Session expiry 7 days, receive maximum 1000, packets of 16 MiB.
    for property in [&[0x11, 0, 9, 0x3a, 0x80][..], &[0x21, 3, 0xe8], &[0x27, 1, 0, 0, 0]] {
        assert!(connect.windows(property.len()).any(|window| window == property), "{property:x?} in {connect:x?}");
    }
    welcome(&mut client, 0).await;
    let asked = grant(&mut client, 3, 1).await;
    let options = |filter: &str| {
        let at = asked.windows(filter.len()).position(|window| window == filter.as_bytes()).unwrap();
        asked[at + filter.len()]
    };
    assert_eq!(options("$share/pair/city/+/air"), 1);
    assert_eq!(options("$share/pair/doors/+"), 1 | 2 << 4, "retained messages of a source without time are not sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_subscriptions_are_asked_for_again() {
    for (v5, refusal) in [(false, 0x80), (true, 0x87)] {
        let mut ground = Ground::new(Config::default()).await;
        let broker = Broker::new(v5).await;
        ground.broker(broker.config());
        let (mut client, _) = broker.accept().await;
        welcome(&mut client, 0).await;
        let first = grant(&mut client, 3, refusal).await;
        let second = grant(&mut client, 3, 1).await;
        assert_eq!(first[2..], second[2..]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poison_packet_raises_the_alarm_and_a_large_message_is_a_reject() {
    let mut ground = Ground::new(Config::default()).await;
    let broker = Broker::new(false).await;
    let mut config = broker.config();
    config.max_packet = 1 << 20;
    let name = format!("127.0.0.1:{}", broker.socket.local_addr().unwrap().port());
    ground.broker(config);
    let mut client = broker.greet(0).await;
    client.send(&publish(false, "city/a/air", &vec![b' '; 300 << 10], 1, 1, false)).await;
    assert_eq!(client.packet().await, Some(puback(1)));
    assert_eq!(ground.rejects(), ["too_large city/a/air  x1"]);
    drop(client);
    for round in 0..6 {
        let mut client = broker.greet(1).await;
        client.send_what_it_takes(&publish(false, "city/a/air", &vec![b' '; 1 << 20], 1, 1, round > 0)).await;
        assert_eq!(client.packet().await, None, "larger than the client takes");
    }
    let door = ground.metrics.door(&name);
    until("the alarm is raised", async || door.repeated_errors.get() >= 5).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_durable_is_acknowledged_on_the_way_out() {
    let mut ground = Ground::new(Config::default()).await;
    let broker = Broker::new(false).await;
    ground.broker(broker.config());
    let mut client = broker.greet(0).await;
    client.send(&publish(false, "city/a/air", &air(ago(1), 400), 1, 1, false)).await;
    assert_eq!(client.packet().await, Some(puback(1)));
    let leaving = ground.close_door();
    let told = async {
        assert_eq!(client.packet().await, Some((0xe0, vec![])));
        drop(client);
    };
    tokio::join!(leaving, told);
}

#[tokio::test]
async fn settings_that_cannot_work_are_refused() {
    let ground = Ground::new(Config::default()).await;
    let good = broker::Config::new(Url::parse("mqtt://127.0.0.1:1").unwrap(), "x");
    let wrong = [
        broker::Config { url: Url::parse("http://x").unwrap(), ..good.clone() },
        broker::Config { client_id: String::new(), ..good.clone() },
        broker::Config { keep_alive: Duration::from_secs(1), ..good.clone() },
        broker::Config { in_flight: 0, ..good },
    ];
    for config in wrong {
        let error = broker::run(config, ground.intake.clone().unwrap(), std::future::pending()).await.unwrap_err();
        assert_eq!(error.kind, ingest::Kind::Setting, "{error}");
    }
}
