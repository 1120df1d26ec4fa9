//! DuckDB: a table per dataset, sorted by sensor and time, asked in its own process; no HTTP and no JSON in its times.

use crate::process::Process;
use crate::question::{PART, Question, Rows, Sort};
use crate::rows::{Stretch, csv_file};
use crate::server::repository;
use crate::system::{Stopwatch, System, clear, json, list, number};
use crate::town::{DATASETS, DAY, END, LAST, SENSORS};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

/// Sensors whose readings are loaded at once.
const BLOCK: usize = 50;

/// The tables, with types as narrow as the values are.
const TABLES: [&str; 2] = [
    "CREATE TABLE traffic (sensor VARCHAR, time TIMESTAMP, bicycles SMALLINT, cars SMALLINT, trucks SMALLINT,
     pedestrians SMALLINT)",
    "CREATE TABLE air (sensor VARCHAR, time TIMESTAMP, co2 SMALLINT, temperature DECIMAL(4,1), humidity SMALLINT,
     pm2_5 DECIMAL(5,1), pressure DECIMAL(5,1))",
];

/// A Python with the database open.
pub(crate) struct Duck {
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    _process: Process,
}

impl Duck {
    /// Why it cannot take part.
    pub(crate) fn missing() -> Option<String> {
        let found = Command::new(python()).args(["-c", "import duckdb, deltalake"]).stderr(Stdio::null()).status();
        let why = || format!("{} has no duckdb; ./check makes one that has", python().display());
        (!found.is_ok_and(|status| status.success())).then(why)
    }

    pub(crate) fn open(folder: &Path) -> Duck {
        let mut command = Command::new(python());
        command.arg(repository("benches/questions/duck.py")).arg(folder.join("town.duckdb"));
        let mut process = Process::start(command.stdin(Stdio::piped()).stdout(Stdio::piped()));
        let input = process.child.stdin.take().expect("stdin");
        let output = BufReader::new(process.child.stdout.take().expect("stdout"));
        Duck { input, output, _process: process }
    }

    pub(crate) fn load(folder: &Path, days: i64) -> f64 {
        clear(folder);
        let (mut duck, mut watch) = (Duck::open(folder), Stopwatch::default());
        for (dataset, table) in DATASETS.iter().zip(TABLES) {
            duck.run(table);
            let file = folder.join("block.csv");
            for first in (0..SENSORS).step_by(BLOCK) {
                let stretch = Stretch::new(dataset, first..first + BLOCK, END - days * DAY..LAST);
                csv_file(&file, dataset, stretch.by_sensor());
                let insert = format!("INSERT INTO {} SELECT * FROM read_csv('{}')", dataset.id, file.display());
                watch.time(|| duck.run(&insert));
            }
            let _ = std::fs::remove_file(&file);
        }
        watch.time(|| duck.run("CHECKPOINT"));
        watch.seconds
    }

    fn run(&mut self, sql: &str) -> Value {
        let answer = json(&self.call(sql));
        assert!(answer["error"].is_null(), "{sql}: {}", answer["error"]);
        answer
    }

    fn call(&mut self, sql: &str) -> Vec<u8> {
        writeln!(self.input, "{}", json!({ "sql": sql })).expect("a Python that reads");
        let mut line = Vec::new();
        self.output.read_until(b'\n', &mut line).expect("a Python that answers");
        line
    }

    pub(crate) fn sizes(folder: &Path) -> Vec<(String, u64)> {
        let bytes = std::fs::metadata(folder.join("town.duckdb")).map_or(0, |meta| meta.len());
        vec![("file".into(), bytes)]
    }
}

/// The Python of `./check`, which has DuckDB and deltalake.
pub(crate) fn python() -> PathBuf {
    let checks = || Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("check-python/bin/python3");
    std::env::var_os("LAMPPOST_PYTHON").map_or_else(checks, PathBuf::from)
}

impl System for Duck {
    fn name(&self) -> &'static str {
        "DuckDB"
    }

    fn ask(&mut self, question: &Question) -> Result<(Duration, Vec<u8>), String> {
        let crossing = question.crossing();
        let seconds = question.seconds();
        let at = |second: i64| format!("make_timestamp({second}000000)");
        let span = format!("time >= {} AND time < {}", at(seconds.start), at(seconds.end));
        let hour = "epoch_us(time) // 3600000000 * 3600";
        let sql = match question.sort {
            Sort::Chart => format!(
                "SELECT '', {hour}, sum(cars) FROM traffic WHERE sensor = '{crossing}' AND {span} GROUP BY 2 ORDER BY 2"
            ),
            Sort::City => format!("SELECT '', {hour}, avg(co2) FROM air WHERE {span} GROUP BY 2 ORDER BY 2"),
            Sort::Newest => format!(
                "SELECT sensor, 0, arg_max(co2, time) FROM air WHERE time >= {} GROUP BY 1 ORDER BY 1",
                at(seconds.end - 300)
            ),
            Sort::Busiest => {
                format!("SELECT sensor, 0, sum(cars) FROM traffic WHERE {span} GROUP BY 1 ORDER BY 3 DESC LIMIT 10")
            }
            Sort::P95 | Sort::Sketch => {
                format!("SELECT sensor, 0, quantile_disc(co2, {PART}) FROM air WHERE {span} GROUP BY 1 ORDER BY 1")
            }
            Sort::Raw => format!(
                "SELECT epoch_us(time) // 1000000, bicycles, cars, trucks, pedestrians FROM traffic
                 WHERE sensor = '{crossing}' AND {span} ORDER BY time"
            ),
        };
        let answer = self.call(&sql);
        let told = json(&answer);
        match told["error"].as_str() {
            Some(error) => Err(error.to_owned()),
            None => Ok((Duration::from_nanos(number(&told["ns"]) as u64), answer)),
        }
    }

    fn rows(&self, question: &Question, answer: &[u8]) -> Rows {
        let answer = json(answer);
        let mut rows = Rows::new();
        for row in list(&answer["rows"]) {
            if question.sort == Sort::Raw {
                let time = number(&row[0]) as i64;
                let fields = question.dataset().fields.iter().zip(&list(row)[1..]);
                rows.extend(fields.map(|(field, value)| ((field.name.to_owned(), time), number(value))));
            } else {
                let key = row[0].as_str().unwrap_or_default().to_owned();
                rows.insert((key, number(&row[1]) as i64), number(&row[2]));
            }
        }
        rows
    }
}
