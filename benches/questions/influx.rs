//! InfluxDB 1.6: a measurement per dataset, the sensor as its tag; integers where the resolution is 1.

use crate::peer;
use crate::process::pause;
use crate::question::{Question, Rows, Sort};
use crate::rows::{Stretch, Text, utc_days};
use crate::server::megabytes;
use crate::system::{Peer, Stopwatch, System, clear, json, list, number, path};
use crate::town::{DATASETS, SENSORS};
use serde_json::Value;
use std::path::Path;
use std::time::Duration;

/// Bytes of line protocol in one request: some 10,000 lines.
const BATCH: usize = 800 << 10;
/// Looks without a change of size after which compaction is taken to be over.
const CALM: usize = 10;

/// A running one.
pub(crate) struct Influx(Peer);

impl Influx {
    pub(crate) fn open(folder: &Path) -> Influx {
        Influx(peer::influx(folder))
    }

    pub(crate) fn load(folder: &Path, days: i64) -> f64 {
        clear(folder);
        let (mut influx, mut watch) = (Influx::open(folder), Stopwatch::default());
        influx.0.web.post(&path("/query", &[("q", "CREATE DATABASE town")]), &[]);
        let mut post = |bytes: &[u8]| {
            let reply = watch.time(|| influx.0.web.post("/write?db=town&precision=s", bytes));
            assert!(reply.status < 300, "write: {}", String::from_utf8_lossy(&reply.body));
        };
        for minutes in utc_days(days) {
            for dataset in &DATASETS {
                let stretch = Stretch::new(dataset, 0..SENSORS, minutes.clone());
                let mut text = Text::default();
                for row in stretch.by_time() {
                    text.line(row);
                    text.drain(BATCH, &mut post);
                }
                text.drain(0, &mut post);
            }
        }
        settle(folder);
        watch.seconds
    }

    pub(crate) fn sizes(folder: &Path) -> Vec<(String, u64)> {
        let bytes = |part: &str| (megabytes(&folder.join(part)) * 1e6) as u64;
        vec![("data".into(), bytes("data")), ("log".into(), bytes("wal"))]
    }
}

/// Waits until compaction changes nothing any more.
fn settle(folder: &Path) {
    let size = || (megabytes(&folder.join("data")), megabytes(&folder.join("wal")) as u64);
    let (mut last, mut calm) = (size(), 0);
    while calm < CALM {
        pause(Duration::from_secs(3));
        let now = size();
        calm = if now == last { calm + 1 } else { 0 };
        last = now;
    }
}

impl System for Influx {
    fn name(&self) -> &'static str {
        "InfluxDB"
    }

    fn ask(&mut self, question: &Question) -> Result<(Duration, Vec<u8>), String> {
        let crossing = question.crossing();
        let seconds = question.seconds();
        let span = format!("time >= {}s AND time < {}s", seconds.start, seconds.end);
        let asked = match question.sort {
            Sort::Chart => {
                format!("SELECT sum(cars) FROM traffic WHERE sensor = '{crossing}' AND {span} GROUP BY time(1h)")
            }
            Sort::City => format!("SELECT mean(co2) FROM air WHERE {span} GROUP BY time(1h)"),
            Sort::Newest => {
                format!("SELECT last(co2) FROM air WHERE time >= {}s GROUP BY sensor", seconds.end - 300)
            }
            Sort::Busiest => format!(
                "SELECT top(s, sensor, 10) FROM (SELECT sum(cars) AS s FROM traffic WHERE {span} GROUP BY sensor)"
            ),
            Sort::P95 | Sort::Sketch => format!("SELECT percentile(co2, 95) FROM air WHERE {span} GROUP BY sensor"),
            Sort::Raw => format!(
                "SELECT bicycles, cars, trucks, pedestrians FROM traffic WHERE sensor = '{crossing}' AND {span}"
            ),
        };
        self.0.ask(&path("/query", &[("db", "town"), ("epoch", "s"), ("q", &asked)]))
    }

    fn rows(&self, question: &Question, answer: &[u8]) -> Rows {
        let answer = json(answer);
        let mut rows = Rows::new();
        for series in list(&answer["results"][0]["series"]) {
            let sensor = series["tags"]["sensor"].as_str().unwrap_or_default();
            let columns: Vec<&str> = list(&series["columns"]).iter().filter_map(Value::as_str).collect();
            for row in list(&series["values"]) {
                let time = number(&row[0]) as i64;
                match question.sort {
                    Sort::Chart | Sort::City => rows.extend([((String::new(), time), number(&row[1]))]),
                    Sort::Busiest => {
                        let sensor = row[2].as_str().unwrap_or_default().to_owned();
                        rows.insert((sensor, 0), number(&row[1]));
                    }
                    Sort::Raw => {
                        rows.extend((1..columns.len()).map(|at| ((columns[at].into(), time), number(&row[at]))))
                    }
                    _ => rows.extend([((sensor.to_owned(), 0), number(&row[1]))]),
                }
            }
        }
        rows
    }
}
