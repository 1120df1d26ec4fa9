//! Through Mosquitto and rumqttc: Lamppost beside a subscriber that only counts and acknowledges, in pairs.
//!
//! The subscriber's row is what broker and client leave to anyone on this machine; how near Lamppost's comes is its own
//! part. The load never waits for the subscriber: Mosquitto acknowledges devices at once and queues.

use crate::broker::Mosquitto;
use crate::config::config;
use crate::load::{CONNECTIONS, Load};
use crate::process::{Process, Used, cpu, machine};
use crate::server::{Server, check_taken, doors, folder, repository};
use crate::table::{Column, Table, median};
use crate::{device, note, say};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

/// Messages each publishing connection keeps under way.
const WINDOW: usize = 20;
/// Rounds of all sensors.
const ROUNDS: usize = 150;

/// `taken/s`: messages a second until the subscriber has acknowledged the last, which Lamppost does once it is durable.
/// `sent s`: until the last PUBACK of Mosquitto to the devices. CPU: of the subscriber, of Mosquitto, of the load;
/// `others`: cores that anything else on the machine kept busy meanwhile, which should be near 0.
const COLUMNS: [Column; 9] = [
    ("taken/s", 0),
    ("wall s", 2),
    ("sent s", 2),
    ("CPU s", 2),
    ("taken/CPU s", 0),
    ("broker s", 2),
    ("load s", 2),
    ("others", 2),
    ("peak MB", 0),
];

/// Measures and prints.
pub(crate) fn measure(runs: usize) {
    let load = Arc::new(Load::new(ROUNDS));
    let (ours, theirs) = ("Lamppost", "counts and acks only");
    let mut table = Table::new(format!("through Mosquitto, {} messages", load.messages), &COLUMNS);
    for run in 0..runs {
        note(&format!("relay, pair {} of {runs}", run + 1));
        // Which of the two goes first changes from pair to pair.
        for turn in [run % 2 == 0, run % 2 == 1] {
            let (row, figures) = if turn { (ours, lamppost(&load)) } else { (theirs, counter(&load)) };
            table.add(row, figures);
        }
    }
    table.print();
    let pairs = table.column(ours, "taken/s").into_iter().zip(table.column(theirs, "taken/s"));
    let mut shares: Vec<f64> = pairs.map(|(ours, theirs)| ours / theirs).collect();
    say(&format!(
        "{CONNECTIONS} connections × {WINDOW}; of each pair Lamppost takes {:.2} times what the other takes (median)",
        median(&mut shares)
    ));
}

/// Lamppost as subscriber.
fn lamppost(load: &Arc<Load>) -> Vec<f64> {
    let folder = folder();
    let broker = Mosquitto::start(folder.path());
    let contracts = repository("schemas/datasets");
    let mut server = Server::start(&config(folder.path(), &contracts, Some(broker.address.port())));
    server.wait("subscribed", |status| doors(status).any(|door| door["connections"] == 1));
    let acked = |status: &serde_json::Value| doors(status).filter_map(|door| door["acked"].as_u64()).sum::<u64>();
    let messages = load.messages as u64;
    let figures = race(&broker, load, server.used(), || {
        server.wait("all acknowledged", |status| acked(status) >= messages);
        server.used()
    });
    check_taken(&server.status(), load.messages);
    figures
}

/// The other subscriber.
fn counter(load: &Arc<Load>) -> Vec<f64> {
    let folder = folder();
    let broker = Mosquitto::start(folder.path());
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.arg("--count").arg(broker.address.port().to_string()).arg(load.messages.to_string());
    let mut process = Process::start(command.stdout(Stdio::piped()));
    let mut lines = BufReader::new(process.child.stdout.take().expect("stdout"));
    let mut told = |word: &str| {
        let mut line = String::new();
        lines.read_line(&mut line).expect("stdout");
        assert_eq!(line.trim(), word, "what the counter says");
    };
    told("ready");
    race(&broker, load, process.used(), || {
        told("done");
        process.used()
    })
}

/// Sends the load through the broker, while `taken` waits until the subscriber has it all and tells what it has used then;
/// `before` is what it had used before. Gives a row.
fn race(broker: &Mosquitto, load: &Arc<Load>, before: Used, taken: impl FnOnce() -> Used) -> Vec<f64> {
    let (relayed, own, all, begun) = (broker.used().cpu, cpu("self"), machine(), Instant::now());
    let sending = {
        let (address, load) = (broker.address, load.clone());
        std::thread::spawn(move || device::send(address, &load, WINDOW))
    };
    let used = taken();
    let wall = begun.elapsed().as_secs_f64();
    let (relayed, own, all) = (broker.used().cpu - relayed, cpu("self") - own, machine() - all);
    let sent = sending.join().expect("the load is sent").as_secs_f64();
    let (messages, spent) = (load.messages as f64, used.cpu - before.cpu);
    let others = (all - own - relayed - spent) / wall;
    vec![messages / wall, wall, sent, spent, messages / spent, relayed, own, others, used.peak]
}
