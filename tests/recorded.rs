//! The recorded city data, replayed through a real Mosquitto into a server that is killed on the way: every row is a
//! reading or a reject with the right reason, and every answer equals what an independent program computes.

use crate::mosquitto::Mosquitto;
use crate::server::{Server, Until};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// One replay: file below the data folder, topic, delimiter, and the columns that make its key.
struct Recording {
    dataset: &'static str,
    file: String,
    topic: String,
    delimiter: &'static str,
    key: &'static [&'static str],
}

#[test]
fn recorded_city_data_is_exact_through_kills_and_replays() {
    let Some(data) = data() else {
        // Not captured by the test harness, so that a skip is seen.
        let _ = writeln!(std::io::stderr(), "SKIPPED: recorded data is not at ../shared/data");
        return;
    };
    let folder = tempfile::tempdir().expect("temporary folder");
    let broker = Mosquitto::start(folder.path());
    let config = config(folder.path(), broker.port);
    let mut server = Server::start(&config);
    server.wait(Until::Subscribed);

    let recordings = recordings(&data);
    let began = Instant::now();
    let mut replay = Replay::begin(&data, &broker, &recordings);
    let moments = [Duration::from_millis(3100), Duration::from_millis(7300), Duration::from_millis(4700)];
    for moment in jittered(moments) {
        if replay.ended_within(moment) {
            break;
        }
        server.kill();
        server = Server::start(&config);
    }
    replay.finish();
    server.wait(Until::Quiet);
    report("replayed once, killed three times", began);
    compare(&data, &server, folder.path(), &["--rejects", "--tables"]);

    // The same rows again, and a shuffled half of them, change nothing.
    let began = Instant::now();
    Replay::begin(&data, &broker, &recordings).finish();
    let halves = shuffled(&data, folder.path(), &recordings);
    Replay::begin(folder.path(), &broker, &halves).finish();
    server.wait(Until::Quiet);
    report("replayed again, and a shuffled half", began);
    compare(&data, &server, folder.path(), &["--rejects", "--tables", "--tiers"]);
    server.stop();
}

/// The recorded data, if it is on this machine.
fn data() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    folder.is_dir().then_some(folder)
}

fn recordings(data: &Path) -> Vec<Recording> {
    let mut all = Vec::new();
    let mut add = |dataset, folder: &str, topic: &str, delimiter, key| {
        let mut files: Vec<PathBuf> =
            std::fs::read_dir(data.join(folder)).expect(folder).map(|entry| entry.expect("entry").path()).collect();
        files.sort();
        for path in files {
            let name = path.file_name().expect("name").to_string_lossy().into_owned();
            let Some(stem) = name.strip_suffix(".csv.gz") else { continue };
            let kind = stem.split('_').next().unwrap_or(stem);
            let kind = if matches!(kind, "dht22" | "bme280") { "climate" } else { kind };
            let station = stem.strip_prefix("aberdeen-").unwrap_or(stem);
            let topic = topic.replace("<kind>", kind).replace("<station>", station);
            if stem != "room_metadata" {
                all.push(Recording { dataset, file: format!("{folder}/{name}"), topic, delimiter, key });
            }
        }
    };
    add("bikes", "bike-counts-bw", "bikes/{counter_site_id}/hour", ",", &["counter_site_id", "iso_timestamp"]);
    add("rooms", "indoor-co2-b4b", "rooms/{id}/{source}", ",", &["id", "source", "timestamp", "property"]);
    add("parking_bath", "parking-bath", "bath/parking", ",", &["Name", "LastUpdate"]);
    add(
        "parking_birmingham",
        "parking-birmingham",
        "birmingham/{SystemCodeNumber}/parking",
        ",",
        &["SystemCodeNumber", "LastUpdated"],
    );
    add("aberdeen", "air-aberdeen", "aberdeen/<kind>/{sensor_id}", ";", &["sensor_id", "timestamp"]);
    add("aberdeen", "air-aberdeen/reference", "aberdeen/station/<station>", ";", &["DateTime"]);
    // The rooms' files overlap in nothing but their order counts: Python's oracle reads them in this one.
    let order = |r: &Recording| ["999169", "917810", "925038"].iter().position(|id| r.file.contains(id));
    let rooms: Vec<usize> = (0..all.len()).filter(|&i| all[i].dataset == "rooms").collect();
    let (first, last) = (rooms[0], rooms[rooms.len() - 1]);
    all[first..=last].sort_by_key(order);
    all
}

/// Shuffled halves of all files, written below `folder` under their own names.
fn shuffled(data: &Path, folder: &Path, recordings: &[Recording]) -> Vec<Recording> {
    let mut halves = Vec::new();
    for recording in recordings {
        let target = folder.join(&recording.file);
        std::fs::create_dir_all(target.parent().expect("parent")).expect("folder");
        let mut command = Command::new(python());
        command.arg(oracle("shuffle.py")).arg(data.join(&recording.file)).arg(&target);
        command.args(["7", recording.delimiter]).args(recording.key);
        assert!(command.status().expect("python").success(), "shuffling {}", recording.file);
        halves.push(Recording { file: recording.file.clone(), topic: recording.topic.clone(), ..*recording });
    }
    halves
}

/// The replays of all files, one after the other in one shell of our own: a child process per file.
struct Replay {
    waiting: Vec<Command>,
    running: Option<Child>,
}

impl Replay {
    fn begin(data: &Path, broker: &Mosquitto, recordings: &[Recording]) -> Replay {
        let mut waiting: Vec<Command> = recordings.iter().map(|r| replay(data, broker, r)).collect();
        waiting.reverse();
        let mut replay = Replay { waiting, running: None };
        replay.next();
        replay
    }

    /// Starts the next file; whether there was one.
    fn next(&mut self) -> bool {
        self.running = self.waiting.pop().map(|mut command| command.spawn().expect("lamppost replay"));
        self.running.is_some()
    }

    /// Goes on for so long; whether all files have been replayed.
    fn ended_within(&mut self, moment: Duration) -> bool {
        let until = Instant::now() + moment;
        while Instant::now() < until {
            let Some(child) = &mut self.running else { return true };
            match child.try_wait().expect("wait") {
                Some(status) => {
                    assert!(status.success(), "replay failed: {status}");
                    self.next();
                }
                None => crate::server::pause(Duration::from_millis(20)),
            }
        }
        false
    }

    fn finish(mut self) {
        while !self.ended_within(Duration::from_secs(60)) {}
    }
}

fn replay(data: &Path, broker: &Mosquitto, recording: &Recording) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lamppost"));
    command.arg("replay").arg(data.join(&recording.file));
    command.args(["--to", &format!("mqtt://127.0.0.1:{}", broker.port), "--topic", &recording.topic]);
    command.args(["--delimiter", recording.delimiter]).stderr(Stdio::null()).stdout(Stdio::null());
    command
}

fn config(folder: &Path, broker: u16) -> PathBuf {
    let contracts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/contracts");
    let path = folder.join("lamppost.toml");
    let text = format!(
        "data = \"data\"\nlog = \"log\"\ncontracts = \"{}\"\nhttp.listen = \"127.0.0.1:0\"\nflush.age = \"2s\"\n\
         fold.bytes = \"4GiB\"\n\n[[broker]]\nurl = \"mqtt://127.0.0.1:{broker}\"\nclient_id = \"recorded\"\n",
        contracts.display()
    );
    std::fs::write(&path, text).expect("config");
    path
}

/// Runs the oracle against the server; its differences fail the test.
fn compare(data: &Path, server: &Server, folder: &Path, what: &[&str]) {
    let status = folder.join("status.json");
    std::fs::write(&status, server.get("/status").1).expect("status");
    let mut command = Command::new(python());
    command.arg(oracle("compare.py")).arg(data).arg(&server.url);
    for option in what {
        command.arg(option).arg(if *option != "--rejects" { folder.join("data") } else { status.clone() });
    }
    let output = command.output().expect("python");
    let _ = std::io::stderr().write_all(&output.stdout);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn report(what: &str, began: Instant) {
    let _ = writeln!(std::io::stderr(), "{what}: {:.1} s", began.elapsed().as_secs_f64());
}

/// The moments, each moved by up to half a second that differs from run to run; the seed is printed.
fn jittered(moments: [Duration; 3]) -> [Duration; 3] {
    let seed = std::process::id();
    let _ = writeln!(std::io::stderr(), "kill seed {seed}");
    let mut state = u64::from(seed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    moments.map(|moment| {
        state ^= state >> 29;
        state = state.wrapping_mul(0xbf58_476d_1ce4_e5b9);
        moment + Duration::from_millis(state >> 32 & 511)
    })
}

/// Python with the packages of `tests/oracle/requirements.txt`.
fn python() -> String {
    std::env::var("LAMPPOST_PYTHON").unwrap_or_else(|_| "python3".into())
}

fn oracle(script: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle").join(script)
}
