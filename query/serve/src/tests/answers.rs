//! Answers: what a citizen, Grafana or a script reads.

use super::town::{MINUTE, NOW, Town, request};
use axum::http::{Method, StatusCode};
use schemas::Batch;

const AIR: &str = "/api/v1/datasets/air_quality";

#[tokio::test]
async fn aggregates_in_json_and_csv() {
    let town = Town::new().await;
    let address =
        format!("{AIR}/aggregates?from=now-1h&bucket=30m&group=none&fields=co2_mean,co2_max,temperature_mean,co2_n");
    let said = town.get(&address).await;
    assert_eq!(said.status, StatusCode::OK, "{}", said.body);
    assert_eq!(said.header("content-type"), "application/json");
    let data = said.body.split(",\"meta\"").next().unwrap_or_default();
    let expected = r#"{"data":[
{"start":"2026-11-20T09:00:00+01:00","end":"2026-11-20T09:30:00+01:00","co2_mean":464.5,"co2_max":529,"temperature_mean":21.45,"co2_n":60},
{"start":"2026-11-20T09:30:00+01:00","end":"2026-11-20T10:00:00+01:00","co2_mean":494.5,"co2_max":559,"temperature_mean":24.45,"co2_n":60}
]"#;
    assert_eq!(data, expected);
    let meta = &said.json()["meta"];
    assert_eq!(meta["bucket"], "30m");
    assert_eq!(meta["tz"], "Europe/Prague");
    assert_eq!(meta["license"], "CC-BY-4.0");
    let csv = town.ask(request(Method::GET, &address, &[("accept", "text/csv; charset=utf-8")])).await;
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8; header=present");
    assert_eq!(
        csv.body,
        "start,end,co2_mean,co2_max,temperature_mean,co2_n\r\n\
         2026-11-20T09:00:00+01:00,2026-11-20T09:30:00+01:00,464.5,529,21.45,60\r\n\
         2026-11-20T09:30:00+01:00,2026-11-20T10:00:00+01:00,494.5,559,24.45,60\r\n"
    );
}

#[tokio::test]
async fn times_are_read_as_people_write_them() {
    let town = Town::new().await;
    let first = |address: String| {
        let town = &town;
        async move { town.get(&address).await.rows().first().map(|row| row["time"].to_string()).unwrap_or_default() }
    };
    // A plus sign that was not percent-encoded arrives as a blank.
    for from in ["2026-11-20T09:30:00%2B01:00", "2026-11-20T09:30:00+01:00", "2026-11-20T08:30:00Z", "now-30m"] {
        let found = first(format!("{AIR}/readings?from={from}&sensor=school")).await;
        assert_eq!(found, "\"2026-11-20T09:30:00+01:00\"", "{from}");
    }
    // A date begins when it begins in the zone asked for: Kiritimati's 20th is over, Honolulu's has not begun.
    let day = |tz: &str| format!("{AIR}/readings?from=2026-11-20&to=2026-11-21&tz={tz}");
    assert_eq!(town.get(&day("Europe/Prague")).await.rows().len(), 120);
    assert_eq!(town.get(&day("Pacific/Honolulu")).await.rows().len(), 0);
    assert_eq!(first(format!("{AIR}/readings?tz=UTC")).await, "\"2026-11-20T08:00:00Z\"");
}

#[tokio::test]
async fn readings_come_page_by_page() {
    let town = Town::new().await;
    let mut address = format!("{AIR}/readings?limit=50&fields=co2&from=now-1h");
    let mut rows = Vec::new();
    let mut pages = 0;
    loop {
        let said = town.get(&address).await;
        rows.extend(said.rows());
        pages += 1;
        assert!(pages < 10, "no end of pages");
        let link = said.header("link");
        let Some(next) = link.strip_prefix('<').and_then(|rest| rest.strip_suffix(">; rel=\"next\"")) else {
            assert!(link.is_empty() && said.json()["meta"].get("next").is_none(), "{link}");
            break;
        };
        assert!(said.json()["meta"]["next"].is_string());
        address = next.to_owned();
    }
    assert_eq!((pages, rows.len()), (3, 120));
    assert_eq!(rows[0].to_string(), r#"{"co2":400,"sensor":"museum","time":"2026-11-20T09:00:00+01:00"}"#);
    let mut keys: Vec<String> = rows.iter().map(|row| format!("{}{}", row["time"], row["sensor"])).collect();
    keys.dedup();
    assert_eq!(keys.len(), 120, "a row came twice");
}

#[tokio::test]
async fn latest_and_sensors_and_datasets() {
    let town = Town::new().await;
    let latest = town.get(&format!("{AIR}/latest")).await.rows();
    assert_eq!(latest.len(), 2);
    assert_eq!(latest[0]["sensor"], "museum");
    assert_eq!(latest[0]["time"], "2026-11-20T09:59:00+01:00");
    assert_eq!(latest[0]["co2"], 459);
    assert_eq!(latest[0]["co2_time"], "2026-11-20T09:59:00+01:00");
    assert_eq!(latest[0]["temperature"].to_string(), "25.9");
    assert_eq!(latest[0]["lon"].to_string(), "14.1475");
    assert!(latest[1]["temperature"].is_null() && latest[1]["temperature_time"].is_null());
    let sensors = town.get(&format!("{AIR}/sensors?attribute.street=Velk%C3%A9+n%C3%A1m%C4%9Bst%C3%AD")).await.rows();
    assert_eq!(sensors.len(), 1);
    assert_eq!(sensors[0]["attributes"]["street"], "Velké náměstí");
    let csv = town.get(&format!("{AIR}/sensors?format=csv")).await;
    assert!(csv.body.starts_with("sensor,lon,lat,attributes_street,"), "{}", csv.body);
    let datasets = town.get("/api/v1/datasets").await.rows();
    let ids: Vec<&str> = datasets.iter().filter_map(|row| row["id"].as_str()).collect();
    assert_eq!(ids, ["air_quality", "silent"]);
    assert_eq!(town.get(AIR).await.rows()[0]["fields"][1]["range"].to_string(), "[-40,60]");
}

#[tokio::test]
async fn an_unchanged_answer_costs_nothing() {
    let town = Town::new().await;
    let address = format!("{AIR}/aggregates?from=2026-11-20T08:00:00Z&to=2026-11-20T08:30:00Z&bucket=15m");
    let first = town.get(&address).await;
    let tag = first.header("etag").to_owned();
    assert!(tag.starts_with('"') && tag.ends_with('"'), "{tag}");
    assert!(first.header("cache-control").starts_with("public, max-age="));
    assert_eq!(first.header("vary"), "Accept, Authorization");
    let before = town.engine.figures();
    let same = town.ask(request(Method::GET, &address, &[("if-none-match", &format!("\"x\", W/{tag}"))])).await;
    assert_eq!((same.status, same.body.as_str()), (StatusCode::NOT_MODIFIED, ""));
    assert_eq!((same.header("etag"), same.header("vary")), (tag.as_str(), "Accept, Authorization"));
    let after = town.engine.figures();
    assert_eq!((before.hits, before.misses), (after.hits, after.misses), "the answer was made or fetched");
    let csv = town.get(&format!("{address}&format=csv")).await;
    assert_ne!(csv.header("etag"), tag, "another format is another thing");
    let mut batch = Batch::new(town.air.clone());
    batch.sensors = vec!["museum".into()];
    (batch.sensor, batch.time) = (vec![0], vec![NOW.0 - 45 * MINUTE]);
    batch.columns = vec![vec![9999], vec![500]];
    town.append(&batch).await;
    let changed = town.ask(request(Method::GET, &address, &[("if-none-match", &tag)])).await;
    assert_eq!(changed.status, StatusCode::OK);
    assert!(changed.body.contains("9999") && changed.header("etag") != tag);
}

#[tokio::test]
async fn the_landing_page_leads_to_data() {
    let town = Town::new().await;
    let said = town.get("/").await;
    assert_eq!(said.header("content-type"), "text/html; charset=utf-8");
    assert!(said.body.len() < 10_000 && said.body.contains("Test &lt;town&gt;"), "{}", said.body);
    let links: Vec<String> = said
        .body
        .split("href=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .map(|link| link.replace("&amp;", "&"))
        .collect();
    assert!(links.len() > 8, "{links:?}");
    for link in links {
        let said = town.get(&link).await;
        assert_eq!(said.status, StatusCode::OK, "{link}: {}", said.body);
        if link.contains("air_quality") && !link.contains("csv") {
            assert!(!said.rows().is_empty(), "{link}: {}", said.body);
        }
    }
}

#[tokio::test]
async fn rows_come_in_the_order_asked_for_and_no_more_of_them() {
    let town = Town::new().await;
    let sensors = async |order: &str| {
        let said = town.get(&format!("{AIR}/aggregates?from=now-1h&bucket=1h&fields=co2_max&{order}")).await;
        assert_eq!(said.status, StatusCode::OK, "{}", said.body);
        said.rows().iter().map(|row| row["co2_max"].as_i64().unwrap_or_default()).collect::<Vec<_>>()
    };
    let (up, down) = (sensors("order=co2_max").await, sensors("order=-co2_max").await);
    assert!(up.len() > 1 && up.is_sorted(), "{up:?}");
    assert_eq!(down, up.iter().rev().copied().collect::<Vec<_>>());
    assert_eq!(sensors("order=-co2_max&limit=1").await, down[..1]);
    let newest = town.get(&format!("{AIR}/latest?fields=co2&order=-co2&limit=1")).await;
    assert_eq!(newest.rows().len(), 1);
    for wrong in ["aggregates?fields=co2_max&order=co2_mean", "latest?order=attributes", "latest?limit=1"] {
        let said = town.get(&format!("{AIR}/{wrong}")).await;
        assert_eq!(said.status, StatusCode::BAD_REQUEST, "{wrong}: {}", said.body);
        assert!(said.body.contains("order"), "{wrong}: {}", said.body);
    }
}

#[tokio::test]
async fn a_quantile_by_sketch_tells_its_error() {
    let town = Town::new().await;
    let said = town.get(&format!("{AIR}/aggregates?from=now-1h&bucket=1h&group=none&fields=co2_p95")).await;
    assert_eq!(said.status, StatusCode::OK, "{}", said.body);
    assert!(said.json()["meta"]["fields"][0].get("relative_error").is_none());
    let refused = town.get(&format!("{AIR}/aggregates?fields=co2_p100")).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(refused.body.contains("co2_p1..p99"), "{}", refused.body);
}
