//! Keys and budgets: who sees what, and who has to wait.

use super::town::{Said, Town, admission, request};
use access::{Allowance, KeyText, Keyring, Peer};
use axum::http::{Method, StatusCode};

const LATEST: &str = "/api/v1/datasets/secret/latest";
const PUBLIC: &str = "/api/v1/datasets/air_quality/latest";

/// A town with one key for each list of scopes.
async fn town(scopes: &[&[&str]], allowance: Allowance) -> (Town, Vec<KeyText>) {
    let mut ring = Keyring::default();
    let add = |scopes: &&[&str]| {
        let scopes = scopes.iter().map(|scope| scope.parse().expect("a scope")).collect();
        ring.add("a test", scopes, jiff::Timestamp::now(), None).expect("a key")
    };
    let texts = scopes.iter().map(add).collect();
    let mut town = Town::new().await;
    town.parts.admission = admission(ring, allowance);
    town.router = crate::router(town.parts.clone());
    (town, texts)
}

async fn get(town: &Town, address: &str, key: Option<&KeyText>) -> Said {
    let bearer = key.map(|key| format!("Bearer {}", key.reveal()));
    let headers: Vec<(&str, &str)> = bearer.iter().map(|bearer| ("authorization", bearer.as_str())).collect();
    town.ask(request(Method::GET, address, &headers)).await
}

#[tokio::test]
async fn a_restricted_dataset_is_there_for_whoever_may_read_it_and_for_nobody_else() {
    let (town, keys) =
        town(&[&["read"], &["read:secret"], &["read:air_quality", "operate"]], Allowance::default()).await;
    let listings = ["/api/v1/datasets?format=csv", "/"];
    for (key, sees) in [(None, false), (Some(&keys[0]), true), (Some(&keys[1]), true), (Some(&keys[2]), false)] {
        let status = if sees { StatusCode::OK } else { StatusCode::NOT_FOUND };
        assert_eq!(get(&town, LATEST, key).await.status, status, "{key:?}");
        for listing in listings {
            let said = get(&town, listing, key).await;
            assert_eq!(said.body.contains("secret"), sees, "{listing} {key:?}");
            let whose = if key.is_some() { "private" } else { "public" };
            assert!(said.header("cache-control").starts_with(whose), "{}", said.header("cache-control"));
            assert!(said.header("vary").contains("Authorization"));
        }
    }
    // A program on this machine operates the server; what is restricted it reads with a key, too.
    let mut local = request(Method::GET, LATEST, &[("host", "localhost")]);
    local.extensions_mut().insert(Peer(([127, 0, 0, 1], 5000).into()));
    assert_eq!(town.ask(local).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_key_that_is_not_good_makes_nobody_anonymous() {
    let (town, keys) = town(&[&["read"]], Allowance { wrong_keys: 2, ..Allowance::default() }).await;
    let wrong = KeyText::random().expect("random");
    for _ in 0..2 {
        let said = get(&town, PUBLIC, Some(&wrong)).await;
        assert_eq!(said.status, StatusCode::UNAUTHORIZED);
        assert!(said.json()["detail"].to_string().contains("none of this server"), "{}", said.body);
        assert!(!said.body.contains(wrong.reveal()));
    }
    let said = get(&town, PUBLIC, Some(&wrong)).await;
    assert_eq!((said.status, said.header("retry-after")), (StatusCode::TOO_MANY_REQUESTS, "30"));
    // Neither good keys nor those without one are held up by it.
    assert_eq!(get(&town, PUBLIC, Some(&keys[0])).await.status, StatusCode::OK);
    assert_eq!(get(&town, PUBLIC, None).await.status, StatusCode::OK);
}

#[tokio::test]
async fn status_and_metrics_are_for_operators() {
    let (mut town, keys) = town(&[&["operate"], &["read"]], Allowance::default()).await;
    town.parts.admission.public_metrics = false;
    town.router = crate::router(town.parts.clone());
    for address in ["/status", "/metrics"] {
        assert_eq!(get(&town, address, None).await.status, StatusCode::UNAUTHORIZED);
        let said = get(&town, address, Some(&keys[1])).await;
        assert_eq!(said.status, StatusCode::FORBIDDEN);
        assert!(said.json()["detail"].to_string().contains("scope operate"), "{}", said.body);
        assert_eq!(get(&town, address, Some(&keys[0])).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn a_budget_that_is_used_up_says_when_to_come_back() {
    let (town, keys) = town(&[&["read"]], Allowance { anonymous: 3, ..Allowance::default() }).await;
    for left in [2, 1, 0] {
        let said = get(&town, PUBLIC, None).await;
        assert_eq!(said.status, StatusCode::OK);
        assert_eq!(said.header("ratelimit-policy"), "\"anonymous\";q=3;w=60");
        assert!(
            said.header("ratelimit").starts_with(&format!("\"anonymous\";r={left};t=")),
            "{}",
            said.header("ratelimit")
        );
    }
    let said = get(&town, PUBLIC, None).await;
    assert_eq!(said.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(said.json()["type"], "/docs/problems/budget");
    let wait: u32 = said.header("retry-after").parse().expect("seconds");
    assert!((1..=20).contains(&wait), "{wait}");
    assert!(said.header("access-control-expose-headers").contains("RateLimit"));
    assert_eq!(get(&town, PUBLIC, Some(&keys[0])).await.header("ratelimit-policy"), "\"key\";q=12000;w=60");
    // Probes and preflights ask for nothing.
    assert_eq!(get(&town, "/health", None).await.status, StatusCode::OK);
    assert_eq!(town.ask(request(Method::OPTIONS, PUBLIC, &[])).await.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn anybody_has_smaller_answers_than_who_shows_a_key() {
    let (mut town, keys) = town(&[&["read"]], Allowance::default()).await;
    town.parts.admission.anonymous_cells = 100;
    town.router = crate::router(town.parts.clone());
    let large = "/api/v1/datasets/air_quality/aggregates?bucket=1m&fields=co2_mean,co2_max&from=now-2h&to=now";
    let said = get(&town, large, None).await;
    assert_eq!((said.status, said.json()["type"].as_str()), (StatusCode::BAD_REQUEST, Some("/docs/problems/too-much")));
    assert_eq!(get(&town, large, Some(&keys[0])).await.status, StatusCode::OK);
}

#[tokio::test]
async fn only_operators_order_and_only_in_json() {
    let (town, keys) = town(&[&["read", "write"], &["operate"]], Allowance::default()).await;
    let order = async |key: Option<&KeyText>, kind: &str, local: bool| {
        let bearer = key.map(|key| format!("Bearer {}", key.reveal()));
        let mut headers = vec![("content-type", kind), ("host", "localhost")];
        headers.extend(bearer.iter().map(|bearer| ("authorization", bearer.as_str())));
        let mut request = request(Method::POST, "/operate/erase", &headers);
        *request.body_mut() = r#"{"sensor":"a"}"#.into();
        if local {
            request.extensions_mut().insert(Peer(([127, 0, 0, 1], 5000).into()));
        }
        town.ask(request).await
    };
    assert_eq!(order(None, "application/json", false).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(order(Some(&keys[0]), "application/json", false).await.status, StatusCode::FORBIDDEN);
    let said = order(Some(&keys[1]), "application/json; charset=utf-8", false).await;
    assert_eq!(said.status, StatusCode::OK, "{}", said.body);
    let who = format!("key {} (a test)", keys[1].id());
    let expected = serde_json::json!({ "act": "erase", "who": who, "words": { "sensor": "a" } });
    assert_eq!(said.json(), expected);
    assert_eq!(order(None, "application/json", true).await.json()["who"], "this machine");
    // What a form on another site can have a browser send to this machine.
    for kind in ["text/plain", "application/x-www-form-urlencoded", ""] {
        assert_eq!(order(None, kind, true).await.status, StatusCode::BAD_REQUEST, "{kind}");
    }
    let preflight = town.ask(request(Method::OPTIONS, "/operate/erase", &[("host", "localhost")])).await;
    assert_eq!(preflight.header("access-control-allow-origin"), "", "no other site may ask for it");
    assert_eq!(get(&town, "/operate/erase", Some(&keys[1])).await.status, StatusCode::METHOD_NOT_ALLOWED);
}
