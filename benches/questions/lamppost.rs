//! Lamppost: the real binary, loaded by `lamppost import`, asked over its public API with the cache of answers off.

use crate::duck::python;
use crate::process::Process;
use crate::question::{Question, Rows, Sort};
use crate::rows::{Stretch, csv_file, utc_days};
use crate::server::{Server, binary, repository};
use crate::system::{Stopwatch, System, json, list, number, path, read_number, timed};
use crate::town::{DATASETS, DAY, SENSORS};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// Rows of a page of readings: more than a day of one crossing.
const PAGE: &str = "10000";

/// A running server.
pub(crate) struct Lamppost {
    pub(crate) server: Server,
}

/// Writes a config: everything as it comes, but that one caller may ask without end and no answer is kept. `more` is added.
/// The contracts are copied, so that what was loaded stays as it was when they change.
pub(crate) fn config(folder: &Path, more: &str) -> PathBuf {
    let (file, contracts) = (folder.join("lamppost.toml"), folder.join("contracts"));
    std::fs::create_dir_all(&contracts).expect("folder");
    for name in DATASETS.map(|dataset| format!("{}.toml", dataset.id)) {
        let (from, to) = (repository("benches/questions/contracts").join(&name), contracts.join(&name));
        if !to.exists() {
            std::fs::copy(from, to).expect("contract");
        }
    }
    let text = format!(
        "data = \"data\"\nlog = \"log\"\ncontracts = \"contracts\"\nhttp.listen = \"127.0.0.1:0\"\n\
         engine.cache = \"0B\"\nbudget.anonymous = 1_000_000_000\n{more}"
    );
    std::fs::write(&file, text).expect("config");
    file
}

impl Lamppost {
    pub(crate) fn open(folder: &Path) -> Lamppost {
        Lamppost { server: Server::start(&config(folder, "")) }
    }

    /// Imports day by day; goes on where an earlier run was interrupted.
    pub(crate) fn load(folder: &Path, days: i64) -> f64 {
        let config = config(folder, "");
        let (progress, file) = (folder.join("progress"), folder.join("day.csv"));
        let (done, mut watch) = (read_number(&progress).unwrap_or(0.0) as usize, Stopwatch::default());
        for (number, minutes) in utc_days(days).into_iter().enumerate().skip(done) {
            for dataset in &DATASETS {
                csv_file(&file, dataset, Stretch::new(dataset, 0..SENSORS, minutes.clone()).by_time());
                let mut command = binary();
                command.arg("import").arg(&file).args(["--dataset", dataset.id, "--config"]).arg(&config);
                command.stdout(Stdio::null()).stderr(Stdio::null());
                let (status, _) = watch.time(|| Process::start(&mut command).finish());
                assert!(status.success(), "lamppost import: {status}");
            }
            std::fs::write(&progress, (number + 1).to_string()).expect("progress");
        }
        let _ = std::fs::remove_file(&file);
        // Of a load that was interrupted the days after it stand for all.
        let all = utc_days(days).len();
        watch.seconds * all as f64 / (all - done).max(1) as f64
    }

    /// Live files of each table, as the Delta logs tell.
    pub(crate) fn sizes(folder: &Path) -> Vec<(String, u64)> {
        let mut command = Command::new(python());
        let told = command.arg(repository("benches/questions/live.py")).arg(folder.join("data")).output();
        let told = told.expect("a Python with deltalake");
        assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
        let tables = json(&told.stdout);
        let size = |(name, table): (&String, &Value)| (name.clone(), number(&table[1]) as u64);
        tables.as_object().expect("tables").iter().map(size).collect()
    }
}

/// The question as the path of a GET.
pub(crate) fn ask(question: &Question) -> String {
    let seconds = question.seconds();
    let at = |second| jiff::Timestamp::from_second(second).expect("a time of this century").to_string();
    let (from, to) = (at(seconds.start), at(seconds.end));
    let (span, crossing) = ([("from", from.as_str()), ("to", to.as_str())], question.crossing());
    // One row for the whole span: the days asked for are June's, and longer spans than a day are asked as a month.
    let whole = if question.minutes.end - question.minutes.start == DAY { "day" } else { "month" };
    let (endpoint, query): (&str, &[(&str, &str)]) = match question.sort {
        Sort::Chart => ("aggregates", &[("sensor", &crossing), ("bucket", "1h"), ("fields", "cars_sum")]),
        Sort::City => ("aggregates", &[("group", "none"), ("bucket", "1h"), ("fields", "co2_mean")]),
        Sort::Newest => return path("/api/v1/datasets/air/latest", &[("fields", "co2")]),
        Sort::Busiest => {
            ("aggregates", &[("bucket", "day"), ("fields", "cars_sum"), ("order", "-cars_sum"), ("limit", "10")])
        }
        Sort::P95 => ("aggregates", &[("bucket", whole), ("fields", "co2_p95")]),
        Sort::Sketch => ("aggregates", &[("bucket", whole), ("fields", "co2_p95_sketch")]),
        Sort::Raw => ("readings", &[("sensor", &crossing), ("limit", PAGE)]),
    };
    path(&format!("/api/v1/datasets/{}/{endpoint}", question.dataset().id), &[query, &span].concat())
}

impl System for Lamppost {
    fn name(&self) -> &'static str {
        "Lamppost"
    }

    fn ask(&mut self, question: &Question) -> Result<(Duration, Vec<u8>), String> {
        timed(&mut self.server.web, &ask(question))
    }

    fn rows(&self, question: &Question, answer: &[u8]) -> Rows {
        let answer = json(answer);
        let mut rows = Rows::new();
        for row in list(&answer["data"]) {
            let time = |name: &str| {
                let time: jiff::Timestamp = row[name].as_str().and_then(|time| time.parse().ok()).expect("a time");
                time.as_second()
            };
            let sensor = || row["sensor"].as_str().unwrap_or_default().to_owned();
            match question.sort {
                Sort::Chart => rows.extend([((String::new(), time("start")), number(&row["cars_sum"]))]),
                Sort::City => rows.extend([((String::new(), time("start")), number(&row["co2_mean"]))]),
                Sort::Newest => rows.extend([((sensor(), 0), number(&row["co2"]))]),
                Sort::Busiest => rows.extend([((sensor(), 0), number(&row["cars_sum"]))]),
                Sort::P95 => rows.extend([((sensor(), 0), number(&row["co2_p95"]))]),
                Sort::Sketch => rows.extend([((sensor(), 0), number(&row["co2_p95_sketch"]))]),
                Sort::Raw => {
                    let fields = question.dataset().fields.iter();
                    rows.extend(fields.map(|field| ((field.name.to_owned(), time("time")), number(&row[field.name]))));
                }
            }
        }
        rows
    }
}
