//! The built-in MQTT door under load, without the rest of the program: store, intake and door in this process, the load in
//! another one (this program again). By hand: `cargo bench -p ingest --bench door -- [rates|open|idle|latest]…`.
//!
//! CPU is the server's, user and kernel, in steps of 10 ms; the load's own does not count. `benches/spine` measures the same
//! through the real binary.
#![allow(clippy::print_stdout, reason = "tells its measurements")]
#![allow(clippy::expect_used, reason = "a failed step ends the measurement")]

#[allow(dead_code, reason = "shared with the bench of the whole program")]
#[path = "../../../benches/spine/device.rs"]
mod device;
mod idle;
#[allow(dead_code, reason = "shared with the bench of the whole program")]
#[path = "../../../benches/spine/load.rs"]
mod load;
mod open;
mod server;

use load::Load;
use server::{Server, cpu, resident};
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::Arc;

/// As the program has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Messages each connection keeps under way, and rounds of all sensors.
const ROWS: [(usize, usize); 3] = [(1, 200), (20, 1000), (100, 1500)];
/// Messages a second of the open loops.
const OPEN: [u32; 2] = [50_000, 100_000];

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    if let [role, address, rest @ ..] = &words[..]
        && let Ok(address) = address.parse::<SocketAddr>()
    {
        let numbers: Vec<usize> = rest.iter().map(|text| text.parse().expect("a number")).collect();
        return child(role, address, &numbers);
    }
    let wanted = |name: &str| words.is_empty() || words.iter().any(|word| word == name);
    let window = words.iter().find_map(|word| word.parse::<usize>().ok());
    if wanted("rates") {
        ROWS.into_iter().filter(|row| window.is_none_or(|window| row.0 == window)).for_each(rates);
    }
    if wanted("open") {
        OPEN.into_iter().for_each(open_loop);
    }
    if wanted("idle") {
        connected(10_000);
    }
    if wanted("latest") {
        latest();
    }
}

/// What this program does when it was started again as the load.
fn child(role: &str, address: SocketAddr, numbers: &[usize]) {
    match (role, numbers) {
        ("send", [window, rounds]) => {
            let load = Arc::new(Load::new(*rounds));
            let wall = device::send(address, &load, *window);
            println!("{} {}", load.messages, wall.as_secs_f64());
        }
        ("open", [rate, seconds]) => open::send(address, *rate, *seconds),
        ("idle", [count]) => idle::connect(address, *count),
        _ => panic!("no such load: {role} {numbers:?}"),
    }
}

/// Starts the load and gives its line of numbers once it is done.
fn run(role: &str, address: SocketAddr, numbers: &[usize]) -> Vec<f64> {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.arg(role).arg(address.to_string()).args(numbers.iter().map(ToString::to_string));
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output().expect("the load");
    assert!(output.status.success(), "the load failed");
    let text = String::from_utf8(output.stdout).expect("numbers");
    text.split_whitespace().map(|word| word.parse().expect("a number")).collect()
}

/// Closed loops: as many messages as the door acknowledges.
fn rates((window, rounds): (usize, usize)) {
    let server = Server::start();
    let before = cpu();
    let told = run("send", server.address, &[window, rounds]);
    let spent = cpu() - before;
    let (messages, wall) = (told[0], told[1]);
    let appends = server.appends();
    println!(
        "64 × {window:3}: {:9.0} ack/CPU s, {:6.0} ns each; {:9.0} ack/s; {:7.1} messages an append, {:5.0} µs of CPU",
        messages / spent,
        spent / messages * 1e9,
        messages / wall,
        messages / appends,
        spent / appends * 1e6,
    );
    server.end(messages as u64);
}

/// Open loop: messages come at a pace, whatever the door does.
fn open_loop(rate: u32) {
    let server = Server::start();
    let before = cpu();
    let told = run("open", server.address, &[rate as usize, 10]);
    let spent = cpu() - before;
    let [messages, p50, p99, p999, late] = told[..] else { panic!("five numbers") };
    println!(
        "open {rate}/s: PUBACK after p50 {p50:.2} ms, p99 {p99:.2} ms, p99.9 {p999:.2} ms; {:.0} messages/CPU s; load late {late:.2} ms",
        messages / spent
    );
    server.end(messages as u64);
}

/// Devices that are connected and silent.
fn connected(count: usize) {
    let server = Server::start();
    let (before, resident_before) = (cpu(), resident());
    let mut load = Command::new(std::env::current_exe().expect("this program"))
        .args(["idle".to_owned(), server.address.to_string(), count.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the load");
    let seconds: f64 = idle::told(load.stdout.take().expect("stdout"));
    let (spent, resident) = (cpu() - before, resident());
    println!(
        "{count} connected: {:.0} connects/s, {:.0}/CPU s; {resident:.0} MB resident, {:.1} kB each",
        count as f64 / seconds,
        count as f64 / spent,
        (resident - resident_before) * 1e3 / count as f64
    );
    drop(load.stdin.take());
    load.wait().expect("the load ends");
    server.end(0);
}

/// From PUBLISH until a reader sees the value, while half of what the machine takes comes in.
fn latest() {
    let server = Server::start();
    let address = server.address;
    let background = std::thread::spawn(move || run("open", address, &[50_000, 10]));
    let mut took = server.visibility(address);
    let told = background.join().expect("the load");
    took.sort_by(f64::total_cmp);
    let at = |share: f64| took[((took.len() - 1) as f64 * share) as usize];
    println!("visible in latest at 50000/s: p50 {:.2} ms, p99 {:.2} ms, {} probes", at(0.5), at(0.99), took.len());
    server.end(told[0] as u64 + took.len() as u64);
}
