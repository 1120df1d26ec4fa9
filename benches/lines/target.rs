//! The systems that are compared: what they are started with, when they are quiet, and what they then hold.

use crate::load::SENSORS;
use crate::peer::{self, Peer};
use crate::process::{Used, pause};
use crate::server::{Server, check_taken, file_rows, is_quiet, megabytes, repository};
use serde_json::Value;
use std::path::Path;
use std::time::{Duration, Instant};

/// CPU a system may use in three seconds and be called quiet.
const CALM: f64 = 0.05;
/// How long a system may work after the last line.
const PATIENCE: Duration = Duration::from_secs(600);

/// A running system.
pub(crate) enum Target {
    Lamppost(Server),
    Victoria(Peer),
    Influx(Peer),
}

/// Those there are.
pub(crate) const NAMES: [&str; 3] = ["Lamppost", "VictoriaMetrics", "InfluxDB"];

impl Target {
    /// Why one cannot take part; nothing if it can.
    pub(crate) fn missing(name: &str) -> Option<String> {
        match name {
            "VictoriaMetrics" => peer::absent("victoria-metrics"),
            "InfluxDB" => peer::absent("influxd"),
            _ => None,
        }
    }

    /// Starts one in an empty folder.
    pub(crate) fn start(name: &str, folder: &Path) -> Target {
        match name {
            "VictoriaMetrics" => Target::Victoria(peer::victoria(folder)),
            "InfluxDB" => {
                let mut influx = peer::influx(folder);
                influx.web.post("/query?q=CREATE%20DATABASE%20town", &[]);
                Target::Influx(influx)
            }
            _ => Target::Lamppost(Server::start(&config(folder))),
        }
    }

    /// Host and port.
    pub(crate) fn host(&self) -> String {
        match self {
            Target::Lamppost(server) => server.web.host().to_owned(),
            Target::Victoria(peer) | Target::Influx(peer) => peer.web.host().to_owned(),
        }
    }

    /// What it has used so far.
    pub(crate) fn used(&self) -> Used {
        match self {
            Target::Lamppost(server) => server.used(),
            Target::Victoria(peer) | Target::Influx(peer) => peer.used(),
        }
    }

    /// Waits until it has done everything it will do with what it took: what it acknowledged is in its files, nothing is merged, and
    /// it uses no CPU.
    pub(crate) fn quiet(&mut self, lines: usize) {
        let until = Instant::now() + PATIENCE;
        if let Target::Victoria(peer) = self {
            peer.web.get("/internal/force_flush");
        }
        loop {
            let before = self.used().cpu;
            pause(Duration::from_secs(3));
            if self.used().cpu - before < CALM && self.is_filed(lines) {
                return;
            }
            assert!(Instant::now() < until, "not quiet in {PATIENCE:?}");
        }
    }

    fn is_filed(&mut self, lines: usize) -> bool {
        match self {
            Target::Lamppost(server) => {
                let status = server.status();
                is_quiet(&status) && file_rows(&status) == lines as u64 && are_closed(&status)
            }
            Target::Victoria(peer) => {
                let metrics = peer.web.get("/metrics");
                let text = String::from_utf8_lossy(&metrics);
                text.lines().filter(|line| line.starts_with("vm_active_merges")).all(|line| line.ends_with(" 0"))
            }
            Target::Influx(_) => true,
        }
    }

    /// Checks that all that was sent is there, once.
    pub(crate) fn check(&mut self, lines: usize) {
        let half = (lines / 2) as f64;
        match self {
            Target::Lamppost(server) => check_taken(&server.status(), lines),
            Target::Victoria(peer) => {
                let asked = "/api/v1/query?query=sum(count_over_time(%7B__name__%3D~%22air_co2%7Ctraffic_cars%22%7D%5B3650d%5D))&nocache=1";
                let answer: Value = serde_json::from_slice(&peer.web.get(asked)).expect("JSON");
                let count = answer["data"]["result"][0]["value"][1].as_str().and_then(|text| text.parse::<f64>().ok());
                assert_eq!(count, Some(2.0 * half), "{answer}");
            }
            Target::Influx(peer) => {
                let asked = "/query?db=town&q=SELECT%20COUNT(co2)%20FROM%20air";
                let answer: Value = serde_json::from_slice(&peer.web.get(asked)).expect("JSON");
                assert_eq!(answer["results"][0]["series"][0]["values"][0][1].as_f64(), Some(half), "{answer}");
            }
        }
    }

    /// MB on disk of what it holds.
    pub(crate) fn disk(&self, folder: &Path) -> f64 {
        match self {
            Target::Lamppost(_) | Target::Victoria(_) => megabytes(&folder.join("data")),
            Target::Influx(_) => megabytes(&folder.join("data")) + megabytes(&folder.join("wal")),
        }
    }
}

/// Whether the quarter hours of all datasets are closed up to the last full hours of their readings.
fn are_closed(status: &Value) -> bool {
    let datasets = status["store"]["datasets"].as_array().expect("datasets");
    datasets.iter().all(|dataset| {
        let closed = dataset["tiers"][0]["closed"].as_i64().unwrap_or(0);
        let newest = dataset["newest"].as_i64().unwrap_or(i64::MAX);
        assert!(dataset["sensors"].as_u64() <= Some(SENSORS as u64));
        newest - closed < 2 * 3_600_000_000
    })
}

/// A config: everything as it comes but the age of a flush, which is to take part in a run of some seconds.
fn config(folder: &Path) -> std::path::PathBuf {
    let contracts = repository("benches/lines/contracts");
    let text = format!(
        "data = \"data\"\nlog = \"log\"\ncontracts = \"{}\"\nhttp.listen = \"127.0.0.1:0\"\nflush.age = \"5s\"\n",
        contracts.display()
    );
    let path = folder.join("lamppost.toml");
    std::fs::write(&path, text).expect("config");
    path
}
