//! A real Mosquitto that is stopped and started again under load: every message arrives once.

use crate::ground::{Ground, PATIENCE, ago, until};
use ingest::{Config, doors::broker};
use rumqttc::{AsyncClient, Event, MqttOptions, Outgoing, Packet, QoS};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use url::Url;

pub(crate) const MOSQUITTO: &str = "/usr/sbin/mosquitto";

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Starts Mosquitto with its state in a folder, and waits until it listens.
pub(crate) async fn start(folder: &Path, port: u16) -> Child {
    let config = format!(
        "user root\nlistener {port} 127.0.0.1\nallow_anonymous true\npersistence true\npersistence_location {}/\n\
         max_queued_messages 0\nmax_inflight_messages 100\nlog_dest none\n",
        folder.display()
    );
    let file = folder.join("mosquitto.conf");
    std::fs::write(&file, config).unwrap();
    let mut child =
        Command::new(MOSQUITTO).arg("-c").arg(&file).stderr(Stdio::null()).kill_on_drop(true).spawn().unwrap();
    until("Mosquitto listens", async || {
        assert!(child.try_wait().unwrap().is_none(), "Mosquitto ended");
        TcpStream::connect(("127.0.0.1", port)).await.is_ok()
    })
    .await;
    child
}

/// Asks Mosquitto to save its sessions and end.
async fn stop(mut child: Child) {
    let id = child.id().unwrap().to_string();
    Command::new("kill").args(["-TERM", &id]).status().await.unwrap();
    tokio::time::timeout(PATIENCE, child.wait()).await.unwrap().unwrap();
}

/// Publishes a message a second of history for one sensor, and waits for every PUBACK.
pub(crate) async fn publish(port: u16, sensor: &str, start: i64, count: u16) {
    let mut options = MqttOptions::new(format!("device-{sensor}"), "127.0.0.1", port);
    options.set_clean_session(false).set_inflight(50);
    let (client, mut events) = AsyncClient::new(options, usize::from(count));
    for i in 0..count {
        let payload = format!(r#"{{"ts":{},"co2":{i}}}"#, start + i64::from(i));
        client.publish(format!("city/{sensor}/air"), QoS::AtLeastOnce, false, payload).await.unwrap();
    }
    let mut acked = 0;
    while acked < count {
        match events.poll().await {
            Ok(Event::Incoming(Packet::PubAck(_))) => acked += 1,
            Ok(Event::Outgoing(Outgoing::Publish(_))) => tokio::time::sleep(Duration::from_micros(300)).await,
            Ok(_) => {}
            // Mosquitto is away; rumqttc sends again what was not acknowledged.
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

async fn restarted_under_load(version: broker::Version) {
    if !Path::new(MOSQUITTO).exists() {
        eprintln!("skipped: {MOSQUITTO} is not installed");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let mut mosquitto = start(folder.path(), port).await;
    let mut ground = Ground::new(Config::default()).await;
    let config = || broker::Config {
        version,
        back_off: (Duration::from_millis(20), Duration::from_millis(100)),
        ..broker::Config::new(Url::parse(&format!("mqtt://127.0.0.1:{port}")).unwrap(), "lamppost-test")
    };
    ground.broker(config());
    let door = ground.metrics.door(&format!("127.0.0.1:{port}"));
    until("subscribed", async || door.connections.get() == 1).await;
    // The session must stand before anything is published: a probe goes through first.
    publish(port, "probe", ago(10), 1).await;
    let since = ago(20_000);
    let devices: Vec<_> =
        (0..4).map(|i| tokio::spawn(async move { publish(port, &format!("s{i}"), since, 2000).await })).collect();
    for round in 0..3 {
        until("some have arrived", async || ground.rows("air").await.len() > 1000 * (round + 1)).await;
        if round == 1 {
            // Lamppost itself goes and comes: the broker keeps its session meanwhile.
            ground = ground.restart(Config::default()).await;
            ground.broker(config());
        } else {
            stop(mosquitto).await;
            mosquitto = start(folder.path(), port).await;
        }
    }
    for device in devices {
        device.await.unwrap();
    }
    let all = async || (0..4).map(|i| format!("s{i} ")).collect::<Vec<_>>();
    let sensors = all().await;
    until("all have arrived", async || {
        let rows = ground.rows("air").await;
        sensors.iter().all(|sensor| rows.iter().filter(|row| row.starts_with(sensor.as_str())).count() == 2000)
    })
    .await;
    let mut right: Vec<String> =
        sensors.iter().flat_map(|s| (0..2000).map(move |i| format!("{s}{} {i}", since + i))).collect();
    let mut rows: Vec<String> = ground.rows("air").await.into_iter().filter(|row| row.starts_with('s')).collect();
    right.sort();
    rows.sort();
    assert_eq!(rows, right);
    assert_eq!(ground.rejects(), [""; 0]);
    ground.close_door().await;
    stop(mosquitto).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_message_arrives_once_over_restarts_by_version_3_1_1() {
    restarted_under_load(broker::Version::V311).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_message_arrives_once_over_restarts_by_version_5() {
    restarted_under_load(broker::Version::V5).await;
}
