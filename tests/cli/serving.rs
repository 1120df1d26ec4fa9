//! Servers as they are run: demo, serve with replay, import, and what stands in their way.

use super::program::{CONTRACT, PATIENCE, Server, get, lamppost, wait, write_contract};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// A folder with a config and the contract of things; doors on free ports.
fn place() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    write_contract(&folder.path().join("c"));
    let config = folder.path().join("lamppost.toml");
    std::fs::write(&config, "contracts = \"c\"\nhttp.listen = \"127.0.0.1:0\"\nmqtt.listen = \"127.0.0.1:0\"\n")
        .unwrap();
    (folder, config)
}

fn words<'a>(command: &'a str, config: &'a Path) -> [&'a str; 3] {
    [command, "--config", config.to_str().unwrap()]
}

/// A CSV of 3 sensors over 400 minutes with a duplicate, a correction, an empty and an impossible value; and the sum of
/// each sensor and quarter hour as a plain loop has it.
fn rows(file: &Path) -> BTreeMap<(String, i64), i64> {
    let (mut text, mut values) = ("id,at,n\n".to_owned(), BTreeMap::new());
    let mut put = |id: usize, at: i64, n: String| {
        writeln!(text, "s{id},{at},{n}").unwrap();
        if let Ok(n @ 0..=1000) = n.parse::<i64>() {
            values.insert((format!("s{id}"), at), n);
        }
    };
    for minute in 0..400 {
        for id in 0..3 {
            let n = (minute * 7 + id as i64 * 13) % 50;
            put(id, 1_760_000_400 + 60 * minute, n.to_string());
        }
    }
    put(0, 1_760_000_400, "0".into());
    put(1, 1_760_000_460, "999".into());
    put(2, 1_760_000_520, String::new());
    put(2, 1_760_000_580, "1001".into());
    std::fs::write(file, text).unwrap();
    let mut sums = BTreeMap::new();
    for ((id, at), n) in values {
        *sums.entry((id, at.div_euclid(900) * 900)).or_insert(0) += n;
    }
    sums
}

/// The same from the server.
fn sums(http: &str) -> BTreeMap<(String, i64), i64> {
    let query = "from=2025-10-09T00:00:00Z&to=2025-10-10T00:00:00Z&bucket=15m&fields=hits_sum&group=sensor&tz=UTC";
    let (code, body) = get(http, &format!("/api/v1/datasets/things/aggregates?{query}"));
    assert_eq!(code, 200, "{body}");
    let answer: serde_json::Value = serde_json::from_str(&body).unwrap();
    let rows = answer["data"].as_array().unwrap_or_else(|| panic!("{body}"));
    let row = |row: &serde_json::Value| {
        let start: jiff::Timestamp = row["start"].as_str()?.parse().ok()?;
        Some(((row["sensor"].as_str()?.to_owned(), start.as_second()), row["hits_sum"].as_i64()?))
    };
    rows.iter().filter_map(row).collect()
}

#[test]
fn replayed_rows_add_up_to_what_a_plain_loop_counts() {
    let (folder, config) = place();
    let file = folder.path().join("rows.csv");
    let expected = rows(&file);
    let mut server = Server::start(words("serve", &config));
    let (http, mqtt) = (server.http(), server.mqtt());
    let state = folder.path().join("state.json");
    let replay = |limit: &str| {
        let (file, state) = (file.to_str().unwrap(), state.to_str().unwrap());
        lamppost(["replay", file, "--to", &mqtt, "--topic", "things/{id}", "--state", state, "--limit", limit])
    };
    let ended = replay("500");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.out.starts_with("500 rows"), "{ended:?}");
    let ended = replay("100000");
    assert!(ended.out.starts_with("704 rows"), "it goes on where it stopped: {ended:?}");
    // Everything was acknowledged, so everything is readable: no waiting here.
    assert_eq!(sums(&http), expected);
    let status = lamppost(["status", "--url", &format!("http://{http}")]);
    assert_eq!(status.code, Some(0), "{status:?}");
    for told in
        ["is well", "\nthings ", "out_of_range", "1001", "listener mqtt://", "1 204 messages, 1 204 acknowledged"]
    {
        assert!(status.out.contains(told), "no {told:?} in\n{}", status.out);
    }
    let ended = server.stop();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.out.contains("readings taken"), "{}", ended.out);

    let mut server = Server::start(words("serve", &config));
    let http = server.http();
    assert_eq!(sums(&http), expected, "after a restart");
}

#[test]
fn a_replay_outlives_a_killed_server() {
    let (folder, config) = place();
    let file = folder.path().join("rows.csv");
    let expected = rows(&file);
    let mut server = Server::start(words("serve", &config));
    let (http, mqtt) = (server.http(), server.mqtt());
    let fixed = std::fs::read_to_string(&config).unwrap();
    let fixed = fixed.replacen("127.0.0.1:0", &http, 1).replacen("127.0.0.1:0", mqtt.trim_start_matches("mqtt://"), 1);
    std::fs::write(&config, fixed).unwrap();
    let replay = std::thread::spawn(move || {
        lamppost(["replay", file.to_str().unwrap(), "--to", &mqtt, "--topic", "things/{id}", "--rate", "500"])
    });
    wait(PATIENCE, || {
        let status: serde_json::Value = serde_json::from_str(&get(&http, "/status").1).ok()?;
        (status["doors"][0]["acked"].as_u64()? > 200).then_some(())
    });
    drop(server);
    let mut server = Server::start(words("serve", &config));
    let http = server.http();
    let ended = replay.join().unwrap();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.out.starts_with("1 204 rows"), "{ended:?}");
    assert_eq!(sums(&http), expected);
}

#[test]
fn a_contract_that_would_reinterpret_stored_data_is_refused() {
    let (folder, config) = place();
    let file = folder.path().join("rows.csv");
    rows(&file);
    let imported =
        lamppost(["import", file.to_str().unwrap(), "--dataset", "things", "--config", config.to_str().unwrap()]);
    assert_eq!(imported.code, Some(0), "{imported:?}");
    std::fs::write(folder.path().join("c/things.toml"), CONTRACT.replace("\"count\"", "\"gauge\"")).unwrap();
    let refused = lamppost(words("serve", &config));
    assert_eq!(refused.code, Some(78), "{refused:?}");
    assert!(refused.err.contains("hits"), "{refused:?}");
}

#[test]
fn importing_twice_changes_nothing() {
    let (folder, config) = place();
    let file = folder.path().join("rows.csv");
    let expected = rows(&file);
    let import =
        || lamppost(["import", file.to_str().unwrap(), "--dataset", "things", "--config", config.to_str().unwrap()]);
    for _ in 0..2 {
        let ended = import();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(ended.out.contains("1 204 rows") && ended.out.contains("1 rejects: out_of_range"), "{ended:?}");
    }
    let mut server = Server::start(words("serve", &config));
    assert_eq!(sums(&server.http()), expected);
    let locked = import();
    assert_eq!(locked.code, Some(1), "{locked:?}");
    assert_eq!(locked.err.lines().count(), 1, "one clear line: {locked:?}");
}

#[test]
fn an_import_that_cannot_map_its_rows_is_refused_before_it_begins() {
    let (folder, config) = place();
    let file = folder.path().join("rows.csv");
    rows(&file);
    let import = |dataset, source| {
        let config = config.to_str().unwrap();
        lamppost(["import", file.to_str().unwrap(), "--dataset", dataset, "--source", source, "--config", config])
    };
    let unknown = import("thing", "0");
    assert_eq!(unknown.code, Some(64), "{unknown:?}");
    assert!(unknown.err.contains("things"), "it names those there are: {unknown:?}");
    let beyond = import("things", "7");
    assert_eq!(beyond.code, Some(64), "{beyond:?}");
    let by_topic = CONTRACT.replace("\"{/id}\"", "\"{topic.1}\"");
    assert_ne!(by_topic, CONTRACT);
    std::fs::write(folder.path().join("c/things.toml"), by_topic).unwrap();
    let silent = import("things", "0");
    assert_eq!(silent.code, Some(64), "{silent:?}");
    assert!(silent.err.contains("--topic"), "{silent:?}");
}

#[test]
fn a_port_in_use_and_a_locked_or_unusable_folder_are_one_clear_line() {
    let (_folder, config) = place();
    let mut server = Server::start(words("serve", &config));
    let http = server.http();
    let locked = lamppost(words("serve", &config));
    assert_eq!((locked.code, locked.err.lines().count()), (Some(1), 1), "{locked:?}");

    let (folder, other) = place();
    std::fs::write(&other, format!("contracts = \"c\"\nhttp.listen = \"{http}\"\n")).unwrap();
    let taken = lamppost(words("serve", &other));
    assert_eq!((taken.code, taken.err.lines().count()), (Some(1), 1), "{taken:?}");
    assert!(taken.err.contains(&http) && taken.err.contains("in use"), "{taken:?}");
    assert!(!folder.path().join("log").exists(), "nothing was opened");

    std::fs::write(folder.path().join("file"), "").unwrap();
    std::fs::write(&other, "contracts = \"c\"\nhttp.listen = \"127.0.0.1:0\"\ndata = \"file/data\"\n").unwrap();
    let unusable = lamppost(words("serve", &other));
    assert_eq!((unusable.code, unusable.err.lines().count()), (Some(1), 1), "{unusable:?}");
    assert!(unusable.err.contains("file/data"), "{unusable:?}");
}

#[test]
fn the_demo_answers_with_data_and_leaves_nothing_behind() {
    // Whatever listens on the usual ports of this machine is not in the way.
    let mut server = Server::start(["demo"]);
    let http = server.http();
    let folder = server.told("Its data is in ");
    let folder = PathBuf::from(folder.split(" and ").next().unwrap());
    assert!(folder.is_dir(), "{folder:?}");
    server.told("The past is filled in: ");
    let rows = |dataset: &str, query: &str| {
        let (code, body) = get(&http, &format!("/api/v1/datasets/{dataset}/{query}"));
        assert_eq!(code, 200, "{dataset} {body}");
        let answer: serde_json::Value = serde_json::from_str(&body).unwrap();
        answer["data"].as_array().map_or(0, Vec::len)
    };
    for dataset in ["traffic", "air_quality", "parking", "weather", "noise"] {
        assert!(rows(dataset, "latest") >= 10, "{dataset}");
    }
    assert!(rows("traffic", "aggregates?sensor=x01-north&from=now-1d&bucket=1h&fields=vehicles_sum") >= 23);
    // The gateways publish too, and some devices misbehave.
    let status = wait(PATIENCE, || {
        let (_, status) = get(&http, "/status");
        let status: serde_json::Value = serde_json::from_str(&status).ok()?;
        (status["doors"][0]["connections"].as_i64()? > 0).then_some(status)
    });
    assert!(status["rejects"].as_array().unwrap().len() >= 3, "{status}");
    let ended = server.stop();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.out.contains("readings taken") && !folder.exists(), "{ended:?}");
}

#[test]
fn erased_readings_are_shown_first_go_for_good_and_stand_in_the_audit_log() {
    let (folder, config) = place();
    let file = folder.path().join("rows.csv");
    rows(&file);
    let mut server = Server::start(words("serve", &config));
    let (http, mqtt) = (server.http(), server.mqtt());
    let ended = lamppost(["replay", file.to_str().unwrap(), "--to", &mqtt, "--topic", "things/{id}"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let before = sums(&http);
    let url = format!("http://{http}");
    let span = ["--from", "2025-10-09T10:00:00Z", "--to", "2025-10-09T11:00:00Z", "--url", &url];
    let erase = |words: &[&str]| lamppost(["erase"].iter().chain(words).chain(&span));
    let asked = erase(&["things", "--sensor", "s1"]);
    assert_eq!((asked.code, sums(&http)), (Some(1), before.clone()), "nobody said yes: {asked:?}");
    assert!(asked.out.contains("60 readings of s1 in things"), "{asked:?}");
    for (wrong, told) in
        [(["nothing", "--sensor", "s1"], "no dataset \"nothing\""), (["things", "--sensor", "s9"], "no sensor \"s9\"")]
    {
        let ended = erase(&wrong);
        assert_eq!(ended.code, Some(64), "{ended:?}");
        assert!(ended.err.contains(told), "{ended:?}");
    }
    let ended = erase(&["things", "--sensor", "s1", "--yes"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let expected = |mut sums: BTreeMap<(String, i64), i64>| {
        sums.retain(|(sensor, at), _| sensor != "s1" || !(1_760_004_000..1_760_007_600).contains(at));
        sums
    };
    assert_eq!(sums(&http), expected(before.clone()));
    let log = lamppost(["erase", "--log", "--url", &url]);
    assert_eq!(log.out.lines().count(), 1, "{log:?}");
    assert!(log.out.contains("things  s1  ") && log.out.contains("60 readings  by this machine"), "{log:?}");
    assert_eq!(server.stop().code, Some(0));
    let mut server = Server::start(words("serve", &config));
    let http = server.http();
    assert_eq!(sums(&http), expected(before), "after a restart");
}
