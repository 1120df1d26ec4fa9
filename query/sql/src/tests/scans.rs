//! What a scan asks the server for: no more columns, sensors, time and rows than the question needs.

use super::town::{HOUR, MIDNIGHT, Town};

#[test]
fn only_wanted_columns_travel() {
    let mut town = Town::start();
    for (text, columns) in [
        ("SELECT co2 FROM air", vec![2]),
        ("SELECT count(*) FROM air", vec![]),
        ("SELECT \"window\", sensor FROM air", vec![0, 4]),
        ("SELECT sensor, avg(temperature) FROM air WHERE co2 > 400 GROUP BY sensor", vec![0, 2, 3]),
        ("SELECT * FROM air", vec![0, 1, 2, 3, 4]),
    ] {
        assert_eq!(town.scan(text).columns, columns, "{text}");
    }
}

#[test]
fn sensors_and_spans_are_left_to_the_server() {
    let mut town = Town::start();
    let at = |hours: i64| Some(MIDNIGHT + hours * HOUR);
    for (filter, sensors, from, to) in [
        ("sensor = 'a'", Some(vec!["a"]), None, None),
        ("'a' = sensor AND co2 > 1", Some(vec!["a"]), None, None),
        ("sensor IN ('b', 'a')", Some(vec!["a", "b"]), None, None),
        ("sensor = 'a' OR sensor = 'b'", Some(vec!["a", "b"]), None, None),
        ("sensor IN ('a', 'b') AND sensor IN ('b', 'c')", Some(vec!["b"]), None, None),
        ("sensor = 'a' OR co2 > 1", None, None, None),
        ("sensor <> 'a'", None, None, None),
        ("time >= '2026-11-20T01:00:00Z'", None, at(1), None),
        ("time >= '2026-11-20 02:00:00+01'", None, at(1), None),
        ("time >= TIMESTAMP '2026-11-20 01:00' AND time < TIMESTAMPTZ '2026-11-20 02:00Z'", None, at(1), at(2)),
        ("time >= DATE '2026-11-20'", None, at(0), None),
        ("time > now() - INTERVAL '11 hours'", None, at(1).map(|time| time + 1), None),
        ("time >= now() - INTERVAL '11 hours' AND time < now()", None, at(1), at(12)),
        ("time BETWEEN '2026-11-20' AND '2026-11-20 01:00'", None, at(0), at(1).map(|time| time + 1)),
        ("'2026-11-20 01:00' > time", None, None, at(1)),
        ("time::timestamp < '2026-11-20 01:00'", None, None, at(1)),
        ("time = '2026-11-20 01:00'", None, at(1), at(1).map(|time| time + 1)),
        ("time >= date_trunc('day', now())", None, at(0), None),
        ("time NOT BETWEEN '2026-11-20' AND '2026-11-21'", None, None, None),
    ] {
        let scan = town.scan(&format!("SELECT co2 FROM air WHERE {filter}"));
        let expect = sensors.map(|sensors| sensors.into_iter().map(str::to_owned).collect());
        assert_eq!((scan.sensors, scan.from, scan.to), (expect, from, to), "{filter}");
    }
}

#[test]
fn what_the_server_sends_too_much_is_filtered_again() {
    let mut town = Town::start();
    let rows = town.rows("SELECT co2 FROM air WHERE sensor = 'a' AND time > '2026-11-20 00:00' AND co2 < 403");
    assert_eq!(rows.len(), 1);
    assert_eq!(town.rows("SELECT time FROM air WHERE NOT (time < '2026-11-20 01:00')").len(), 3);
    assert_eq!(town.rows("SELECT time FROM air WHERE \"window\" = 'open'").len(), 2);
    assert_eq!(town.rows("SELECT time FROM air WHERE co2 IS NULL").len(), 1);
}

#[test]
fn a_limit_travels_where_no_filter_can_use_it_up() {
    let mut town = Town::start();
    assert_eq!(town.scan("SELECT co2 FROM air LIMIT 2").limit, Some(2));
    assert_eq!(town.scan("SELECT co2 FROM air LIMIT 2 OFFSET 1").limit, Some(3));
    assert_eq!(town.scan("SELECT co2 FROM air WHERE sensor = 'b' LIMIT 1").limit, None);
    assert_eq!(town.scan("SELECT co2 FROM air ORDER BY time LIMIT 1").limit, None);
    assert_eq!(town.scan("SELECT sensor, max(co2) FROM air GROUP BY sensor LIMIT 1").limit, None);
}

#[test]
fn joins_unions_and_subqueries_scan_each_table() {
    let mut town = Town::start();
    let rows = town
        .rows("SELECT s.height, count(*) AS n FROM air a JOIN sensors s USING (sensor) GROUP BY s.height ORDER BY n");
    assert_eq!(rows.len(), 2);
    let rows = town.rows("SELECT x.sensor FROM air x, air y WHERE x.sensor = y.sensor AND x.time = y.time");
    assert_eq!(rows.len(), 5);
    assert_eq!(town.rows("SELECT sensor FROM air UNION SELECT sensor FROM sensors").len(), 2);
    assert_eq!(town.rows("SELECT time FROM air WHERE co2 > (SELECT avg(co2) FROM air)").len(), 1);
    assert_eq!(
        town.rows(
            "SELECT sensor FROM sensors s WHERE EXISTS (SELECT 1 FROM air a WHERE a.sensor = s.sensor AND co2 > 450)"
        )
        .len(),
        1
    );
    assert_eq!(
        town.rows("SELECT sensor FROM sensors WHERE sensor NOT IN (SELECT sensor FROM air WHERE co2 > 450)").len(),
        1
    );
    let all = "WITH hourly AS (SELECT time_bucket('1 hour', time) AS t, avg(co2) AS m FROM air GROUP BY 1) \
               SELECT h.t, h.m, air.sensor FROM hourly h JOIN air ON air.time = h.t ORDER BY 1, 3";
    assert_eq!(town.rows(all).len(), 5);
}

#[test]
fn a_join_holds_the_sensors_and_lets_the_readings_pass() {
    let mut town = Town::start();
    for from in ["air a JOIN sensors s USING (sensor)", "sensors s JOIN air a USING (sensor)"] {
        let plan = town.rows(&format!("EXPLAIN SELECT s.height, count(*) FROM {from} GROUP BY 1"));
        let plan: Vec<String> = plan.iter().map(|line| line["plan"].to_string()).collect();
        let place = |table: &str| plan.iter().position(|line| line.contains(table)).expect("a scan");
        // The side that is held comes first.
        assert!(place("Scan: sensors") < place("Scan: air"), "{plan:#?}");
    }
}
