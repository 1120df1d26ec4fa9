//! `lamppost status`: asks the running server how it is, and tells it in words.

use crate::app::glance::Glance;
use crate::{Error, console};
use serde_json::Value;
use std::fmt::Write;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How long the server may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes of answer taken.
const LONGEST: u64 = 16 << 20;

/// What `status` takes.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Where the server's HTTP door is.
    #[arg(long, default_value = "http://127.0.0.1:8080", value_name = "URL")]
    url: String,
    /// Print the server's own JSON.
    #[arg(long)]
    json: bool,
}

/// Asks and prints.
pub async fn run(options: Options) -> Result<(), Error> {
    let rest = options.url.strip_prefix("http://").map(|rest| rest.trim_end_matches('/'));
    let host = rest
        .filter(|host| !host.is_empty() && !host.contains('/'))
        .ok_or_else(|| Error::usage(format!("--url {:?}: write http://host:port", options.url)))?;
    let host = if host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok()) {
        host.to_owned()
    } else {
        format!("{host}:80")
    };
    let body = tokio::time::timeout(PATIENCE, get(&host, "/status"))
        .await
        .map_err(|_| Error::run(format!("{host} does not answer within {} s", PATIENCE.as_secs())))??;
    if options.json {
        console::say(body.trim_end());
        return Ok(());
    }
    let glance: Glance = serde_json::from_str(&body)
        .map_err(|e| Error::run(format!("{host} answers, but not as a Lamppost of this version: {e}")))?;
    console::say(text(&glance).trim_end());
    Ok(())
}

/// The body of a plain GET. HTTP/1.0, so the answer is neither chunked nor kept open (RFC 1945).
async fn get(host: &str, path: &str) -> Result<String, Error> {
    let told = |e: std::io::Error| Error::run(format!("no Lamppost answers at http://{host}: {e}"));
    let mut stream = TcpStream::connect(host).await.map_err(told)?;
    let request = format!("GET {path} HTTP/1.0\r\nHost: {host}\r\nAccept: application/json\r\n\r\n");
    stream.write_all(request.as_bytes()).await.map_err(told)?;
    let mut answer = Vec::new();
    stream.take(LONGEST).read_to_end(&mut answer).await.map_err(told)?;
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) =
        answer.split_once("\r\n\r\n").ok_or_else(|| Error::run(format!("{host} does not speak HTTP")))?;
    match head.split(' ').nth(1) {
        Some("200") => Ok(body.to_owned()),
        _ => Err(Error::run(format!("{host} refuses: {} {}", head.lines().next().unwrap_or_default(), body.trim()))),
    }
}

/// The glance in words.
fn text(glance: &Glance) -> String {
    let mut out = String::new();
    let store = &glance.store;
    let number = |value: &Value, key: &str| value.get(key).and_then(Value::as_u64).unwrap_or(0);
    let _ = writeln!(out, "Lamppost {}, up since {}", glance.version, glance.started);
    let _ = writeln!(
        out,
        "log: position {}, {} in {} segments; {} free on disk",
        console::count(number(store, "position")),
        console::bytes(number(store, "log_bytes")),
        number(store, "log_segments"),
        console::bytes(number(store, "free_bytes")),
    );
    for problem in glance.unready.iter() {
        let _ = writeln!(out, "not ready: {problem}");
    }
    for recovered in store.get("recovered").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
        let _ = writeln!(out, "recovered at start: {recovered}");
    }
    for dataset in store.get("datasets").and_then(Value::as_array).into_iter().flatten() {
        let n = |key: &str| console::count(number(dataset, key));
        let _ = writeln!(
            out,
            "\n{}: {} sensors, {} rows filed in {} files ({}), {} hot, {} late in {} files; {} rows taken since start",
            dataset.get("id").and_then(Value::as_str).unwrap_or("?"),
            n("sensors"),
            n("file_rows"),
            n("files"),
            console::bytes(number(dataset, "file_bytes")),
            n("hot_rows"),
            n("late_rows"),
            n("late_files"),
            n("rows"),
        );
        if let Some(trouble) = dataset.get("trouble").and_then(Value::as_str) {
            let _ = writeln!(out, "  trouble: {trouble}");
        }
    }
    people(glance, &mut out);
    out
}

/// Doors, rejects and silent sensors.
fn people(glance: &Glance, out: &mut String) {
    if !glance.doors.is_empty() {
        let _ = writeln!(out, "\ndoors:");
    }
    for door in &glance.doors {
        let (messages, acked) = (console::count(door.messages), console::count(door.acked));
        let (name, address, connections) = (&door.name, &door.address, door.connections);
        let _ =
            writeln!(out, "  {name} {address}: {messages} messages, {acked} acknowledged, {connections} connections");
    }
    if !glance.rejects.is_empty() {
        let _ = writeln!(out, "\nrejects:");
    }
    for rejected in &glance.rejects {
        let what = [rejected.source.as_str(), rejected.field.as_str()].join(" ");
        let _ = writeln!(out, "  {} {}, last {}", console::count(rejected.count), rejected.reason, rejected.last_seen);
        let _ = writeln!(out, "    {}: {} ({})", rejected.topic, rejected.detail, what.trim());
        let _ = writeln!(out, "    {}", one_line(&rejected.payload));
    }
    for silent in &glance.silent {
        let more = if silent.count > silent.sensors.len() { ", …" } else { "" };
        let _ =
            writeln!(out, "\n{}: {} silent sensors: {}{more}", silent.dataset, silent.count, silent.sensors.join(", "));
    }
}

/// A text without what would upset a terminal.
fn one_line(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}
