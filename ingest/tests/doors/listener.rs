//! The built-in MQTT door over real sockets, with a real store behind it.

use crate::device::{Device, connect, connect_with, packet, puback, publish, text};
use crate::ground::{Ground, PATIENCE, ago, until};
use access::{Front, Keyring, Keys};
use ingest::{Config, doors::listener, doors::listener::gate::Gate};
use std::time::Duration;

async fn ground() -> (Ground, std::net::SocketAddr) {
    let mut ground = Ground::new(Config::default()).await;
    let address = ground.listener(listener::Config::default()).await;
    (ground, address)
}

fn air(at: i64, co2: u32) -> String {
    format!(r#"{{"ts":{at},"co2":{co2}}}"#)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_acknowledged_can_be_read_in_both_versions() {
    let (ground, address) = ground().await;
    let at = ago(60);
    for (v5, sensor) in [(false, "a"), (true, "b")] {
        let mut device = Device::new(address, v5, sensor).await;
        device.say(&format!("city/{sensor}/air"), &air(at, 400), 7).await;
        assert!(ground.rows("air").await.contains(&format!("{sensor} {at} 400")), "readable when acknowledged");
    }
    assert_eq!(ground.rejects(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_bad_message_is_a_reject_with_its_reason_and_then_acknowledged() {
    let (ground, address) = ground().await;
    let mut device = Device::new(address, false, "bad").await;
    let (future, megabyte) = (air(ago(-600), 1), air(ago(0), 1).replace("ts", &"x".repeat(1 << 20)));
    let table = [
        ("sea/level", "{}", "unknown_topic sea/level  x1"),
        ("city/a/air", "{\"ts\":", "invalid_payload city/a/air  x1"),
        ("city/b/air", r#"{"co2":1}"#, "missing_time city/b/air  x1"),
        ("city/c/air", r#"{"ts":"2026-01-01T00:00:00","co2":1}"#, "invalid_time city/c/air  x1"),
        ("local/d/air", r#"{"ts":"2026-03-29 02:30","co2":1}"#, "no_such_local_time local/d/air  x1"),
        ("city/e/air", r#"{"ts":1767225600,"co2":"wet"}"#, "invalid_value city/e/air co2 x1"),
        ("city/f/air", r#"{"ts":1767225600,"co2":100001}"#, "out_of_range city/f/air co2 x1"),
        ("city/g/air", &future, "in_future city/g/air  x1"),
        ("city/h/air", &megabyte, "too_large city/h/air  x1"),
        ("city/i/air", r#"{"ts":1,"co2":1}"#, "before_earliest city/i/air  x1"),
    ];
    for (id, (topic, payload, _)) in (1..).zip(table) {
        device.say(topic, payload, id).await;
    }
    let mut right = table.map(|(_, _, reject)| reject.to_owned());
    right.sort();
    assert_eq!(ground.rejects(), right);
    assert_eq!(ground.rows("air").await, [""; 0]);
    let rows = ground.reader.rejects();
    let large = rows.iter().find(|row| row.first.reason == schemas::Reason::TooLarge).unwrap();
    assert_eq!(large.first.detail, format!("the payload has {} bytes; at most 262144 are taken", megabyte.len()));
}

/// What a key does not cover is answered in its turn: after the acks of what came before it, before those of what follows.
#[tokio::test(flavor = "multi_thread")]
async fn messages_outside_a_keys_scope_are_refused_in_order() {
    let mut ring = Keyring::default();
    let scopes = vec!["write:air".parse().unwrap()];
    let key = ring.add("gateway", scopes, jiff::Timestamp::UNIX_EPOCH, None).unwrap();
    let mut ground = Ground::new(Config::default()).await;
    let gate = Gate::new(Keys::fixed(ring), false);
    let address = ground.guarded(gate, Front::default(), listener::Config::default()).await;
    let mut stranger = Device::bare(address, true).await;
    stranger.send(&connect(true, "s", true, 60)).await;
    assert_eq!(stranger.packet().await, Some((0x20, vec![0, 0x86, 0])));
    let mut old = Device::bare(address, false).await;
    old.send(&connect(false, "o", true, 60)).await;
    assert_eq!(old.packet().await, Some((0x20, vec![0, 4])));
    let mut device = Device::bare(address, true).await;
    device.send(&connect_with(true, "g", true, 60, key.reveal())).await;
    assert_eq!(device.packet().await.unwrap().1[1], 0);
    let mut bytes = Vec::new();
    for id in 1..=60 {
        let topic = if id % 3 == 0 { "doors/a" } else { "city/a/air" };
        bytes.extend(publish(true, topic, air(ago(100 + i64::from(id)), 1).as_bytes(), 1, id, false));
    }
    device.send(&bytes).await;
    for id in 1..=60_u16 {
        let [high, low] = id.to_be_bytes();
        let right = if id % 3 == 0 { (0x40, vec![high, low, 0x87]) } else { puback(id) };
        assert_eq!(device.packet().await, Some(right));
    }
    assert_eq!((ground.rows("air").await.len(), ground.rows("doors").await.len()), (40, 0));
    // QoS 0 has no acknowledgement: the connection ends.
    device.send(&publish(true, "doors/a", b"{}", 0, 0, false)).await;
    assert_eq!(device.packet().await, Some((0xe0, vec![0x87, 0])));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_pipelined_publishes_are_acknowledged_in_order() {
    for v5 in [false, true] {
        let (ground, address) = ground().await;
        let mut device = Device::new(address, v5, "many").await;
        let start = ago(5000);
        let mut bytes = Vec::new();
        for id in 1..=1000_u16 {
            let topic = format!("city/s{}/air", id % 7);
            bytes.extend(publish(v5, &topic, air(start + i64::from(id), u32::from(id)).as_bytes(), 1, id, false));
        }
        device.send(&bytes).await;
        for id in 1..=1000 {
            assert_eq!(device.packet().await, Some(puback(id)));
        }
        assert_eq!(ground.rows("air").await.len(), 1000);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redelivery_after_a_broken_connection_counts_once() {
    let (ground, address) = ground().await;
    let mut device = Device::new(address, false, "d").await;
    device.say("doors/gate", r#"{"n":3}"#, 1).await;
    let first = ground.rows("doors").await;
    // The ack was lost with the connection: the device sends again, even after a restart of Lamppost.
    drop(device);
    let mut device = Device::new(address, false, "d").await;
    device.send(&publish(false, "doors/gate", br#"{"n":3}"#, 1, 1, true)).await;
    assert_eq!(device.packet().await, Some(puback(1)));
    assert_eq!(ground.rows("doors").await, first);
    let mut ground = ground.restart(Config::default()).await;
    let address = ground.listener(listener::Config::default()).await;
    let mut device = Device::new(address, false, "d").await;
    device.send(&publish(false, "doors/gate", br#"{"n":3}"#, 1, 1, true)).await;
    assert_eq!(device.packet().await, Some(puback(1)));
    assert_eq!(ground.rows("doors").await, first);
    // Not marked as sent again, it is another passage.
    device.say("doors/gate", r#"{"n":3}"#, 2).await;
    assert_eq!(ground.rows("doors").await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_is_refused_and_the_connection_stays() {
    let (_ground, address) = ground().await;
    for v5 in [false, true] {
        let mut device = Device::new(address, v5, "sub").await;
        let properties: &[u8] = if v5 { &[0] } else { &[] };
        let filters = |options: bool| {
            let mut body = vec![0, 9];
            body.extend(properties);
            for filter in ["cmd/#", "city/+"] {
                body.extend(text(filter));
                body.extend(options.then_some(1));
            }
            body
        };
        device.send(&packet(0x82, &filters(true))).await;
        let refusal: &[u8] = if v5 { &[0, 9, 0, 0x83, 0x83] } else { &[0, 9, 0x80, 0x80] };
        assert_eq!(device.packet().await, Some((0x90, refusal.to_vec())));
        device.send(&packet(0xa2, &filters(false))).await;
        let ended: &[u8] = if v5 { &[0, 9, 0, 0x11, 0x11] } else { &[0, 9] };
        assert_eq!(device.packet().await, Some((0xb0, ended.to_vec())));
        device.send(&[0xc0, 0]).await;
        assert_eq!(device.packet().await, Some((0xd0, vec![])));
        device.say("city/a/air", &air(ago(1), 400), 1).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn connack_of_version_5_says_what_the_door_takes() {
    let (_ground, address) = ground().await;
    let mut device = Device::bare(address, true).await;
    device.send(&connect(true, "", true, 60)).await;
    let (first, body) = device.packet().await.unwrap();
    assert_eq!((first, &body[..2]), (0x20, &[0, 0][..]), "no session, success");
    let properties = &body[3..];
    assert_eq!(&properties[..3], [0x21, 1000_u16.to_be_bytes()[0], 1000_u16.to_be_bytes()[1]]);
    assert_eq!(&properties[3..7], [0x24, 1, 0x25, 0], "QoS 1 at most, nothing retained");
    assert_eq!(&properties[7..12], [0x27, 1, 0, 0, 0], "packets of 16 MiB");
    assert_eq!(&properties[12..18], [0x11, 0, 0, 0, 0, 0x12], "no session is kept, a client id is assigned");
}

/// What the door says last, if anything, before it closes.
async fn last_word(device: &mut Device) -> Option<(u8, Vec<u8>)> {
    let word = device.packet().await;
    if word.is_some() {
        assert_eq!(device.packet().await, None, "then it closes");
    }
    word
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_the_rules_ends_the_connection() {
    let (_ground, address) = ground().await;
    let qos2 = |v5| publish(v5, "city/a/air", b"{}", 2, 1, false);
    let wildcard = |v5| publish(v5, "city/+/air", b"{}", 1, 1, false);
    let huge = |_| vec![0x32, 0xff, 0xff, 0xff, 0x7f];
    let endless = |_| vec![0x32, 0xff, 0xff, 0xff, 0xff, 0x01];
    let second = |v5| connect(v5, "x", true, 60);
    let no_id = |v5| publish(v5, "city/a/air", b"{}", 1, 0, false);
    type Bytes<'a> = &'a dyn Fn(bool) -> Vec<u8>;
    let cases: [(Bytes<'_>, u8); 6] =
        [(&qos2, 0x9b), (&wildcard, 0x90), (&huge, 0x95), (&endless, 0x81), (&second, 0x82), (&no_id, 0x81)];
    for (bytes, code) in cases {
        let mut device = Device::new(address, false, "old").await;
        device.send(&bytes(false)).await;
        assert_eq!(last_word(&mut device).await, None);
        let mut device = Device::new(address, true, "new").await;
        device.send(&bytes(true)).await;
        assert_eq!(last_word(&mut device).await, Some((0xe0, vec![code, 0])));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_greeting_that_is_none_is_refused() {
    let (_ground, address) = ground().await;
    let mut old = text("MQIsdp");
    old.extend([3, 2, 0, 60]);
    old.extend(text("x"));
    for (bytes, answer) in [
        (packet(0x10, &old), Some((0x20, vec![0, 1]))),
        (connect(false, "", false, 60), Some((0x20, vec![0, 2]))),
        (vec![0xc0, 0], Some((0x20, vec![0, 3]))),
        (b"GET / HTTP/1.1\r\n\r\n".to_vec(), Some((0x20, vec![0, 3]))),
    ] {
        let mut device = Device::bare(address, false).await;
        device.send(&bytes).await;
        assert_eq!(last_word(&mut device).await, answer, "{bytes:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_device_is_let_go_and_a_pinging_one_stays() {
    let (_ground, address) = ground().await;
    let mut device = Device::bare(address, true).await;
    device.send(&connect(true, "short", true, 1)).await;
    device.packet().await.unwrap();
    let start = std::time::Instant::now();
    device.send(&[0xc0, 0]).await;
    assert_eq!(device.packet().await, Some((0xd0, vec![])));
    assert_eq!(last_word(&mut device).await, Some((0xe0, vec![0x8d, 0])));
    assert!(start.elapsed() >= Duration::from_millis(1400), "one and a half times the keep-alive");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_connection_with_one_client_id_ends_the_first() {
    let (_ground, address) = ground().await;
    let mut first = Device::new(address, true, "twin").await;
    let mut second = Device::new(address, true, "twin").await;
    assert_eq!(last_word(&mut first).await, Some((0xe0, vec![0x8e, 0])));
    second.say("city/a/air", &air(ago(1), 400), 1).await;
    let mut third = Device::new(address, true, "twin").await;
    assert_eq!(last_word(&mut second).await, Some((0xe0, vec![0x8e, 0])));
    third.say("city/a/air", &air(ago(1), 400), 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_holds_what_wants_an_ack_and_counts_what_it_drops() {
    let config = Config { queue_bytes: 600, ..Config::default() };
    let mut ground = Ground::new(config).await;
    // All may be under way, so what is read while the first of them become durable finds no room.
    let address = ground.listener(listener::Config::default()).await;
    let mut device = Device::new(address, false, "flood").await;
    let start = ago(5000);
    let mut bytes = Vec::new();
    for id in 1..=300_u16 {
        let payload = |second: i64| air(start + second, 500);
        bytes.extend(publish(false, "city/sure/air", payload(i64::from(id)).as_bytes(), 1, id, false));
        bytes.extend(publish(false, "city/loose/air", payload(i64::from(id)).as_bytes(), 0, 0, false));
    }
    device.send(&bytes).await;
    for id in 1..=300 {
        assert_eq!(device.packet().await, Some(puback(id)));
    }
    let door = ground.metrics.door("listener");
    // The last QoS 0 message follows the last ack.
    until("all are taken", async || door.messages.get() == 600).await;
    let rows = async || ground.rows("air").await;
    until("the rest is durable", async || rows().await.len() as u64 == 600 - door.dropped.get()).await;
    let rows = rows().await;
    assert_eq!(rows.iter().filter(|row| row.starts_with("sure")).count(), 300);
    assert!(door.dropped.get() > 0, "with so little room some must go");
    assert_eq!(door.acked.get(), 300);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_acknowledged_when_the_intake_has_ended() {
    let (mut ground, address) = ground().await;
    let mut device = Device::new(address, true, "lost").await;
    ground.kill_intake();
    until("the intake has ended", async || {
        device.publish("city/a/air", &air(ago(1), 1), 1).await;
        matches!(device.packet().await, Some((0xe0, _)))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_the_door_acknowledges_what_came_in() {
    let (mut ground, address) = ground().await;
    let mut device = Device::new(address, true, "late").await;
    let start = ago(500);
    for id in 1..=100 {
        device.publish("city/a/air", &air(start + i64::from(id), 1), id).await;
    }
    assert_eq!(device.packet().await, Some(puback(1)));
    ground.close_door().await;
    let mut acked = 1;
    loop {
        match device.packet().await {
            Some((0x40, body)) => {
                acked += 1;
                assert_eq!(body, (acked as u16).to_be_bytes());
            }
            Some((0xe0, body)) => break assert_eq!(body, [0x8b, 0]),
            other => panic!("{other:?}"),
        }
    }
    assert!(ground.rows("air").await.len() >= acked);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_holds_back_acks_but_not_the_end() {
    let config = Config { farewell: Duration::from_millis(50), ..Config::default() };
    let mut ground = Ground::full(config).await;
    let bounds = listener::Config { drain: Duration::from_millis(50), ..listener::Config::default() };
    let address = ground.listener(bounds).await;
    let mut device = Device::new(address, false, "patient").await;
    device.publish("city/a/air", &air(ago(1), 1), 1).await;
    until("the store puts it off", async || ground.metrics.put_off.get() > 0).await;
    let ended = tokio::time::timeout(PATIENCE, ground.end()).await.expect("it ends");
    assert_eq!(ended.unwrap_err().kind, ingest::Kind::Store);
    assert_eq!(device.packet().await, None, "nothing was acknowledged");
}

#[tokio::test(flavor = "multi_thread")]
async fn noise_ends_its_own_connection_only() {
    let (_ground, address) = ground().await;
    let mut state = 42_u64;
    let mut byte = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u8
    };
    for round in 0..200 {
        let v5 = round % 2 == 0;
        let mut device = Device::new(address, v5, "noise").await;
        // A valid packet with some bytes changed.
        let mut bytes = publish(v5, "city/a/air", &[b'x'; 40], 1, 1, false);
        for _ in 0..3 {
            let at = usize::from(byte()) % bytes.len();
            bytes[at] = byte();
        }
        device.send(&bytes).await;
    }
    Device::new(address, true, "fine").await.say("city/a/air", &air(ago(1), 400), 1).await;
}
