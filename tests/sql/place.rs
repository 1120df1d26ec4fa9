//! A server with a dataset of every kind of field, and questions to it.

use crate::cli::program::{Server, lamppost};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A dataset with a field of every kind.
const CONTRACT: &str = r#"
id = "town"
title = { en = "Town" }
description = { en = "A field of every kind." }
license = "CC0-1.0"
publisher = "Nobody"
access = "public"
zone = "Europe/Prague"
every = "1m"
keep = { raw = "forever", 15m = "forever", 1h = "forever", 1d = "forever" }

[[field]]
name = "temperature"
unit = "Cel"
kind = "gauge"
resolution = 0.1
range = [-100, 100]

[[field]]
name = "cars"
unit = "{car}"
kind = "count"
range = [0, 100000]

[[field]]
name = "energy"
unit = "kW.h"
kind = "cumulative"
resolution = 0.01
range = [0, 10000000]

[[field]]
name = "door"
kind = "state"
values = ["open", "closed"]
hold = "1h"

[[field]]
name = "noise"
unit = "dB"
kind = "level"
resolution = 0.1
range = [20, 140]

[[field]]
name = "wind"
unit = "deg"
kind = "angle"
range = [0, 359]

[[source]]
mqtt = "town/+"
sensor = "{/id}"
decoder = "json"
time = { path = "/at", format = "epoch_s" }
missing = [""]
attributes = { street = "/street" }
map = { temperature = "/t", cars = "/c", energy = "/e", door = "/d", noise = "/n", wind = "/w" }
"#;

/// The head of a CSV of its readings.
pub(super) const HEAD: &str = "id,at,street,t,c,e,d,n,w";

/// A folder with a config and the contract; doors on free ports.
pub(super) struct Place {
    pub(super) folder: tempfile::TempDir,
    pub(super) config: PathBuf,
}

impl Place {
    /// With some more lines of config.
    pub(super) fn new(more: &str) -> Place {
        let folder = tempfile::tempdir().unwrap();
        let contracts = folder.path().join("c");
        std::fs::create_dir(&contracts).unwrap();
        std::fs::write(contracts.join("town.toml"), CONTRACT).unwrap();
        let config = folder.path().join("lamppost.toml");
        let doors = "contracts = \"c\"\nhttp.listen = \"127.0.0.1:0\"\nmqtt.listen = \"127.0.0.1:0\"\n";
        std::fs::write(&config, format!("{doors}{more}")).unwrap();
        Place { folder, config }
    }

    /// Writes rows below [`HEAD`].
    pub(super) fn csv(&self, name: &str, rows: impl Iterator<Item = String>) -> PathBuf {
        let file = self.folder.path().join(name);
        let text: String = std::iter::once(HEAD.to_owned()).chain(rows).map(|row| row + "\n").collect();
        std::fs::write(&file, text).unwrap();
        file
    }

    /// Files rows.
    pub(super) fn import(&self, file: &Path) {
        let config = self.config.to_str().unwrap();
        let ended = lamppost(["import", file.to_str().unwrap(), "--dataset", "town", "--config", config]);
        assert_eq!(ended.code, Some(0), "{ended:?}");
    }

    /// Serves them.
    pub(super) fn serve(&self) -> Server {
        Server::start(["serve", "--config", self.config.to_str().unwrap()])
    }
}

/// What was told to a question, and when.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) status: u16,
    pub(super) body: String,
    pub(super) took: Duration,
}

impl Told {
    /// The last part of the problem's type; `answered` for an answer.
    pub(super) fn slug(&self) -> String {
        if self.status == 200 {
            return "answered".to_owned();
        }
        let problem: serde_json::Value = serde_json::from_str(&self.body).unwrap_or_default();
        problem["type"].as_str().unwrap_or("no problem").rsplit('/').next().unwrap_or_default().to_owned()
    }

    /// The rows.
    pub(super) fn rows(&self) -> Vec<serde_json::Value> {
        assert_eq!(self.status, 200, "{}", self.body);
        let answer: serde_json::Value = serde_json::from_str(&self.body).unwrap();
        answer["data"].as_array().unwrap().clone()
    }
}

/// Asks in SQL by POST.
pub(super) fn ask(http: &str, sql: impl AsRef<[u8]>) -> Told {
    let begun = Instant::now();
    let mut stream = begin(http, sql.as_ref());
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Told { status, body: body.to_owned(), took: begun.elapsed() }
}

/// Sends a question and does not wait for its answer.
pub(super) fn begin(http: &str, sql: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(http).unwrap();
    let head = format!(
        "POST /api/v1/sql HTTP/1.0\r\nHost: {http}\r\nContent-Type: application/sql\r\nContent-Length: {}\r\n\r\n",
        sql.len()
    );
    // A body that is too large is refused before it is read: the rest of it meets a closed connection.
    let _ = stream.write_all(&[head.as_bytes(), sql].concat());
    stream
}

/// A figure of `/metrics` without labels.
pub(super) fn figure(http: &str, name: &str) -> f64 {
    let (_, text) = crate::cli::program::get(http, "/metrics");
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {name} in\n{text}")).parse().unwrap()
}
