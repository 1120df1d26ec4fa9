//! The front door under abuse, through the real binary: callers that do nothing, or too much, or wrong things, while a
//! device publishes and somebody asks for `/health`. Both must go on as if nothing were.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where it stands")]
#![allow(clippy::print_stderr, reason = "measurements and skipped tests are told to a person")]

mod crowd;
mod keys;
mod place;
mod probe;
mod proxy;
mod tls;

use crowd::{Crowd, connect_from, raise};
use place::Place;
use probe::{Probe, Times};
use std::io::Write;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// What the slowest in a hundred acks or `/health` answers may take in a test that runs beside others on a loaded machine.
/// What they really take is printed.
const LOOSE: Duration = Duration::from_secs(3);

/// Runs an abuse while a device publishes and `/health` is asked for.
fn under(place: &Place, name: &str, abuse: impl Future<Output = ()>) -> (Times, Times) {
    let probe = Probe::start(&place.http, &place.mqtt);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(abuse);
    let (acks, health) = probe.stop();
    eprintln!("{name:>24}: acks {acks}; /health {health}");
    assert!(acks.count > 0 && acks.p99 < LOOSE, "{name}: acks {acks}");
    assert!(health.count > 0 && health.p99 < LOOSE, "{name}: /health {health}");
    (acks, health)
}

async fn for_a_while() {
    tokio::time::sleep(Duration::from_secs(3)).await;
}

#[test]
fn abuse_changes_nothing_for_others_and_leaves_nothing_behind() {
    raise();
    let place = Place::new("");
    under(&place, "at rest", for_a_while());
    let (files, memory) = (place.files(), place.memory());
    under(&place, "200 slow heads", async {
        let crowd = Crowd::new(&place.http, 2, 200, b"GET /health HTTP/1.1\r\nX: ").await;
        crowd.drip(Duration::from_secs(3)).await;
    });
    under(&place, "200 slow bodies", async {
        let head = b"POST /api/v1/sql HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n";
        let crowd = Crowd::new(&place.http, 3, 200, head).await;
        crowd.drip(Duration::from_secs(3)).await;
    });
    let evicted = place.metric("lamppost_door_refused_total{door=\"http\",reason=\"idle\"}");
    under(&place, "10,000 idle", async {
        let mut crowds = Vec::new();
        for last in 10..50 {
            crowds.push(Crowd::new(&place.http, last, 250, b"").await);
        }
        for_a_while().await;
    });
    let evictions = place.metric("lamppost_door_refused_total{door=\"http\",reason=\"idle\"}") - evicted;
    assert!(evictions > 5000.0, "{evictions} of 10,000 made room");
    under(&place, "one address, 1,000", async {
        let crowd = Crowd::new(&place.http, 60, 1000, b"").await;
        assert!(crowd.closed(Duration::from_secs(2)).await >= 744, "an address has its share of 256");
    });
    under(&place, "1,000 half-open MQTT", async {
        let _crowds = [Crowd::new(&place.mqtt, 61, 250, b"\x10").await, Crowd::new(&place.mqtt, 62, 750, b"").await];
        for_a_while().await;
    });
    under(&place, "bombs and garbage", async {
        for round in 0..20 {
            bomb(&place).await;
            garbage(&place, round).await;
        }
    });
    place.settles(files, memory);
}

/// A megabyte of gzip that would inflate to a gigabyte costs its limit and ends as 413.
async fn bomb(place: &Place) {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(&vec![b' '; 16 << 20]).unwrap();
    let body = encoder.finish().unwrap();
    let head = format!(
        "POST /api/v1/sql HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: text/plain\r\n\
         Content-Encoding: gzip\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let said = say(place, 70, &[head.as_bytes(), &body].concat()).await;
    assert!(said.starts_with("HTTP/1.1 413 "), "{said}");
    let lower = said.to_lowercase();
    assert!(lower.contains("access-control-allow-origin: *") && lower.contains("x-request-id: "), "{said}");
    assert!(said.contains("\"instance\":\"/api/v1/sql\""), "{said}");
}

/// What is no request, or too large a one, or one of somebody who says he is another.
async fn garbage(place: &Place, round: u8) {
    let noise: Vec<u8> = (0..5000_usize).map(|i| (i * 31 + usize::from(round) * 17) as u8 | 0x80).collect();
    let said = say(place, 71, &noise).await;
    assert!(said.is_empty() || said.starts_with("HTTP/1.1 400 "), "{said}");
    let large = format!("GET /health HTTP/1.1\r\nHost: x\r\nA: {}\r\n\r\n", "a".repeat(20 << 10));
    let said = say(place, 71, large.as_bytes()).await;
    assert!(said.is_empty() || said.starts_with("HTTP/1.1 431 "), "{said}");
    let spoofed = "GET /status HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 127.0.0.1\r\nConnection: close\r\n\r\n";
    let said = say(place, 1, spoofed.as_bytes()).await;
    assert!(said.starts_with("HTTP/1.1 40"), "{said}");
}

/// Says something from 127.0.0.`last`; gives what comes back until the server closes, or a while has passed.
async fn say(place: &Place, last: u8, bytes: &[u8]) -> String {
    let mut stream = connect_from(&place.http, last).await.unwrap();
    // The server may have closed before it has all.
    let _ = stream.write_all(bytes).await;
    let mut said = Vec::new();
    let _ = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut said)).await;
    String::from_utf8_lossy(&said).into_owned()
}
