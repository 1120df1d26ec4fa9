//! TLS with clients that others wrote: curl, mosquitto_pub, rumqttc; and our broker door against a Mosquitto with TLS.

use super::crowd::Crowd;
use super::place::{Place, configure, folder};
use crate::cli::program::{PATIENCE, wait};
use crate::mosquitto::Mosquitto;
use crate::server::pause;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Both doors with TLS.
const SECRET: &str = "http.tls = { certificate = \"cert.pem\", key = \"key.pem\" }\n\
                      mqtt.tls = { certificate = \"cert.pem\", key = \"key.pem\" }\n";

/// A new authority `NAME.pem` and a certificate of it for `localhost` with its key.
fn certify(folder: &Path, authority: &str) {
    let mut asked = CertificateParams::new(Vec::new()).unwrap();
    asked.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    asked.distinguished_name.push(rcgen::DnType::CommonName, authority);
    let issuer = CertifiedIssuer::self_signed(asked, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    fs::write(folder.join(format!("{authority}.pem")), issuer.pem()).unwrap();
    fs::write(folder.join("cert.pem"), leaf.pem()).unwrap();
    fs::write(folder.join("key.pem"), key.serialize_pem()).unwrap();
}

/// What curl gets from `/health` when it trusts an authority; nothing if it does not like the certificate.
fn curl(place: &Place, authority: &str, more: &[&str]) -> Option<String> {
    let port = place.http.rsplit(':').next().unwrap();
    let mut command = Command::new("curl");
    command
        .args(["--silent", "--max-time", "10", "--cacert"])
        .arg(place.folder.path().join(format!("{authority}.pem")));
    let output = command.args(more).arg(format!("https://localhost:{port}/health")).output().expect("curl");
    output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
}

/// Whether mosquitto_pub could publish with QoS 1 and was acknowledged.
fn mosquitto_pub(port: &str, authority: &Path, topic: &str, n: u32, more: &[&str]) -> bool {
    let at = jiff::Timestamp::now().as_second();
    let mut command = Command::new("mosquitto_pub");
    command.args(["-h", "localhost", "-p", port, "-q", "1", "-t", topic, "--cafile"]).arg(authority);
    command.args(["-m", &format!(r#"{{"id":"s1","at":{at},"n":{n}}}"#)]).args(more);
    command.stderr(Stdio::null()).status().expect("mosquitto_pub: apt-get install mosquitto-clients").success()
}

#[test]
fn both_doors_speak_tls_and_take_a_new_certificate_without_a_restart() {
    let folder = folder(SECRET);
    certify(folder.path(), "first");
    let place = Place::within(folder);
    let folder = place.folder.path();
    assert!(curl(&place, "first", &[]).unwrap().contains("pass"));
    assert!(curl(&place, "first", &["--tlsv1.2", "--tls-max", "1.2"]).is_some());
    assert!(curl(&place, "first", &["--tls-max", "1.1"]).is_none(), "too old");
    let port = place.mqtt.rsplit(':').next().unwrap();
    assert!(mosquitto_pub(port, &folder.join("first.pem"), "things/s1", 1, &[]));
    certify(folder, "second");
    wait(PATIENCE, || curl(&place, "second", &[]));
    assert!(curl(&place, "first", &[]).is_none());
    wait(PATIENCE, || mosquitto_pub(port, &folder.join("second.pem"), "things/s1", 2, &[]).then_some(()));
    // Rubbish is not taken over.
    fs::write(folder.join("cert.pem"), "rubbish").unwrap();
    pause(Duration::from_secs(5));
    assert!(curl(&place, "second", &[]).is_some());
    assert!(rumqttc(port, &fs::read(folder.join("second.pem")).unwrap()));
    // The operator's own tools on this machine need no TLS.
    let mut status = Command::new(env!("CARGO_BIN_EXE_lamppost"));
    status.args(["status", "--probe", "ready", "--url"]);
    assert!(status.arg(format!("http://{}", place.http)).status().unwrap().success());
}

/// Whether rumqttc could publish and was acknowledged.
fn rumqttc(port: &str, authority: &[u8]) -> bool {
    use rumqttc::{Client, Event, MqttOptions, Packet, QoS, Transport};
    access::tls::choose_library();
    let mut options = MqttOptions::new("rumqttc", "localhost", port.parse().unwrap());
    options.set_transport(Transport::tls(authority.to_vec(), None, None));
    let (client, mut connection) = Client::new(options, 10);
    client.publish("things/s1", QoS::AtLeastOnce, false, r#"{"id":"s1","at":1790000000,"n":3}"#).unwrap();
    let mut events = connection.iter().take(20);
    events.any(|event| matches!(event, Ok(Event::Incoming(Packet::PubAck(_)))))
}

#[test]
fn half_open_handshakes_and_garbage_do_not_keep_others_out() {
    super::raise();
    let folder = folder(&format!("{SECRET}http.connections = 500\nmqtt.connections = 500\nhttp.handshake = \"3s\"\n"));
    certify(folder.path(), "first");
    let place = Place::within(folder);
    let port = place.mqtt.rsplit(':').next().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    // The first bytes of a ClientHello, then nothing; or bytes that are none.
    let open = |to: &str, first: &[u8]| {
        runtime.block_on(async {
            let mut crowds = Vec::new();
            for last in 80..84 {
                crowds.push(Crowd::new(to, last, 250, first).await);
            }
            crowds
        })
    };
    let crowds = [open(&place.http, b"\x16\x03\x01\x02\0\x01"), open(&place.mqtt, b"\x16\x03\x01\x02\0\x01")];
    for _ in 0..10 {
        assert!(curl(&place, "first", &[]).is_some());
        assert!(mosquitto_pub(port, &place.folder.path().join("first.pem"), "things/s1", 1, &[]));
    }
    drop(crowds);
    drop(open(&place.http, b"\x16\x03\x01\0\x05hello"));
    assert!(curl(&place, "first", &[]).is_some());
}

#[test]
fn faulty_files_stop_the_start_with_their_name() {
    let folder = folder(SECRET);
    certify(folder.path(), "first");
    certify(&folder.path().join("c"), "second");
    fs::rename(folder.path().join("c/key.pem"), folder.path().join("key.pem")).unwrap();
    for file in ["c/cert.pem", "c/second.pem"] {
        fs::remove_file(folder.path().join(file)).unwrap();
    }
    let config = folder.path().join("lamppost.toml");
    for command in ["check", "serve"] {
        let ended = crate::cli::program::lamppost([command, "--config", config.to_str().unwrap()]);
        assert_eq!(ended.code, Some(78), "{ended:?}");
        assert!(ended.err.contains("key.pem is not the key of the first certificate of"), "{ended:?}");
    }
}

#[test]
fn the_broker_door_subscribes_at_a_mosquitto_with_tls() {
    let folder = folder("");
    certify(folder.path(), "first");
    let broker = Mosquitto::start_secret(folder.path());
    let port = broker.port;
    for version in ["5", "3.1.1"] {
        let section = format!(
            "[[broker]]\nurl = \"mqtts://localhost:{port}\"\nclient_id = \"l{version}\"\nversion = \"{version}\"\nca_file = \"first.pem\"\n"
        );
        let config = folder.path().join("lamppost.toml");
        configure(folder.path(), "");
        let doors = fs::read_to_string(&config).unwrap();
        fs::write(&config, format!("data = \"d{version}\"\nlog = \"l{version}\"\n{doors}{section}")).unwrap();
        let mut server = crate::cli::program::Server::start(["serve", "--config", config.to_str().unwrap()]);
        let http = server.http();
        wait(PATIENCE, || {
            assert!(mosquitto_pub(&port.to_string(), &folder.path().join("first.pem"), "things/s1", 7, &[]));
            let (code, body) = crate::cli::program::get(&http, "/api/v1/datasets/things/latest");
            (code == 200 && body.contains("\"s1\"")).then_some(())
        });
        assert_eq!(server.stop().code, Some(0));
    }
}
