//! All that a server has of the clients' sensors, as anybody reads it over REST.

use super::ledger::Row;
use crate::server::Server;
use serde_json::Value;
use std::collections::BTreeMap;

/// What an hour of a sensor comes to, per field: readings, sum, least and greatest.
pub(crate) type Hours = BTreeMap<(String, i64), [Option<[u64; 4]>; 2]>;

/// All rows of these sensors since an instant (seconds since 1970), page by page.
pub(crate) fn rows(server: &Server, sensors: &str, since: i64) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = format!("readings?{}&limit=10000&fields=a,b{cursor}", span(sensors, since));
        let answer = get(server, &path);
        let row = |row: &Value| Row { sensor: word(&row["sensor"]), time: second(&row["time"]), values: values(row) };
        rows.extend(answer["data"].as_array().expect("rows").iter().map(row));
        let Some(next) = answer["meta"]["next"].as_str() else { return rows };
        cursor = format!("&cursor={next}");
    }
}

fn values(row: &Value) -> [Option<u64>; 2] {
    [row["a"].as_u64(), row["b"].as_u64()]
}

/// The hours of these sensors as the server adds them up.
pub(crate) fn hours(server: &Server, sensors: &str, since: i64) -> Hours {
    let functions = "a_n,a_sum,a_min,a_max,b_n,b_sum,b_min,b_max";
    let answer = get(server, &format!("aggregates?{}&bucket=1h&fields={functions}", span(sensors, since)));
    let rows = answer["data"].as_array().expect("rows").iter().map(|row| {
        let of = |field: &str| {
            let [n, sum, min, max] = ["n", "sum", "min", "max"].map(|f| row[format!("{field}_{f}")].as_u64());
            n.filter(|n| *n > 0).map(|n| [Some(n), sum, min, max].map(|value| value.expect("a whole number")))
        };
        ((word(&row["sensor"]), second(&row["start"])), [of("a"), of("b")])
    });
    rows.collect()
}

/// The hours that these rows come to, by a plain loop.
pub(crate) fn added_up(rows: &[Row]) -> Hours {
    let mut hours = Hours::new();
    for row in rows {
        let hour = hours.entry((row.sensor.clone(), row.time.div_euclid(3600) * 3600)).or_default();
        for (of, value) in hour.iter_mut().zip(row.values) {
            let Some(value) = value else { continue };
            let [n, sum, least, greatest] = of.get_or_insert([0, 0, u64::MAX, 0]);
            (*n, *sum, *least, *greatest) = (*n + 1, *sum + value, value.min(*least), value.max(*greatest));
        }
    }
    hours
}

fn span(sensors: &str, since: i64) -> String {
    let from = jiff::Timestamp::from_second(since).expect("an instant");
    format!("sensor={sensors}&from={from}&to=now&tz=UTC")
}

fn get(server: &Server, path: &str) -> Value {
    let (code, body) = server.get(&format!("/api/v1/datasets/trial/{path}"));
    assert_eq!(code, 200, "{path}: {body}");
    serde_json::from_str(&body).expect("JSON")
}

fn word(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

fn second(value: &Value) -> i64 {
    value.as_str().and_then(|text| text.parse::<jiff::Timestamp>().ok()).expect("an instant").as_second()
}
