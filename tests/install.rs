//! The ways to install Lamppost stay in step with it: configs, the systemd unit, the image, the Kubernetes manifests.

use crate::cli::program::{PATIENCE, Server, lamppost, wait, write_contract};
use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The repository.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// Says past the test harness what was not tried here, so that a skip is seen.
pub(crate) fn skipped(what: &str) {
    let _ = writeln!(std::io::stderr(), "skipped: {what}");
}

/// Runs a program, if there is one of its name.
fn run(program: &str, words: &[&str]) -> Option<Output> {
    match Command::new(program).args(words).output() {
        Ok(output) => Some(output),
        Err(_) => {
            skipped(&format!("{program} {}: there is no {program} here", words.join(" ")));
            None
        }
    }
}

/// Its whole output, which must be good.
fn good(output: &Output) -> String {
    let text = String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned();
    assert!(output.status.success(), "{text}");
    text
}

/// The values of a key of a systemd unit, in order.
fn settings(unit: &str, key: &str) -> Vec<String> {
    let value = |line: &str| Some(line.strip_prefix(key)?.strip_prefix('=')?.to_owned());
    unit.lines().filter_map(value).collect()
}

fn setting(unit: &str, key: &str) -> String {
    settings(unit, key).pop().unwrap_or_else(|| panic!("the unit sets no {key}"))
}

/// A config with its paths led into a folder.
fn redirected(config: &str, contracts: &str, folder: &Path) -> String {
    let text = read(config).replace("/var/lib/lamppost", &folder.join("state").to_string_lossy());
    let contracts = root().join(contracts);
    let lines = text.lines().map(|line| match line.starts_with("contracts = ") {
        true => format!("contracts = {contracts:?}\n"),
        false => format!("{line}\n"),
    });
    lines.collect()
}

#[test]
fn the_shipped_configs_are_right() {
    for config in
        ["lamppost.toml", "install/lamppost.toml", "install/container.toml", "install/kubernetes/lamppost.toml"]
    {
        let contracts = "schemas/datasets";
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("lamppost.toml");
        fs::write(&file, redirected(config, contracts, folder.path())).expect("written");
        let ended = lamppost([Path::new("check"), Path::new("--config"), &file]);
        // The town's broker is the one thing that cannot be known here.
        let broker = "warning: nothing can come in by MQTT: set mqtt.listen or add a [[broker]]\n";
        let told = if read(config).lines().any(|line| line.starts_with("mqtt.listen")) { "" } else { broker };
        assert_eq!((ended.code, ended.err.as_str()), (Some(0), told), "{config}: {ended:?}");
    }
}

#[test]
fn a_folder_as_kubernetes_mounts_it_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let mounted = folder.path().join("contracts");
    write_contract(&mounted.join("..2026_11_20_20_00_00.1"));
    symlink("..2026_11_20_20_00_00.1", mounted.join("..data")).expect("linked");
    symlink("..data/things.toml", mounted.join("things.toml")).expect("linked");
    let file = folder.path().join("lamppost.toml");
    fs::write(&file, "contracts = \"contracts\"\nmqtt.listen = \"127.0.0.1:0\"\n").expect("written");
    let ended = lamppost([Path::new("check"), Path::new("--config"), &file]);
    assert_eq!((ended.code, ended.out.lines().count()), (Some(0), 2), "{ended:?}");
}

#[test]
fn the_unit_knows_the_program() {
    let unit = read("install/lamppost.service");
    // It calls what there is, with a config where the installer puts it.
    let line = setting(&unit, "ExecStart");
    let words: Vec<&str> = line.split(' ').collect();
    assert_eq!((words[0], words[3]), ("/usr/local/bin/lamppost", "/etc/lamppost/lamppost.toml"), "{line}");
    let help = lamppost([words[1], "--help"]);
    assert!(help.code == Some(0) && help.out.contains(words[2]), "{line}: {help:?}");
    // Its exit would not count for what is not started again.
    assert_eq!(settings(&unit, "ExecStartPre"), Vec::<String>::new());
    // It does not start again what cannot get better.
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("lamppost.toml");
    fs::write(&file, "datta = 1\n").expect("written");
    let config = lamppost([Path::new("serve"), Path::new("--config"), &file]).code.expect("a code");
    let usage = lamppost(["serve", "--no-such-flag"]).code.expect("a code");
    assert_eq!(setting(&unit, "RestartPreventExitStatus"), format!("{usage} {config}"));
    // It waits for the end, and lets it hold as many sockets as its doors may.
    let config = lamppost::Config::new(Path::new("/"));
    let drain = config.listener.drain + config.limits.drain + config.ingest.farewell;
    let stop = setting(&unit, "TimeoutStopSec");
    let seconds: u64 = stop.trim_end_matches('s').parse().expect("seconds");
    assert!(seconds >= 2 * drain.as_secs(), "{stop} is too short for {drain:?} and a flush");
    let files: usize = setting(&unit, "LimitNOFILE").parse().expect("a number");
    assert!(files >= 2 * (config.http_front.connections + config.mqtt_front.connections), "{files}");
    // The config keeps to the folder that the unit may write.
    let state = format!("/var/lib/{}", setting(&unit, "StateDirectory"));
    let config: toml::Table = read("install/lamppost.toml").parse().expect("TOML");
    for folder in ["data", "log"] {
        let path = config[folder].as_str().expect("a path");
        assert!(path.starts_with(&state), "{folder} = {path}");
    }
}

#[test]
fn the_unit_passes_systemds_own_checks() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("lamppost.service");
    let unit = read("install/lamppost.service").replace("/usr/local/bin/lamppost", env!("CARGO_BIN_EXE_lamppost"));
    fs::write(&file, unit).expect("written");
    let path = file.to_str().expect("UTF-8");
    if let Some(output) = run("systemd-analyze", &["verify", path]) {
        assert_eq!(good(&output).trim(), "");
        let security = run("systemd-analyze", &["security", "--offline=true", path]).expect("it is there");
        let told = good(&security);
        let level = told.split("exposure level for lamppost.service: ").nth(1).and_then(|rest| rest.split(' ').next());
        let level: f64 = level.and_then(|level| level.parse().ok()).unwrap_or_else(|| panic!("{told}"));
        assert!(level <= 1.5, "{told}");
    }
}

#[test]
fn the_service_manager_is_told_of_start_and_end() {
    let folder = tempfile::tempdir().expect("a folder");
    write_contract(&folder.path().join("c"));
    let file = folder.path().join("lamppost.toml");
    fs::write(&file, "contracts = \"c\"\nhttp.listen = \"127.0.0.1:0\"\n").expect("written");
    let manager = UnixDatagram::bind(folder.path().join("notify")).expect("bound");
    manager.set_read_timeout(Some(PATIENCE)).expect("set");
    let mut word = [0; 64];
    let mut told = || manager.recv(&mut word).map(|bytes| String::from_utf8_lossy(&word[..bytes]).into_owned());
    let mut command = Command::new(env!("CARGO_BIN_EXE_lamppost"));
    command.env("NOTIFY_SOCKET", folder.path().join("notify")).args(["serve", "--config"]).arg(&file);
    let mut child = command.stdout(std::process::Stdio::null()).spawn().expect("started");
    assert_eq!(told().expect("a word"), "READY=1");
    good(&run("kill", &[&child.id().to_string()]).expect("kill"));
    assert_eq!(told().expect("a word"), "STOPPING=1");
    assert!(wait(PATIENCE, || child.try_wait().expect("waits")).success());
}

#[test]
fn installing_twice_keeps_config_and_the_way_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = folder.path().join("lamppost");
    let script = root().join("install/install.sh");
    let install = |text: &str| {
        fs::write(&program, text).expect("written");
        good(&run("chmod", &["+x", &program.to_string_lossy()]).expect("chmod"));
        let output = Command::new(&script).arg(&program).env("DESTDIR", folder.path()).output().expect("sh");
        good(&output);
    };
    let at = |path: &str| folder.path().join(path);
    install("#!/bin/sh\necho 1\n");
    let config = at("etc/lamppost/lamppost.toml");
    assert_eq!(fs::read_to_string(&config).expect("a config"), read("install/lamppost.toml"));
    assert!(at("etc/lamppost/contracts/traffic.toml").is_file() && !at("usr/local/bin/lamppost.previous").exists());
    let ended = lamppost([Path::new("check"), Path::new("--config"), &config]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    fs::write(&config, "# mine\n").expect("written");
    fs::remove_file(at("etc/lamppost/contracts/traffic.toml")).expect("removed");
    for text in ["#!/bin/sh\necho 2\n", "#!/bin/sh\necho 2\n"] {
        install(text);
        assert_eq!(fs::read_to_string(&config).expect("a config"), "# mine\n");
        assert!(!at("etc/lamppost/contracts/traffic.toml").exists(), "what was taken out stays out");
        assert!(fs::read_to_string(at("usr/local/bin/lamppost.previous")).expect("the one before").contains("echo 1"));
    }
    assert_eq!(
        fs::read_to_string(at("etc/systemd/system/lamppost.service")).expect("a unit"),
        read("install/lamppost.service")
    );
    let wrong = Command::new(&script).env("DESTDIR", folder.path()).output().expect("sh");
    assert_eq!(wrong.status.code(), Some(64), "{wrong:?}");
}

#[test]
fn the_image_has_what_the_build_needs_and_the_program_understands() {
    let text = read("install/Containerfile").replace("\\\n", " ");
    let lines = |word: &str| -> Vec<String> {
        text.lines().filter_map(|line| Some(line.strip_prefix(word)?.trim().to_owned())).collect()
    };
    let toolchain: toml::Table = read("rust-toolchain.toml").parse().expect("TOML");
    let channel = toolchain["toolchain"]["channel"].as_str().expect("a channel");
    assert!(text.contains(&format!("RUSTUP_TOOLCHAIN={channel}\n")), "the image builds with {channel}");
    let (minor, _) = channel.rsplit_once('.').expect("a version");
    assert!(lines("FROM")[0].contains(&format!("rust:{minor}-")), "{:?}", lines("FROM"));
    // Both stages have the same C library.
    assert!(lines("FROM").iter().all(|image| image.contains("bookworm")), "{:?}", lines("FROM"));
    let ignored = read(".containerignore");
    let manifest: toml::Table = read("Cargo.toml").parse().expect("TOML");
    for member in manifest["workspace"]["members"].as_array().expect("members") {
        let folder = member.as_str().and_then(|member| member.split('/').next()).expect("a folder");
        assert!(ignored.lines().any(|line| line == format!("!{folder}")), ".containerignore leaves out {folder}");
    }
    for copied in lines("COPY").iter().filter(|line| !line.starts_with("--from") && !line.starts_with(". ")) {
        let from = copied.split(' ').next().expect("a path");
        assert!(root().join(from).exists(), "{from}");
    }
    // What it runs and is asked by is understood.
    let words = |line: &str| -> Vec<String> {
        let list = &line[line.find('[').expect("a list")..];
        serde_json::from_str(list).unwrap_or_else(|e| panic!("{list}: {e}"))
    };
    let server = quick();
    let health = words(&lines("HEALTHCHECK")[0]);
    assert_eq!(health[0], "lamppost");
    let ended = lamppost(health[1..].iter().map(String::as_str).chain(["--url", &server.1]));
    assert_eq!((ended.code, ended.out.trim()), (Some(0), "ready"), "{ended:?}");
    let help = lamppost([words(&lines("CMD")[0])[0].as_str(), "--help"]);
    assert_eq!(help.code, Some(0), "{help:?}");
}

/// A running server and its URL.
fn quick() -> (Server, String, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    write_contract(&folder.path().join("c"));
    let file = folder.path().join("lamppost.toml");
    fs::write(&file, "contracts = \"c\"\nhttp.listen = \"127.0.0.1:0\"\n").expect("written");
    let mut server = Server::start([Path::new("serve"), Path::new("--config"), &file]);
    let url = format!("http://{}", server.http());
    (server, url, folder)
}

#[test]
fn probes_tell_by_their_exit_code() {
    let (server, url, _folder) = quick();
    for (probe, word) in [("alive", "alive"), ("ready", "ready")] {
        let ended = lamppost(["status", "--probe", probe, "--url", &url]);
        assert_eq!((ended.code, ended.out.trim()), (Some(0), word), "{ended:?}");
    }
    drop(server);
    for probe in ["alive", "ready"] {
        let ended = lamppost(["status", "--probe", probe, "--url", &url]);
        assert!(ended.code == Some(1) && ended.err.contains("no Lamppost answers"), "{ended:?}");
    }
}

#[test]
fn the_manifests_are_right() {
    for file in ["air_quality.toml", "air_quality.geojson"] {
        let (copy, shipped) = (format!("install/kubernetes/contracts/{file}"), format!("schemas/datasets/{file}"));
        assert_eq!(read(&copy), read(&shipped), "{copy} is not the shipped one any more");
    }
    let rendered = run("kubectl", &["kustomize", &root().join("install/kubernetes").to_string_lossy()]);
    let folder = tempfile::tempdir().expect("a folder");
    let file: PathBuf = folder.path().join("rendered.yaml");
    let Some(rendered) = rendered else { return };
    fs::write(&file, &rendered.stdout).expect("written");
    good(&rendered);
    let python = std::env::var("LAMPPOST_PYTHON").unwrap_or_else(|_| "python3".into());
    let script = root().join("tests/install/manifests.py");
    let checked = run(&python, &[&script.to_string_lossy(), &file.to_string_lossy()]);
    if let Some(output) = checked {
        let told = good(&output);
        if told.contains("skipped") {
            skipped(told.trim());
        }
    }
}

#[test]
fn a_root_with_only_what_the_image_has_is_enough() {
    let script = root().join("tests/install/image.sh");
    if let Some(output) = run("sh", &[&script.to_string_lossy(), env!("CARGO_BIN_EXE_lamppost")]) {
        let told = good(&output);
        if told.contains("skipped") {
            skipped(told.trim());
        }
    }
}
