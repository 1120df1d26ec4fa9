//! A folder with a config and a server in it, and what the system says of that server.

use crate::cli::program::{PATIENCE, Server, wait, write_contract};
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

/// A running server.
pub(super) struct Place {
    pub(super) folder: tempfile::TempDir,
    pub(super) server: Server,
    /// Host and port of the HTTP door.
    pub(super) http: String,
    /// Host and port of the MQTT door.
    pub(super) mqtt: String,
}

/// A folder with the contract of things and a config: both doors on free ports of loopback, and more lines.
pub(super) fn folder(more: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    write_contract(&folder.path().join("c"));
    configure(folder.path(), more);
    folder
}

/// Writes the config.
pub(super) fn configure(folder: &Path, more: &str) {
    let doors = "contracts = \"c\"\nhttp.listen = \"127.0.0.1:0\"\nmqtt.listen = \"127.0.0.1:0\"\n";
    fs::write(folder.join("lamppost.toml"), format!("{more}\n{doors}")).unwrap();
}

impl Place {
    /// Starts a server with more lines in its config.
    pub(super) fn new(more: &str) -> Place {
        Place::within(folder(more))
    }

    /// Starts a server in a folder.
    pub(super) fn within(folder: tempfile::TempDir) -> Place {
        let config = folder.path().join("lamppost.toml");
        let mut server = Server::start(["serve", "--config", config.to_str().unwrap()]);
        let door = |told: String| told.rsplit('/').next().unwrap().to_owned();
        let (http, mqtt) = (door(server.told("http door: ")), door(server.told("mqtt door: ")));
        Place { folder, server, http, mqtt }
    }

    /// A value of `/metrics`.
    pub(super) fn metric(&self, name: &str) -> f64 {
        let mut stream = TcpStream::connect(&self.http).unwrap();
        write!(stream, "GET /metrics HTTP/1.0\r\nHost: localhost\r\n\r\n").unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_else(|| panic!("no {name} in\n{text}")).trim().parse().unwrap()
    }

    /// Files and sockets the server has open.
    pub(super) fn files(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.server.id())).unwrap().count()
    }

    /// MB the server has resident.
    pub(super) fn memory(&self) -> usize {
        let status = fs::read_to_string(format!("/proc/{}/status", self.server.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() / 1000
    }

    /// Waits until files are as they were, and memory nearly: an allocator keeps some of what it had.
    pub(super) fn settles(&self, files: usize, memory: usize) {
        wait(PATIENCE, || (self.files() <= files + 8).then_some(()));
        let now = self.memory();
        eprintln!("memory: {memory} MB before, {now} MB after; files: {files} before, {} after", self.files());
        assert!(now < memory + 150, "{memory} MB before, {now} MB after");
    }
}
