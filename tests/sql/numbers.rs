//! SQL and REST give the same numbers, whichever layers the rows are in.

use super::place::{Place, ask};
use crate::cli::program::{PATIENCE, get, lamppost, wait};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// 2025-10-08T22:40:00Z: civil days and UTC days differ.
const BEGIN: i64 = 1_759_963_200;

/// What both sides are asked for, as REST names it and as SQL has it.
const COLUMNS: [(&str, &str); 14] = [
    ("temperature_mean", "avg(temperature)"),
    ("temperature_min", "min(temperature)"),
    ("temperature_max", "max(temperature)"),
    ("temperature_sum", "sum(temperature)"),
    ("temperature_n", "count(temperature)"),
    ("cars_sum", "sum(cars)"),
    ("cars_mean", "avg(cars)"),
    ("cars_max", "max(cars)"),
    ("energy_n", "count(energy)"),
    ("door_n", "count(door)"),
    ("noise_min", "min(noise)"),
    ("noise_max", "max(noise)"),
    ("noise_n", "count(noise)"),
    ("wind_n", "count(wind)"),
];

/// A row of some minute; values are missing now and then.
fn row(sensor: i64, minute: i64, turn: i64) -> String {
    let n = (minute * 7919 + sensor * 104_729 + turn * 31) % 10_007;
    let value = |every: i64, text: String| if n % every == 0 { String::new() } else { text };
    format!(
        "s{sensor},{},Street {sensor},{},{},{},{},{},{}",
        BEGIN + 60 * minute,
        value(5, format!("{}{}.{}", if n % 3 == 0 { "-" } else { "" }, n % 50, n % 10)),
        value(7, (n % 90).to_string()),
        value(11, format!("{}.{:02}", minute, n % 100)),
        value(13, if n % 2 == 0 { "open" } else { "closed" }.to_owned()),
        value(17, format!("{}.{}", 30 + n % 60, n % 10)),
        value(19, (n % 360).to_string()),
    )
}

/// A number as it is compared: without zeros at its end.
fn number(value: &Value) -> String {
    let text = value.to_string();
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

type Numbers = BTreeMap<(String, String), Vec<String>>;

fn numbers(rows: &[Value]) -> Numbers {
    let key = |row: &Value| (row["sensor"].as_str().unwrap().to_owned(), row["start"].as_str().unwrap().to_owned());
    rows.iter().map(|row| (key(row), COLUMNS.map(|(name, _)| number(&row[name])).to_vec())).collect()
}

fn by_rest(http: &str) -> Numbers {
    let fields = COLUMNS.map(|(name, _)| name).join(",");
    let span = "from=2025-10-01T00:00:00Z&to=2025-11-01T00:00:00Z";
    let path = format!("/api/v1/datasets/town/aggregates?{span}&bucket=24h&tz=UTC&group=sensor&fields={fields}");
    let (code, body) = get(http, &path);
    assert_eq!(code, 200, "{body}");
    let answer: Value = serde_json::from_str(&body).unwrap();
    numbers(answer["data"].as_array().unwrap())
}

fn by_sql(http: &str) -> Numbers {
    let columns = COLUMNS.map(|(name, expression)| format!("{expression} AS {name}")).join(", ");
    let sql = format!(
        "SELECT sensor, date_trunc('day', time) AS start, {columns} FROM town \
         WHERE time >= '2025-10-01' AND time < '2025-11-01' GROUP BY sensor, date_trunc('day', time)"
    );
    numbers(&ask(http, sql).rows())
}

fn replay(file: &Path, mqtt: &str) {
    let ended = lamppost(["replay", file.to_str().unwrap(), "--to", mqtt, "--topic", "town/{id}"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

/// Rows in memory, in sealed files, in late files.
fn layers(http: &str) -> [u64; 3] {
    let status: Value = serde_json::from_str(&get(http, "/status").1).unwrap();
    let dataset = &status["store"]["datasets"][0];
    ["hot_rows", "sealed_files", "late_files"].map(|name| dataset[name].as_u64().unwrap_or_default())
}

#[test]
fn sql_and_rest_give_the_same_numbers_in_every_layer() {
    let place = Place::new("flush.age = \"2s\"\n");
    let filed = place.csv("filed.csv", (0..3000).flat_map(|minute| (0..4).map(move |sensor| row(sensor, minute, 0))));
    place.import(&filed);
    let mut server = place.serve();
    let (http, mqtt) = (server.http(), server.mqtt());
    let before = by_rest(&http);
    assert_eq!(before.len(), 4 * 4, "four sensors on four UTC days");
    assert_eq!(by_sql(&http), before, "filed rows");
    // Corrections of filed rows, rows between them, and new ones after them.
    let minutes = (0..3000).step_by(97).chain(3000..3200);
    replay(&place.csv("more.csv", minutes.flat_map(|minute| (1..5).map(move |sensor| row(sensor, minute, 1)))), &mqtt);
    let after = by_rest(&http);
    assert_ne!(after, before);
    // From hot over sealed and late into files: the numbers stay, on both sides.
    let mut seen = BTreeSet::new();
    wait(PATIENCE, || {
        let at = layers(&http);
        seen.insert(at.map(|rows| rows > 0));
        assert_eq!(by_sql(&http), after, "layers {at:?}");
        (at == [0, 0, 0]).then_some(())
    });
    assert!(seen.len() > 1 && seen.iter().any(|&[hot, ..]| hot), "{seen:?}");
    assert_eq!(by_rest(&http), after);
    assert_eq!(server.stop().code, Some(0));
}
