//! The six questions of the store, side by side with VictoriaMetrics, InfluxDB and DuckDB on one generated town.
//!
//! `cargo bench --bench questions` does all on 30 days (86 million rows, 389 million values; some 10 GB of disk and half an
//! hour the first time). `-- days=2` is for trying out. Words: `days=N`, `runs=N` (of each question, 30), `only=a,b` of
//! the parts below, `with=victoria,influx,duck`, `history=3,30`. What was loaded stays in `$CARGO_TARGET_DIR/questions/<days>/`
//! and is used again; remove a folder to load anew. `LAMPPOST_BIN` names another binary than the built one.
//!
//! - `size`: bytes a value on disk, and how fast each was loaded.
//! - `race`: that all systems answer the same rows as the town itself gives, then medians of the questions.
//! - `history`: the questions about the last day behind `history=3,30` days (300 when asked for).
//! - `cold`: the first answer after a start.
//! - `memory`: of a server that answers all questions each second.
//! - `kill`: `kill -9` with ten million rows in the log that no file has.
//!
//! **What is needed.** `victoria-metrics` and `influxdb` (Debian), installed or unpacked:
//! `cd $CARGO_TARGET_DIR/questions/peers && apt-get download victoria-metrics influxdb && for f in *.deb; do dpkg -x $f .; done`;
//! DuckDB and deltalake in the Python of `./check`, or in the one that `LAMPPOST_PYTHON` names. Peers that are absent are named and left out.
//!
//! **What is compared.** From the first byte of a GET to the last of its JSON on a connection that stays open; systems take
//! turns of ten questions. Answer caches are off (`engine.cache = "0B"`, `nocache=1`; the others have none); decoded
//! columns, indexes and the page cache stay warm. Forms of a question differ by crossing and day.
//!
//! **What is not comparable.** DuckDB is asked in its process: no HTTP, no JSON, but rows as Python objects; its rows came
//! sorted. `newest` looks back five minutes in the peers, and without bound in Lamppost. VictoriaMetrics holds every
//! number as floating point, gives quantiles between two readings, and raw readings by `/api/v1/export`; means over all
//! stations are means of means there (the same, since no reading is missing). Only Lamppost has fsynced what it took.

mod cold;
mod duck;
mod history;
mod influx;
mod kill;
mod lamppost;
mod memory;
mod question;
mod race;
mod rows;
#[path = "../shared/mod.rs"]
mod shared;
mod size;
mod system;
mod town;
mod victoria;

use shared::print::{load_average, note, say};
use shared::{peer, process, server, table};
use std::path::Path;
use system::{KINDS, Kind, System};

/// The parts.
const PARTS: [&str; 6] = ["size", "race", "history", "cold", "memory", "kill"];

/// What the command line says.
struct Options {
    days: i64,
    runs: usize,
    histories: Vec<i64>,
    parts: Vec<String>,
    /// Peers by the names of their folders.
    peers: Vec<String>,
}

fn main() {
    // What cargo bench adds.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let options = options(&words).unwrap_or_else(|wrong| panic!("{wrong}"));
    say(&format!("{} days, {} runs; load average {}", options.days, options.runs, load_average()));
    let does = |part: &str| options.parts.iter().any(|word| word == part);
    let here = || {
        KINDS.iter().filter(|kind| {
            kind.name == "Lamppost" || options.peers.iter().any(|peer| peer == kind.folder) && kind.is_here()
        })
    };
    let span = options.days.min(question::MOST_DAYS);
    if does("size") || does("race") {
        let loaded: Vec<_> = here().map(|kind| (kind, kind.loaded(options.days))).collect();
        if does("size") {
            let sizes: Vec<(&Kind, &Path, f64)> =
                loaded.iter().map(|(kind, (folder, seconds))| (*kind, folder.as_path(), *seconds)).collect();
            size::print_all(&sizes, options.days);
        }
        if does("race") {
            let mut systems: Vec<Box<dyn System>> =
                loaded.iter().map(|(kind, (folder, _))| kind.open(folder)).collect();
            race::run(&mut systems, span, options.runs);
        }
    }
    if does("history") {
        history::run(&options.histories, options.runs);
    }
    if does("cold") {
        cold::run(&KINDS[0].loaded(options.days).0, span);
    }
    if does("memory") {
        memory::run(&KINDS[0].loaded(options.days).0, options.days, span);
    }
    if does("kill") {
        kill::run();
    }
}

/// Days by commas.
fn days_of(text: &str) -> Result<Vec<i64>, String> {
    let days: Option<Vec<i64>> = text.split(',').map(|days| days.parse().ok().filter(|days| *days > 0)).collect();
    days.ok_or_else(|| format!("history={text}: say days by commas, such as 3,30,300"))
}

fn options(words: &[String]) -> Result<Options, String> {
    let parts = || PARTS.map(str::to_owned).to_vec();
    let peers = || KINDS.iter().map(|kind| kind.folder.to_owned()).collect();
    let mut options = Options { days: 30, runs: 30, histories: vec![3, 30], parts: parts(), peers: peers() };
    for word in words {
        let (key, value) = word.split_once('=').unwrap_or((word, ""));
        let number = value.parse().ok().filter(|number| *number > 0);
        match (key, number) {
            ("days", Some(days)) => options.days = days,
            ("runs", Some(runs)) => options.runs = runs as usize,
            ("history", _) => options.histories = days_of(value)?,
            ("with", _) => options.peers = value.split(',').map(str::to_owned).collect(),
            ("only", _) => options.parts = value.split(',').map(str::to_owned).collect(),
            _ => {
                return Err(format!(
                    "{word:?}: say days=N, runs=N, with=victoria,duck, history=3,30 or only={}",
                    PARTS.join(",")
                ));
            }
        }
    }
    match options.parts.iter().find(|part| !PARTS.contains(&part.as_str())) {
        Some(part) => Err(format!("only={part}: there are {}", PARTS.join(", "))),
        None => Ok(options),
    }
}
