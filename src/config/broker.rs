//! A broker to subscribe at: one `[[broker]]` section.

use super::Secret;
use super::document::Table;
use std::path::{Path, PathBuf};

/// MQTT version spoken with a broker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Version {
    /// MQTT 3.1.1.
    #[default]
    V4,
    /// MQTT 5.
    V5,
}

/// How to reach a broker. Topics come from the contracts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broker {
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Whether the connection is encrypted (`mqtts://`).
    pub tls: bool,
    /// MQTT version.
    pub version: Version,
    /// Names the persistent session at the broker.
    pub client_id: String,
    /// User and password.
    pub login: Option<(String, Secret)>,
    /// Certificate authorities to trust instead of the system's (PEM file).
    pub ca: Option<PathBuf>,
    /// Client certificate and its key (PEM files).
    pub certificate: Option<(PathBuf, PathBuf)>,
    /// Shared group: several Lampposts take turns.
    pub group: Option<String>,
}

/// All `[[broker]]` sections.
pub(super) fn read_all(root: &Table<'_>, folder: &Path) -> Vec<Broker> {
    let mut brokers: Vec<Broker> = Vec::new();
    for table in root.tables("broker") {
        let broker = read(&table, folder);
        if let Some(broker) = &broker
            && brokers.iter().any(|b| (&b.host, b.port, &b.client_id) == (&broker.host, broker.port, &broker.client_id))
        {
            table.fault("client_id", "two [[broker]] sections share url and client_id", "give each its own client_id");
        }
        table.close();
        brokers.extend(broker);
    }
    brokers
}

fn read(table: &Table<'_>, folder: &Path) -> Option<Broker> {
    let version = table.choice("version", &[("3.1.1", Version::V4), ("5", Version::V5)]).unwrap_or_default();
    let client_id = table.text("client_id");
    let login = login(table, folder);
    let file = |key| table.path(key).map(|path| folder.join(path));
    let ca = file("ca_file");
    let (cert, key) = (file("cert_file"), file("key_file"));
    if cert.is_some() != key.is_some() {
        table.fault("cert_file", "a client certificate needs both its files", "set cert_file and key_file, or neither");
    }
    let group = table.text("group");
    if group.as_ref().is_some_and(|group| group.contains(['/', '+', '#'])) {
        table.fault("group", "`broker.group` has a `/`, `+` or `#`", "name the shared group with letters and digits");
    }
    if client_id.is_none() {
        table.fault(
            "client_id",
            "`broker.client_id` is missing",
            "set it: the broker keeps the session under this name",
        );
    }
    let Some(url) = table.text("url") else {
        table.fault("url", "`broker.url` is missing", "set it, such as \"mqtts://broker:8883\"");
        return None;
    };
    let Some((tls, host, port)) = parse_url(&url) else {
        table.fault("url", format!("`broker.url` cannot be {url:?}"), "write mqtt://host:port or mqtts://host:port");
        return None;
    };
    let client_id = client_id?;
    Some(Broker { host, port, tls, version, client_id, login, ca, certificate: cert.zip(key), group })
}

/// User and password; the password stands in a file, so that the config can be shown around.
fn login(table: &Table<'_>, folder: &Path) -> Option<(String, Secret)> {
    let user = table.text("user");
    let file = table.path("password_file").map(|path| folder.join(path));
    if file.is_some() && user.is_none() {
        table.fault("password_file", "`broker.password_file` stands without `broker.user`", "set `user` beside it");
    }
    let user = user?;
    let Some(file) = file else { return Some((user, Secret::new(""))) };
    match std::fs::read_to_string(&file) {
        Ok(password) => Some((user, Secret::new(password.trim_end_matches(['\r', '\n'])))),
        Err(e) => {
            let wrong = format!("`broker.password_file` {} cannot be read: {e}", file.display());
            table.fault("password_file", wrong, "name a file with the password on its first line");
            None
        }
    }
}

/// TLS or not, host and port of `mqtt://host:port` or `mqtts://host:port`; the ports default to 1883 and 8883 (IANA).
pub fn parse_url(url: &str) -> Option<(bool, String, u16)> {
    let (tls, rest) = match url.split_once("://")? {
        ("mqtt" | "tcp", rest) => (false, rest),
        ("mqtts" | "ssl", rest) => (true, rest),
        _ => return None,
    };
    let rest = rest.trim_end_matches('/');
    let colon = rest.rfind(':').filter(|&at| !rest[at..].contains(']'));
    let (host, port) = match colon {
        Some(at) => (&rest[..at], rest[at + 1..].parse().ok()?),
        None => (rest, if tls { 8883 } else { 1883 }),
    };
    let plain = !host.is_empty() && !host.contains(['/', '?', '@', ' ']);
    plain.then(|| (tls, host.to_owned(), port))
}
