//! Latency of answers over HTTP on half a year of hourly readings, from the question's first byte to the answer's last.
//!
//! One caller asks one question after the other: this is the time an answer takes, not how many callers there may be.

use crate::city::City;
use crate::process::{self, machine};
use crate::questions::{SORTS, Sort, path};
use crate::server::{Server, folder, megabytes};
use crate::table::{Column, Table, median, quantile};
use crate::{note, say};
use std::time::{Duration, Instant};

/// Questions of each sort.
const QUESTIONS: usize = 200;

/// `median ms` and `p99 ms`: of 200 questions that were never asked before; the sorts take turns. `first ms`: of them the
/// first after the start of the server, when no column of the files is in memory (later rows profit from earlier ones).
/// `kept`: the same question 200 times again, from the cache of answers. `rows` and `kB`: of an answer (median).
const COLUMNS: [Column; 7] =
    [("median ms", 2), ("p99 ms", 2), ("first ms", 2), ("kept median", 3), ("kept p99", 3), ("rows", 0), ("kB", 1)];

/// Imports, serves, measures and prints.
pub(crate) fn measure() {
    let folder = folder();
    let city = City::new(folder.path());
    note(&format!("answers, importing {}", city.name));
    let (config, imported) = city.import(folder.path());
    let (mut server, rows) = city.serve(&config);
    let disk = megabytes(&folder.path().join("data"));
    note("answers, asking");
    let sensors = sensors(&mut server, city.dataset);
    let (before, cpu) = (made(&mut server), server.used().cpu);
    let (own, all, begun) = (process::cpu("self"), machine(), Instant::now());
    let asked = ask(&mut server, &city, &sensors);
    let news = made(&mut server) - before;
    assert_eq!(news, QUESTIONS * SORTS.len(), "each question had to be answered anew");
    let cpu = server.used().cpu - cpu;
    let others = (machine() - all - cpu - (process::cpu("self") - own)) / begun.elapsed().as_secs_f64();
    let mut table = Table::new(format!("answers, {}", city.name), &COLUMNS);
    for ((sort, name), fresh) in SORTS.into_iter().zip(asked) {
        table.add(name, row(fresh, kept(&mut server, &city, &sensors, sort)));
    }
    table.print();
    say(&format!(
        "{rows} readings of {} sensors; {:.2} s of CPU for all {} answers made; others {:.2} cores; peak {:.0} MB",
        sensors.len(),
        cpu,
        news,
        others,
        server.used().peak
    ));
    // The import's peak is that of another process than the server's.
    say(&format!(
        "lamppost import: {:.0} rows/s, wall {:.2} s, CPU {:.2} s, peak {:.0} MB, data {disk:.2} MB, {:.2} B/row",
        rows as f64 / imported.wall,
        imported.wall,
        imported.used.cpu,
        imported.used.peak,
        disk * 1e6 / rows as f64
    ));
}

/// An answer: how long it took, its rows and bytes.
struct Asked {
    took: Duration,
    rows: usize,
    bytes: usize,
}

/// Asks all forms of all questions, the sorts taking turns. Gives them by sort.
fn ask(server: &mut Server, city: &City, sensors: &[String]) -> [Vec<Asked>; SORTS.len()] {
    let mut asked = SORTS.map(|_| Vec::with_capacity(QUESTIONS));
    for number in 0..QUESTIONS {
        for ((sort, _), asked) in SORTS.into_iter().zip(&mut asked) {
            let (took, body) = server.web.timed(&path(city, sensors, sort, number));
            asked.push(Asked { took, rows: rows(&body), bytes: body.len() });
        }
    }
    asked
}

/// Rows of an answer: each is a line that begins with `{`.
fn rows(body: &[u8]) -> usize {
    body.windows(2).filter(|pair| pair == b"\n{").count()
}

/// Milliseconds of the same question again and again.
fn kept(server: &mut Server, city: &City, sensors: &[String], sort: Sort) -> Vec<f64> {
    let path = path(city, sensors, sort, 0);
    // The cache keeps what is asked for more than once (TinyLFU): a few times make sure.
    for _ in 0..5 {
        server.web.get(&path);
    }
    let before = made(server);
    let times = (0..QUESTIONS).map(|_| milliseconds(server.web.timed(&path).0)).collect();
    assert_eq!(made(server), before, "each kept answer had to come from the cache");
    times
}

fn row(fresh: Vec<Asked>, mut kept: Vec<f64>) -> Vec<f64> {
    let first = milliseconds(fresh[0].took);
    let mut times: Vec<f64> = fresh.iter().map(|asked| milliseconds(asked.took)).collect();
    let mut rows: Vec<f64> = fresh.iter().map(|asked| asked.rows as f64).collect();
    let mut sizes: Vec<f64> = fresh.iter().map(|asked| asked.bytes as f64 / 1e3).collect();
    vec![
        median(&mut times),
        quantile(&mut times, 0.99),
        first,
        median(&mut kept),
        quantile(&mut kept, 0.99),
        median(&mut rows),
        median(&mut sizes),
    ]
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// Ids of the dataset's sensors.
fn sensors(server: &mut Server, dataset: &str) -> Vec<String> {
    let body = server.web.get(&format!("/api/v1/datasets/{dataset}/sensors"));
    let answer: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
    let rows = answer["data"].as_array().expect("rows").iter();
    rows.filter_map(|row| row["sensor"].as_str().map(str::to_owned)).collect()
}

/// Answers the engine has made because the cache had none.
fn made(server: &mut Server) -> usize {
    let metrics = server.web.get("/metrics");
    let text = String::from_utf8_lossy(&metrics);
    let line = text.lines().find(|line| line.starts_with("lamppost_answers_made"));
    // Metrics are floating point.
    let made: Option<f64> = line.and_then(|line| line.rsplit(' ').next()?.parse().ok());
    made.expect("lamppost_answers_made in /metrics") as usize
}
