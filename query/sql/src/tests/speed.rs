//! What planning costs at the caps, and how fast rows go through. Prints; run by hand with `--ignored --nocapture`.

use super::town::{MIDNIGHT, Town};
use engine::sql::{Ask, Format, FromWorker, Limits, Rows, ToWorker};
use std::time::Instant;

fn timed(town: &mut Town, name: &str, text: &str) {
    let began = Instant::now();
    let outcome = town.ask(text);
    let told = match &outcome {
        Ok(answer) => format!("{} rows", answer.rows),
        Err(failure) => failure.message.chars().take(80).collect(),
    };
    println!("{:>9.2} ms  {name}: {told}", began.elapsed().as_secs_f64() * 1e3);
}

#[test]
#[ignore = "prints times"]
fn planning_at_the_caps() {
    let began = Instant::now();
    let mut town = Town::start();
    println!("{:>9.2} ms  until ready", began.elapsed().as_secs_f64() * 1e3);
    let terms = |term: &str, by: &str, n: usize| vec![term; n].join(by);
    let numbered = |n: usize, by: &str| (0..n).map(|i| format!("co2 = {i}")).collect::<Vec<_>>().join(by);
    for _ in 0..2 {
        timed(&mut town, "SELECT 1", "SELECT 1");
        timed(&mut town, "count", "SELECT count(*) FROM air");
        timed(
            &mut town,
            "group",
            "SELECT time_bucket('1 hour', time) AS t, avg(co2) FROM air WHERE time > now() - INTERVAL '1 day' GROUP BY t ORDER BY t",
        );
        timed(&mut town, "190 columns added", &format!("SELECT {}", terms("co2", "+", 190) + " FROM air"));
        timed(&mut town, "190 constants added", &format!("SELECT {}", terms("1", "+", 190)));
        timed(&mut town, "160 ORs", &format!("SELECT 1 FROM air WHERE {}", numbered(160, " OR ")));
        timed(
            &mut town,
            "list of 500",
            &format!(
                "SELECT 1 FROM air WHERE co2 IN ({})",
                (0..500).map(|i| i.to_string()).collect::<Vec<_>>().join(",")
            ),
        );
        timed(&mut town, "16 arms", &terms("SELECT sensor, avg(co2) FROM air GROUP BY sensor", " UNION ALL ", 16));
        let joins: String =
            (0..8).map(|i| format!(" JOIN air a{i} ON a{i}.sensor = air.sensor AND a{i}.time = air.time")).collect();
        timed(&mut town, "8 joins", &format!("SELECT count(*) FROM air{joins}"));
        timed(
            &mut town,
            "200 columns",
            &format!(
                "SELECT {}",
                (0..200).map(|i| format!("co2 + {i} AS c{i}")).collect::<Vec<_>>().join(",") + " FROM air"
            ),
        );
        let nested = (0..12).fold("SELECT co2 AS c FROM air".to_owned(), |inner, i| {
            format!("SELECT c + {i} AS c FROM ({inner}) AS x{i}")
        });
        timed(&mut town, "nested", &nested);
        timed(&mut town, "nested brackets", &format!("SELECT {}1{}", "(".repeat(20), ")".repeat(20)));
        timed(&mut town, "nested tables", &format!("SELECT 1 FROM {}air{}", "(".repeat(8), ")".repeat(8)));
        let cases = (0..80).map(|i| format!("WHEN co2 > {i} THEN '{i}'")).collect::<String>();
        timed(&mut town, "case", &format!("SELECT CASE {cases} END FROM air"));
        let doubled =
            (0..60).fold("SELECT 'x' AS c".to_owned(), |inner, i| format!("SELECT c || c AS c FROM ({inner}) x{i}"));
        timed(&mut town, "doubling text nested", &doubled);
        let clauses = (1..40).map(|i| format!(", t{i} AS (SELECT c || c AS c FROM t{})", i - 1)).collect::<String>();
        timed(
            &mut town,
            "doubling text 14",
            &format!(
                "WITH t0 AS (SELECT sensor AS c FROM air){} SELECT length(c) FROM t14",
                clauses.split(", t15 ").next().unwrap_or_default()
            ),
        );
        println!();
    }
}

#[test]
#[ignore = "prints times"]
fn ten_million_rows() {
    let mut town = Town::start();
    let piece: i64 = 65_536;
    let pieces = 153; // ten million rows of 200 sensors
    let ids: Vec<String> = (0..200).map(|i| format!("sensor-number-{i:04}")).collect();
    for text in [
        "SELECT count(*) FROM air",
        "SELECT sum(co2) FROM air",
        "SELECT sensor, avg(co2) FROM air GROUP BY sensor",
        "SELECT avg(co2), avg(temperature) FROM air WHERE co2 > 450",
        "SELECT time_bucket('1 hour', time) AS t, avg(co2) FROM air GROUP BY t",
        "SELECT date_trunc('day', time, 'Europe/Prague') AS t, sensor, max(co2) FROM air GROUP BY t, sensor",
        "SELECT \"window\", count(*) FROM air GROUP BY \"window\"",
    ] {
        let limits = Limits { rows: 1_000_000, bytes: 1 << 30, memory: 1 << 30 };
        let ask =
            Ask { text: text.into(), now: MIDNIGHT, catalog: super::town::catalog(), limits, format: Format::Json };
        let began = Instant::now();
        town.send(&ToWorker::Ask(Box::new(ask)));
        let FromWorker::Scan(scan) = town.receive_after_head() else { panic!("no scan") };
        town.send(&ToWorker::Names { scan: scan.scan, ids: ids.clone() });
        let run = piece / 2;
        let (mut sent, mut credit, mut making) = (0, 1, std::time::Duration::ZERO);
        let rows = loop {
            while credit > 0 && sent < pieces {
                let start = Instant::now();
                let first = sent * piece;
                let column = |at: &usize| -> Vec<i64> {
                    match at {
                        1 => (0..piece).map(|i| MIDNIGHT + (first + i) * 1_000_000 / 4).collect(),
                        4 => (0..piece).map(|i| i % 3).collect(),
                        _ => (0..piece).map(|i| 400 + (first + i) * 7 % 100).collect(),
                    }
                };
                let sensor = (sent % 100) as u32 * 2;
                let named = scan.columns.contains(&0);
                let rows = Rows {
                    scan: scan.scan,
                    rows: piece as u32,
                    runs: if named { vec![(sensor, run as u32), (sensor + 1, run as u32)] } else { Vec::new() },
                    columns: scan.columns.iter().filter(|at| **at > 0).map(column).collect(),
                };
                let frame = ToWorker::Rows(rows).encode();
                making += start.elapsed();
                town.send_frame(&frame);
                (sent, credit) = (sent + 1, credit - 1);
                if sent == pieces {
                    town.send(&ToWorker::End { scan: scan.scan, error: None });
                }
            }
            match town.receive() {
                FromWorker::More { .. } => credit += 1,
                FromWorker::Done { rows } => break rows,
                FromWorker::Failed(failure) => panic!("{failure:?}"),
                _ => {}
            }
        };
        let took = began.elapsed();
        let total = (pieces * piece) as f64;
        println!(
            "{:>7.0} ms, {:>5.1} million rows/s (the test's own making of rows: {:.0} ms)  {text}: {rows} rows",
            took.as_secs_f64() * 1e3,
            total / took.as_secs_f64() / 1e6,
            making.as_secs_f64() * 1e3
        );
    }
}
