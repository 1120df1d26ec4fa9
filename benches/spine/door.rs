//! The built-in MQTT door: how much it takes, acknowledging only what is durable.

use crate::config::config;
use crate::load::{CONNECTIONS, Load, SENSORS};
use crate::process::{cpu, machine};
use crate::server::{Server, check_taken, file_rows, folder, is_quiet, megabytes, repository};
use crate::table::{Column, Table};
use crate::{device, note};
use std::sync::Arc;
use std::time::Instant;

/// Messages each connection keeps under way, and rounds of all sensors. With one under way the rate is that of durable
/// round trips; with 20 that of gateways that buffer; with 100 the work per message is most of it.
const ROWS: [(usize, usize); 3] = [(1, 200), (20, 1000), (100, 1500)];

/// `ack/s`: messages a second until the last PUBACK. `CPU s`: the server's until then, and `ack/CPU s` how many of them
/// cost a second of it. `load s`: CPU of the load, which the server could not have; `others`: cores that
/// anything else on the machine kept busy meanwhile, which should be near 0. `quiet s`: from the first message until
/// all is in committed tables, some five seconds of it waiting (flush age); `its CPU s`: the server's until then, from its
/// start. `peak MB`: the most it ever had resident. `data MB` and `log MB`: on disk once quiet; `B/row`: data by reading.
const COLUMNS: [Column; 12] = [
    ("ack/s", 0),
    ("wall s", 2),
    ("CPU s", 2),
    ("ack/CPU s", 0),
    ("load s", 2),
    ("others", 2),
    ("quiet s", 1),
    ("its CPU s", 2),
    ("peak MB", 0),
    ("data MB", 2),
    ("log MB", 1),
    ("B/row", 2),
];

/// Measures and prints.
pub(crate) fn measure(runs: usize) {
    let mut table = Table::new("built-in MQTT door", &COLUMNS);
    let loads = ROWS.map(|(window, rounds)| (window, Arc::new(Load::new(rounds))));
    for run in 0..runs {
        for (window, load) in &loads {
            note(&format!("door, run {} of {runs}, {window} under way", run + 1));
            let row = format!("{CONNECTIONS} connections × {window}, {} messages", load.messages);
            table.add(&row, once(load, *window));
        }
    }
    table.print();
    crate::say(&format!("{SENSORS} sensors, {:.0} bytes a packet, QoS 1, flush age 5 s", loads[0].1.message_bytes()));
}

/// One run, on a fresh server.
fn once(load: &Arc<Load>, window: usize) -> Vec<f64> {
    let folder = folder();
    let mut server = Server::start(&config(folder.path(), &repository("schemas/datasets"), None));
    let door = server.mqtt();
    let (before, own, all) = (server.used(), cpu("self"), machine());
    let begun = Instant::now();
    let wall = device::send(door, load, window).as_secs_f64();
    let (acked, own, all) = (server.used().cpu - before.cpu, cpu("self") - own, machine() - all);
    let others = (all - own - acked) / wall;
    check_taken(&server.status(), load.messages);
    let messages = load.messages as u64;
    server.wait("quiet", |status| is_quiet(status) && file_rows(status) == messages);
    let quiet = begun.elapsed().as_secs_f64();
    let (used, messages) = (server.used(), load.messages as f64);
    let (data, log) = (megabytes(&folder.path().join("data")), megabytes(&folder.path().join("log")));
    let (rate, per_cpu, per_row) = (messages / wall, messages / acked, data * 1e6 / messages);
    vec![rate, wall, acked, per_cpu, own, others, quiet, used.cpu, used.peak, data, log, per_row]
}
