//! The city that is asked: half a year of hourly readings, recorded or simulated, put in by `lamppost import`.

use crate::config::config;
use crate::note;
use crate::process::{Process, Used};
use crate::server::{Server, binary, file_rows, is_quiet, repository};
use jiff::civil::Date;
use lamppost::town::{Habit, Town};
use schemas::time::{DAY, HOUR};
use schemas::{Span, Time};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Instant;

/// Days the questions go over.
pub(crate) const DAYS: i64 = 182;

/// Where readings come from, and what may be asked of them.
pub(crate) struct City {
    /// What it is, for the table.
    pub(crate) name: &'static str,
    pub(crate) dataset: &'static str,
    /// Zone of its civil days.
    pub(crate) zone: &'static str,
    /// A count to sum up.
    pub(crate) count: &'static str,
    /// All fields.
    pub(crate) fields: &'static [&'static str],
    /// First of its days.
    pub(crate) first: Date,
    contracts: PathBuf,
    files: Vec<PathBuf>,
    topic: &'static str,
}

/// What the import took.
pub(crate) struct Imported {
    /// Seconds from start to end of the process.
    pub(crate) wall: f64,
    pub(crate) used: Used,
}

impl City {
    /// The recorded city if it is on this machine, else the simulated one, written below `folder`.
    pub(crate) fn new(folder: &Path) -> City {
        City::recorded().unwrap_or_else(|| City::simulated(folder))
    }

    /// Bicycles an hour at the counters of Baden-Württemberg, six months: some 540,000 rows of five fields.
    fn recorded() -> Option<City> {
        let entries = std::fs::read_dir(repository("../shared/data/bike-counts-bw")).ok()?;
        let paths = entries.flatten().map(|entry| entry.path());
        let mut files: Vec<PathBuf> = paths.filter(|path| path.to_string_lossy().ends_with(".csv.gz")).collect();
        files.sort();
        Some(City {
            name: "recorded bike counts",
            dataset: "bikes",
            zone: "Europe/Berlin",
            count: "bikes",
            fields: &["bikes", "bikes_in", "bikes_out", "temperature", "rain"],
            first: Date::constant(2024, 10, 1),
            contracts: repository("tests/contracts"),
            files,
            topic: "bikes/{counter_site_id}/hour",
        })
    }

    /// The demo town's traffic counters, one message an hour: some 320,000 rows.
    fn simulated(folder: &Path) -> City {
        note("../shared/data is absent: writing half a year of the demo town");
        let contracts = folder.join("contracts");
        std::fs::create_dir(&contracts).expect("folder");
        let shipped = repository("schemas/datasets");
        let contract = std::fs::read_to_string(shipped.join("traffic.toml")).expect("contract");
        // Readings older than the shipped contract keeps are asked for too.
        let contract = contract.replace("raw = \"90d\", 15m = \"2y\"", "raw = \"forever\", 15m = \"forever\"");
        std::fs::write(contracts.join("traffic.toml"), contract).expect("contract");
        std::fs::copy(shipped.join("traffic.geojson"), contracts.join("traffic.geojson")).expect("registry");
        let file = folder.join("traffic.jsonl");
        let now = jiff::Timestamp::now().as_microsecond();
        let span = Span { from: Time(now - (DAYS + 1) * DAY), to: Time(now - HOUR) };
        let first = jiff::Timestamp::from_microsecond(span.from.0).expect("a time of this century");
        write_traffic(&file, span);
        City {
            name: "simulated traffic counts",
            dataset: "traffic",
            zone: "Europe/Prague",
            count: "vehicles",
            fields: &["vehicles", "bicycles", "pedestrians", "speed"],
            first: first.to_zoned(jiff::tz::TimeZone::UTC).date().tomorrow().expect("a day of this century"),
            contracts,
            files: vec![file],
            topic: "city/{id}/traffic",
        }
    }

    /// Imports everything into data and log below `folder`; the config to serve it with.
    pub(crate) fn import(&self, folder: &Path) -> (PathBuf, Imported) {
        let config = config(folder, &self.contracts, None);
        let mut command = binary();
        command.arg("import").args(&self.files).args(["--dataset", self.dataset, "--topic", self.topic, "--config"]);
        let begun = Instant::now();
        let (status, used) = Process::start(command.arg(&config).stdout(Stdio::null()).stderr(Stdio::null())).finish();
        assert!(status.success(), "lamppost import: {status}");
        (config, Imported { wall: begun.elapsed().as_secs_f64(), used })
    }

    /// Serves what was imported, once nothing of it waits to be filed. Gives the rows in its files too.
    pub(crate) fn serve(&self, config: &Path) -> (Server, u64) {
        let mut server = Server::start(config);
        server.wait("quiet", is_quiet);
        let rows = file_rows(&server.status());
        (server, rows)
    }
}

/// One message of each hour of each well-behaved traffic counter, with its sensor's id inside.
fn write_traffic(file: &Path, span: Span) {
    let town = Town::new(1);
    let mut out = BufWriter::new(std::fs::File::create(file).expect("file"));
    let counters = || town.devices().iter().filter(|d| d.dataset == "traffic" && d.habit == Habit::Good);
    let hours = (span.from.0..span.to.0).step_by(HOUR as usize).map(Time);
    for hour in hours {
        for device in counters() {
            let first = town.wakes(device, Span { from: hour, to: hour.plus(device.every) }).next();
            for message in first.map(|wake| town.messages(device, wake)).unwrap_or_default() {
                let payload = String::from_utf8_lossy(&message.payload);
                let rest = payload.strip_prefix('{').expect("a JSON object");
                writeln!(out, "{{\"id\":\"{}\",{rest}", device.id).expect("file");
            }
        }
    }
    out.flush().expect("file");
}
