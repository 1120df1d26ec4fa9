//! Clients that were made for InfluxDB write to the real binary: its Python libraries, curl, and requests as Telegraf makes them.

use crate::server::Server;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;

const CONTRACT: &str = r#"
id = "air"
title = "Air"
license = "CC0-1.0"
publisher = "A test"
zone = "UTC"
every = "1m"
keep = { raw = "forever", 15m = "forever", 1h = "forever", 1d = "forever" }
[[field]]
name = "co2"
unit = "ppm"
kind = "gauge"
range = [0, 100000]
[[field]]
name = "temperature"
unit = "Cel"
kind = "gauge"
resolution = 0.1
range = [-40, 60]
[[field]]
name = "window"
kind = "state"
values = ["open", "shut"]
[[source]]
line = "air"
sensor = "{room}"
map = { co2 = "co2", temperature = "temperature", window = { path = "window", words = { true = "open" } } }
[[source]]
http = "readings"
sensor = "{/sensor}"
time = { path = "/time", format = "rfc3339" }
map = { co2 = "/co2" }
"#;

/// A folder with a config, a dataset and a key that may write it.
fn folder() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    std::fs::create_dir(at.join("contracts")).expect("a folder");
    std::fs::write(at.join("contracts/air.toml"), CONTRACT).expect("written");
    std::fs::write(
        at.join("lamppost.toml"),
        "contracts = \"contracts\"\nhttp.listen = \"127.0.0.1:0\"\nwrite.bytes = \"1MiB\"\n",
    )
    .expect("written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_lamppost"));
    command.args(["key", "add", "--name", "w", "--scope", "write:air", "--config"]).arg(at.join("lamppost.toml"));
    let made = command.output().expect("lamppost key");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    (folder, String::from_utf8(made.stdout).expect("text").trim().to_owned())
}

fn serve(folder: &Path) -> Server {
    Server::start(&folder.join("lamppost.toml"))
}

/// `sensor co2` of every reading of the day the clients write of.
fn readings(server: &Server) -> Vec<String> {
    let path = "/api/v1/datasets/air/readings?from=2026-03-01T00:00:00Z&to=2026-03-02T00:00:00Z&format=csv";
    let (code, body) = server.get(path);
    assert_eq!(code, 200, "{body}");
    let mut rows: Vec<String> = body.lines().skip(1).map(str::to_owned).collect();
    rows.sort();
    rows
}

/// Whether each of these begins one row that also holds the rest, in order.
fn holds(rows: &[String], expect: &[&[&str]]) {
    assert_eq!(rows.len(), expect.len(), "{rows:#?}");
    for (row, parts) in rows.iter().zip(expect) {
        assert!(parts.iter().all(|part| row.contains(part)), "{row} holds {parts:?}");
    }
}

#[test]
fn the_python_clients_of_both_versions_write() {
    let (folder, key) = folder();
    let server = serve(folder.path());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/influx.py");
    for version in ["1", "2"] {
        let python = std::env::var("LAMPPOST_PYTHON").unwrap_or_else(|_| "python3".into());
        let output = Command::new(python).arg(&script).args([&server.url, &key, version]).output().expect("python");
        assert!(output.status.success(), "version {version}: {}", String::from_utf8_lossy(&output.stderr));
    }
    let expect: [&[&str]; 4] =
        [&["a 1,=x", "412", "21.6", "shut"], &["b", "413", "open"], &["d", "414", "3"], &["e", "415"]];
    holds(&readings(&server), &expect);
    server.stop();
}

#[test]
fn curl_writes_and_reads_at_the_same_path() {
    let (folder, key) = folder();
    let server = serve(folder.path());
    let lines: PathBuf = folder.path().join("lines.txt");
    std::fs::write(&lines, "air,room=a co2=400i 1772352000\n# no more\n").expect("written");
    let curl = |arguments: &[&str]| {
        let output = Command::new("curl").args(["-sS", "-w", "%{http_code}"]).args(arguments).output().expect("curl");
        String::from_utf8(output.stdout).expect("text")
    };
    let file = format!("@{}", lines.display());
    let write = format!("{}/write?db=x&precision=s", server.url);
    assert_eq!(curl(&["--user", &format!("x:{key}"), "--data-binary", &file, &write]), "204");
    assert!(curl(&["--data-binary", &file, &write]).ends_with("401"));
    let path = format!("{}/api/v1/datasets/air/readings", server.url);
    let bearer = format!("Authorization: Bearer {key}");
    let object = r#"{"sensor":"b","time":"2026-03-01T08:00:00Z","co2":401}"#;
    let told = curl(&["-H", &bearer, "-H", "Content-Type: application/json", "-d", object, &path]);
    assert_eq!(told, "{\"refused\":0,\"taken\":1}\n200");
    holds(&readings(&server), &[&["a", "400"], &["b", "401"]]);
    // A large body waits for the server's word (Expect: 100-continue), and then is refused by its length.
    std::fs::write(&lines, "#".repeat(2 << 20)).expect("written");
    assert!(curl(&["--user", &format!("x:{key}"), "--data-binary", &file, &write]).ends_with("413"));
    let (_, metrics) = server.get("/metrics");
    assert!(metrics.contains("ingest_acked_total{door=\"http\"} 2"), "{metrics}");
    server.stop();
}

/// The heads are those that Go writes for plugins/outputs/influxdb and influxdb_v2 of Telegraf: pieces of gzip of no told length.
#[test]
fn requests_of_telegraf_are_taken() {
    let (folder, key) = folder();
    let server = serve(folder.path());
    let host = server.url.trim_start_matches("http://").to_owned();
    let basic = {
        let pair = folder.path().join("pair");
        std::fs::write(&pair, format!("telegraf:{key}")).expect("written");
        let output = Command::new("base64").args(["-w", "0"]).arg(&pair).output().expect("base64");
        String::from_utf8(output.stdout).expect("text")
    };
    for (path, login, room) in [
        ("/write?db=telegraf", format!("Basic {basic}"), "t1"),
        ("/api/v2/write?bucket=telegraf&org=city", format!("Token {key}"), "t2"),
    ] {
        let line = format!(
            "air,host=gateway-1,room={room} co2=400i,temperature=21.5,uptime=5u,note=\"a b\" 1772352000000000000\n"
        );
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        packed.write_all(line.as_bytes()).expect("packed");
        let packed = packed.finish().expect("packed");
        let mut stream = TcpStream::connect(&host).expect("connect");
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: Telegraf/1.36.1 Go/1.25.1\r\nTransfer-Encoding: chunked\r\n\
             Authorization: {login}\r\nContent-Encoding: gzip\r\nContent-Type: text/plain; charset=utf-8\r\nAccept-Encoding: gzip\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).expect("sent");
        for piece in packed.chunks(50) {
            write!(stream, "{:x}\r\n", piece.len()).expect("sent");
            stream.write_all(piece).expect("sent");
            stream.write_all(b"\r\n").expect("sent");
        }
        stream.write_all(b"0\r\n\r\n").expect("sent");
        let mut answer = [0; 1024];
        let got = stream.read(&mut answer).expect("answer");
        assert!(answer[..got].starts_with(b"HTTP/1.1 204"), "{}", String::from_utf8_lossy(&answer[..got]));
    }
    holds(&readings(&server), &[&["t1", "400", "21.5"], &["t2", "400", "21.5"]]);
    server.stop();
}
