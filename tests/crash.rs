//! The real binary is killed again and again while clients send over every way in at once: what was acknowledged is there
//! afterwards, once and with the right value, and nothing is there that was never sent.
//!
//! Ten kills in `./check`, two hundred with `LAMPPOST_LONG=yes`.

mod answers;
mod client;
mod gate;
pub(crate) mod http;
mod ledger;
pub(crate) mod mqtt;
mod plan;

use crate::mosquitto::Mosquitto;
use crate::server::{Server, Until, pause};
use client::{Account, Client};
use gate::{Gate, Way};
use plan::{Dice, Plan};
use std::collections::BTreeMap;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Points of the store at which the server crashes by itself, most frequent work first.
const POINTS: [&str; 12] = [
    "seal.file",
    "flush.commit",
    "log.release",
    "fold.file",
    "tier.file",
    "refresh.remove",
    "flush.state",
    "fold.commit",
    "tier.commit",
    "compact.file",
    "compact.commit",
    "vacuum.file",
];
/// How long a point is waited for: what has been late for two flush ages is folded, and then the tiers follow.
const POINT: Duration = Duration::from_millis(2500);
/// How long a server that is looked at takes readings before that: some flush ages, so that it has flushed and folded.
const AT_WORK: Duration = Duration::from_millis(2500);
/// How long what a broker holds may take to come through after everything stood again.
const DELIVERY: Duration = Duration::from_secs(60);

/// One dataset of two fields, over MQTT and as lines.
pub(crate) const CONTRACT: &str = r#"
id = "trial"
title = { en = "Trial" }
license = "CC0-1.0"
publisher = "Nobody"
zone = "Europe/Prague"
every = "30s"
keep = { raw = "forever", 15m = "forever", 1h = "forever", 1d = "forever" }

[[field]]
name = "a"
unit = "1"
kind = "gauge"
range = [0, 1000000000]

[[field]]
name = "b"
unit = "1"
kind = "gauge"
range = [0, 1000000000]

[[source]]
mqtt = "trial/+"
sensor = "{topic.1}"
time = { path = "/ts", format = "epoch_s" }
map = { a = "/a", b = "/b" }

[[source]]
line = "trial"
sensor = "{sensor}"
map = { a = "a", b = "b" }
"#;

/// Everything a crash loop is about.
struct Trial {
    folder: tempfile::TempDir,
    config: PathBuf,
    broker: Mosquitto,
    gate: Arc<Gate>,
    accounts: Vec<(String, Way, Account)>,
    clients: Vec<JoinHandle<()>>,
    /// Before all readings, seconds since 1970.
    since: i64,
    dice: Dice,
    /// How often it died in which way.
    deaths: BTreeMap<&'static str, u32>,
}

#[test]
fn what_was_acknowledged_outlives_every_crash() {
    let long = std::env::var("LAMPPOST_LONG").is_ok_and(|long| long == "yes");
    let (cycles, look) = if long { (200, 10) } else { (10, 5) };
    let mut trial = Trial::begin();
    for cycle in 1..=cycles {
        trial.crash(cycle);
        if cycle % 5 == 3 {
            trial.broker.restart();
            trial.open_broker();
        }
        if cycle % look == 0 {
            trial.look(false);
        }
    }
    trial.look(true);
    let told = trial.end();
    let _ = writeln!(std::io::stderr(), "{cycles} crashes: {told}");
}

impl Trial {
    /// A server that has run once, and clients that wait to be let in.
    fn begin() -> Trial {
        let folder = tempfile::tempdir().expect("temporary folder");
        let broker = Mosquitto::start_lasting(folder.path());
        let config = config(folder.path(), broker.port);
        let seed = u64::from(std::process::id());
        let _ = writeln!(std::io::stderr(), "seed of the crashes: {seed}");
        // The session must stand at the broker before anything is published.
        let server = Server::start(&config);
        server.wait(Until::Subscribed);
        let since = jiff::Timestamp::now().as_second() / 3600 * 3600 - 60 * 86_400;
        let mut trial = Trial {
            folder,
            config,
            broker,
            gate: Arc::default(),
            accounts: Vec::new(),
            clients: Vec::new(),
            since,
            dice: Dice::new(seed),
            deaths: BTreeMap::new(),
        };
        for (way, name, count) in [(Way::Door, "door", 2), (Way::Lines, "lines", 2), (Way::Broker, "broker", 2)] {
            for n in 0..count {
                trial.client(&format!("{name}-{n}"), way, seed + n);
            }
        }
        trial.open_broker();
        trial
    }

    fn client(&mut self, name: &str, way: Way, seed: u64) {
        let account = Account::default();
        let client = Client::new(name, way, self.since + 3600, seed, account.clone());
        let gate = self.gate.clone();
        self.accounts.push((name.to_owned(), way, account));
        self.clients.push(std::thread::spawn(move || client.run(&gate)));
    }

    fn open_broker(&self) {
        self.gate.open(Way::Broker, SocketAddr::from(([127, 0, 0, 1], self.broker.port)));
    }

    /// Runs the server until it dies: at a point, at a random moment, or before it has said anything.
    fn crash(&mut self, cycle: usize) {
        let point = (cycle % 2 == 1).then(|| POINTS[cycle / 2 % POINTS.len()]);
        if point.is_none() && self.dice.below(4) == 0 {
            let mut early = Command::new(env!("CARGO_BIN_EXE_lamppost"));
            early.args(["--log-level", "error", "serve", "--config"]).arg(&self.config).stdout(Stdio::null());
            let mut early = early.spawn().expect("lamppost serve");
            pause(Duration::from_millis(self.dice.below(200)));
            early.kill().expect("kill");
            early.wait().expect("wait");
            return self.died("while starting");
        }
        let Some(mut server) = Server::begin(&self.config, point) else {
            return self.died(point.expect("only who is to crash does"));
        };
        self.open(&server);
        let patience = point.map_or_else(|| Duration::from_millis(100 + self.dice.below(900)), |_| POINT);
        let ended = server.ends_within(patience);
        assert!(!ended || point.is_some(), "the server ended by itself");
        server.kill();
        self.died(point.filter(|_| ended).unwrap_or("at a random moment"));
    }

    fn died(&mut self, how: &'static str) {
        *self.deaths.entry(how).or_default() += 1;
    }

    /// Holds the clients, starts a server and looks whether it has what it must have; then once more after it took readings,
    /// flushed and folded for a while. `quiet`: and when all is filed, folded and added up.
    fn look(&mut self, quiet: bool) {
        self.gate.hold();
        let server = Server::start(&self.config);
        self.compare(&server);
        self.open(&server);
        self.open_broker();
        pause(AT_WORK);
        self.gate.hold();
        self.compare(&server);
        if quiet {
            server.wait(Until::Quiet);
            self.compare(&server);
        }
        server.stop();
        self.open_broker();
    }

    /// Lets clients in at a server's own doors.
    fn open(&self, server: &Server) {
        self.gate.open(Way::Door, server.mqtt().expect("a door"));
        self.gate.open(Way::Lines, server.http());
    }

    /// Compares all accounts with what the server has. What a broker holds may still be on its way.
    fn compare(&self, server: &Server) {
        let until = Instant::now() + DELIVERY;
        for (name, way, account) in &self.accounts {
            let mut account = account.lock().expect("account");
            let sensors = Plan::sensors(name).collect::<Vec<_>>().join(",");
            loop {
                let rows = answers::rows(server, &sensors, self.since);
                let mut faults = account.faults(&rows);
                let (right, told) = (answers::added_up(&rows), answers::hours(server, &sensors, self.since));
                let wrong = right.iter().filter(|(hour, sums)| told.get(hour) != Some(sums));
                faults.extend(wrong.map(|(hour, sums)| format!("{hour:?} is {:?}, not {sums:?}", told.get(hour))));
                let more = told.keys().filter(|hour| !right.contains_key(hour));
                faults.extend(more.map(|hour| format!("{hour:?} is an hour without rows")));
                if faults.is_empty() {
                    account.seen(&rows, *way != Way::Broker);
                    break;
                }
                faults.truncate(10);
                let late = *way != Way::Broker || Instant::now() > until;
                assert!(!late, "{name}, after {:?}: {faults:#?}", self.deaths);
                pause(Duration::from_millis(50));
            }
        }
    }

    /// Lets the clients go home; what there was of everything.
    fn end(self) -> String {
        self.gate.close();
        self.clients.into_iter().for_each(|client| client.join().expect("a client"));
        let mut told = format!("{:?}", self.deaths);
        for (name, _, account) in &self.accounts {
            let (sent, acknowledged) = account.lock().expect("account").counts();
            assert!(acknowledged > 500, "{name} was acknowledged {acknowledged} of {sent} only");
            told.push_str(&format!(", {name} {acknowledged} of {sent}"));
        }
        drop(self.folder);
        told
    }
}

/// Writes contract and config. Everything the store does beside taking in comes as often as it can.
fn config(folder: &Path, broker: u16) -> PathBuf {
    std::fs::create_dir(folder.join("contracts")).expect("folder");
    std::fs::write(folder.join("contracts/trial.toml"), CONTRACT).expect("contract");
    let path = folder.join("lamppost.toml");
    let text = format!(
        "data = \"data\"\nlog = \"log\"\ncontracts = \"contracts\"\nhttp.listen = \"127.0.0.1:0\"\n\
         mqtt.listen = \"127.0.0.1:0\"\nflush.age = \"1s\"\nhot.bytes = \"128KiB\"\nsegment.bytes = \"8KiB\"\n\
         vacuum.after = \"1s\"\nfold.bytes = \"4GiB\"\nbudget.anonymous = 10000000\nbudget.cells = 1000000000\n\n\
         [[broker]]\nurl = \"mqtt://127.0.0.1:{broker}\"\nclient_id = \"crash\"\n"
    );
    std::fs::write(&path, text).expect("config");
    path
}
