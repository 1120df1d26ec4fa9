//! Probes, metrics, status, sharing with other sites, panics, and the API over a socket.

use super::town::{Town, request};
use access::{Entrance, Front, Limits, Peer};
use axum::http::{Method, StatusCode};
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[tokio::test]
async fn probes_tell_life_from_readiness() {
    let town = Town::new().await;
    assert_eq!(town.get("/health").await.json()["status"], "pass");
    let ready = town.get("/ready").await;
    assert_eq!((ready.status, ready.json()["ready"].as_bool()), (StatusCode::OK, Some(true)));
    town.unready.lock().expect("no panic holds it").push("the disk is nearly full".to_owned());
    let stopped = town.get("/ready").await;
    assert_eq!(stopped.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(stopped.json()["reasons"][0], "the disk is nearly full");
    assert_eq!(town.get("/health").await.status, StatusCode::OK);
}

#[tokio::test]
async fn metrics_count_requests_by_route() {
    let town = Town::new().await;
    town.get("/api/v1/datasets/air_quality/latest").await;
    town.get("/api/v1/datasets/air_quality/latest").await;
    town.get("/whatever/a").await;
    town.get("/whatever/b").await;
    let open_metrics = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    let said = town.ask(request(Method::GET, "/metrics", &[("accept", open_metrics)])).await;
    assert_eq!(said.header("content-type"), open_metrics);
    let older = town.get("/metrics").await;
    assert_eq!(older.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    assert!(older.body.contains("# TYPE lamppost_http_requests_total counter\n"), "{}", older.body);
    assert!(said.body.contains("# TYPE lamppost_http_requests counter\n") && !older.body.contains("# EOF"));
    for line in [
        "lamppost_http_requests_total{route=\"/api/v1/datasets/{dataset}/latest\",method=\"GET\",status=\"200\"} 2",
        "lamppost_http_requests_total{route=\"unmatched\",method=\"GET\",status=\"404\"} 2",
        "lamppost_http_request_duration_seconds_count{route=\"unmatched\"} 2",
        "lamppost_log_bytes{log=\"a\\\"b\"} 7.0",
        "lamppost_answers_cached_total 1",
        "lamppost_door_messages_total 3",
    ] {
        assert!(said.body.lines().any(|found| found.starts_with(line)), "{line} is not in\n{}", said.body);
    }
    assert!(said.body.ends_with("# EOF\n"));
}

#[tokio::test]
async fn the_status_is_for_this_machine_only() {
    let town = Town::new().await;
    let said = town.get("/status").await;
    assert_eq!((said.status, said.header("www-authenticate")), (StatusCode::UNAUTHORIZED, "Bearer realm=\"lamppost\""));
    let mut local = request(Method::GET, "/status", &[("host", "127.0.0.1:8080")]);
    local.extensions_mut().insert(Peer(([127, 0, 0, 1], 5000).into()));
    let said = town.ask(local).await;
    assert_eq!((said.status, said.json()["position"].as_i64()), (StatusCode::OK, Some(1)));
    assert_eq!(said.header("access-control-allow-origin"), "", "pages of other sites must not read it");
}

#[tokio::test]
async fn other_sites_may_read_and_heads_have_no_bodies() {
    let town = Town::new().await;
    for address in ["/api/v1", "/api/v1/datasets", "/api/v1/datasets/air_quality/latest", "/health", "/nowhere"] {
        let said = town.get(address).await;
        assert_eq!(said.header("access-control-allow-origin"), "*", "{address}");
        assert!(said.header("access-control-expose-headers").contains("Link"), "{address}");
        assert_eq!(said.header("x-content-type-options"), "nosniff");
        assert!(!said.header("x-request-id").is_empty());
        let head = town.ask(request(Method::HEAD, address, &[])).await;
        assert_eq!((head.status, head.body.as_str()), (said.status, ""), "{address}");
        assert_eq!(head.header("content-type"), said.header("content-type"), "{address}");
        assert_eq!(head.header("content-length"), said.body.len().to_string(), "{address}");
    }
    let preflight = [("origin", "https://example.org"), ("access-control-request-headers", "if-none-match")];
    let said = town.ask(request(Method::OPTIONS, "/api/v1/datasets/air_quality/latest", &preflight)).await;
    assert_eq!(said.status, StatusCode::NO_CONTENT);
    assert_eq!(said.header("access-control-allow-methods"), "GET, HEAD, OPTIONS");
    assert_eq!(said.header("access-control-allow-headers"), "Authorization, *");
}

#[tokio::test]
async fn a_panic_ends_one_request_only() {
    let mut town = Town::new().await;
    let parts = crate::Parts {
        limits: Limits::default(),
        engine: town.engine.clone(),
        sql: super::worker::pool(&town.engine),
        admission: town.parts.admission.clone(),
        unready: Arc::new(|| panic!("a fault on purpose")),
        figures: Arc::new(Vec::new),
        register: Arc::new(|_| ()),
        status: Arc::new(|| serde_json::Value::Null),
        operate: town.parts.operate.clone(),
    };
    town.router = crate::router(parts);
    let said = town.get("/ready").await;
    assert_eq!(said.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(said.json()["type"], "/docs/problems/internal");
    assert!(!said.body.contains("on purpose"));
    assert_eq!(town.get("/health").await.status, StatusCode::OK);
}

#[tokio::test]
async fn over_a_socket() {
    let town = Town::new().await;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let address = listener.local_addr().expect("bound");
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let served = tokio::spawn(access::run(
        Entrance::new(listener, Front::default()),
        town.router.clone(),
        Limits::default(),
        async {
            let _ = stopped.await;
        },
    ));
    for (path, begins) in [
        ("/api/v1/datasets/air_quality/readings?from=2026-11-20T09:30:00+01:00&limit=1", "HTTP/1.1 200 OK\r\n"),
        ("/status", "HTTP/1.1 200 OK\r\n"),
        ("/api/v1/datasets/air_quality/latest?format=pdf", "HTTP/1.1 406 Not Acceptable\r\n"),
    ] {
        let mut stream = TcpStream::connect(address).await.expect("connected");
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.expect("written");
        let mut said = String::new();
        stream.read_to_string(&mut said).await.expect("read");
        assert!(said.starts_with(begins), "{path}: {said}");
        assert!(said.contains("content-length: "), "{path}: {said}");
    }
    let _ = stop.send(());
    assert_eq!(served.await.ok(), Some(0));
}
