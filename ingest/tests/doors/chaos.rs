//! Brokers that do what brokers should not: they forget, refuse, fall silent, talk nonsense, or end in the middle of a word.

use crate::broker::{Broker, air, grant, welcome};
use crate::device::{Device, packet, puback, publish};
use crate::ground::{Ground, PATIENCE, ago, until};
use ingest::{Config, doors::broker};
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// Long enough for an ack that must not come to come.
const SILENCE: Duration = Duration::from_millis(300);

/// Nothing comes.
async fn nothing(client: &mut Device, why: &str) {
    let heard = timeout(SILENCE, client.packet()).await;
    assert!(heard.is_err(), "{why}: {heard:?}");
}

/// Rows of `air` of this sensor.
async fn count(ground: &Ground, sensor: &str) -> usize {
    ground.rows("air").await.iter().filter(|row| row.starts_with(&format!("{sensor} "))).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_acknowledged_before_the_store_has_it_and_then_all_in_order() {
    for v5 in [false, true] {
        let (mut ground, go) = Ground::held(Config::default()).await;
        let broker = Broker::new(v5).await;
        ground.broker(broker.config());
        let mut client = broker.greet(0).await;
        let start = ago(500);
        // The ids are not in their order: what counts is that of the messages.
        let ids: Vec<u16> = (1..=100).map(|n| n * 7919 % 60_000 + 1).collect();
        for (n, &id) in ids.iter().enumerate() {
            client.send(&publish(v5, "city/a/air", &air(start + n as i64, 400), 1, id, false)).await;
        }
        nothing(&mut client, "an ack of what no store has").await;
        assert_eq!(count(&ground, "a").await, 0);
        go.send(()).unwrap();
        for &id in &ids {
            assert_eq!(client.packet().await, Some(puback(id)));
        }
        assert_eq!(count(&ground, "a").await, 100);
    }
}

/// The store is slow, the connection breaks, and the broker begins its ids anew: what becomes durable then must not be
/// acknowledged under an id that stands for something else.
#[tokio::test(flavor = "multi_thread")]
async fn an_ack_that_falls_due_after_the_connection_broke_does_not_leave_on_the_next() {
    for v5 in [false, true] {
        let (mut ground, go) = Ground::held(Config::default()).await;
        let broker = Broker::new(v5).await;
        ground.broker(broker.config());
        let door = ground.metrics.door(&broker.name());
        let start = ago(500);
        let mut client = broker.greet(0).await;
        for id in 1..=9_u16 {
            client.send(&publish(v5, "city/old/air", &air(start + i64::from(id), 1), 1, id, false)).await;
        }
        until("all were read", async || door.messages.get() == 9).await;
        drop(client);
        let mut client = broker.greet(0).await;
        go.send(()).unwrap();
        until("the old ones are durable", async || count(&ground, "old").await == 9).await;
        nothing(&mut client, "an ack of the connection before").await;
        // Ids 9 down to 1 stand for other messages now; each has one ack, in the order of the messages.
        for id in (1..=9_u16).rev() {
            client.send(&publish(v5, "city/new/air", &air(start + i64::from(id), 2), 1, id, false)).await;
        }
        for id in (1..=9).rev() {
            assert_eq!(client.packet().await, Some(puback(id)));
        }
        nothing(&mut client, "more acks than messages").await;
        assert_eq!(count(&ground, "new").await, 9);
        assert_eq!(door.acked.get(), 9);
    }
}

/// The broker kept the session: it sends again, marked as such, what it has no ack of; corrections that were sent in between
/// come again in their order.
#[tokio::test(flavor = "multi_thread")]
async fn redelivered_messages_count_once_and_the_last_of_a_key_holds() {
    for v5 in [false, true] {
        let mut ground = Ground::new(Config::default()).await;
        let broker = Broker::new(v5).await;
        ground.broker(broker.config());
        let at = ago(60);
        let values = [400, 500, 450];
        for round in 0..3 {
            let mut client = broker.greet(u8::from(round > 0)).await;
            for (id, value) in (1..).zip(values) {
                client.send(&publish(v5, "city/a/air", &air(at, value), 1, id, round > 0)).await;
            }
            if round < 2 {
                until("they are stored", async || ground.rows("air").await == [format!("a {at} 450")]).await;
                // The acks are on their way and get lost.
                drop(client);
                continue;
            }
            // That it was sent before does not say that it ever came.
            client.send(&publish(v5, "city/a/air", &air(at + 1, 300), 1, 4, true)).await;
            for id in 1..=4 {
                assert_eq!(client.packet().await, Some(puback(id)));
            }
        }
        assert_eq!(ground.rows("air").await, [format!("a {at} 450"), format!("a {} 300", at + 1)]);
        assert_eq!(ground.rejects(), [""; 0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_refuses_is_asked_until_it_agrees() {
    for v5 in [false, true] {
        let mut ground = Ground::new(Config::default()).await;
        let broker = Broker::new(v5).await;
        ground.broker(broker.config());
        let door = ground.metrics.door(&broker.name());
        // Server unavailable, then a login that is not known yet.
        for (v4_code, v5_code) in [(3, 0x88), (5, 0x87), (5, 0x87)] {
            let (mut client, _) = broker.accept().await;
            let answer: &[u8] = if v5 { &[0, v5_code, 0] } else { &[0, v4_code] };
            client.send(&packet(0x20, answer)).await;
            assert_eq!(client.packet().await, None, "it hangs up");
        }
        until("the same error was told twice", async || door.repeated_errors.get() == 2).await;
        assert_eq!(door.connections.get(), 0);
        let mut client = broker.greet(0).await;
        client.send(&publish(v5, "city/a/air", &air(ago(1), 400), 1, 1, false)).await;
        assert_eq!(client.packet().await, Some(puback(1)));
        assert_eq!(door.connections.get(), 1);
    }
}

/// One filter of three is refused: the others work meanwhile, and all are asked for again on the same connection.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_granted_works_while_the_rest_is_refused() {
    for (v5, refusal) in [(false, 0x80), (true, 0x87)] {
        let mut ground = Ground::new(Config::default()).await;
        let broker = Broker::new(v5).await;
        let config = broker::Config { resubscribe: Duration::from_millis(200), ..broker.config() };
        ground.broker(config);
        let door = ground.metrics.door(&broker.name());
        let (mut client, _) = broker.accept().await;
        welcome(&mut client, 0).await;
        let (first, body) = client.packet().await.unwrap();
        assert_eq!(first, 0x82);
        let mut answer = body[..2].to_vec();
        answer.extend(v5.then_some(0));
        answer.extend([1, refusal, 1]);
        client.send(&packet(0x90, &answer)).await;
        client.send(&publish(v5, "city/a/air", &air(ago(1), 400), 1, 1, false)).await;
        assert_eq!(client.packet().await, Some(puback(1)));
        assert_eq!(door.refused_filters.get(), 1);
        grant(&mut client, 3, 1).await;
        until("all are granted", async || door.refused_filters.get() == 0).await;
    }
}

/// The broker's machine is gone without a word, or it hangs: its connection ends with the keep-alive, and the next one works.
#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_falls_silent_is_left_after_two_keep_alives() {
    for v5 in [false, true] {
        let mut ground = Ground::new(Config::default()).await;
        let broker = Broker::new(v5).await;
        ground.broker(broker::Config { keep_alive: Duration::from_secs(5), ..broker.config() });
        let door = ground.metrics.door(&broker.name());
        let mut silent = broker.greet(0).await;
        let since = Instant::now();
        assert_eq!(silent.packet().await, Some((0xc0, vec![])), "it pings");
        let mut client = broker.greet(1).await;
        assert!(since.elapsed() < Duration::from_secs(13), "{:?}", since.elapsed());
        client.send(&publish(v5, "city/a/air", &air(ago(1), 400), 1, 1, true)).await;
        assert_eq!(client.packet().await, Some(puback(1)));
        assert_eq!(door.connections.get(), 1);
        drop(silent);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_never_answers_connect_is_left() {
    let mut ground = Ground::new(Config::default()).await;
    let broker = Broker::new(false).await;
    ground.broker(broker.config());
    let since = Instant::now();
    let (mute, _) = broker.accept().await;
    let mut client = broker.greet(0).await;
    assert!(since.elapsed() < Duration::from_secs(10), "{:?}", since.elapsed());
    client.send(&publish(false, "city/a/air", &air(ago(1), 400), 1, 1, false)).await;
    assert_eq!(client.packet().await, Some(puback(1)));
    drop(mute);
}

/// Nonsense after a good message: the connection ends, the good message is stored, and the next connection works. Half a
/// message is none.
#[tokio::test(flavor = "multi_thread")]
async fn nonsense_and_half_messages_cost_a_connection_and_nothing_else() {
    for v5 in [false, true] {
        let mut ground = Ground::new(Config::default()).await;
        let broker = Broker::new(v5).await;
        ground.broker(broker.config());
        let start = ago(500);
        let whole = publish(v5, "city/half/air", &air(start, 1), 1, 2, false);
        let nonsense: [Vec<u8>; 6] = [
            vec![0xff; 64],
            // A length that never ends, a packet type that is none, an ack of nothing, a topic longer than its packet.
            vec![0x32, 0xff, 0xff, 0xff, 0xff, 0xff],
            vec![0x00, 0x00],
            packet(0x40, &[0xea, 0x60]),
            packet(0x32, &[0xff, 0xff, b'c']),
            whole[..whole.len() - 3].to_vec(),
        ];
        for (n, bytes) in nonsense.iter().enumerate() {
            let mut client = broker.greet(u8::from(n > 0)).await;
            let good = publish(v5, "city/good/air", &air(start + n as i64, 1), 1, 1, false);
            client.send(&good).await;
            assert_eq!(client.packet().await, Some(puback(1)));
            client.send_what_it_takes(bytes).await;
            if n + 1 < nonsense.len() {
                assert_eq!(client.packet().await, None, "nonsense {n} ends the connection");
            }
        }
        let mut client = broker.greet(1).await;
        client.send(&whole).await;
        assert_eq!(client.packet().await, Some(puback(2)));
        assert_eq!((count(&ground, "good").await, count(&ground, "half").await), (nonsense.len(), 1));
        assert_eq!(ground.rejects(), [""; 0]);
    }
}

/// An MQTT 5 broker that sends more than it was told is taken: the alarm is raised, and other messages come through on the
/// connections between.
#[tokio::test(flavor = "multi_thread")]
async fn a_message_larger_than_announced_does_not_stop_the_others() {
    let mut ground = Ground::new(Config::default()).await;
    let broker = Broker::new(true).await;
    let config = broker::Config { max_packet: 64 << 10, ..broker.config() };
    ground.broker(config);
    let door = ground.metrics.door(&broker.name());
    let start = ago(500);
    for round in 0..6_i64 {
        let mut client = broker.greet(1).await;
        client.send(&publish(true, "city/a/air", &air(start + round, 1), 1, 1, false)).await;
        assert_eq!(client.packet().await, Some(puback(1)));
        client.send_what_it_takes(&publish(true, "city/a/air", &vec![b' '; 65 << 10], 1, 2, round > 0)).await;
        // It may say so before it goes (MQTT 5: DISCONNECT, packet too large).
        while timeout(PATIENCE, client.packet()).await.unwrap().is_some_and(|(first, _)| first == 0xe0) {}
    }
    until("the alarm is raised", async || door.repeated_errors.get() >= 5).await;
    assert_eq!(count(&ground, "a").await, 6);
}
