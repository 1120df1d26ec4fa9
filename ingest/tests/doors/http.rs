//! The HTTP door over a real socket.

mod clients;
mod rate;

use crate::ground::{Ground, ago};
use access::{Keyring, Keys};
use flate2::Compression;
use flate2::write::GzEncoder;
use ingest::Config;
use ingest::doors::http;
use ingest::doors::listener::gate::Gate;
use jiff::Timestamp;
use std::io::Write;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Sends a request with these head lines and reads the answer: status, head in lower case, body.
async fn send(address: SocketAddr, start: &str, head: &str, body: &[u8]) -> (u16, String, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let length = body.len();
    let request =
        format!("{start} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {length}\r\n{head}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let _ = stream.write_all(body).await; // one that is refused by its head is not read
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {answer:?}"));
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head.to_lowercase(), body.to_owned())
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(text).unwrap();
    packed.finish().unwrap()
}

async fn open() -> (Ground, SocketAddr) {
    let mut ground = Ground::new(Config::default()).await;
    let address = ground.http(Gate::open(), false, http::Config::default()).await;
    (ground, address)
}

/// A gate with a key of each scope, and their texts.
fn keys(scopes: &[&str]) -> (Gate, Vec<String>) {
    let mut ring = Keyring::default();
    let texts = scopes.iter().map(|scope| {
        let scopes = scope.split(' ').map(|scope| scope.parse().unwrap()).collect();
        ring.add("writer", scopes, Timestamp::UNIX_EPOCH, None).unwrap().reveal().to_owned()
    });
    let texts = texts.collect();
    (Gate::new(Keys::fixed(ring), false), texts)
}

#[tokio::test]
async fn lines_are_readable_once_they_were_taken() {
    let (ground, address) = open().await;
    let at = ago(100);
    let lines =
        format!("air,room=a co2=400i {at}000\nair,room=b co2=401 {at}000\ndoors,id=d,street=Main n=3 {at}000\n");
    let (status, head, body) = send(address, "POST /write?db=x&precision=ms", "", lines.as_bytes()).await;
    assert_eq!((status, body.as_str()), (204, ""));
    assert!(head.contains("x-influxdb-version: 1.8"), "{head}");
    assert_eq!(ground.rows("air").await, [format!("a {at} 400"), format!("b {at} 401")]);
    assert_eq!(ground.rows("doors").await, [format!("d {at} 3")]);
    let packed = gzip(format!("air,room=c co2=402 {at}").as_bytes());
    let start = "POST /api/v2/write?org=o&bucket=b&precision=s";
    let (status, ..) = send(address, start, "Content-Encoding: gzip\r\nAuthorization: Token any\r\n", &packed).await;
    assert_eq!(status, 204, "while there are no keys, any will do");
    assert_eq!(ground.rows("air").await[2], format!("c {at} 402"));
    assert_eq!(send(address, "POST /write", "", b"").await.0, 204);
    for method in ["GET", "HEAD"] {
        let (status, head, _) = send(address, &format!("{method} /ping"), "", b"").await;
        assert_eq!(status, 204);
        assert!(head.contains("x-influxdb-version: 1.8") && head.contains("x-influxdb-build"), "{head}");
    }
    ground.end().await.unwrap();
}

#[tokio::test]
async fn a_body_may_come_in_pieces() {
    let (ground, address) = open().await;
    let at = ago(100);
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /write?precision=s HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    for piece in ["air,ro", "om=a co2=4", &format!("00 {at}\nair,room=b co2=5 {at}")] {
        stream.write_all(format!("{:x}\r\n{piece}\r\n", piece.len()).as_bytes()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    stream.write_all(b"0\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
    assert_eq!(ground.rows("air").await, [format!("a {at} 400"), format!("b {at} 5")]);
    ground.end().await.unwrap();
}

#[tokio::test]
async fn what_is_wrong_is_named_and_the_rest_is_taken() {
    let (ground, address) = open().await;
    let at = ago(100);
    let lines =
        format!("air,room=a co2=400 {at}\nair,room=b co2=x {at}\nwater v=1\nair,room=c co2=999999 {at}\nair x=1 5\n");
    let (status, head, body) = send(address, "POST /write?precision=s", "", lines.as_bytes()).await;
    assert_eq!(status, 400);
    for part in
        ["{\"error\":\"partial write: line 2: ", "line 3: no contract", "0 to 100000 ppm", "line 5: ", "dropped=4"]
    {
        assert!(body.contains(part), "{part}: {body}");
    }
    assert!(head.contains("x-influxdb-error: partial write"), "{head}");
    let (status, _, body) = send(address, "POST /api/v2/write?precision=s", "", b"air").await;
    assert_eq!(status, 400);
    assert!(body.starts_with("{\"code\":\"invalid\",\"message\":\"partial write: nothing of it: line 1: "), "{body}");
    assert_eq!(ground.rows("air").await, [format!("a {at} 400")]);
    assert_eq!(
        ground.rejects(),
        [
            "invalid_payload /api/v2/write  x1",
            "invalid_payload /write  x1",
            "no_fields /write  x1",
            "out_of_range /write co2 x1",
            "unknown_topic /write  x1"
        ]
    );
    let (status, _, body) = send(address, "POST /api/v2/write?precision=h", "", b"air").await;
    assert!(status == 400 && body.contains("ns, us, ms or s"), "{body}");
    ground.end().await.unwrap();
}

#[tokio::test]
async fn a_key_is_asked_for_as_at_the_other_door() {
    let mut ground = Ground::new(Config::default()).await;
    let (gate, texts) = keys(&["write", "write:air", "read"]);
    let address = ground.http(gate, true, http::Config::default()).await;
    let line = format!("doors,id=d n=1 {}", ago(100));
    let [all, air, read] = [0, 1, 2].map(|i: usize| texts[i].as_str());
    let basic = access::caller::credential("Basic eDp5").unwrap();
    assert_eq!(basic, "y");
    for (query, head, expect) in [
        (String::new(), String::new(), 401),
        (String::new(), "Authorization: Token nonsense\r\n".into(), 401),
        (String::new(), format!("Authorization: Token {read}\r\n"), 403),
        (String::new(), format!("Authorization: Token {air}\r\n"), 403),
        ("&u=x&p=nonsense".into(), String::new(), 401),
        (format!("&u=x&p={all}"), String::new(), 204),
        (String::new(), format!("Authorization: Token {all}\r\n"), 204),
        (String::new(), format!("Authorization: Token user:{all}\r\n"), 204),
        (String::new(), format!("Authorization: Bearer {all}\r\n"), 204),
    ] {
        let rows = ground.rows("doors").await.len();
        let (status, _, body) = send(address, &format!("POST /write?precision=s{query}"), &head, line.as_bytes()).await;
        assert_eq!(status, expect, "{query} {head}: {body}");
        assert!(expect == 204 || ground.rows("doors").await.len() == rows);
    }
    let line = format!("air,room=a co2=1 {}", ago(100));
    let head = format!("Authorization: Token {air}\r\n");
    assert_eq!(send(address, "POST /api/v2/write?precision=s", &head, line.as_bytes()).await.0, 204);
    let (status, _, body) = send(address, "POST /api/v2/write", "", b"").await;
    assert!(status == 401 && body.contains("\"code\":\"unauthorized\""), "{body}");
    ground.end().await.unwrap();
}

/// One reader reads all: what it has read in a body that was refused must not pass for told.
#[tokio::test]
async fn what_a_refused_body_says_of_a_sensor_is_told_by_the_next() {
    let mut ground = Ground::new(Config::default()).await;
    let (gate, texts) = keys(&["write", "write:air"]);
    let address = ground.http(gate, false, http::Config::default()).await;
    let line = format!("doors,id=d,street=Main n=1 {}", ago(100));
    for (text, expect) in [(&texts[1], 403), (&texts[0], 204), (&texts[0], 204)] {
        let head = format!("Authorization: Token {text}\r\n");
        assert_eq!(send(address, "POST /write?precision=s", &head, line.as_bytes()).await.0, expect);
    }
    let snapshot = ground.reader.snapshot("doors").unwrap();
    let sensor = snapshot.registry.get("d").unwrap();
    let street = sensor.attributes_at(crate::ground::now()).and_then(|attributes| attributes.get("street"));
    assert_eq!(street.map(String::as_str), Some("Main"));
    ground.end().await.unwrap();
}

#[tokio::test]
async fn without_keys_only_programs_on_this_machine_may_write() {
    let (ground, address) = open().await;
    for head in ["Origin: https://elsewhere.example\r\n", "X-Forwarded-For: 192.0.2.1\r\n"] {
        assert_eq!(send(address, "POST /write", head, b"air,room=a co2=1").await.0, 401, "{head}");
    }
    assert!(ground.rows("air").await.is_empty());
    ground.end().await.unwrap();
}

#[tokio::test]
async fn bodies_are_bounded_as_sent_and_as_inflated() {
    let mut ground = Ground::new(Config::default()).await;
    let config = http::Config { body_bytes: 1000, ..http::Config::default() };
    let address = ground.http(Gate::open(), false, config).await;
    let large = b"#".repeat(1001);
    let packed = "Content-Encoding: gzip\r\n";
    for (head, body, expect) in [
        ("", large.clone(), 413),
        (packed, gzip(&large), 413),
        (packed, gzip(&large[1..]), 204),
        ("", large[1..].to_vec(), 204),
        (packed, b"no gzip".to_vec(), 400),
        ("Content-Encoding: br\r\n", b"x".to_vec(), 415),
    ] {
        let (status, answer_head, body) = send(address, "POST /api/v2/write", head, &body).await;
        assert_eq!(status, expect, "{head}{body}");
        assert!(status == 204 || body.contains("\"message\":"), "{body}");
        assert!(status != 413 || answer_head.contains("connection: close"), "{answer_head}");
    }
    ground.end().await.unwrap();
}

#[tokio::test]
async fn a_database_need_not_be_made() {
    let (ground, address) = open().await;
    let ask = async |start: &str, body: &str| send(address, start, "", body.as_bytes()).await;
    for (start, body) in [
        ("POST /query?q=CREATE+DATABASE+%22town%22", ""),
        ("POST /query", "q=create%20database%20telegraf&chunked=true"),
    ] {
        let (status, _, answer) = ask(start, body).await;
        assert_eq!((status, answer.as_str()), (200, "{\"results\":[{\"statement_id\":0}]}\n"), "{start}");
    }
    let (status, _, answer) = ask("POST /query?q=SELECT+1", "").await;
    assert!(status == 400 && answer.contains("/api/v1/sql"), "{answer}");
    ground.end().await.unwrap();
}

#[tokio::test]
async fn packs_come_in_for_all_datasets_or_at_one_datasets_door() {
    let (ground, address) = open().await;
    let at = ago(100);
    let kind = "Content-Type: application/senml+json\r\n";
    let pack = format!(r#"[{{"bn":"urn:dev:ow:p:","bt":{at},"n":"co2","v":1}},{{"n":"co2","t":1,"v":2}}]"#);
    let (status, _, answer) = send(address, "POST /senml", kind, pack.as_bytes()).await;
    assert_eq!((status, answer.as_str()), (200, "{\"refused\":0,\"taken\":2}\n"));
    let pack = format!(
        r#"[{{"bn":"urn:dev:ow:q:","bt":{at}}},{{"n":"noise","v":1}},{{"n":"co2","v":3}},{{"n":"co2","t":1,"v":-1}}]"#
    );
    let (status, _, answer) = send(address, "POST /api/v1/datasets/air/readings", kind, pack.as_bytes()).await;
    assert_eq!(status, 422, "{answer}");
    for part in ["\"taken\":1", "\"refused\":2", "\"record\":1", "\"record\":3", "out_of_range", "no_fields"] {
        assert!(answer.contains(part), "{part}: {answer}");
    }
    assert_eq!(ground.rows("air").await, [format!("p {at} 1"), format!("p {} 2", at + 1), format!("q {at} 3")]);
    let (status, _, answer) = send(address, "POST /api/v1/datasets/doors/readings", kind, b"[]").await;
    assert!(status == 404 && answer.contains("senml"), "{answer}");
    ground.end().await.unwrap();
    // A key for another dataset has nothing to say here.
    let mut ground = Ground::new(Config::default()).await;
    let (gate, texts) = keys(&["write:doors"]);
    let address = ground.http(gate, false, http::Config::default()).await;
    let head = format!("{kind}Authorization: Bearer {}\r\n", texts[0]);
    assert_eq!(send(address, "POST /senml", &head, pack.as_bytes()).await.0, 404);
    assert_eq!(send(address, "POST /api/v1/datasets/air/readings", &head, pack.as_bytes()).await.0, 403);
    assert_eq!(send(address, "POST /senml", kind, pack.as_bytes()).await.0, 401);
    assert!(ground.rows("air").await.is_empty());
    ground.end().await.unwrap();
}

#[tokio::test]
async fn a_store_that_takes_nothing_is_told_and_not_waited_for() {
    let mut ground = Ground::full(Config { queue_bytes: 300, ..Config::default() }).await;
    let patience = Duration::from_millis(100);
    let address = ground.http(Gate::open(), false, http::Config { patience, ..http::Config::default() }).await;
    let line = b"air,room=a co2=1\nair,room=b co2=1\nair,room=c co2=1\nair,room=d co2=1\nair,room=e co2=1\n";
    let first = tokio::spawn(async move { send(address, "POST /write", "", line).await });
    tokio::time::sleep(Duration::from_millis(200)).await;
    let (status, head, body) = send(address, "POST /write", "", line).await;
    assert_eq!(status, 503, "{body}");
    assert!(head.contains("retry-after: 1") && body.contains("wait for the log"), "{head}\n{body}");
    let (status, _, body) = first.await.unwrap();
    assert!(status == 503 && body.contains("not durable"), "{body}");
    ground.kill_intake();
}

#[tokio::test]
async fn json_comes_in_at_the_datasets_own_door() {
    let (ground, address) = open().await;
    let at = ago(100);
    let start = "POST /api/v1/datasets/air/readings";
    let body = format!(r#"[{{"room":"a","ts":{at},"co2":1}},{{"room":"b","ts":{at},"co2":2}}]"#);
    let (status, _, answer) = send(address, start, "Content-Type: application/json\r\n", body.as_bytes()).await;
    assert_eq!((status, answer.as_str()), (200, "{\"refused\":0,\"taken\":2}\n"));
    let body = format!(
        "{{\"room\":\"c\",\"ts\":{at},\"co2\":3}}\n\n{{\"room\":\"d\"\n{{\"room\":\"e\",\"ts\":{at},\"co2\":-1}}\n"
    );
    let (status, head, answer) =
        send(address, start, "Content-Type: application/x-ndjson; charset=utf-8\r\n", body.as_bytes()).await;
    assert_eq!(status, 422, "{answer}");
    assert!(head.contains("application/problem+json"), "{head}");
    for part in [
        "\"taken\":1",
        "\"refused\":2",
        "\"record\":2",
        "\"record\":3",
        "\"reason\":\"out_of_range\"",
        "\"field\":\"co2\"",
    ] {
        assert!(answer.contains(part), "{part}: {answer}");
    }
    assert_eq!(ground.rows("air").await, [format!("a {at} 1"), format!("b {at} 2"), format!("c {at} 3")]);
    assert_eq!(send(address, "POST /api/v1/datasets/doors/readings", "", b"{}").await.0, 404);
    ground.end().await.unwrap();
}
