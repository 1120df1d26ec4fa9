//! The real binary as tests run it: to its end, or as a server that is asked and stopped.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// How long anything may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Runs the binary to its end.
pub(crate) fn lamppost<S: AsRef<std::ffi::OsStr>>(words: impl IntoIterator<Item = S>) -> Ended {
    let output = Command::new(env!("CARGO_BIN_EXE_lamppost")).args(words).stdin(Stdio::null()).output().unwrap();
    Ended::of(output)
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ended {
    fn of(output: Output) -> Ended {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Ended { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

/// A running server. Dropping it kills it.
pub(crate) struct Server {
    child: Child,
    lines: Receiver<String>,
    said: Vec<String>,
}

impl Server {
    /// Starts a command that serves.
    pub(crate) fn start<S: AsRef<std::ffi::OsStr>>(words: impl IntoIterator<Item = S>) -> Server {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lamppost"));
        let mut child = command.args(words).stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (tell, lines) = channel();
        std::thread::spawn(move || out.lines().map_while(Result::ok).try_for_each(|line| tell.send(line)));
        Server { child, lines, said: Vec::new() }
    }

    /// The rest of the line that begins with `start`, as soon as it is printed.
    pub(crate) fn told(&mut self, start: &str) -> String {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(rest) = self.said.iter().find_map(|line| line.trim().strip_prefix(start)) {
                return rest.trim().to_owned();
            }
            let left = until.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) => self.said.push(line),
                Err(e) => panic!("no {start:?} line ({e}), only {:#?}", self.said),
            }
        }
    }

    /// Address of the HTTP door.
    pub(crate) fn http(&mut self) -> String {
        self.told("http door: http://")
    }

    /// URL of the MQTT door.
    pub(crate) fn mqtt(&mut self) -> String {
        self.told("mqtt door: ")
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to end, as an init system does, and waits.
    pub(crate) fn stop(mut self) -> Ended {
        let killed = Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status().unwrap();
        assert!(killed.success());
        let code = wait(PATIENCE, || self.child.try_wait().unwrap()).code();
        self.said.extend(self.lines.try_iter());
        Ended { code, out: self.said.join("\n"), err: String::new() }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Looks again and again until there is something.
pub(crate) fn wait<T>(patience: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + patience;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < until, "nothing came within {patience:?}");
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

/// Status code and body of a GET.
pub(crate) fn get(host: &str, path: &str) -> (u16, String) {
    get_as(host, path, "*/*")
}

/// Status code and body of a GET by who accepts only this.
pub(crate) fn get_as(host: &str, path: &str, accept: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(host).unwrap();
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {host}\r\nAccept: {accept}\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

/// Writes a contract of one dataset `things`: a count `hits` of sensor `{id}` each minute, stamped in epoch seconds.
pub(crate) fn write_contract(folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(folder.join("things.toml"), CONTRACT).unwrap();
}

/// The contract of [`write_contract`].
pub(crate) const CONTRACT: &str = r#"
id = "things"
title = { en = "Things" }
description = { en = "Things that are counted." }
license = "CC0-1.0"
publisher = "Nobody"
access = "public"
zone = "Europe/Prague"
every = "1m"
keep = { raw = "forever", 15m = "forever", 1h = "forever", 1d = "forever" }

[[field]]
name = "hits"
title = { en = "Number" }
unit = "1"
kind = "count"
resolution = 1
range = [0, 1000]

[[source]]
mqtt = "things/+"
sensor = "{/id}"
decoder = "json"
time = { path = "/at", format = "epoch_s" }
missing = [""]
map = { hits = "/n" }
"#;
