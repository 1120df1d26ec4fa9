//! A server killed with ten million rows in its log that no file has yet, and how soon it is ready again.
//!
//! They come in through the built-in MQTT door, a thousand readings a message, as gateways that catch up send them.

use crate::lamppost::config;
use crate::rows::{Stretch, Text};
use crate::server::{Server, megabytes};
use crate::system::{clear, list, root};
use crate::town::{END, SENSORS, TRAFFIC};
use crate::{note, say};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Instant;

/// Rows in the log.
const ROWS: i64 = 10_000_000;
/// Minutes made at a time.
const STRETCH: i64 = 100;
/// Messages under way.
const WINDOW: usize = 32;
/// Goal in seconds.
const GOAL: f64 = 5.0;
/// Nothing is sealed by size or age.
const CONFIG: &str = "hot.bytes = \"64GiB\"\nflush.age = \"1d\"\nmqtt.listen = \"127.0.0.1:0\"\n";

/// Measures and prints.
pub(crate) fn run() {
    let folder = root().join("kill");
    clear(&folder);
    let config = config(&folder, CONFIG);
    let mut server = Server::start(&config);
    note("filling the log");
    let begun = Instant::now();
    fill(server.mqtt());
    let filled = begun.elapsed().as_secs_f64();
    server.wait("hot", |status| hot_rows(status) == ROWS as u64);
    let (held, log) = (server.resident().all, megabytes(&folder.join("log")));
    // Dropping it is kill -9.
    drop(server);
    let begun = Instant::now();
    let mut server = Server::start(&config);
    server.ready();
    let ready = begun.elapsed().as_secs_f64();
    let used = server.used();
    server.wait("hot again", |status| hot_rows(status) == ROWS as u64);
    say(&format!(
        "\nkill -9 with {ROWS} unflushed rows (in by MQTT at {:.0} rows/s, log {log:.0} MB, {held:.0} MB resident): ready after \
         {ready:.2} s with {:.2} s of CPU and {:.0} MB; goal {GOAL}: {}",
        ROWS as f64 / filled,
        used.cpu,
        used.peak,
        if ready <= GOAL { "met" } else { "missed" }
    ));
    drop(server);
    let _ = std::fs::remove_dir_all(&folder);
}

fn hot_rows(status: &serde_json::Value) -> u64 {
    list(&status["store"]["datasets"]).iter().filter_map(|dataset| dataset["hot_rows"].as_u64()).sum()
}

/// Publishes all rows and waits for the last PUBACK (MQTT 3.1.1).
fn fill(address: SocketAddr) {
    let mut stream = TcpStream::connect(address).expect("a door that listens");
    stream.set_nodelay(true).expect("nodelay");
    stream.write_all(b"\x10\x11\0\x04MQTT\x04\x02\0\0\0\x05bench").expect("CONNECT");
    take(&mut stream, [0x20, 2]);
    let (mut under_way, mut id) = (0, 0_u16);
    let first = END - ROWS / SENSORS as i64;
    for begin in (first..END).step_by(STRETCH as usize) {
        let stretch = Stretch::new(&TRAFFIC, 0..SENSORS, begin..begin + STRETCH);
        let mut text = Text::default();
        for (number, row) in stretch.by_time().enumerate() {
            text.bytes.push(if number % SENSORS == 0 { b'[' } else { b',' });
            text.json(row);
            if number % SENSORS == SENSORS - 1 {
                text.bytes.push(b']');
                id = id.checked_add(1).unwrap_or(1);
                stream.write_all(&publish(id, &text.bytes)).expect("PUBLISH");
                text.bytes.clear();
                under_way += 1;
            }
            if under_way == WINDOW {
                take(&mut stream, [0x40, 2]);
                under_way -= 1;
            }
        }
    }
    (0..under_way).for_each(|_| take(&mut stream, [0x40, 2]));
}

/// A PUBLISH with QoS 1 (section 3.3).
fn publish(id: u16, payload: &[u8]) -> Vec<u8> {
    let topic = b"bench/traffic";
    let mut packet = vec![0x32];
    let mut length = 2 + topic.len() + 2 + payload.len();
    while length > 0x7f {
        packet.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    packet.push(length as u8);
    packet.extend((topic.len() as u16).to_be_bytes());
    packet.extend(topic);
    packet.extend(id.to_be_bytes());
    packet.extend(payload);
    packet
}

/// Reads a packet of four bytes that must begin so.
fn take(stream: &mut TcpStream, begin: [u8; 2]) {
    let mut packet = [0; 4];
    stream.read_exact(&mut packet).expect("an answer");
    assert_eq!(packet[..2], begin, "an answer of the door");
}
