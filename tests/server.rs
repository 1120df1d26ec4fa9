//! The real binary, served on a free port, killed or stopped.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// How long anything may take before the test gives up.
const PATIENCE: Duration = Duration::from_secs(900);

/// A running `lamppost serve`.
pub(crate) struct Server {
    /// Where it answers: `http://127.0.0.1:PORT`.
    pub(crate) url: String,
    /// What it said after that.
    lines: Receiver<String>,
    child: Child,
}

/// What to wait for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Until {
    /// The broker has taken the subscriptions.
    Subscribed,
    /// Nothing comes in any more, nothing is hot, nothing waits to be committed or folded.
    Quiet,
}

impl Server {
    /// Starts one and waits for its address.
    pub(crate) fn start(config: &Path) -> Server {
        Server::begin(config, None).expect("lamppost serve ended before it told its address")
    }

    /// The same, to crash at a point of the store, if any; nothing if it ended before it told its address.
    pub(crate) fn begin(config: &Path, crash_at: Option<&str>) -> Option<Server> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lamppost"));
        command.args(["--log-level", "warn", "serve", "--config"]).arg(config);
        command.envs(crash_at.map(|point| ("LAMPPOST_CRASH_AT", point)));
        let mut child = command.stdout(Stdio::piped()).spawn().expect("lamppost serve");
        let out = BufReader::new(child.stdout.take().expect("stdout"));
        let (tell, lines) = channel();
        // Reads to the end, whoever listens: what it says must not meet a closed pipe.
        std::thread::spawn(move || out.lines().map_while(Result::ok).for_each(|line| drop(tell.send(line))));
        let url = lines.iter().find_map(|line: String| Some(line[line.find("http://127.0.0.1:")?..].trim().to_owned()));
        let Some(url) = url else {
            child.wait().expect("wait");
            return None;
        };
        Some(Server { url, lines, child })
    }

    /// Where the public API is.
    pub(crate) fn http(&self) -> SocketAddr {
        self.url.trim_start_matches("http://").parse().expect("an address")
    }

    /// Where the built-in MQTT door is; to be asked once.
    pub(crate) fn mqtt(&self) -> Option<SocketAddr> {
        let said = self.lines.recv_timeout(Duration::from_secs(10)).ok();
        said.and_then(|line| line.trim().strip_prefix("mqtt door: mqtt://")?.parse().ok())
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it ends by itself within this time.
    pub(crate) fn ends_within(&mut self, patience: Duration) -> bool {
        let until = Instant::now() + patience;
        loop {
            match self.child.try_wait().expect("wait") {
                Some(_) => return true,
                None if Instant::now() >= until => return false,
                None => pause(Duration::from_millis(5)),
            }
        }
    }

    /// SIGKILL, as a power switch would.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("kill");
        self.child.wait().expect("wait");
    }

    /// SIGTERM; it must end well.
    pub(crate) fn stop(mut self) {
        let told = Command::new("kill").arg(self.child.id().to_string()).status().expect("kill");
        assert!(told.success());
        let status = self.child.wait().expect("wait");
        assert!(status.success(), "lamppost serve ended with {status}");
    }

    /// Status code and body of a GET by a program on this machine.
    pub(crate) fn get(&self, path: &str) -> (u16, String) {
        let host = self.url.trim_start_matches("http://");
        let (code, _, body) = self.ask(path, &[("Host", host)]);
        (code, body)
    }

    /// Status code, head and body of a GET with these headers.
    pub(crate) fn ask(&self, path: &str, headers: &[(&str, &str)]) -> (u16, String, String) {
        let mut stream = TcpStream::connect(self.url.trim_start_matches("http://")).expect("connect");
        let lines: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        write!(stream, "GET {path} HTTP/1.0\r\n{lines}\r\n").expect("request");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("answer");
        let (head, body) = answer.split_once("\r\n\r\n").expect("head");
        let code = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("status code");
        (code, head.to_owned(), body.to_owned())
    }

    /// The `/status` answer.
    pub(crate) fn status(&self) -> serde_json::Value {
        serde_json::from_str(&self.get("/status").1).expect("status is JSON")
    }

    /// Waits until something is so.
    pub(crate) fn wait(&self, until: Until) {
        let give_up = Instant::now() + PATIENCE;
        let (mut position, mut since) = (u64::MAX, Instant::now());
        loop {
            let status = self.status();
            let now = status["store"]["position"].as_u64().expect("position");
            if now != position {
                (position, since) = (now, Instant::now());
            }
            let reached = match until {
                Until::Subscribed => subscribed(&status),
                Until::Quiet => subscribed(&status) && since.elapsed() > Duration::from_secs(4) && idle(&status),
            };
            if reached {
                return;
            }
            assert!(Instant::now() < give_up, "still not {until:?}: {status:#}");
            pause(Duration::from_millis(100));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn subscribed(status: &serde_json::Value) -> bool {
    let doors = status["doors"].as_array().expect("doors");
    doors.iter().any(|door| door["name"].as_str().is_some_and(|n| n.contains("broker")) && door["connections"] == 1)
}

fn idle(status: &serde_json::Value) -> bool {
    let datasets = status["store"]["datasets"].as_array().expect("datasets");
    datasets.iter().all(|d| ["hot_rows", "sealed_files", "late_files", "stale_days"].iter().all(|what| d[*what] == 0))
}

/// Waits between two looks at something another process does; there is nothing to be woken by.
pub(crate) fn pause(time: Duration) {
    #[expect(clippy::disallowed_methods, reason = "polls another process")]
    std::thread::sleep(time);
}
