//! Graphite's lines over a socket, and SenML over MQTT, into a real store.

use crate::device::{Device, puback, publish};
use crate::ground::{Ground, ago, now, until};
use access::{Entrance, Front};
use ingest::{Config, doors};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

#[tokio::test(flavor = "multi_thread")]
async fn lines_over_tcp_become_readings_and_wrong_ones_rejects() {
    let ground = Ground::new(Config::default()).await;
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let (entrance, intake) = (Entrance::new(socket, Front::default()), ground.intake.clone().unwrap());
    let config = doors::graphite::Config::default();
    let door = tokio::spawn(doors::graphite::run(entrance, intake, config, async move { drop(stopped.await) }));
    let start = ago(10_000);
    let mut senders = Vec::new();
    for sender in 0..8 {
        senders.push(tokio::spawn(async move {
            let mut stream = TcpStream::connect(address).await.unwrap();
            for i in 0..500 {
                let line = format!("house.s{sender}.co2 {i} {}\n", start + i);
                // In pieces that end anywhere.
                let (head, tail) = line.split_at((i as usize * 7) % line.len());
                stream.write_all(head.as_bytes()).await.unwrap();
                stream.write_all(tail.as_bytes()).await.unwrap();
            }
            let end = format!("nonsense\nhouse.s0.co2 -5 1\nelse.where 1 2\nhouse.last{sender}.co2 7 -1");
            stream.write_all(end.as_bytes()).await.unwrap();
        }));
    }
    for sender in senders {
        sender.await.unwrap();
    }
    until("all is there", async || ground.rows("air").await.len() == 8 * 501).await;
    let rejects = ground.rejects();
    for reject in ["invalid_payload graphite  x8", "out_of_range graphite co2 x8", "unknown_topic graphite  x8"] {
        assert!(rejects.iter().any(|row| row == reject), "{reject} in {rejects:?}");
    }
    let rows = ground.rows("air").await;
    assert!(rows.contains(&format!("s3 {} 499", start + 499)));
    assert_eq!(rows.iter().filter(|row| row.starts_with("last")).count(), 8, "those that lack their end, too");
    // What came just before the door closes is taken all the same.
    let mut late = TcpStream::connect(address).await.unwrap();
    late.write_all(format!("house.late.co2 1 {start}\n").as_bytes()).await.unwrap();
    until("the line is read", async || ground.rows("air").await.iter().any(|row| row.starts_with("late "))).await;
    stop.send(()).unwrap();
    door.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn packs_over_mqtt_are_read_by_name_and_one_sent_again_is_the_same() {
    let mut ground = Ground::new(Config::default()).await;
    let address = ground.listener(doors::listener::Config::default()).await;
    let mut device = Device::new(address, false, "senml").await;
    let then = ago(60);
    let pack = format!(
        r#"[{{"bn":"urn:dev:ow:1:","bt":{then},"n":"co2","v":400}},{{"n":"co2","t":1,"v":401}},{{"n":"noise","v":1}}]"#
    );
    device.say("senml/hall", &pack, 1).await;
    assert_eq!(ground.rows("air").await, [format!("1 {then} 400"), format!("1 {} 401", then + 1)]);
    assert_eq!(ground.rejects(), ["no_fields senml/hall noise x1"]);
    // Without times of its own it is as old as its first arrival, however often it comes.
    let before = now().0 / 1_000_000;
    let pack = r#"[{"n":"urn:dev:ow:2:co2","v":500}]"#;
    device.say("senml/hall", pack, 2).await;
    let first: Vec<String> = ground.rows("air").await.into_iter().filter(|row| row.starts_with("2 ")).collect();
    device.send(&publish(false, "senml/hall", pack.as_bytes(), 1, 3, true)).await;
    assert_eq!(device.packet().await, Some(puback(3)));
    let again: Vec<String> = ground.rows("air").await.into_iter().filter(|row| row.starts_with("2 ")).collect();
    assert_eq!((first.len(), &first), (1, &again));
    let time: i64 = first[0].split(' ').nth(1).unwrap().parse().unwrap();
    assert!(time >= before);
}
