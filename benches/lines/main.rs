//! Line protocol into the real binary, side by side with VictoriaMetrics and InfluxDB 1.x on the same bodies.
//!
//! `cargo bench --bench lines` measures all; `-- lines=6_000_000` (about so many in each run), `runs=3`,
//! `only=large,shuffled,small,single`, `with=victoria,influx`. `LAMPPOST_BIN` names another binary than the built one.
//!
//! **How to read it.** `lines/CPU s` is all CPU that the process used from its start until it was quiet: what it took is in its
//! files, merged, rolled up into tiers (Lamppost), nothing under way. `acked/CPU s` counts CPU until the last acknowledgement only. Lamppost
//! acknowledges what is fsynced; VictoriaMetrics acknowledges from memory and is told to flush at the end; InfluxDB fsyncs
//! its log, and compacts after 10 s of rest. Systems take turns run by run; each cell is the median of its column.
//! `data MB` of Lamppost includes three tiers.

mod load;
mod send;
#[path = "../shared/mod.rs"]
mod shared;
mod target;

use load::Load;
use shared::print::{load_average, note, say};
use shared::table::{Column, Table};
use shared::{peer, process, server, web};
use target::{NAMES, Target};

/// A load: its word, connections, lines of a body, whether shuffled, and the part of all lines it sends.
const LOADS: [(&str, usize, usize, bool, usize); 4] = [
    ("large", 1, 10_000, false, 1),
    ("shuffled", 1, 10_000, true, 1),
    ("small", 64, 100, false, 2),
    ("single", 64, 1, false, 60),
];

const COLUMNS: [Column; 9] = [
    ("lines/CPU s", 0),
    ("acked/CPU s", 0),
    ("lines/s", 0),
    ("wall s", 2),
    ("CPU s", 2),
    ("CPU µs/body", 1),
    ("peak MB", 0),
    ("data MB", 1),
    ("B/value", 2),
];

/// What the command line says.
struct Options {
    lines: usize,
    runs: usize,
    loads: Vec<String>,
    peers: Vec<String>,
}

fn main() {
    let options = options();
    say(&format!("{} run(s) of each; load average {}", options.runs, load_average()));
    for (word, connections, body, is_shuffled, part) in LOADS {
        if !options.loads.is_empty() && !options.loads.iter().any(|load| load == word) {
            continue;
        }
        let minutes = (options.lines / part / load::SENSORS).max(1);
        let load = Load::new(minutes, connections, body, is_shuffled);
        let mut table = Table::new(format!("{word}: {body} lines a body × {connections} connections"), &COLUMNS);
        for run in 0..options.runs {
            for name in NAMES.into_iter().filter(|name| options.takes_part(name)) {
                note(&format!("{word}, run {} of {}, {name}", run + 1, options.runs));
                table.add(name, once(name, &load));
            }
        }
        table.print();
        ratio(&table);
        say(&format!("{} lines of {:.0} bytes, {} values", load.lines, load.line_bytes(), load.values()));
    }
}

/// One run on a fresh system.
fn once(name: &str, load: &Load) -> Vec<f64> {
    let folder = server::folder();
    let mut target = Target::start(name, folder.path());
    let before = target.used().cpu;
    let wall = send::send(&target.host(), load).as_secs_f64();
    let acked = target.used().cpu - before;
    target.quiet(load.lines);
    let used = target.used();
    target.check(load.lines);
    let (lines, bodies) = (load.lines as f64, load.lanes.iter().map(Vec::len).sum::<usize>() as f64);
    let data = target.disk(folder.path());
    let per_value = data * 1e6 / load.values() as f64;
    vec![
        lines / used.cpu,
        lines / acked,
        lines / wall,
        wall,
        used.cpu,
        used.cpu / bodies * 1e6,
        used.peak,
        data,
        per_value,
    ]
}

/// How many times the peers' lines a CPU second are taken: the median of the runs' pairs.
fn ratio(table: &Table) {
    let own = table.column(NAMES[0], COLUMNS[0].0);
    for peer in &NAMES[1..] {
        let theirs = table.column(peer, COLUMNS[0].0);
        let mut ratios: Vec<f64> = own.iter().zip(&theirs).map(|(own, theirs)| own / theirs).collect();
        ratios.sort_by(f64::total_cmp);
        if let Some(ratio) = ratios.get(ratios.len() / 2) {
            say(&format!("{ratio:.1} times {peer} (median of {} pairs)", ratios.len()));
        }
    }
}

impl Options {
    fn takes_part(&self, name: &str) -> bool {
        if name == NAMES[0] {
            return true;
        }
        let word = if name == "InfluxDB" { "influx" } else { "victoria" };
        if !self.peers.is_empty() && !self.peers.iter().any(|peer| peer == word) {
            return false;
        }
        let missing = Target::missing(name);
        if let Some(why) = &missing {
            note(&format!("{name} does not take part: {why}"));
        }
        missing.is_none()
    }
}

fn options() -> Options {
    let mut options = Options { lines: 5_760_000, runs: 3, loads: Vec::new(), peers: Vec::new() };
    for word in std::env::args().skip(1).filter(|word| word != "--bench") {
        let list = |text: &str| text.split(',').map(str::to_owned).collect();
        match word.split_once('=') {
            Some(("lines", number)) => options.lines = number.replace('_', "").parse().expect("lines=N"),
            Some(("runs", number)) => options.runs = number.parse().expect("runs=N"),
            Some(("only", words)) => options.loads = list(words),
            Some(("with", words)) => options.peers = list(words),
            _ => panic!("{word:?} is not known here; say lines=N, runs=N, only=large,… or with=victoria,…"),
        }
    }
    options
}
