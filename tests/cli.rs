//! The command line, through the real binary: exit codes, complaints, and each command's way from start to end.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where it stands")]

pub(crate) mod program;
mod serving;

use program::{CONTRACT, lamppost, write_contract};

#[test]
fn help_is_an_answer_and_nonsense_is_not() {
    for words in [vec!["--help"], vec!["--version"], vec!["replay", "--help"], vec!["demo", "--help"]] {
        let ended = lamppost(&words);
        assert_eq!(ended.code, Some(0), "{words:?} {ended:?}");
        assert!(ended.out.contains("lamppost") && ended.err.is_empty(), "{ended:?}");
    }
    for words in [vec![], vec!["fly"], vec!["serve", "--fast"], vec!["replay"], vec!["status", "--url", "ftp://x"]] {
        let ended = lamppost(&words);
        assert_eq!(ended.code, Some(64), "{words:?} {ended:?}");
        assert!(!ended.err.is_empty());
    }
}

#[test]
fn each_command_shows_an_example() {
    for command in ["demo", "serve", "check", "replay", "import", "dashboards", "status", "sql"] {
        let ended = lamppost([command, "--help"]);
        assert!(ended.out.contains(&format!("Example: lamppost {command}")), "{}", ended.out);
    }
}

#[test]
fn check_tells_every_fault_of_config_and_contracts() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("lamppost.toml");
    std::fs::write(&config, "contracts = \"c\"\nhttp.listen = \"0.0.0.0:80\"\nhot.bites = \"64MiB\"\n").unwrap();
    let contracts = folder.path().join("c");
    write_contract(&contracts);
    std::fs::write(
        contracts.join("wrong.toml"),
        CONTRACT.replace("\"count\"", "\"cunt\"").replace("\"things\"", "\"more\""),
    )
    .unwrap();
    std::fs::write(contracts.join("zone.toml"), CONTRACT.replace("Prague", "Písek").replace("\"things\"", "\"most\""))
        .unwrap();
    for command in ["check", "serve"] {
        let ended = lamppost([command, "--config", config.to_str().unwrap()]);
        assert_eq!(ended.code, Some(78), "{ended:?}");
        for fault in ["lamppost.toml:2: ", "lamppost.toml:3: ", "wrong.toml:", "zone.toml:"] {
            assert!(ended.err.contains(fault), "no {fault:?} in\n{}", ended.err);
        }
        assert!(ended.err.contains("--insecure") && ended.out.is_empty());
    }
}

#[test]
fn check_sums_up_what_is_right_and_warns() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("lamppost.toml");
    std::fs::write(&config, "contracts = \"c\"\n").unwrap();
    write_contract(&folder.path().join("c"));
    let contract = CONTRACT
        .replace("\"things\"", "\"untimed\"")
        .replace("{ path = \"/at\", format = \"epoch_s\" }", "\"arrival\"");
    std::fs::write(folder.path().join("c/untimed.toml"), contract.replace("things/+", "untimed/+")).unwrap();
    let ended = lamppost(["check", "--config", config.to_str().unwrap()]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.out.contains("things: hits; every 60 s; from things/+"), "{}", ended.out);
    assert!(ended.err.contains("at-least-once") && ended.err.contains("untimed/0"), "{}", ended.err);
    assert!(ended.err.contains("nothing can come in"), "{}", ended.err);
    assert!(!folder.path().join("data").exists() && !folder.path().join("log").exists(), "checking leaves no trace");
}

#[test]
fn the_shipped_contracts_are_right() {
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/datasets");
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("lamppost.toml");
    std::fs::write(&config, format!("contracts = {shipped:?}\nmqtt.listen = \"127.0.0.1:0\"\n")).unwrap();
    let ended = lamppost(["check", "--config", config.to_str().unwrap()]);
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""));
    assert_eq!(ended.out.lines().count(), 6, "{}", ended.out);
}
