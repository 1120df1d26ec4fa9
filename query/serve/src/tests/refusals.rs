//! Questions that are refused: which status, which parameter is named, what is said to be accepted.

use super::town::{Said, Town, request};
use axum::http::{Method, StatusCode};

const AIR: &str = "/api/v1/datasets/air_quality";

/// A problem must name the parameter and, in its `accepted` or detail, what would be right.
pub(super) fn assert_names(said: &Said, address: &str, status: u16, parameter: &str, accepted: &str) {
    assert_eq!(said.status.as_u16(), status, "{address}: {}", said.body);
    assert_eq!(said.header("content-type"), "application/problem+json", "{address}");
    let problem = said.json();
    assert_eq!(problem["status"], status, "{address}");
    assert_eq!(problem["instance"], address, "{address}");
    assert!(problem["type"].as_str().is_some_and(|kind| kind.starts_with("/docs/problems/")), "{address}");
    let errors = problem["errors"].as_array().cloned().unwrap_or_default();
    let fault = errors.iter().find(|fault| fault["parameter"] == parameter);
    let fault = fault.unwrap_or_else(|| panic!("{address}: {parameter} is not named: {}", said.body));
    let told = format!("{} {}", fault["accepted"], fault["detail"]);
    assert!(told.contains(accepted), "{address}: {accepted:?} is not offered: {}", said.body);
}

#[tokio::test]
async fn every_bad_parameter_is_named_with_what_is_accepted() {
    let town = Town::new().await;
    for (rest, parameter, accepted) in [
        ("/aggregates?speed=1", "speed", "bucket"),
        ("/readings?bucket=1h", "bucket", "cursor"),
        ("/latest?from=now", "from", "sensor"),
        ("/sensors?limit=1", "limit", "bbox"),
        ("?fields=co2", "fields", "format"),
        ("/aggregates?from=now-1h&from=now-2h", "from", "one value"),
        ("/aggregates?from=yesterday", "from", "now-7d"),
        ("/aggregates?from=2026-11-20T08:00:00", "from", "RFC 3339"),
        ("/aggregates?from=2026-13-01", "from", "date"),
        ("/aggregates?to=now-7x", "to", "now-7d"),
        ("/aggregates?from=now&to=now-1h", "to", "after from"),
        ("/aggregates?from=now&to=now", "to", "after from"),
        ("/readings?from=2026-11-20&to=2026-11-19", "to", "after from"),
        ("/aggregates?tz=Mars/Olympus", "tz", "IANA"),
        ("/readings?tz=", "tz", "IANA"),
        ("/aggregates?bucket=0s", "bucket", "15m"),
        ("/aggregates?bucket=banana", "bucket", "week"),
        ("/aggregates?bucket=-15m", "bucket", "15m"),
        ("/aggregates?bucket=99999999999999999999h", "bucket", "15m"),
        ("/aggregates?bucket=1s&from=2000-01-01", "bucket", ""),
        ("/aggregates?from=now-99999999999999h", "from", ""),
        ("/aggregates?max_points=0", "max_points", "from 1"),
        ("/aggregates?max_points=5&bucket=1h", "max_points", "bucket=auto"),
        ("/aggregates?fields=ozone_mean", "fields", "co2"),
        ("/aggregates?fields=co2_sum_of_all", "fields", "co2_mean"),
        ("/aggregates?fields=co2_mean,", "fields", "names by commas"),
        ("/aggregates?fill=zero", "fill", "null"),
        ("/aggregates?group=", "group", "sensor"),
        ("/aggregates?group=colour", "group", "street"),
        ("/aggregates?attribute.colour=red", "attribute.<name>", "attribute.street"),
        ("/sensors?attribute.street=x&attribute.colour=red", "attribute.<name>", "attribute.street"),
        ("/aggregates?limit=-1", "limit", "from 1"),
        ("/aggregates?sensor=nobody", "sensor", "sensors"),
        ("/readings?fields=ozone", "fields", "temperature"),
        ("/readings?limit=ten", "limit", "from 1"),
        ("/readings?limit=100000000", "limit", ""),
        ("/readings?cursor=%00garbage", "cursor", ""),
        ("/latest?attribute.colour=red", "attribute.<name>", "attribute.street"),
        ("/latest?fields=co2_mean", "fields", "co2"),
        ("/sensors?bbox=1,2,3", "bbox", "west,south,east,north"),
        ("/sensors?near=14,49", "near", "lon,lat,metres"),
    ] {
        let address = format!("{AIR}{rest}");
        let said = town.get(&address).await;
        assert_names(&said, &address, 400, parameter, accepted);
    }
}

#[tokio::test]
async fn unknown_datasets_are_not_found_and_the_known_are_listed() {
    let town = Town::new().await;
    for rest in ["", "/sensors", "/latest", "/readings", "/aggregates"] {
        for id in ["traffic", "secret", "%FF", "air_quality%20"] {
            let address = format!("/api/v1/datasets/{id}{rest}");
            let said = town.get(&address).await;
            assert_names(&said, &address, 404, "dataset", "air_quality");
            assert!(!said.json()["errors"][0]["accepted"].to_string().contains("secret"), "{}", said.body);
        }
    }
    assert!(!town.get("/api/v1/datasets").await.body.contains("secret"));
    assert!(!town.get("/").await.body.contains("secret"));
}

#[tokio::test]
async fn formats_that_cannot_be_given_are_refused_with_the_list() {
    let town = Town::new().await;
    let address = format!("{AIR}/latest?format=xml");
    assert_names(&town.get(&address).await, &address, 406, "format", "csv");
    let address = format!("{AIR}/latest");
    let said = town.ask(request(Method::GET, &address, &[("accept", "image/png")])).await;
    assert_names(&said, &address, 406, "Accept", "text/csv");
}

#[tokio::test]
async fn unknown_paths_and_methods_are_problems() {
    let town = Town::new().await;
    for address in
        ["/api/v2", "/api/v1/", "/api/v1/datasets/air_quality/nothing", "/favicon.ico", "/docs/problems/none"]
    {
        let said = town.get(address).await;
        assert_eq!(said.status, StatusCode::NOT_FOUND, "{address}");
        assert_eq!(said.json()["instance"], address);
    }
    assert!(town.get("/nowhere").await.body.contains("/api/v1"));
    for address in ["/", "/api/v1/datasets", "/api/v1/datasets/air_quality/latest", "/metrics", "/health"] {
        for method in [Method::POST, Method::PUT, Method::DELETE] {
            let said = town.ask(request(method, address, &[])).await;
            assert_eq!(said.status, StatusCode::METHOD_NOT_ALLOWED, "{address}");
            assert_eq!(said.json()["type"], "/docs/problems/method-not-allowed");
            assert!(said.header("allow").contains("GET"), "{address}");
            assert_eq!(said.headers.get_all("allow").iter().count(), 1, "{address}");
        }
    }
}

#[tokio::test]
async fn each_problem_leads_to_a_page_that_explains_it() {
    let town = Town::new().await;
    for kind in access::Kind::ALL {
        let said = town.get(&format!("/docs/problems/{}", kind.wire().slug)).await;
        assert_eq!(said.status, StatusCode::OK);
        assert!(said.body.contains(kind.advice()) && said.body.contains(kind.wire().sqlstate));
    }
}
