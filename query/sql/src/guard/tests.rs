//! What is let through and what is refused, as tables.

use super::*;
use crate::tests::town::catalog;

fn checked(text: &str) -> Result<Checked, Failure> {
    check(text, &catalog())
}

#[test]
fn what_analysts_write_is_let_through() {
    for text in [
        "SELECT 1",
        "select * from air;",
        "SELECT sensor, avg(co2) FROM public.air WHERE time >= now() - INTERVAL '1 day' GROUP BY sensor ORDER BY 2 DESC LIMIT 5",
        "SELECT a.sensor FROM air a, sensors s WHERE a.sensor = s.sensor",
        "SELECT * FROM air a JOIN sensors s USING (sensor)",
        "WITH d AS (SELECT sensor, max(co2) m FROM air GROUP BY 1) SELECT d.m, air.time FROM d JOIN air ON d.sensor = air.sensor",
        "SELECT count(*) FILTER (WHERE co2 > 400), count(DISTINCT sensor) FROM air",
        "SELECT lag(co2) OVER (PARTITION BY sensor ORDER BY time) FROM air",
        "SELECT avg(co2) OVER w FROM air WINDOW w AS (PARTITION BY sensor ORDER BY time ROWS BETWEEN 3 PRECEDING AND CURRENT ROW)",
        "SELECT CASE WHEN co2 > 400 THEN 'bad' ELSE 'good' END FROM air",
        "SELECT co2::double precision, CAST(co2 AS integer), time AT TIME ZONE 'Europe/Prague' FROM air",
        "SELECT extract(hour FROM time), substring(sensor FROM 1 FOR 2), trim(sensor), position('a' IN sensor) FROM air",
        "SELECT sensor FROM air UNION ALL SELECT sensor FROM sensors",
        "SELECT sensor FROM sensors WHERE EXISTS (SELECT 1 FROM air WHERE air.sensor = sensors.sensor)",
        "SELECT sensor FROM sensors WHERE sensor IN (SELECT sensor FROM air) AND sensor NOT LIKE 'x%' AND sensor ~ '^a'",
        "SELECT DISTINCT ON (sensor) sensor, time FROM air ORDER BY sensor, time DESC",
        "SELECT sensor, \"window\", count(*) FROM air GROUP BY ROLLUP (sensor, \"window\")",
        "VALUES (1, 'a'), (2, 'b')",
        "EXPLAIN SELECT 1",
        "SELECT DATE '2026-11-20', TIMESTAMP '2026-11-20 10:00', TIMESTAMPTZ '2026-11-20 10:00+01', INTERVAL '1' DAY",
        "SELECT time_bucket('1 hour', time) AS t, avg(co2) FROM air GROUP BY t HAVING avg(co2) > 400",
        "SELECT percentile_cont(0.9) WITHIN GROUP (ORDER BY co2) FROM air",
        "SELECT $$text$$, E'a\\nb', -1.5e3, NULL, TRUE",
    ] {
        if let Err(failure) = checked(text) {
            panic!("{text}\n{failure:?}");
        }
    }
}

#[test]
fn what_does_more_than_read_is_refused() {
    for text in [
        "INSERT INTO air VALUES (1)",
        "UPDATE air SET co2 = 1",
        "DELETE FROM air",
        "CREATE TABLE x (a int)",
        "CREATE EXTERNAL TABLE x STORED AS CSV LOCATION '/etc/passwd'",
        "CREATE VIEW v AS SELECT 1",
        "DROP TABLE air",
        "COPY air TO '/tmp/x'",
        "COPY air TO STDOUT",
        "SET datafusion.execution.batch_size = 1",
        "SET TIME ZONE 'UTC'",
        "RESET ALL",
        "SHOW TABLES",
        "SHOW ALL",
        "EXPLAIN ANALYZE SELECT 1",
        "EXPLAIN (ANALYZE) SELECT 1",
        "EXPLAIN VERBOSE SELECT 1",
        "EXPLAIN DELETE FROM air",
        "DESCRIBE air",
        "PREPARE p AS SELECT 1",
        "EXECUTE p",
        "BEGIN",
        "SELECT 1; SELECT 2",
        "",
        ";",
        "-- nothing",
        "SELECT 1 INTO x",
        "SELECT * INTO x FROM air",
        "SELECT * FROM air FOR UPDATE",
        "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT * FROM r",
        "WITH x AS (DELETE FROM air RETURNING *) SELECT * FROM x",
        "SELECT * FROM generate_series(1, 1000000000000)",
        "SELECT * FROM range(1, 10)",
        "SELECT * FROM read_parquet('x')",
        "SELECT * FROM unnest(ARRAY[1, 2])",
        "SELECT * FROM LATERAL (SELECT 1) x",
        "SELECT * FROM air TABLESAMPLE BERNOULLI (1)",
        "TABLE air",
        "SELECT $1",
        "SELECT co2 FROM air QUALIFY true",
        "SELECT * FROM air GROUP BY ALL",
        "SELECT ARRAY[1, 2]",
        "SELECT (SELECT ARRAY[1])[1]",
        "SELECT co2 -> 'a' FROM air",
        "SELECT 1 = ANY (ARRAY[1])",
        "SELECT * FROM air LIMIT 1 BY sensor",
        "SELECT * FROM air LIMIT (SELECT 1)",
    ] {
        let failure = checked(text).expect_err(text);
        assert!(matches!(failure.fault, Fault::Refused | Fault::Syntax), "{text}\n{failure:?}");
        assert!(!failure.message.is_empty() && !failure.accepted.is_empty(), "{text}\n{failure:?}");
    }
}

#[test]
fn each_refusal_says_what_and_where_and_what_would_be_right() {
    for (text, fault, message, accepted) in [
        (
            "SELECT 1 FROM",
            Fault::Syntax,
            "this is not SQL: Expected: identifier, found: EOF",
            "one SELECT statement in PostgreSQL's grammar",
        ),
        (
            "SELECT 1 END nothing",
            Fault::Syntax,
            "this is not SQL: Expected: EOF, found: END at line 1, column 10",
            "one SELECT statement in PostgreSQL's grammar",
        ),
        (
            "SELEC 1",
            Fault::Syntax,
            "this is not SQL: Expected: an SQL statement, found: SELEC at line 1, column 1",
            "one SELECT statement in PostgreSQL's grammar",
        ),
        ("SELECT *\nFROM aer", Fault::NoTable, "there is no table aer at line 2, column 6", "air"),
        ("SELECT * FROM 'a.parquet'", Fault::NoTable, "there is no table 'a.parquet'", "air"),
        (
            "SELECT * FROM \"/etc/passwd\"",
            Fault::NoTable,
            "there is no table \"/etc/passwd\" at line 1, column 15",
            "air",
        ),
        ("SELECT * FROM \"Air\"", Fault::NoTable, "there is no table \"Air\" at line 1, column 15", "air"),
        (
            "SELECT * FROM pg_catalog.air",
            Fault::NoTable,
            "there is no table pg_catalog.air at line 1, column 15",
            "air",
        ),
        (
            "SELECT * FROM information_schema.tables",
            Fault::NoTable,
            "there is no table information_schema.tables at line 1, column 15",
            "air",
        ),
        (
            "SELECT avgg(co2) FROM air",
            Fault::NoFunction,
            "there is no function avgg that may be called at line 1, column 8",
            "avg",
        ),
        (
            "SELECT repeat('x', 9)",
            Fault::NoFunction,
            "there is no function repeat that may be called at line 1, column 8",
            "avg",
        ),
        (
            "SELECT pg_sleep(9)",
            Fault::NoFunction,
            "there is no function pg_sleep that may be called at line 1, column 8",
            "avg",
        ),
        ("SELECT '5'::uuid", Fault::Mismatch, "there is no type UUID at line 1, column 8 to turn a value into", "text"),
    ] {
        let failure = checked(text).expect_err(text);
        assert_eq!((failure.fault, failure.message.as_str()), (fault, message), "{text}");
        assert_eq!(failure.accepted.first().map(String::as_str), Some(accepted), "{text}: {failure:?}");
    }
}

#[test]
fn sizes_are_capped() {
    let list = |n: usize| vec!["1"; n].join(", ");
    let unions = |n: usize| vec!["SELECT 1"; n].join(" UNION ALL ");
    let joins = |n: usize| {
        format!("SELECT 1 FROM air {}", (0..n).map(|i| format!("JOIN air a{i} USING (sensor) ")).collect::<String>())
    };
    let doubling = |n: usize| {
        let clauses =
            (1..=n).map(|i| format!(", c{i} AS (SELECT * FROM c{} x JOIN c{} y USING (sensor))", i - 1, i - 1));
        format!("WITH c0 AS (SELECT * FROM air){} SELECT 1 FROM c{n}", clauses.collect::<String>())
    };
    for (fits, exceeds) in [
        (format!("SELECT 1 {}", " ".repeat(16_000)), format!("SELECT 1 {}", " ".repeat(16_400))),
        (format!("SELECT {}", vec!["1"; 190].join(" + ")), format!("SELECT {}", vec!["1"; 2000].join(" + "))),
        (
            format!("SELECT 1 WHERE {}", vec!["1=1"; 160].join(" OR ")),
            format!("SELECT 1 WHERE {}", vec!["1=1"; 3000].join(" OR ")),
        ),
        (format!("SELECT 1 IN ({})", list(500)), format!("SELECT 1 IN ({})", list(501))),
        (format!("VALUES ({})", vec!["1"; 200].join("), (")), format!("VALUES ({})", vec!["1"; 1001].join("), ("))),
        (unions(16), unions(17)),
        (joins(8), joins(9)),
        (doubling(3), doubling(4)),
        (format!("SELECT '{}'", "x".repeat(4096)), format!("SELECT '{}'", "x".repeat(4097))),
        (
            "SELECT count(*) FROM air GROUP BY CUBE (1, 2, 3, 4)".to_owned(),
            "SELECT count(*) FROM air GROUP BY CUBE (1, 2, 3, 4, 5)".to_owned(),
        ),
        (format!("SELECT {}", list(200)), format!("SELECT {}", list(201))),
        (
            format!("SELECT {}1{}", "(".repeat(15), ")".repeat(15)),
            format!("SELECT {}1{}", "(".repeat(5000), ")".repeat(5000)),
        ),
    ] {
        let start: String = fits.chars().take(60).collect();
        assert!(checked(&fits).is_ok(), "{start}… {:?}", checked(&fits).err());
        let failure = checked(&exceeds).expect_err(&start);
        assert_eq!(failure.fault, Fault::TooMuch, "{start}… {failure:?}");
    }
    // What is nested deeper than the parser goes is refused too, if not always in these words.
    for exceeds in [
        format!("SELECT {}1", "NOT ".repeat(3000)),
        format!("SELECT {}1", "- ".repeat(3000)),
        format!("SELECT 1 FROM {}air{}", "(".repeat(40), ")".repeat(40)),
        format!("SELECT {}1{}", "(SELECT ".repeat(200), ")".repeat(200)),
        format!("SELECT {}1{}", "CASE WHEN true THEN ".repeat(200), " END".repeat(200)),
        format!("SELECT 1 FROM {}air{}", "(SELECT * FROM ".repeat(200), ") x".repeat(200)),
    ] {
        let failure = checked(&exceeds).expect_err("too deep");
        assert!(matches!(failure.fault, Fault::TooMuch | Fault::Syntax), "{failure:?}");
    }
    assert_eq!(checked("SELECT 1e999999999").expect_err("a bomb").fault, Fault::Value);
    assert_eq!(checked("SELECT '\0'").expect_err("a NUL").fault, Fault::Syntax);
}
