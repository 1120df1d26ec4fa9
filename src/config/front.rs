//! Where doors listen and who gets in: the sections `http` and `mqtt`, and the proxies in front.

use super::Config;
use super::document::Table;
use access::forwarded::Header;
use access::loopback::{self, Guard};
use access::tls::{Files, Speaks};
use access::{Front, Keyring, Proxies, Tls};
use jiff::Timestamp;
use schemas::Time;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

/// Reads all that is about doors.
pub(super) fn read(root: &Table<'_>, folder: &Path, config: &mut Config, insecure: bool) {
    let header = root.choice("forwarding_header", &Header::ALL).unwrap_or_default();
    let proxies = Arc::new(Proxies { networks: root.networks("trusted_proxies"), header });
    let proxied = !proxies.networks.is_empty();
    config.http_open = insecure;
    let guard = Guard { keys: has_key(root, config), tls: false, proxies: None, insecure };
    if let Some(http) = root.table("http") {
        front(&http, "http", Speaks::Http, folder, &mut config.http_front);
        let guard = Guard { proxies: Some(proxied), ..guard };
        if let Some(address) = listen(&http, "http", guard, &mut config.http_front) {
            config.http = address;
        }
        config.http_keyed = !insecure && !config.http.ip().to_canonical().is_loopback();
        limits(&http, &mut config.limits);
        http.close();
    }
    config.http_front.proxies = proxies;
    if let Some(mqtt) = root.table("mqtt") {
        front(&mqtt, "mqtt", Speaks::Mqtt, folder, &mut config.mqtt_front);
        config.mqtt = listen(&mqtt, "mqtt", guard, &mut config.mqtt_front);
        config.mqtt_keyed = !insecure && config.mqtt.is_some_and(|address| !address.ip().to_canonical().is_loopback());
        let listener = &mut config.listener;
        let in_flight = mqtt.count("in_flight").and_then(|n| u16::try_from(n).ok());
        listener.in_flight = in_flight.unwrap_or(listener.in_flight);
        listener.patience = mqtt.age("patience").unwrap_or(listener.patience);
        mqtt.close();
    }
    if let Some(graphite) = root.table("graphite") {
        config.graphite = plaintext(&graphite, insecure);
        let front = &mut config.graphite_front;
        front.connections = graphite.count("connections").unwrap_or(front.connections);
        front.per_address = graphite.count("connections_per_address").unwrap_or(front.per_address);
        graphite.close();
    }
}

/// The address of the door for Graphite's plaintext. Nobody can show a key there, so others get in only on the operator's word.
fn plaintext(door: &Table<'_>, insecure: bool) -> Option<SocketAddr> {
    let address = door.address("listen")?;
    if !insecure && !address.ip().to_canonical().is_loopback() {
        let wrong = format!(
            "graphite.listen = \"{address}\" is reachable from other machines, and Graphite's plaintext has no keys"
        );
        let port = address.port();
        let remedy = format!(
            "set graphite.listen = \"127.0.0.1:{port}\" and send from this machine; or start with --insecure if the network itself is trusted"
        );
        door.fault("listen", wrong, remedy);
    }
    Some(address)
}

/// Whether a key is there that can be used.
fn has_key(root: &Table<'_>, config: &Config) -> bool {
    let Time(now) = crate::app::clock()();
    let now = Timestamp::from_microsecond(now).unwrap_or(Timestamp::MAX);
    let ring = Keyring::read(&config.keys).unwrap_or_else(|wrong| {
        let wrong = format!("`keys` {}: {wrong}", config.keys.display());
        root.fault("keys", wrong, "mend the file; `lamppost key` writes it");
        Keyring::default()
    });
    ring.usable(now)
}

/// How many may come in, and the certificate they are shown.
fn front(door: &Table<'_>, section: &str, speaks: Speaks, folder: &Path, front: &mut Front) {
    front.connections = door.count("connections").unwrap_or(front.connections);
    front.per_address = door.count("connections_per_address").unwrap_or(front.per_address);
    front.handshake = door.age("handshake").unwrap_or(front.handshake);
    let Some(tls) = door.table("tls") else { return };
    let (certificate, key) = (tls.path("certificate"), tls.path("key"));
    let files = certificate
        .zip(key)
        .map(|(certificate, key)| Files { certificate: folder.join(certificate), key: folder.join(key) });
    let example = format!("{section}.tls = {{ certificate = \"cert.pem\", key = \"key.pem\" }}");
    match files.map(|files| Tls::open(files, speaks)) {
        Some(Ok(opened)) => front.tls = Some(opened),
        Some(Err(wrong)) => {
            tls.fault("certificate", format!("`{section}.tls`: {wrong}"), "name PEM files that fit together")
        }
        None => tls.fault(
            "certificate",
            format!("`{section}.tls` does not name both its files"),
            format!("write {example}"),
        ),
    }
    tls.close();
}

/// The address a door listens on, if those who can reach it are to be let in so.
fn listen(door: &Table<'_>, section: &str, guard: Guard, front: &mut Front) -> Option<SocketAddr> {
    let address = door.address("listen")?;
    match loopback::check(section, address, Guard { tls: front.tls.is_some(), ..guard }) {
        Ok(admitted) => front.admitted = admitted,
        Err(open) => door.fault("listen", open.wrong, open.remedy),
    }
    Some(address)
}

/// The bounds of requests.
fn limits(http: &Table<'_>, limits: &mut access::Limits) {
    for (key, time) in [
        ("idle", &mut limits.idle),
        ("head", &mut limits.head),
        ("pause", &mut limits.pause),
        ("body", &mut limits.body),
        ("request", &mut limits.request),
        ("stall", &mut limits.stall),
        ("drain", &mut limits.drain),
    ] {
        *time = http.age(key).unwrap_or(*time);
    }
    for (key, bytes) in [("head_bytes", &mut limits.head_bytes), ("body_bytes", &mut limits.body_bytes)] {
        *bytes = http.size(key).and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(*bytes);
    }
}
