//! Ways to ask: the door, the command, the tables about tables.

use super::place::{Place, ask, figure};
use crate::cli::program::{PATIENCE, get, lamppost, wait};
use serde_json::json;

/// Two sensors, ten minutes.
fn place() -> Place {
    let place = Place::new("sql.idle = \"1s\"\n");
    let rows = (0..20).map(|n| format!("s{},{},Street {},{}.5,{n},,,,", n % 2, 1_760_000_400 + 60 * (n / 2), n % 2, n));
    let file = place.csv("rows.csv", rows);
    place.import(&file);
    place
}

#[test]
fn readings_sensors_and_datasets_are_tables() {
    let place = place();
    let mut server = place.serve();
    let http = server.http();
    assert_eq!(figure(&http, "lamppost_sql_workers"), 0.0, "no worker before the first question");
    let told = ask(&http, "SELECT sensor, time, temperature, cars FROM town ORDER BY time, sensor LIMIT 2");
    let expected = json!([
        {"sensor": "s0", "time": "2025-10-09T09:00:00Z", "temperature": 0.5, "cars": 0},
        {"sensor": "s1", "time": "2025-10-09T09:00:00Z", "temperature": 1.5, "cars": 1}
    ]);
    assert_eq!(json!(told.rows()), expected);
    let columns = &serde_json::from_str::<serde_json::Value>(&told.body).unwrap()["meta"]["columns"];
    assert_eq!(columns[2]["name"], "temperature");
    assert!(columns[2]["type"].as_str().unwrap().starts_with("numeric"), "{columns}");
    let joined = "SELECT s.street, sum(t.cars) AS cars FROM town t JOIN sensors s ON s.sensor = t.sensor \
                  WHERE s.dataset = 'town' GROUP BY s.street ORDER BY s.street";
    let expected = json!([{"street": "Street 0", "cars": 90}, {"street": "Street 1", "cars": 100}]);
    assert_eq!(json!(ask(&http, joined).rows()), expected);
    let datasets = ask(&http, "SELECT id, title, sensors, every_seconds FROM datasets").rows();
    assert_eq!(json!(datasets), json!([{"id": "town", "title": "Town", "sensors": 2, "every_seconds": 60}]));
    assert_eq!(json!(ask(&http, "SELECT count(*) AS n FROM town").rows()), json!([{"n": 20}]));
    let (code, csv) = get(&http, "/api/v1/sql?q=SELECT+cars,sensor+FROM+town+ORDER+BY+cars+LIMIT+1&format=csv");
    assert_eq!((code, csv.as_str()), (200, "cars,sensor\r\n0,s0\r\n"));
    // The town pays for SQL only while it asks.
    wait(PATIENCE, || (figure(&http, "lamppost_sql_workers") == 0.0).then_some(()));
    assert_eq!(figure(&http, "lamppost_sql_workers_killed_total"), 0.0);
}

#[test]
fn the_command_prints_tables_csv_and_json() {
    let place = place();
    let mut server = place.serve();
    let url = format!("http://{}", server.http());
    let sql = "SELECT sensor, max(cars) AS most FROM town GROUP BY sensor ORDER BY sensor";
    let table = lamppost(["sql", sql, "--url", &url]);
    assert_eq!(table.code, Some(0), "{table:?}");
    let lines: Vec<&str> = table.out.lines().map(str::trim_end).collect();
    assert_eq!((lines[0], *lines.last().unwrap()), ("| sensor | most |", "2 rows"), "{}", table.out);
    assert!(lines.contains(&"| s1     |   19 |"), "{}", table.out);
    let csv = lamppost(["sql", sql, "--url", &url, "--format", "csv"]);
    assert_eq!(csv.out, "sensor,most\r\ns0,18\r\ns1,19\n");
    let answer: serde_json::Value =
        serde_json::from_str(&lamppost(["sql", sql, "--url", &url, "--format", "json"]).out).unwrap();
    assert_eq!(answer["meta"]["rows"], 2);
    for (wrong, told) in [
        ("SELEC 1", "SELEC"),
        ("SELECT 1 FROM twon", "town"),
        ("SELECT crs FROM town", "cars"),
        ("SELECT sums(cars) FROM town", "sum"),
        ("SELECT 1/0", "zero"),
    ] {
        let ended = lamppost(["sql", wrong, "--url", &url]);
        assert_eq!((ended.code, ended.out.as_str()), (Some(64), ""), "{ended:?}");
        assert!(ended.err.contains(told), "{wrong}: {}", ended.err);
    }
    assert_eq!(lamppost(["sql", "SELECT 1", "--url", "ftp://x"]).code, Some(64));
    assert_eq!(lamppost(["sql", "SELECT 1", "--url", &url, "--key-file", "/nowhere"]).code, Some(64));
    drop(server);
    assert_eq!(lamppost(["sql", "SELECT 1", "--url", &url]).code, Some(1));
}
