//! The systems that are compared, and where they are kept.

use crate::duck::Duck;
use crate::influx::Influx;
use crate::lamppost::Lamppost;
use crate::note;
pub(crate) use crate::peer::{Peer, absent, root, timed};
use crate::question::{Question, Rows};
use crate::victoria::Victoria;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A system with the town in it, that can be asked.
pub(crate) trait System {
    /// Its name.
    fn name(&self) -> &'static str;
    /// Asks: the time from the first byte of the question to the last of the answer, and the answer; or why there is none.
    fn ask(&mut self, question: &Question) -> Result<(Duration, Vec<u8>), String>;
    /// The rows of an answer.
    fn rows(&self, question: &Question, answer: &[u8]) -> Rows;
    /// Whether its quantiles lie between two readings.
    fn interpolates(&self) -> bool {
        false
    }
}

/// How to have one of the systems.
pub(crate) struct Kind {
    /// Its name.
    pub(crate) name: &'static str,
    /// The folder of its data, below that of the town.
    pub(crate) folder: &'static str,
    /// Why it cannot take part; nothing if it can.
    missing: fn() -> Option<String>,
    /// Loads so many days into a folder. Gives the seconds it took: making the rows is not in it.
    load: fn(&Path, i64) -> f64,
    /// Opens what was loaded.
    open: fn(&Path) -> Box<dyn System>,
    /// Bytes on disk by part, of what was loaded.
    sizes: fn(&Path) -> Vec<(String, u64)>,
}

/// All of them; Lamppost comes first.
pub(crate) const KINDS: [Kind; 4] = [
    Kind {
        name: "Lamppost",
        folder: "lamppost",
        missing: || None,
        load: Lamppost::load,
        open: |folder| Box::new(Lamppost::open(folder)),
        sizes: Lamppost::sizes,
    },
    Kind {
        name: "VictoriaMetrics",
        folder: "victoria",
        missing: || absent("victoria-metrics"),
        load: Victoria::load,
        open: |folder| Box::new(Victoria::open(folder)),
        sizes: Victoria::sizes,
    },
    Kind {
        name: "InfluxDB",
        folder: "influx",
        missing: || absent("influxd"),
        load: Influx::load,
        open: |folder| Box::new(Influx::open(folder)),
        sizes: Influx::sizes,
    },
    Kind {
        name: "DuckDB",
        folder: "duck",
        missing: Duck::missing,
        load: Duck::load,
        open: |folder| Box::new(Duck::open(folder)),
        sizes: Duck::sizes,
    },
];

impl Kind {
    /// Whether it takes part; says so if not.
    pub(crate) fn is_here(&self) -> bool {
        let missing = (self.missing)();
        if let Some(why) = &missing {
            note(&format!("{} does not take part: {why}", self.name));
        }
        missing.is_none()
    }

    /// Its folder for so many days, with all of them loaded: now, or by an earlier run. And the seconds that took.
    pub(crate) fn loaded(&self, days: i64) -> (PathBuf, f64) {
        let folder = root().join(days.to_string()).join(self.folder);
        let marker = folder.join("loaded");
        if let Some(seconds) = read_number(&marker) {
            return (folder, seconds);
        }
        std::fs::create_dir_all(&folder).expect("folder");
        note(&format!("loading {days} days into {}", self.name));
        let seconds = (self.load)(&folder, days);
        std::fs::write(&marker, seconds.to_string()).expect("marker");
        (folder, seconds)
    }

    /// Opens what is in a folder.
    pub(crate) fn open(&self, folder: &Path) -> Box<dyn System> {
        (self.open)(folder)
    }

    /// Bytes on disk by part.
    pub(crate) fn sizes(&self, folder: &Path) -> Vec<(String, u64)> {
        (self.sizes)(folder)
    }
}

/// A number that a file holds.
pub(crate) fn read_number(file: &Path) -> Option<f64> {
    std::fs::read_to_string(file).ok()?.trim().parse().ok()
}

/// Empties a folder.
pub(crate) fn clear(folder: &Path) {
    let _ = std::fs::remove_dir_all(folder);
    std::fs::create_dir_all(folder).expect("folder");
}

/// Adds up the seconds of what is done again and again.
#[derive(Default)]
pub(crate) struct Stopwatch {
    pub(crate) seconds: f64,
}

impl Stopwatch {
    /// Does something and counts its time.
    pub(crate) fn time<T>(&mut self, act: impl FnOnce() -> T) -> T {
        let begun = Instant::now();
        let done = act();
        self.seconds += begun.elapsed().as_secs_f64();
        done
    }
}

/// A path with a query.
pub(crate) fn path(path: &str, query: &[(&str, &str)]) -> String {
    let mut written = url::form_urlencoded::Serializer::new(format!("{path}?"));
    written.extend_pairs(query).finish()
}

/// A number in JSON, or a text of one.
pub(crate) fn number(value: &Value) -> f64 {
    let parsed = value.as_f64().or_else(|| value.as_str()?.parse().ok());
    parsed.unwrap_or_else(|| panic!("{value} should be a number"))
}

/// A JSON answer.
pub(crate) fn json(answer: &[u8]) -> Value {
    serde_json::from_slice(answer).expect("JSON")
}

/// Elements of a JSON list; none if it is none.
pub(crate) fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
