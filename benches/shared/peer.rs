//! The programs that are compared with, as processes with an HTTP door.
//!
//! They are Debian packages, installed or unpacked:
//! `cd $CARGO_TARGET_DIR/questions/peers && apt-get download victoria-metrics influxdb && for f in *.deb; do dpkg -x $f .; done`.

use super::process::{Process, Used, pause};
use super::web::{Reply, Web};
use serde_json::Value;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Where peers and loaded towns are kept: beside the build.
pub(crate) fn root() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the build's folder");
    target.join("questions")
}

/// The program of a Debian package: installed, or unpacked below `questions/peers`.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    let unpacked = root().join("peers/usr/bin").join(name);
    let installed = Path::new("/usr/bin").join(name);
    [installed, unpacked].into_iter().find(|path| path.exists())
}

/// Why a program cannot take part; nothing if it can.
pub(crate) fn absent(name: &str) -> Option<String> {
    let peers = root().join("peers");
    let why = || format!("no {name} in /usr/bin nor in {}/usr/bin", peers.display());
    program(name).is_none().then(why)
}

/// A peer's process with an HTTP door.
pub(crate) struct Peer {
    pub(crate) web: Web,
    process: Process,
}

impl Peer {
    /// Starts one and waits until `path` answers.
    pub(crate) fn start(command: &mut Command, host: SocketAddr, path: &str) -> Peer {
        let process = Process::start(command);
        let until = Instant::now() + Duration::from_secs(120);
        loop {
            if TcpStream::connect(host).is_ok() {
                let mut web = Web::new(&host.to_string());
                if web.ask(path).status < 300 {
                    return Peer { web, process };
                }
            }
            assert!(Instant::now() < until, "{:?} does not answer on {host}", command.get_program());
            pause(Duration::from_millis(50));
        }
    }

    /// What its process has used so far.
    pub(crate) fn used(&self) -> Used {
        self.process.used()
    }

    /// A GET: its time and answer, or the problem it tells of.
    pub(crate) fn ask(&mut self, path: &str) -> Result<(Duration, Vec<u8>), String> {
        timed(&mut self.web, path)
    }
}

/// VictoriaMetrics on a folder.
pub(crate) fn victoria(folder: &Path) -> Peer {
    let host = free();
    let mut command = Command::new(program("victoria-metrics").expect("looked for before"));
    command.arg(format!("-storageDataPath={}", folder.join("data").display()));
    command.args([&format!("-httpListenAddr={host}"), "-retentionPeriod=100y", "-http.connTimeout=1h"]);
    command.arg("-loggerLevel=ERROR");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    Peer::start(&mut command, host, "/health")
}

/// InfluxDB 1.x on a folder.
pub(crate) fn influx(folder: &Path) -> Peer {
    let (http, backup) = (free(), free());
    let mut command = Command::new(program("influxd").expect("looked for before"));
    for (key, value) in [
        ("META_DIR", folder.join("meta").display().to_string()),
        ("DATA_DIR", folder.join("data").display().to_string()),
        ("DATA_WAL_DIR", folder.join("wal").display().to_string()),
        ("HTTP_BIND_ADDRESS", http.to_string()),
        ("BIND_ADDRESS", backup.to_string()),
        ("HTTP_LOG_ENABLED", "false".into()),
        ("DATA_QUERY_LOG_ENABLED", "false".into()),
        ("REPORTING_DISABLED", "true".into()),
        ("MONITOR_STORE_ENABLED", "false".into()),
        // By default a shard that rests is compacted after hours; nobody waits for that here.
        ("DATA_CACHE_SNAPSHOT_WRITE_COLD_DURATION", "5s".into()),
        ("DATA_COMPACT_FULL_WRITE_COLD_DURATION", "10s".into()),
    ] {
        command.env(format!("INFLUXDB_{key}"), value);
    }
    command.arg("run").env("HOME", folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    Peer::start(&mut command, http, "/ping")
}

/// A GET: its time and answer, or the problem it tells of.
pub(crate) fn timed(web: &mut Web, path: &str) -> Result<(Duration, Vec<u8>), String> {
    let begun = Instant::now();
    let reply = web.ask(path);
    let took = begun.elapsed();
    if reply.status == 200 { Ok((took, reply.body)) } else { Err(problem(&reply)) }
}

/// What a problem says (RFC 9457), or whatever came instead of an answer.
fn problem(reply: &Reply) -> String {
    let told: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    let text = || String::from_utf8_lossy(&reply.body).into_owned();
    format!("{}, {}", reply.status, told["detail"].as_str().map_or_else(text, str::to_owned))
}

/// A port nobody listens on.
pub(crate) fn free() -> SocketAddr {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|socket| socket.local_addr());
    free.expect("a free port")
}
