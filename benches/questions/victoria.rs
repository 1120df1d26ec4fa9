//! VictoriaMetrics: a metric per field, the sensor as its label.
//!
//! Its windows look back and begin after their first instant, so that questions are asked a millisecond before the end of
//! each bucket. Its quantiles lie between two readings. `nocache=1` keeps its answer cache out.

use crate::peer;
use crate::process::pause;
use crate::question::{PART, Question, Rows, Sort};
use crate::rows::{Stretch, Text, utc_days};
use crate::server::megabytes;
use crate::system::{Peer, Stopwatch, System, clear, json, list, number, path};
use crate::town::{DATASETS, SENSORS};
use serde_json::Value;
use std::path::Path;
use std::time::Duration;

/// Bytes of CSV in one request.
const BATCH: usize = 32 << 20;

/// A running one.
pub(crate) struct Victoria(Peer);

impl Victoria {
    pub(crate) fn open(folder: &Path) -> Victoria {
        Victoria(peer::victoria(folder))
    }

    pub(crate) fn load(folder: &Path, days: i64) -> f64 {
        clear(folder);
        let (mut victoria, mut watch) = (Victoria::open(folder), Stopwatch::default());
        for minutes in utc_days(days) {
            for dataset in &DATASETS {
                let field = |(at, field): (usize, &crate::town::Field)| {
                    format!(",{}:metric:{}_{}", at + 3, dataset.id, field.name)
                };
                let fields: String = dataset.fields.iter().enumerate().map(field).collect();
                let import =
                    path("/api/v1/import/csv", &[("format", &format!("1:label:sensor,2:time:rfc3339{fields}"))]);
                let mut post = |bytes: &[u8]| {
                    let reply = watch.time(|| victoria.0.web.post(&import, bytes));
                    assert!(reply.status < 300, "import: {}", String::from_utf8_lossy(&reply.body));
                };
                let stretch = Stretch::new(dataset, 0..SENSORS, minutes.clone());
                let mut text = Text::default();
                for row in stretch.by_time() {
                    text.csv(row);
                    text.drain(BATCH, &mut post);
                }
                text.drain(0, post);
            }
        }
        watch.time(|| victoria.settle());
        watch.seconds
    }

    /// Has all parts of a month merged into one.
    fn settle(&mut self) {
        self.0.web.get("/internal/force_flush");
        pause(Duration::from_secs(2));
        self.0.web.get("/internal/force_merge");
        loop {
            pause(Duration::from_secs(2));
            let metrics = self.0.web.get("/metrics");
            let text = String::from_utf8_lossy(&metrics);
            let mut merges = text.lines().filter(|line| line.starts_with("vm_active_merges"));
            if merges.all(|line| line.ends_with(" 0")) {
                return;
            }
        }
    }

    pub(crate) fn sizes(folder: &Path) -> Vec<(String, u64)> {
        let bytes = |part: &str| (megabytes(&folder.join("data").join(part)) * 1e6) as u64;
        vec![("data".into(), bytes("data")), ("index".into(), bytes("indexdb"))]
    }
}

impl System for Victoria {
    fn name(&self) -> &'static str {
        "VictoriaMetrics"
    }

    fn ask(&mut self, question: &Question) -> Result<(Duration, Vec<u8>), String> {
        let crossing = question.crossing();
        let seconds = question.seconds();
        let span = seconds.end - seconds.start;
        let before = |time: i64| format!("{}.999", time - 1);
        let asked = match question.sort {
            Sort::Chart => format!("sum_over_time(traffic_cars{{sensor=\"{crossing}\"}}[1h])"),
            Sort::City => "avg(avg_over_time(air_co2[1h]))".to_owned(),
            Sort::Newest => "air_co2".to_owned(),
            Sort::Busiest => format!("topk(10, sum_over_time(traffic_cars[{span}s]))"),
            Sort::P95 | Sort::Sketch => format!("quantile_over_time({PART}, air_co2[{span}s])"),
            Sort::Raw => format!("{{__name__=~\"traffic_.*\",sensor=\"{crossing}\"}}"),
        };
        let (begin, first, end) = (seconds.start.to_string(), before(seconds.start + 3600), before(seconds.end));
        let path = match question.sort {
            Sort::Chart | Sort::City => path(
                "/api/v1/query_range",
                &[("query", &asked), ("start", &first), ("end", &end), ("step", "1h"), ("nocache", "1")],
            ),
            Sort::Raw => path("/api/v1/export", &[("match[]", &asked), ("start", &begin), ("end", &end)]),
            _ => path("/api/v1/query", &[("query", &asked), ("time", &end), ("nocache", "1")]),
        };
        self.0.ask(&path)
    }

    fn rows(&self, question: &Question, answer: &[u8]) -> Rows {
        if question.sort == Sort::Raw {
            return String::from_utf8_lossy(answer).lines().flat_map(|line| exported(&json(line.as_bytes()))).collect();
        }
        let answer = json(answer);
        let mut rows = Rows::new();
        for series in list(&answer["data"]["result"]) {
            let sensor = series["metric"]["sensor"].as_str().unwrap_or_default();
            for point in list(&series["values"]) {
                let start = (number(&point[0]) + 0.001).round() as i64 - 3600;
                rows.insert((String::new(), start), number(&point[1]));
            }
            if series["value"].is_array() {
                rows.insert((sensor.to_owned(), 0), number(&series["value"][1]));
            }
        }
        rows
    }

    fn interpolates(&self) -> bool {
        true
    }
}

/// Rows of an exported series.
fn exported(series: &Value) -> Vec<((String, i64), f64)> {
    let name = series["metric"]["__name__"].as_str().unwrap_or_default();
    let field = name.trim_start_matches("traffic_").to_owned();
    let times = list(&series["timestamps"]).iter().map(|time| number(time) as i64 / 1000);
    times.zip(list(&series["values"])).map(|(time, value)| ((field.clone(), time), number(value))).collect()
}
