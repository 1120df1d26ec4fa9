//! A broker to subscribe at: one `[[broker]]` section. Topics come from the contracts.

use super::document::Table;
use ingest::doors::broker::{Config as Broker, Version};
use std::path::Path;
use url::Url;

/// All `[[broker]]` sections.
pub(super) fn read_all(root: &Table<'_>, folder: &Path) -> Vec<Broker> {
    let mut brokers: Vec<Broker> = Vec::new();
    for table in root.tables("broker") {
        let broker = read(&table, folder);
        if let Some(broker) = &broker
            && brokers.iter().any(|b| (&b.url, &b.client_id) == (&broker.url, &broker.client_id))
        {
            table.fault("client_id", "two [[broker]] sections share url and client_id", "give each its own client_id");
        }
        table.close();
        brokers.extend(broker);
    }
    brokers
}

/// One section. All keys are looked at before any that is missing ends it, so that all faults come at once.
fn read(table: &Table<'_>, folder: &Path) -> Option<Broker> {
    let version = table.choice("version", &[("3.1.1", Version::V311), ("5", Version::V5)]);
    let login = login(table, folder);
    let ca = file(table, folder, "ca_file");
    let (certificate, key) = (file(table, folder, "cert_file"), file(table, folder, "key_file"));
    if certificate.is_some() != key.is_some() {
        table.fault("cert_file", "a client certificate needs both its files", "set cert_file and key_file, or neither");
    }
    let share = table.text("group");
    if share.as_ref().is_some_and(|group| group.contains(['/', '+', '#'])) {
        table.fault("group", "`broker.group` has a `/`, `+` or `#`", "name the shared group with letters and digits");
    }
    let in_flight = table.count("in_flight").map(|n| u16::try_from(n).unwrap_or(u16::MAX));
    let client_id = table.text("client_id");
    if client_id.is_none() {
        table.fault(
            "client_id",
            "`broker.client_id` is missing",
            "set it: the broker keeps the session under this name",
        );
    }
    let url = url(table);
    let mut broker = Broker::new(url?, client_id?);
    broker.version = version.unwrap_or(broker.version);
    broker.in_flight = in_flight.unwrap_or(broker.in_flight);
    (broker.login, broker.ca, broker.identity, broker.share) = (login, ca, certificate.zip(key), share);
    Some(broker)
}

fn url(table: &Table<'_>) -> Option<Url> {
    let Some(text) = table.text("url") else {
        table.fault("url", "`broker.url` is missing", "set it, such as \"mqtts://broker:8883\"");
        return None;
    };
    let url = parse_url(&text);
    if url.is_none() {
        table.fault("url", format!("`broker.url` cannot be {text:?}"), "write mqtt://host:port or mqtts://host:port");
    }
    url
}

/// User and password; the password stands in a file, so that the config can be shown around.
fn login(table: &Table<'_>, folder: &Path) -> Option<(String, String)> {
    let user = table.text("user");
    let password = file(table, folder, "password_file");
    if password.is_some() && user.is_none() {
        table.fault("password_file", "`broker.password_file` stands without `broker.user`", "set `user` beside it");
    }
    let password = String::from_utf8_lossy(&password.unwrap_or_default()).trim_end_matches(['\r', '\n']).to_owned();
    user.map(|user| (user, password))
}

/// The content of a file a key names.
fn file(table: &Table<'_>, folder: &Path, key: &'static str) -> Option<Vec<u8>> {
    let path = folder.join(table.path(key)?);
    let read = std::fs::read(&path);
    if let Err(e) = &read {
        table.fault(
            key,
            format!("`broker.{key}` {} cannot be read: {e}", path.display()),
            "name a file that can be read",
        );
    }
    read.ok()
}

/// A broker's address: `mqtt://host:port` or `mqtts://host:port`, nothing else in it.
pub fn parse_url(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let scheme = matches!(url.scheme(), "mqtt" | "mqtts");
    let host = url.host_str().is_some_and(|host| !host.is_empty());
    let bare = matches!(url.path(), "" | "/") && url.username().is_empty() && url.query().is_none();
    (scheme && host && bare).then_some(url)
}
