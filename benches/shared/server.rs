//! The real binary as a server, on free ports, in a folder of its own.

use super::process::{Process, Resident, Used, pause};
use super::web::Web;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(300);

/// The built binary, or the one that `LAMPPOST_BIN` names.
pub(crate) fn binary() -> Command {
    let built = || env!("CARGO_BIN_EXE_lamppost").into();
    let mut command = Command::new(std::env::var_os("LAMPPOST_BIN").unwrap_or_else(built));
    command.stdin(Stdio::null());
    command
}

/// A temporary folder on the disk of the build: `/tmp` may be memory, where an fsync costs nothing.
pub(crate) fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("temporary folder")
}

/// A folder of this repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A running server.
pub(crate) struct Server {
    process: Process,
    /// Its HTTP door.
    pub(crate) web: Web,
}

impl Server {
    /// Starts one and waits for its address.
    pub(crate) fn start(config: &Path) -> Server {
        let mut process = Process::start(binary().args(["serve", "--config"]).arg(config).stdout(Stdio::piped()));
        let mut lines = BufReader::new(process.child.stdout.take().expect("stdout"));
        let mut line = String::new();
        let address = loop {
            line.clear();
            assert!(lines.read_line(&mut line).expect("stdout") > 0, "lamppost serve ended before it told its address");
            if let Some((_, address)) = line.trim().split_once("http://") {
                break address.to_owned();
            }
        };
        // Whatever it says later must not meet a closed pipe.
        std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
        Server { process, web: Web::new(&address) }
    }

    /// What it has used so far.
    pub(crate) fn used(&self) -> Used {
        self.process.used()
    }

    /// What it has resident now.
    pub(crate) fn resident(&self) -> Resident {
        self.process.resident()
    }

    /// Waits until it takes readings in and answers questions.
    pub(crate) fn ready(&mut self) {
        let until = Instant::now() + PATIENCE;
        while self.web.ask("/ready").status != 200 {
            assert!(Instant::now() < until, "not ready in {PATIENCE:?}");
            pause(Duration::from_millis(5));
        }
    }

    /// The `/status` answer.
    pub(crate) fn status(&mut self) -> Value {
        serde_json::from_slice(&self.web.get("/status")).expect("status is JSON")
    }

    /// Where the built-in MQTT door listens.
    pub(crate) fn mqtt(&mut self) -> SocketAddr {
        let status = self.status();
        let address = doors(&status).find(|door| door["name"] == "listener").and_then(|door| door["address"].as_str());
        address.and_then(|address| address.strip_prefix("mqtt://")?.parse().ok()).expect("the door's address")
    }

    /// Waits until its status is so, looking each 50 ms.
    pub(crate) fn wait(&mut self, what: &str, so: impl Fn(&Value) -> bool) {
        let until = Instant::now() + PATIENCE;
        loop {
            let status = self.status();
            if so(&status) {
                return;
            }
            assert!(Instant::now() < until, "still not {what}: {status:#}");
            pause(Duration::from_millis(50));
        }
    }
}

/// The doors of a status.
pub(crate) fn doors(status: &Value) -> impl Iterator<Item = &Value> {
    status["doors"].as_array().expect("doors").iter()
}

/// Rows in the committed files of all datasets.
pub(crate) fn file_rows(status: &Value) -> u64 {
    let datasets = status["store"]["datasets"].as_array().expect("datasets");
    datasets.iter().filter_map(|dataset| dataset["file_rows"].as_u64()).sum()
}

/// Whether nothing is hot, nothing sealed but uncommitted, nothing late and still to be folded. Rows that are just being
/// sealed are in none of these, so who knows how many there must be looks at [`file_rows`] too.
pub(crate) fn is_quiet(status: &Value) -> bool {
    let datasets = status["store"]["datasets"].as_array().expect("datasets");
    datasets.iter().all(|d| ["hot_rows", "sealed_files", "late_files", "stale_days"].iter().all(|what| d[*what] == 0))
}

/// Checks that exactly so many readings were taken, and nothing rejected.
pub(crate) fn check_taken(status: &Value, readings: usize) {
    let datasets = status["store"]["datasets"].as_array().expect("datasets");
    let rows: u64 = datasets.iter().filter_map(|dataset| dataset["rows"].as_u64()).sum();
    assert_eq!((rows, &status["rejects"]), (readings as u64, &serde_json::json!([])), "all taken, none rejected");
}

/// MB (10^6 bytes) of the files below a folder.
pub(crate) fn megabytes(folder: &Path) -> f64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let sizes = entries.map(|entry| match entry.file_type() {
        Ok(kind) if kind.is_dir() => megabytes(&entry.path()),
        _ => entry.metadata().map_or(0.0, |meta| meta.len() as f64 / 1e6),
    });
    sizes.sum()
}
