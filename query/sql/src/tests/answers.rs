//! Answers: exact numbers, times, names, formats, limits, and failures in plain words.

use super::town::{MIDNIGHT, Town};
use engine::sql::{Failure, Fault, Format};
use serde_json::{Value, json};

/// The failure of a question.
fn failure(town: &mut Town, text: &str) -> Failure {
    town.ask(text).expect_err(text)
}

#[test]
fn rows_come_as_the_other_endpoints_write_them() {
    let mut town = Town::start();
    let text = "SELECT * FROM air ORDER BY sensor, time";
    let answer = town.ask(text).expect("an answer");
    assert_eq!(
        answer.body,
        r#"{"sensor":"a","time":"2026-11-20T00:00:00Z","co2":400,"temperature":20.5,"window":"open"},
{"sensor":"a","time":"2026-11-20T01:00:00Z","co2":401,"temperature":21,"window":"closed"},
{"sensor":"a","time":"2026-11-20T02:00:00Z","co2":403,"temperature":null,"window":"a state with a long name"},
{"sensor":"b","time":"2026-11-20T00:00:00Z","co2":500,"temperature":-0.5,"window":null},
{"sensor":"b","time":"2026-11-20T01:00:00Z","co2":null,"temperature":-1,"window":"open"}"#
    );
    let column = |name: &str, kind: &str| (name.to_owned(), kind.to_owned());
    let columns = vec![
        column("sensor", "text"),
        column("time", "timestamp with time zone"),
        column("co2", "numeric"),
        column("temperature", "numeric"),
        column("window", "text"),
    ];
    assert_eq!((answer.columns, answer.rows), (columns, 5));
    town.format = Format::Csv;
    let answer = town.ask("SELECT *, '' AS empty, 'a, \"b\"' AS q FROM sensors ORDER BY sensor").expect("an answer");
    assert_eq!(
        answer.body,
        "sensor,lon,seen,readings,height,registered,empty,q\r\n\
         a,14.15,2026-11-20T00:00:00Z,3,2.5,true,\"\",\"a, \"\"b\"\"\"\r\n\
         b,,,2,-0.25,false,\"\",\"a, \"\"b\"\"\"\r\n"
    );
    let answer = town.ask("SELECT sensor FROM air WHERE false").expect("an answer");
    assert_eq!((answer.body.as_str(), answer.rows), ("sensor\r\n", 0));
}

#[test]
fn aggregates_are_exact() {
    let mut town = Town::start();
    let rows = town.rows(
        "SELECT sensor, count(*) AS n, count(co2), sum(co2) AS s, avg(co2), min(temperature) AS low, \
         max(temperature) AS high, avg(temperature) AS t, count(\"window\") AS w, max(\"window\") AS last FROM air \
         GROUP BY sensor ORDER BY sensor",
    );
    assert_eq!(
        rows,
        [
            json!({"sensor": "a", "n": 3, "count(co2)": 3, "s": 1204, "avg(co2)": 401.3333, "low": 20.5, "high": 21,
                   "t": 20.75, "w": 3, "last": "open"}),
            json!({"sensor": "b", "n": 2, "count(co2)": 1, "s": 500, "avg(co2)": 500, "low": -1, "high": -0.5,
                   "t": -0.75, "w": 1, "last": "open"}),
        ]
    );
    // One group, none, a filter, distinct values, a moving window, whole and real numbers.
    for (expression, value) in [
        ("avg(co2)", json!(426)),
        ("avg(co2) FILTER (WHERE sensor = 'a')", json!(401.3333)),
        ("avg(DISTINCT co2)", json!(426)),
        ("sum(co2) / 3", json!(568)),
        ("avg(-co2)", json!(-426)),
        ("avg(readings)", Value::Null),
    ] {
        let rows = match town.ask(&format!("SELECT {expression} AS it FROM air")) {
            Ok(answer) => answer.json(),
            Err(failure) if value.is_null() => {
                assert_eq!(failure.fault, Fault::NoColumn);
                continue;
            }
            Err(failure) => panic!("{expression}: {failure:?}"),
        };
        assert_eq!(rows, [json!({ "it": value })], "{expression}");
    }
    assert_eq!(town.rows("SELECT avg(co2) AS it FROM air WHERE sensor = 'x'"), [json!({"it": null})]);
    assert_eq!(town.rows("SELECT avg(readings) AS it, avg(lon) AS l FROM sensors"), [json!({"it": 2.5, "l": 14.15})]);
    let moving = "SELECT avg(co2) OVER (PARTITION BY sensor ORDER BY time ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS it \
                  FROM air WHERE sensor = 'a' ORDER BY time";
    assert_eq!(town.rows(moving), [json!({"it": 400}), json!({"it": 400.5}), json!({"it": 402})]);
}

#[test]
fn means_round_half_away_from_zero() {
    let mut town = Town::start();
    // 1/20000 and its negative lie half way between two fourth digits.
    for (values, mean) in [("1", json!(0.0001)), ("-1", json!(-0.0001))] {
        let n = 20_000;
        town.air = (0..n)
            .map(|i| ("a", [MIDNIGHT + i, if i == 0 { values.parse().expect("a number") } else { 0 }, 0, 0]))
            .collect();
        assert_eq!(town.rows("SELECT avg(co2) AS it FROM air"), [json!({ "it": mean })]);
        assert_eq!(town.rows("SELECT avg(co2) AS it FROM air GROUP BY sensor"), [json!({ "it": mean })]);
    }
}

#[test]
fn sums_of_the_largest_values_do_not_wrap() {
    let mut town = Town::start();
    town.air = (0..4).map(|i| ("a", [MIDNIGHT + i, i64::MAX, i64::MIN + 1, 0])).collect();
    let text = "SELECT sum(co2) AS s, min(temperature) AS low, avg(co2) AS m FROM air";
    let body = r#"{"s":36893488147419103228,"low":-922337203685477580.7,"m":9223372036854775807}"#;
    assert_eq!(town.ask(text).expect("an answer").body, body);
}

#[test]
fn times_are_utc_unless_a_zone_is_named() {
    let mut town = Town::start();
    for (expression, value) in [
        ("now()", "2026-11-20T12:00:00Z"),
        ("current_timestamp", "2026-11-20T12:00:00Z"),
        ("current_date", "2026-11-20"),
        ("now() - INTERVAL '90 minutes'", "2026-11-20T10:30:00Z"),
        ("TIMESTAMPTZ '2026-11-20 10:00+01:00'", "2026-11-20T09:00:00Z"),
        ("TIMESTAMP '2026-11-20 10:00'", "2026-11-20T10:00:00"),
        ("DATE '2026-11-20'", "2026-11-20"),
        ("now() AT TIME ZONE 'Europe/Prague'", "2026-11-20T13:00:00"),
        ("TIMESTAMP '2026-07-01 10:00' AT TIME ZONE 'Europe/Prague'", "2026-07-01T08:00:00Z"),
        ("date_trunc('day', now())", "2026-11-20T00:00:00Z"),
        ("date_trunc('day', now(), 'Europe/Prague')", "2026-11-19T23:00:00Z"),
        ("date_trunc('week', TIMESTAMP '2026-11-20 10:00')", "2026-11-16T00:00:00"),
        ("time_bucket('15 minutes', TIMESTAMPTZ '2026-11-20 10:44:00Z')", "2026-11-20T10:30:00Z"),
        ("time_bucket(INTERVAL '1 month', now())", "2026-11-01T00:00:00Z"),
        ("date_bin(INTERVAL '1 hour', TIMESTAMPTZ '2026-11-20 10:44:00Z')", "2026-11-20T10:00:00Z"),
        ("TIMESTAMPTZ '2026-11-20 10:44:00Z' - TIMESTAMPTZ '2026-11-19 10:00:00Z'", "1 day 00:44:00"),
        ("to_timestamp(0) + INTERVAL '1 month'", "1970-02-01T00:00:00Z"),
    ] {
        assert_eq!(town.value(expression), json!(value), "{expression}");
    }
    assert_eq!(town.value("extract(hour FROM now() AT TIME ZONE 'Europe/Prague')"), json!(13));
    assert_eq!(town.value("extract(epoch FROM TIMESTAMPTZ '1970-01-02')").to_string().trim_end_matches(".0"), "86400");
    assert_eq!(town.value("count(*) FROM air WHERE time < '2026-11-20 01:00'"), json!(2));
    assert_eq!(town.value("count(*) FROM air WHERE time BETWEEN '2026-11-20T01:00Z' AND now()"), json!(3));
    let rows = town.rows(
        "SELECT date_trunc('day', time, 'Europe/Prague') AS day, count(*) AS n FROM air GROUP BY day ORDER BY day",
    );
    assert_eq!(rows, [json!({"day": "2026-11-19T23:00:00Z", "n": 5})]);
}

#[test]
fn numbers_are_postgresqls() {
    let mut town = Town::start();
    for (expression, value) in [
        ("0.1 + 0.2", "0.3"),
        ("co2 * 1.5 FROM air WHERE co2 = 401", "601.5"),
        ("temperature + 1 FROM air WHERE temperature = 20.5", "21.5"),
        ("temperature * 2 FROM air WHERE temperature < 0 ORDER BY 1 LIMIT 1", "-2"),
        ("round(temperature) FROM air WHERE temperature = 20.5", "21"),
        ("round(co2 / 7, 2) FROM air WHERE co2 = 400", "57.14"),
        ("7 / 2", "3"),
        ("7 % 4", "3"),
        ("co2 / nullif(0, 0) FROM air LIMIT 1", "null"),
        ("1e3", "1000"),
        ("1.10 + 0", "1.1"),
        ("99999999999999999999999999999999999999999.50", "99999999999999999999999999999999999999999.5"),
        ("sign(-5)", "-1"),
        ("ceiling(1.2)", "2"),
        ("sqrt(16)", "4"),
        ("count(*) FROM air", "5"),
        ("row_number() OVER () FROM air LIMIT 1", "1"),
        ("'x' || 1", "\"x1\""),
        ("true AND NULL", "null"),
        ("array_agg(sensor ORDER BY time DESC, sensor) FROM air WHERE co2 > 401", "[\"a\",\"b\"]"),
        ("CAST('1.25' AS numeric(10, 2))", "1.25"),
        ("'NaN'::double precision", "\"NaN\""),
    ] {
        let found = town.value(expression).to_string();
        let found = found.strip_suffix(".0").unwrap_or(&found);
        assert_eq!(found, value, "{expression}");
    }
}

#[test]
fn columns_are_named_by_their_text_and_never_twice() {
    let mut town = Town::start();
    let rows = town.rows("SELECT count(*), max(co2) + 1, a.sensor FROM air a WHERE sensor = 'a' GROUP BY a.sensor");
    assert_eq!(rows, [json!({"count(*)": 3, "max(co2) + 1": 404, "sensor": "a"})]);
    let rows = town.rows("SELECT max(co2) FROM air GROUP BY sensor ORDER BY max(co2) DESC");
    assert_eq!(rows, [json!({"max(co2)": 500}), json!({"max(co2)": 403})]);
    let twice = failure(&mut town, "SELECT a.sensor, s.sensor FROM air a JOIN sensors s ON a.sensor = s.sensor");
    assert_eq!(twice.message, "two columns of the answer are named \"sensor\"");
    assert_eq!(twice.accepted, ["another name for one of them, by AS"]);
}

#[test]
fn failures_are_told_in_the_words_of_the_question() {
    let mut town = Town::start();
    for (text, fault, message, accepted) in [
        ("SELECT co3 FROM air", Fault::NoColumn, "there is no column \"co3\" at line 1, column 8", "co2"),
        (
            "SELECT \"CO2\" FROM air",
            Fault::NoColumn,
            "there is no column \"CO2\" at line 1, column 8: in double quotes a name is taken as it is written, without them in lower case",
            "co2",
        ),
        (
            "SELECT sensor FROM air a JOIN sensors s ON a.sensor = s.sensor",
            Fault::Mismatch,
            "the column \"sensor\" at line 1, column 8 is in more than one table",
            "the table before it, as in table.sensor",
        ),
        ("SELECT 1 / 0", Fault::Division, "a division by zero", "a divisor such as nullif(x, 0)"),
        ("SELECT co2 / 0 FROM air", Fault::Division, "a division by zero", "a divisor such as nullif(x, 0)"),
        (
            "SELECT a.time FROM air a, sensors s",
            Fault::Refused,
            "a join that compares no columns for equality is not answered here: it would pair each row with each",
            "JOIN … ON a.sensor = b.sensor AND …",
        ),
        (
            "SELECT a.time FROM air a JOIN sensors s ON a.sensor < s.sensor",
            Fault::Refused,
            "a join that compares no columns for equality is not answered here: it would pair each row with each",
            "JOIN … ON a.sensor = b.sensor AND …",
        ),
        (
            "SELECT a.time FROM air a JOIN air b ON a.sensor = a.sensor",
            Fault::Refused,
            "a join that compares no columns for equality is not answered here: it would pair each row with each",
            "JOIN … ON a.sensor = b.sensor AND …",
        ),
    ] {
        let found = failure(&mut town, text);
        assert_eq!((found.fault, found.message.as_str()), (fault, message), "{text}");
        assert_eq!(found.accepted.first().map(String::as_str), Some(accepted), "{text}: {found:?}");
    }
    for (text, fault, part) in [
        ("SELECT 'x'::integer", Fault::Value, "'x'"),
        ("SELECT time FROM air WHERE time > 'yesterday'", Fault::Value, "'yesterday' is no time"),
        ("SELECT sum(co2) * 99999999999999999999999999999999999 FROM air", Fault::Value, "verflow"),
        ("SELECT avg(sensor) FROM air", Fault::Mismatch, "avg"),
        ("SELECT sum(sensor) FROM air", Fault::Mismatch, "sum"),
        ("SELECT sensor + 1 FROM air", Fault::Mismatch, "text + bigint"),
        ("SELECT sensor, co2 FROM air GROUP BY sensor", Fault::Mismatch, "co2"),
        ("SELECT date_trunc('hours', time) FROM air", Fault::Value, "'hour'"),
        ("SELECT date_trunc('hour', time, 'Europe/Prag') FROM air", Fault::Value, "Europe/Prague"),
        ("SELECT sensor FROM air UNION SELECT sensor, time FROM air", Fault::Mismatch, "column"),
    ] {
        let found = failure(&mut town, text);
        println!("{text}\n    {:?}: {} {:?}", found.fault, found.message, found.accepted);
        assert_eq!(found.fault, fault, "{text}: {found:?}");
        assert!(found.message.contains(part), "{text}: {found:?}");
        for inside in ["Utf8", "Int64", "Decimal128", "DataFusion", "Arrow", "internal", "\n"] {
            assert!(!found.message.contains(inside), "{text}: {found:?}");
        }
    }
}

#[test]
fn an_answer_past_its_limits_is_a_failure_that_names_them() {
    let mut town = Town::start();
    town.limits.rows = 4;
    assert_eq!(town.rows("SELECT 1 AS x FROM air LIMIT 4").len(), 4);
    let rows = failure(&mut town, "SELECT * FROM air");
    assert_eq!((rows.fault, rows.message.as_str()), (Fault::TooMuch, "the answer has more than 4 rows"));
    town.limits.rows = 100;
    town.limits.bytes = 100;
    let bytes = failure(&mut town, "SELECT * FROM air");
    assert_eq!((bytes.fault, bytes.message.as_str()), (Fault::TooMuch, "the answer has more than 100 bytes"));
    town.limits.bytes = 1 << 20;
    town.limits.memory = 100_000;
    town.air = (0..20_000).map(|i| ("a", [MIDNIGHT + i, i, 0, 0])).collect();
    let memory = failure(&mut town, "SELECT count(*) AS n FROM (SELECT co2 FROM air GROUP BY co2 ORDER BY co2) x");
    assert_eq!(memory.fault, Fault::Memory, "{memory:?}");
    town.limits.memory = 100 << 20;
    assert_eq!(town.value("count(DISTINCT co2) FROM air"), json!(20_000), "the worker goes on");
}

#[test]
fn a_plan_is_told_in_rows() {
    let mut town = Town::start();
    let rows = town.rows(
        "EXPLAIN SELECT sensor, count(*) FROM air WHERE time > '2026-11-20T01:00:00Z' AND sensor = 'a' GROUP BY sensor",
    );
    let last = rows.last().expect("a line").to_string();
    assert!(last.contains("Scan: air, 2 columns, 1 sensors, from 2026-11-20T01:00:00.000001Z"), "{rows:?}");
}

#[test]
fn mistakes_that_have_a_name_are_told_by_it() {
    let mut town = Town::start();
    for (text, fault, message) in [
        ("SELECT 'a' ~ '('", Fault::Value, "a regular expression that is none"),
        ("SELECT 1 % 0", Fault::Division, "a division by zero"),
        (
            "SELECT regexp_like(sensor, '(a{1000}){1000}') FROM air",
            Fault::Value,
            "a regular expression that is none, or too large",
        ),
        ("SELECT EXISTS (SELECT 1 FROM air)", Fault::Refused, "EXISTS is answered in WHERE only"),
        ("SELECT co2 FROM air LIMIT -1", Fault::Mismatch, "LIMIT must be >= 0, '-1' was provided"),
        ("SELECT (SELECT co2 FROM air)", Fault::Value, "Scalar subquery returned more than one row"),
    ] {
        let found = failure(&mut town, text);
        assert_eq!((found.fault, found.message.as_str()), (fault, message), "{text}");
    }
}
