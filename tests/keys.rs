//! Keys with the real binary: made on the command line, shown over HTTP, taken back while the server runs.

use crate::server::{Server, pause};
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

const CONFIG: &str = "contracts = \"contracts\"\nhttp.listen = \"127.0.0.1:0\"\nbudget.anonymous = 20\n";
const CONTRACT: &str = r#"
id = "cameras"
title = "Cameras"
license = "CC0-1.0"
publisher = "A test"
access = "restricted"
zone = "Europe/Prague"
every = "1m"

[[field]]
name = "seen"
unit = "1"
kind = "count"
resolution = 1
range = [0, 1000]

[[source]]
mqtt = "cameras/+"
sensor = "{topic.1}"
time = { path = "/ts", format = "rfc3339" }
map = { seen = "/seen" }
"#;

/// A folder with a config and one restricted dataset.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("contracts")).expect("a folder");
    std::fs::write(folder.path().join("contracts/cameras.toml"), CONTRACT).expect("written");
    std::fs::write(folder.path().join("lamppost.toml"), CONFIG).expect("written");
    folder
}

fn key(folder: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lamppost"));
    command.arg("key").args(words).arg("--config").arg(folder.join("lamppost.toml"));
    command.output().expect("lamppost key")
}

/// Makes a key; gives its text.
fn add(folder: &Path, words: &[&str]) -> String {
    let made = key(folder, &[&["add", "--name", "A test"], words].concat());
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let text = String::from_utf8(made.stdout).expect("text");
    assert!(!String::from_utf8_lossy(&made.stderr).contains(text.trim()), "standard output alone has the key");
    text.trim().to_owned()
}

/// Status code and body of a GET as a stranger, or the holder of a key.
fn ask(server: &Server, path: &str, key: Option<&str>) -> (u16, String, String) {
    let bearer = key.map(|key| format!("Bearer {key}"));
    let mut headers = vec![("Host", "data.example.org")];
    headers.extend(bearer.as_deref().map(|bearer| ("Authorization", bearer)));
    server.ask(path, &headers)
}

#[test]
fn a_key_opens_what_its_scopes_say_until_it_is_revoked() {
    let folder = folder();
    let server = Server::start(&folder.path().join("lamppost.toml"));
    let dataset = "/api/v1/datasets/cameras";
    assert_eq!(ask(&server, dataset, None).0, 404);
    // Made while the server runs.
    let reader = add(folder.path(), &["--scope", "read:cameras", "--expires", "1d"]);
    let give_up = Instant::now() + Duration::from_secs(10);
    while ask(&server, dataset, Some(&reader)).0 != 200 {
        assert!(Instant::now() < give_up, "the server does not notice a new key");
        pause(Duration::from_millis(500));
    }
    let (code, _, body) = ask(&server, "/api/v1/sql?q=SELECT+count(*)+AS+n+FROM+cameras", Some(&reader));
    assert_eq!((code, body.contains("{\"n\":0}")), (200, true), "{body}");
    assert_eq!(ask(&server, "/api/v1/sql?q=SELECT+count(*)+AS+n+FROM+cameras", None).0, 400);
    let (code, _, body) = ask(&server, "/status", Some(&reader));
    assert_eq!((code, body.contains("scope operate")), (403, true), "{body}");
    let listed = String::from_utf8(key(folder.path(), &["list"]).stdout).expect("text");
    assert!(
        listed.contains("active") && listed.contains("read:cameras") && !listed.contains(&reader[12..]),
        "{listed}"
    );
    let kept = std::fs::read_to_string(folder.path().join("keys.toml")).expect("a file");
    assert!(!kept.contains(&reader[12..]), "the secret is kept");
    assert!(key(folder.path(), &["revoke", &reader[3..11]]).status.success());
    let give_up = Instant::now() + Duration::from_secs(10);
    while ask(&server, dataset, Some(&reader)).0 != 401 {
        assert!(Instant::now() < give_up, "the server still takes a revoked key");
        pause(Duration::from_millis(500));
    }
    assert!(ask(&server, dataset, Some(&reader)).2.contains("revoked"));
    server.stop();
}

#[test]
fn a_stranger_who_asks_too_much_is_told_when_to_come_back() {
    let folder = folder();
    let server = Server::start(&folder.path().join("lamppost.toml"));
    let refused = (0..40).map(|_| ask(&server, "/api/v1", None)).find(|(code, ..)| *code == 429);
    let (_, head, body) = refused.expect("40 requests with a budget of 20");
    assert!(head.contains("ratelimit-policy: \"anonymous\";q=20;w=60"), "{head}");
    assert!(body.contains("/docs/problems/budget"), "{body}");
    let wait = head.lines().find_map(|line| line.strip_prefix("retry-after: ")).expect("Retry-After");
    pause(Duration::from_secs(wait.trim().parse().expect("seconds")));
    assert_eq!(ask(&server, "/api/v1", None).0, 200, "after {wait} s");
    // Whoever sits at the machine has no bounds.
    assert!((0..40).all(|_| server.get("/api/v1").0 == 200));
    server.stop();
}

#[test]
fn what_would_make_a_useless_key_is_refused() {
    let folder = folder();
    for (words, hint) in [
        (vec!["add", "--name", "x", "--scope", "read:camera"], "there are cameras"),
        (vec!["add", "--name", "x", "--scope", "all"], "read, write or operate"),
        (vec!["add", "--name", "x"], "--scope"),
        (vec!["add", "--name", " ", "--scope", "read"], "whose key"),
        (vec!["add", "--name", "x", "--scope", "read", "--expires", "soon"], "90d"),
    ] {
        let made = key(folder.path(), &words);
        let told = String::from_utf8_lossy(&made.stderr).into_owned();
        assert_eq!(
            (made.status.code(), told.contains(hint), made.stdout.len()),
            (Some(64), true, 0),
            "{words:?}: {told}"
        );
    }
    assert!(!folder.path().join("keys.toml").exists());
    assert_eq!(key(folder.path(), &["revoke", "nosuchid"]).status.code(), Some(1));
}
