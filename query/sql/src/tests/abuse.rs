//! Questions meant to do harm: each is refused before it is planned, and the worker goes on.

use super::town::Town;
use crate::guard;
use crate::tests::town::catalog;
use engine::sql::Fault;
use serde_json::json;
use std::time::Instant;

/// The list of the issue, and more.
fn abuses() -> Vec<(String, Fault)> {
    let terms = |term: &str, by: &str, n: usize| vec![term; n].join(by);
    let doubling = |n: usize| {
        let clauses = (1..=n).map(|i| format!(", c{i} AS (SELECT x.* FROM c{0} x JOIN c{0} y USING (sensor))", i - 1));
        format!("WITH c0 AS (SELECT * FROM air){} SELECT 1 FROM c{n}", clauses.collect::<String>())
    };
    // Each clause is the one before twice, by arms instead of joins.
    let arms = |n: usize, base: &str| {
        let clauses = (1..=n).map(|i| format!(", c{i} AS (SELECT * FROM c{0} UNION ALL SELECT * FROM c{0})", i - 1));
        format!("WITH c0 AS ({base}){} SELECT count(*) FROM c{n}", clauses.collect::<String>())
    };
    let nested = |joins: usize| {
        let more = (1..=joins).map(|i| format!(" JOIN air a{i} ON a0.sensor = a{i}.sensor)"));
        format!("SELECT count(*) FROM {}air a0{}", "(".repeat(joins), more.collect::<String>())
    };
    let bracketed = format!("({})", ["SELECT 1"; 10].join(" UNION ALL "));
    let mut abuses = vec![
        (arms(13, "SELECT 1 AS x"), Fault::TooMuch),
        (arms(30, "SELECT 1 AS x"), Fault::TooMuch),
        (arms(5, "SELECT co2 FROM air"), Fault::TooMuch),
        (nested(12), Fault::TooMuch),
        ([bracketed.as_str(), bracketed.as_str()].join(" UNION ALL "), Fault::TooMuch),
        (format!("SELECT {}", terms("1", "+", 2000)), Fault::TooMuch),
        (format!("SELECT 1 FROM air WHERE {}", terms("co2=1", " OR ", 20_000)), Fault::TooMuch),
        (format!("SELECT 1 FROM air WHERE {}", terms("co2=1", " OR ", 1600)), Fault::TooMuch),
        (format!("SELECT {}1{}", "(".repeat(5000), ")".repeat(5000)), Fault::TooMuch),
        (format!("SELECT 1 FROM {}air{}", "(".repeat(45), ")".repeat(45)), Fault::Syntax),
        (format!("SELECT 1 FROM air WHERE co2 IN ({})", terms("1", ",", 7000)), Fault::TooMuch),
        (format!("SELECT {}", terms("1 UNION ALL SELECT 1", " UNION ALL SELECT ", 400)), Fault::TooMuch),
        (doubling(30), Fault::TooMuch),
        (format!("SELECT 1 FROM air GROUP BY CUBE ({})", terms("co2", ",", 30)), Fault::TooMuch),
    ];
    abuses.extend(
        [
            ("SELECT length(repeat('x', 2000000000))", Fault::NoFunction),
            ("SELECT lpad('x', 1000000000, 'y')", Fault::NoFunction),
            ("SELECT array_repeat(1, 500000000)", Fault::NoFunction),
            ("SELECT range(0, 300000000)", Fault::NoFunction),
            ("SELECT count(*) FROM generate_series(1, 1000000000000)", Fault::Refused),
            ("SELECT generate_series(1, 1000000000000)", Fault::NoFunction),
            (
                "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r",
                Fault::Refused,
            ),
            ("COPY (SELECT 1) TO '/tmp/x.csv'", Fault::Refused),
            ("COPY air TO '/tmp/x.csv' STORED AS CSV", Fault::Syntax),
            ("SET datafusion.execution.target_partitions = 64", Fault::Refused),
            ("EXPLAIN ANALYZE SELECT count(*) FROM air", Fault::Refused),
            ("SELECT * FROM read_parquet('/etc/passwd')", Fault::Refused),
            ("SELECT * FROM '/etc/passwd'", Fault::NoTable),
            ("SELECT * FROM \"s3://bucket/x.parquet\"", Fault::NoTable),
            ("SELECT pg_read_file('/etc/passwd')", Fault::NoFunction),
            ("SELECT input_file_name() FROM air", Fault::NoFunction),
            ("SELECT version()", Fault::NoFunction),
            ("SELECT 1e1000000000", Fault::Value),
        ]
        .map(|(text, fault)| (text.to_owned(), fault)),
    );
    abuses
}

#[test]
fn abuse_is_refused_before_it_is_planned() {
    let catalog = catalog();
    let stack = std::thread::Builder::new().stack_size(64 << 20);
    let run = stack.spawn(move || {
        for (text, fault) in abuses() {
            let start: String = text.chars().take(60).collect();
            let began = Instant::now();
            let failure = guard::check(&text, &catalog).expect_err(&start);
            println!("{:>9.3} ms  {start}", began.elapsed().as_secs_f64() * 1e3);
            assert_eq!(failure.fault, fault, "{start}: {failure:?}");
        }
    });
    run.expect("a thread").join().expect("no overflow");
}

#[test]
fn joins_without_equality_are_refused_once_planned() {
    let mut town = Town::start();
    for text in [
        "SELECT count(*) FROM air a, air b, air c",
        "SELECT count(*) FROM air a CROSS JOIN air b",
        "SELECT count(*) FROM air a JOIN air b ON a.co2 < b.co2",
        "SELECT count(*) FROM air a JOIN air b ON true",
        "SELECT count(*) FROM air a JOIN air b ON a.sensor = b.sensor OR a.time = b.time",
        "SELECT count(*) FROM air a LEFT JOIN air b ON a.co2 <> b.co2",
        "SELECT count(*) FROM air a WHERE EXISTS (SELECT 1 FROM air b WHERE b.co2 > a.co2)",
        "SELECT count(*) FROM air a NATURAL JOIN (SELECT 1 AS other FROM air) b",
    ] {
        let failure = town.ask(text).expect_err(text);
        assert_eq!(failure.fault, Fault::Refused, "{text}: {failure:?}");
    }
}

#[test]
fn a_worker_goes_on_after_each_abuse() {
    let mut town = Town::start();
    for (text, fault) in abuses() {
        let start: String = text.chars().take(60).collect();
        assert_eq!(town.ask(&text).expect_err(&start).fault, fault, "{start}");
        assert_eq!(town.value("1"), json!(1));
    }
}
