//! The MQTT door with keys: who may publish, what, and for how long.

use super::place::{Place, folder};
use crate::cli::program::{CONTRACT, PATIENCE, wait};
use access::{Keyring, Scope};
use jiff::Timestamp;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// Adds a key of these scopes; gives its text.
fn add(file: &Path, scopes: &[&str]) -> String {
    let scopes: Vec<Scope> = scopes.iter().map(|scope| scope.parse().unwrap()).collect();
    let made = Keyring::change(file, |ring| ring.add("device", scopes, Timestamp::now(), None));
    made.unwrap().reveal().to_owned()
}

/// Publishes with QoS 1: exit code of mosquitto_pub and what it complained of.
fn publish(place: &Place, version: &str, topic: &str, login: &[&str]) -> (bool, String) {
    let port = place.mqtt.rsplit(':').next().unwrap();
    let at = Timestamp::now().as_second();
    let mut command = Command::new("mosquitto_pub");
    command.args(["-h", "127.0.0.1", "-p", port, "-q", "1", "-V", version, "-t", topic]);
    command.args(["-m", &format!(r#"{{"id":"s1","at":{at},"n":1}}"#)]).args(login);
    let output = command.stdin(Stdio::null()).output().expect("mosquitto_pub: apt-get install mosquitto-clients");
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn a_key_decides_who_may_publish_what_and_for_how_long() {
    let folder = folder("keys = \"keys.toml\"");
    let other = CONTRACT.replace("\"things\"", "\"others\"").replace("things/+", "others/+");
    fs::write(folder.path().join("c/others.toml"), other).unwrap();
    let file = folder.path().join("keys.toml");
    let all = add(&file, &["write"]);
    let (some, reads) = (add(&file, &["write:things"]), add(&file, &["read"]));
    let place = Place::within(folder);
    for version in ["mqttv311", "mqttv5"] {
        let publish = |topic: &str, login: &[&str]| publish(&place, version, topic, login);
        assert!(publish("things/a", &["-u", "anything", "-P", &all]).0);
        assert!(publish("others/a", &["-u", &all]).0, "a device with one field");
        assert!(publish("things/a", &["-u", "x", "-P", &some]).0);
        for login in
            [&[][..], &["-u", "x", "-P", "lp_aaaaaaaa_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"], &["-u", "x", "-P", &reads]]
        {
            let (good, said) = publish("things/a", login);
            let said = said.to_lowercase();
            assert!(!good && (said.contains("not authori") || said.contains("bad user name")), "{said}");
        }
    }
    // Outside its scope: MQTT 5 can say so in the PUBACK, 3.1.1 ends the connection.
    let before = place.metric("lamppost_ingest_forbidden_total{door=\"listener\"}");
    assert_eq!(refused(&place, &some, true), [0x40, 3, 0, 9, 0x87]);
    assert_eq!(refused(&place, &some, false), [0; 0]);
    assert_eq!(place.metric("lamppost_ingest_forbidden_total{door=\"listener\"}") - before, 2.0);
    let (_, body) = crate::cli::program::get(&place.http, "/api/v1/datasets/others/latest");
    assert!(!body.contains("\"s9\""), "{body}");
    // A revoked key's connections end within a few seconds.
    let mut open = connect(&place, &some, false);
    let id = some.split('_').nth(1).unwrap();
    Keyring::change(&file_of(&place), |ring| ring.revoke(id, Timestamp::now())).unwrap();
    open.set_read_timeout(Some(PATIENCE)).unwrap();
    assert_eq!(std::io::Read::read(&mut open, &mut [0; 8]).unwrap(), 0, "closed");
    wait(PATIENCE, || (!publish(&place, "mqttv5", "things/a", &["-u", "x", "-P", &some]).0).then_some(()));
}

fn file_of(place: &Place) -> std::path::PathBuf {
    place.folder.path().join("keys.toml")
}

/// A connection that was welcomed, with a key as its user name.
fn connect(place: &Place, key: &str, v5: bool) -> std::net::TcpStream {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(&place.mqtt).unwrap();
    let mut body = b"\0\x04MQTT".to_vec();
    body.extend([if v5 { 5 } else { 4 }, 0x82, 0, 0]);
    body.extend(v5.then_some(0));
    for text in [if v5 { "five" } else { "four" }, key] {
        body.extend((text.len() as u16).to_be_bytes());
        body.extend(text.as_bytes());
    }
    stream.write_all(&[&[0x10, body.len() as u8], &body[..]].concat()).unwrap();
    let mut head = [0; 2];
    stream.read_exact(&mut head).unwrap();
    let mut rest = vec![0; usize::from(head[1])];
    stream.read_exact(&mut rest).unwrap();
    assert_eq!((head[0], rest[1]), (0x20, 0), "welcome");
    stream
}

/// What comes back for a message outside the key's scope; nothing if the connection is closed.
fn refused(place: &Place, key: &str, v5: bool) -> Vec<u8> {
    use std::io::{Read, Write};
    let mut stream = connect(place, key, v5);
    let mut body = b"\0\x08others/x\0\x09".to_vec();
    body.extend(v5.then_some(0));
    body.extend(format!(r#"{{"id":"s9","at":{},"n":1}}"#, Timestamp::now().as_second()).as_bytes());
    stream.write_all(&[&[0x32, body.len() as u8], &body[..]].concat()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut answer = vec![0; 5];
    let count = stream.read(&mut answer).unwrap();
    answer.truncate(count);
    answer
}
