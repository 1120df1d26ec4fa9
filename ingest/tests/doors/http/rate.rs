//! What a row costs the server: store, intake and door in this process, the load in another one (this program again).
//! By hand: `cargo test --release -p ingest --test doors http::rate::server -- --ignored --nocapture`.

use super::open;
use std::io::{Read, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Where the load goes and what it is, for the process that makes it: `address lines connections shuffled`.
const LOAD: &str = "LAMPPOST_LOAD";
/// How long each load goes on.
const RUN: Duration = Duration::from_secs(4);

/// User and system time of the process so far, in seconds.
fn cpu() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<f64> = text.rsplit(") ").next().unwrap().split(' ').map(|n| n.parse().unwrap_or(0.0)).collect();
    (fields[11] + fields[12]) / 100.0
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
async fn server() {
    for (lines, connections, shuffled) in
        [(10_000, 4, false), (10_000, 4, true), (1000, 8, false), (100, 64, false), (1, 1, false), (1, 64, false)]
    {
        let (ground, address) = open().await;
        let begun = cpu();
        let program = std::env::current_exe().unwrap();
        let load = tokio::task::spawn_blocking(move || {
            Command::new(program)
                .args(["http::rate::load", "--ignored", "--exact", "--nocapture"])
                .env(LOAD, format!("{address} {lines} {connections} {shuffled}"))
                .stderr(Stdio::piped())
                .output()
                .unwrap()
        });
        let output = load.await.unwrap();
        let used = cpu() - begun;
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        let bodies: f64 = told
            .lines()
            .find_map(|line| line.strip_prefix("bodies "))
            .unwrap_or_else(|| panic!("{told}"))
            .parse()
            .unwrap();
        let (rows, order) = (bodies * f64::from(lines), if shuffled { "shuffled" } else { "in order" });
        eprintln!(
            "{lines} lines {order} on {connections} connections: {:.0} rows/CPU-s, {:.1} µs a body, {:.0} rows/s",
            rows / used,
            used * 1e6 / bodies,
            rows / RUN.as_secs_f64()
        );
        ground.end().await.unwrap();
    }
}

/// The load: each connection sends one body after the other.
#[test]
#[ignore = "the other half of the measurement"]
fn load() {
    let Ok(text) = std::env::var(LOAD) else { return };
    let words: Vec<&str> = text.split(' ').collect();
    let address: SocketAddr = words[0].parse().unwrap();
    let (lines, connections): (usize, usize) = (words[1].parse().unwrap(), words[2].parse().unwrap());
    let shuffled = words[3] == "true";
    let threads: Vec<_> =
        (0..connections).map(|c| std::thread::spawn(move || drive(address, lines, c, shuffled))).collect();
    let bodies: u64 = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
    eprintln!("bodies {bodies}");
}

fn drive(address: SocketAddr, lines: usize, connection: usize, shuffled: bool) -> u64 {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    let start = crate::ground::ago(86_400 * 20);
    // Every body is of other instants: equal keys would be merged and not stored.
    let requests: Vec<Vec<u8>> = (0..(400_000 / lines / 4).clamp(4, 200))
        .map(|minute| {
            let sensor = |i: usize| if shuffled { i * 7919 % 2003 } else { i % 2000 };
            let body: String = (0..lines)
                .map(|i| {
                    let at = start + 60 * (minute * (1 + lines / 2000) + i / 2000) as i64;
                    let (a, b, c) = (400 + i % 900, 200 + i % 99, i % 10);
                    format!(
                        "air,room=c{connection}-{:04},building=town\\ hall co2={a}i,temperature={}.{c},humidity={}.{c},pm10={b}.{c} {at}000000000\n",
                        sensor(i), 5 + i % 20, 30 + i % 50
                    )
                })
                .collect();
            format!("POST /write HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
        })
        .collect();
    let (begun, mut bodies, mut answer) = (Instant::now(), 0, [0; 4096]);
    while begun.elapsed() < RUN {
        stream.write_all(&requests[bodies as usize % requests.len()]).unwrap();
        let got = stream.read(&mut answer).unwrap();
        assert!(answer[..got].starts_with(b"HTTP/1.1 204"), "{}", String::from_utf8_lossy(&answer[..got]));
        bodies += 1;
    }
    bodies
}
