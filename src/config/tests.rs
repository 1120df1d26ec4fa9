//! Configs, right and wrong.

use super::*;
use std::time::Duration;

fn parse(text: &str) -> Result<Config, Vec<String>> {
    let parsed = Config::parse(Path::new("dir/lamppost.toml"), text, false);
    parsed.map_err(|Faults(faults)| faults.iter().map(|f| f.to_string()).collect())
}

#[test]
fn an_empty_config_is_the_defaults_beside_it() {
    let config = parse("").unwrap();
    assert_eq!(config.store.log, Path::new("dir/log"));
    assert_eq!(config.store.data, Path::new("dir/data"));
    assert_eq!(config.http.to_string(), "127.0.0.1:8080");
    assert!(config.mqtt.is_none() && config.brokers.is_empty());
}

#[test]
fn dotted_keys_and_tables_mean_the_same() {
    let dotted = parse("http.listen = \"[::1]:80\"\nhot.bytes = \"8MiB\"\nflush.age = \"5s\"").unwrap();
    let tables = parse("[http]\nlisten = \"[::1]:80\"\n[hot]\nbytes = \"8MiB\"\n[flush]\nage = \"5s\"").unwrap();
    for config in [dotted, tables] {
        assert_eq!(config.http.to_string(), "[::1]:80");
        assert_eq!(config.store.hot_bytes, 8 << 20);
        assert_eq!(config.store.flush_age, Duration::from_secs(5));
    }
}

#[test]
fn what_is_written_over_http_has_its_bounds() {
    let text = "[write]\nbytes = \"2MiB\"\nmemory = \"8MiB\"\nseries = \"1MiB\"\nreaders = 2\nnames = 7\nrefused = 9\npatience = \"3s\"";
    let config = parse(text).unwrap();
    let expect = ingest::doors::http::Config {
        body_bytes: 2 << 20,
        memory_bytes: 8 << 20,
        readers: 2,
        series_bytes: 1 << 20,
        max_names: 7,
        max_refused: 9,
        patience: Duration::from_secs(3),
    };
    assert_eq!(config.write, expect);
    assert!(!config.http_keyed && !config.http_open, "programs on this machine may write");
    let text = "http.listen = \"0.0.0.0:80\"";
    let open = Config::parse(Path::new("dir/lamppost.toml"), text, true).unwrap();
    assert!(open.http_open && !open.http_keyed, "--insecure");
}

#[test]
fn brokers() {
    let config =
        parse("[[broker]]\nurl = \"mqtts://b.example\"\nclient_id = \"l1\"\nuser = \"u\"\nversion = \"3.1.1\"")
            .unwrap();
    let broker = &config.brokers[0];
    assert_eq!((broker.url.host_str(), broker.url.scheme()), (Some("b.example"), "mqtts"));
    assert_eq!(broker.version, ingest::doors::broker::Version::V311);
    assert_eq!(broker.login, Some(("u".to_owned(), String::new())));
    assert!(!format!("{:?}", Secret::new("hush")).contains("hush"));
}

#[test]
fn broker_urls() {
    for url in ["mqtt://host", "mqtt://host:1/", "mqtts://[::1]:9"] {
        assert!(broker_url(url).is_some(), "{url}");
    }
    for url in ["http://host", "host:1883", "mqtt://", "mqtt://host:x", "mqtt://user@host", "mqtt://host/topic"] {
        assert!(broker_url(url).is_none(), "{url}");
    }
}

#[test]
fn all_faults_come_at_once_with_their_lines() {
    let text = "datta = \"x\"\nhttp.listen = \"here\"\nhot.bytes = 64\nflush.age = \"soon\"\nmqtt.listen = \"0.0.0.0:1883\"\n\
                mqtt.port = 1\n[[broker]]\nurl = \"http://x\"\nclient_id = \"a\"\npassword_file = \"/nonexistent\"\n";
    let faults = parse(text).unwrap_err();
    for (line, what) in [
        (1, "unknown key `datta`"),
        (2, "`http.listen` cannot be \"here\""),
        (3, "`hot.bytes` cannot be 64"),
        (4, "`flush.age` cannot be \"soon\""),
        (5, "neither keys nor TLS"),
        (6, "unknown key `mqtt.port`"),
        (8, "`broker.url` cannot be"),
        (10, "`broker.password_file` /nonexistent cannot be read"),
    ] {
        let start = format!("dir/lamppost.toml:{line}: ");
        assert!(faults.iter().any(|f| f.starts_with(&start) && f.contains(what)), "{line} {what}\n{faults:#?}");
    }
    assert_eq!(faults.len(), 8, "{faults:#?}");
}

#[test]
fn an_open_door_needs_more_than_an_address() {
    let open = "http.listen = \"0.0.0.0:8080\"\n";
    let faults = parse(open).unwrap_err();
    assert!(
        faults[0].contains("http.listen = \"0.0.0.0:8080\"") && faults[0].contains("trusted_proxies = ["),
        "{faults:#?}"
    );
    let config = parse(&format!("trusted_proxies = [\"10.0.0.0/8\", \"::1\"]\n{open}")).unwrap();
    assert_eq!(config.http_front.admitted, access::loopback::Admitted::Proxies);
    assert_eq!(config.http_front.proxies.networks.len(), 2);
    assert_eq!(config.http_front.proxies.header, access::forwarded::Header::XForwardedFor);
    let faults =
        parse(&format!("trusted_proxies = [\"10.0.0.1/8\"]\nforwarding_header = \"via\"\n{open}")).unwrap_err();
    assert!(faults[0].contains(":1: ") && faults[0].contains("write 10.0.0.0/8"), "{faults:#?}");
    assert!(faults[1].contains(":2: ") && faults[1].contains("x-forwarded-for"), "{faults:#?}");
    // Keys without TLS are not enough, and both together are.
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys.toml");
    let add = |ring: &mut access::Keyring| ring.add("x", Vec::new(), jiff::Timestamp::now(), None);
    access::Keyring::change(&keys, add).unwrap();
    let faults = parse(&format!("keys = {keys:?}\n{open}")).unwrap_err();
    assert!(faults[0].contains("there is no TLS") && !faults[0].contains("key add"), "{faults:#?}");
    std::fs::write(&keys, "key = 1").unwrap();
    assert!(parse(&format!("keys = {keys:?}")).unwrap_err()[0].contains("keys.toml: "));
    // Graphite's plaintext has no keys.
    let faults = parse("graphite.listen = \"0.0.0.0:2003\"\n").unwrap_err();
    assert!(faults[0].contains("no keys") && faults[0].contains("127.0.0.1:2003"), "{faults:#?}");
    assert!(parse("graphite.listen = \"127.0.0.1:2003\"\n").is_ok());
    // Proxies speak HTTP: they are no way out for the MQTT door.
    assert!(parse("trusted_proxies = [\"10.0.0.0/8\"]\nmqtt.listen = \"0.0.0.0:1883\"\n").is_err());
}

#[test]
fn certificates_are_read_with_the_config() {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    std::fs::write(folder.path().join("cert.pem"), made.cert.pem()).unwrap();
    std::fs::write(folder.path().join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    let parse = |tls: &str| {
        let text = format!("http.tls = {tls}\nhttp.pause = \"3s\"\nmqtt.connections_per_address = 7\n");
        Config::parse(&folder.path().join("lamppost.toml"), &text, false)
            .map_err(|Faults(faults)| faults[0].to_string())
    };
    let config = parse(r#"{ certificate = "cert.pem", key = "key.pem" }"#).unwrap();
    assert!(config.http_front.tls.is_some() && config.mqtt_front.tls.is_none());
    assert_eq!((config.limits.pause, config.mqtt_front.per_address), (Duration::from_secs(3), 7));
    for (tls, told) in [
        (r#"{ certificate = "cert.pem" }"#, "does not name both its files"),
        (r#"{ certificate = "none.pem", key = "key.pem" }"#, "none.pem cannot be read"),
        (r#"{ certificate = "key.pem", key = "key.pem" }"#, "key.pem has no certificate"),
        (r#"{ certificate = "cert.pem", key = "key.pem", ca = "x" }"#, "unknown key `http.tls.ca`"),
    ] {
        let said = parse(tls).unwrap_err();
        assert!(said.contains(told) && said.contains("lamppost.toml:1: "), "{said}");
    }
}

#[test]
fn broken_syntax_is_a_fault_with_its_line() {
    let faults = parse("data = \"./data\"\nlog = \n").unwrap_err();
    assert!(faults[0].starts_with("dir/lamppost.toml:2: not TOML"), "{faults:#?}");
}
