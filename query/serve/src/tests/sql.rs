//! The door for SQL: how a question may come, how an answer and a refusal go out.

use super::refusals::assert_names;
use super::town::{Said, Town, request};
use super::worker::scripted;
use axum::body::Body;
use axum::http::{Method, Request};
use engine::sql::{Failure, Fault, FromWorker};

const PATH: &str = "/api/v1/sql";
const ANSWER: &str = "{\"data\":[\n{\"number\":1},\n{\"number\":2}\n],\
                      \"meta\":{\"columns\":[{\"name\":\"number\",\"type\":\"bigint\"}],\"rows\":2}}\n";

async fn post(town: &Town, address: &str, kind: &str, body: impl Into<Body>) -> Said {
    let request = Request::builder().method(Method::POST).uri(address);
    let request = if kind.is_empty() { request } else { request.header("content-type", kind) };
    town.ask(request.body(body.into()).expect("a request")).await
}

#[tokio::test]
async fn a_question_may_come_in_many_ways() {
    let town = Town::new().await;
    let said = town.get("/api/v1/sql?q=SELECT+1").await;
    assert_eq!((said.status.as_u16(), said.body.as_str()), (200, ANSWER));
    assert_eq!(said.header("content-type"), "application/json");
    assert_eq!((said.header("cache-control"), said.header("vary")), ("no-store", "Accept, Authorization"));
    for (kind, body) in [
        ("", "SELECT 1"),
        ("application/sql", "SELECT 1"),
        ("text/plain; charset=utf-8", "SELECT 1"),
        ("application/json", "{\"query\": \"SELECT 1\"}"),
        ("Application/JSON", "{\"q\": \"SELECT 1\"}"),
        ("application/x-www-form-urlencoded", "q=SELECT+1%20AS+%22x%22&format=json"),
        ("application/x-www-form-urlencoded", "q=SELECT 1 AS a#"),
    ] {
        let said = post(&town, PATH, kind, body).await;
        assert_eq!((said.status.as_u16(), said.body.as_str()), (200, ANSWER), "{kind}");
    }
    // The rows are the worker's own: only what stands around them differs.
    for said in [
        post(&town, "/api/v1/sql?format=csv", "application/sql", "SELECT 1").await,
        post(&town, PATH, "application/x-www-form-urlencoded", "q=SELECT+1&format=csv").await,
        post(&town, "/api/v1/sql?format=csv", "application/x-www-form-urlencoded", "q=SELECT+1").await,
        town.ask(request(Method::GET, "/api/v1/sql?q=x", &[("accept", "text/csv")])).await,
    ] {
        assert_eq!(said.header("content-type"), "text/csv; charset=utf-8; header=present");
        assert_eq!(said.body, "{\"number\":1},\n{\"number\":2}");
    }
}

#[tokio::test]
async fn what_is_no_question_is_refused_with_what_would_be_one() {
    let town = Town::new().await;
    for (address, parameter, accepted) in [
        (PATH, "q", "SELECT"),
        ("/api/v1/sql?q=", "q", "SELECT"),
        ("/api/v1/sql?q=SELECT+1&limit=5", "limit", "format"),
        ("/api/v1/sql?q=SELECT+1&q=SELECT+2", "q", "one value"),
        ("/api/v1/sql?query=SELECT+1", "query", "q"),
    ] {
        assert_names(&town.get(address).await, address, 400, parameter, accepted);
    }
    let said = town.get("/api/v1/sql?q=SELECT+1&format=parquet").await;
    assert_names(&said, "/api/v1/sql?q=SELECT+1&format=parquet", 406, "format", "csv");
    for (kind, body, parameter, accepted) in [
        ("application/sql", &b" \n"[..], "q", "SELECT"),
        ("application/sql", b"SELECT '\xff'", "q", "UTF-8"),
        ("application/json", b"{\"sql\": \"SELECT 1\"}", "q", "query"),
        ("application/json", b"SELECT 1", "q", "query"),
        ("application/x-www-form-urlencoded", b"SELECT 1", "SELECT 1", "q"),
        ("application/x-www-form-urlencoded", b"sql=SELECT+1", "sql", "q"),
        ("application/xml", b"<q/>", "Content-Type", "application/sql"),
    ] {
        assert_names(&post(&town, PATH, kind, body).await, PATH, 400, parameter, accepted);
    }
}

#[tokio::test]
async fn methods_and_other_sites() {
    let town = Town::new().await;
    let head = town.ask(request(Method::HEAD, "/api/v1/sql?q=SELECT+1", &[])).await;
    assert_eq!((head.status.as_u16(), head.body.as_str()), (200, ""));
    assert_eq!(head.header("content-length"), ANSWER.len().to_string());
    let preflight = town.ask(request(Method::OPTIONS, PATH, &[("origin", "https://example.org")])).await;
    assert_eq!(preflight.status.as_u16(), 204);
    for name in ["allow", "access-control-allow-methods"] {
        assert_eq!(preflight.header(name), "GET, HEAD, POST, OPTIONS", "{name}");
    }
    let put = town.ask(request(Method::PUT, PATH, &[])).await;
    assert_eq!((put.status.as_u16(), put.header("allow")), (405, "GET, HEAD, POST, OPTIONS"));
    assert_eq!(put.headers.get_all("allow").iter().count(), 1);
    assert!(town.get("/api/v1").await.body.contains("/api/v1/sql"));
    let metrics = town.get("/metrics").await.body;
    assert!(metrics.contains("lamppost_sql_questions_total{ended=\"answered\"} 1"), "{metrics}");
}

#[tokio::test]
async fn each_fault_of_a_question_has_its_own_problem() {
    let mut town = Town::new().await;
    for (fault, status, slug, sqlstate) in [
        (Fault::Syntax, 400, "sql-syntax", "42601"),
        (Fault::NoTable, 400, "sql-table", "42P01"),
        (Fault::NoColumn, 400, "sql-column", "42703"),
        (Fault::NoFunction, 400, "sql-function", "42883"),
        (Fault::Refused, 400, "sql-statement", "0A000"),
        (Fault::Mismatch, 400, "sql-types", "42804"),
        (Fault::TooMuch, 400, "too-much", "54000"),
        (Fault::Memory, 400, "memory", "53200"),
        (Fault::Timeout, 504, "timeout", "57014"),
        (Fault::Division, 400, "sql-division-by-zero", "22012"),
        (Fault::Value, 400, "sql-value", "22000"),
    ] {
        let failure = Failure { fault, message: "wrong".to_owned(), accepted: vec!["right".to_owned()] };
        let mut parts = town.parts.clone();
        parts.sql = scripted(&town.engine, &[FromWorker::Failed(failure)]);
        town.router = crate::router(parts);
        let address = "/api/v1/sql?q=SELECT+1";
        let said = town.get(address).await;
        assert_names(&said, address, status, "q", "right");
        assert_eq!(said.json()["type"], format!("/docs/problems/{slug}"));
        let page = town.get(&format!("/docs/problems/{slug}")).await;
        assert!(page.body.contains(sqlstate), "{fault:?}: {}", page.body);
    }
}
