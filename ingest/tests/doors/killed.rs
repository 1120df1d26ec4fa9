//! A real Mosquitto that is killed under load. It forgets its sessions, and what it had not passed on: Lamppost subscribes
//! again by itself, and from then on everything arrives.

use crate::broker::air;
use crate::device::{self, Device};
use crate::ground::{Ground, ago, until};
use crate::mosquitto::{MOSQUITTO, free_port, publish, start};
use ingest::{Config, doors::broker};
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use url::Url;

/// Messages of each sensor.
const MANY: u16 = 1000;

/// Publishes a message a second of history until all are told or the broker is gone.
async fn talk(port: u16, sensor: String, since: i64) {
    let mut device = Device::new(([127, 0, 0, 1], port).into(), false, &sensor).await;
    for n in 0..MANY {
        let message = device::publish(
            false,
            &format!("city/{sensor}/air"),
            &air(since + i64::from(n), n.into()),
            1,
            n + 1,
            false,
        );
        if device.stream.write_all(&message).await.is_err() {
            return;
        }
        tokio::time::sleep(Duration::from_micros(300)).await;
    }
}

async fn killed_under_load(version: broker::Version) {
    if !Path::new(MOSQUITTO).exists() {
        eprintln!("skipped: {MOSQUITTO} is not installed");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let mut mosquitto = start(folder.path(), port).await;
    let mut ground = Ground::new(Config::default()).await;
    ground.broker(broker::Config {
        version,
        back_off: (Duration::from_millis(20), Duration::from_millis(100)),
        ..broker::Config::new(Url::parse(&format!("mqtt://127.0.0.1:{port}")).unwrap(), "lamppost-killed")
    });
    let since = ago(20_000);
    let of = async |ground: &Ground, sensor: &str| {
        ground.rows("air").await.iter().filter(|row| row.starts_with(&format!("{sensor} "))).count()
    };
    for round in 0..3 {
        // Whether the subscription stands shows only by a message that arrives.
        let probe = format!("probe{round}");
        until("it is subscribed", async || {
            publish(port, &probe, since, 1).await;
            of(&ground, &probe).await == 1
        })
        .await;
        let sure = format!("sure{round}");
        publish(port, &sure, since, MANY).await;
        until("all arrived", async || of(&ground, &sure).await == usize::from(MANY)).await;

        let load = format!("load{round}");
        let device = tokio::spawn(talk(port, load.clone(), since));
        until("some arrived", async || of(&ground, &load).await > 100).await;
        mosquitto.kill().await.unwrap();
        mosquitto = start(folder.path(), port).await;
        device.await.unwrap();
    }
    let rows = ground.rows("air").await;
    let different: BTreeSet<&String> = rows.iter().collect();
    assert_eq!(different.len(), rows.len(), "nothing counts twice");
    for row in &rows {
        let parts: Vec<&str> = row.split(' ').collect();
        let (time, value): (i64, i64) = (parts[1].parse().unwrap(), parts[2].parse().unwrap());
        assert_eq!(time - since, value, "{row} was never sent");
    }
    assert_eq!(ground.rejects(), [""; 0]);
    ground.close_door().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_broker_is_subscribed_at_again_by_version_3_1_1() {
    killed_under_load(broker::Version::V311).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_broker_is_subscribed_at_again_by_version_5() {
    killed_under_load(broker::Version::V5).await;
}
