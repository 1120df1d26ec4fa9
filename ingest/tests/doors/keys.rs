//! Keys at the built-in MQTT door: who tries many waits.

use crate::device::{Device, connect_with};
use crate::ground::Ground;
use access::{Allowance, Budget, Front, Keyring, Keys};
use ingest::{Config, doors::listener, doors::listener::gate::Gate};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Half of this is what each further wrong key waits for.
const PATIENCE: Duration = Duration::from_secs(2);

/// Shows a key; the code of the CONNACK, and how long it took.
async fn show(address: SocketAddr, v5: bool, key: &str) -> (u8, Duration) {
    let mut device = Device::bare(address, v5).await;
    let since = Instant::now();
    device.send(&connect_with(v5, "d", true, 60, key)).await;
    let (first, body) = device.packet().await.expect("an answer");
    assert_eq!(first, 0x20);
    (body[1], since.elapsed())
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_keys_are_answered_slowly_once_there_were_many_and_good_ones_never() {
    let mut ring = Keyring::default();
    let key = ring.add("gateway", vec!["write".parse().unwrap()], jiff::Timestamp::UNIX_EPOCH, None).unwrap();
    let budget = Budget::new(Allowance { wrong_keys: 3, ..Allowance::default() });
    let mut ground = Ground::new(Config::default()).await;
    let bounds = listener::Config { patience: PATIENCE, ..listener::Config::default() };
    let address = ground.guarded(Gate::new(Keys::fixed(ring), false).bounded(budget), Front::default(), bounds).await;
    for (v5, code) in [(false, 4), (true, 0x86), (false, 4)] {
        let (told, took) = show(address, v5, "wrong").await;
        assert_eq!(told, code);
        assert!(took < PATIENCE / 2, "{took:?}");
    }
    for (v5, code) in [(false, 3), (true, 0x97)] {
        let guess = tokio::spawn(async move { show(address, v5, "wrong").await });
        let (told, took) = show(address, v5, key.reveal()).await;
        assert_eq!(told, 0, "a good key is good");
        assert!(took < PATIENCE / 2, "{took:?}");
        let (told, took) = guess.await.unwrap();
        assert_eq!(told, code);
        assert!(took >= PATIENCE / 2, "{took:?}");
    }
}
