//! What `/metrics` says follows Prometheus' rules for names, units and labels, in both its formats.

use crate::cli::program::{Server, get, get_as, lamppost, write_contract};
use crate::install::skipped;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// Units that are not Prometheus' base units.
const NOT_BASE: [&str; 14] = [
    "milliseconds",
    "millis",
    "ms",
    "micros",
    "us",
    "minutes",
    "hours",
    "days",
    "kb",
    "kib",
    "mb",
    "mib",
    "percent",
    "bits",
];
/// Labels that would make a series for each device, caller or topic.
const ENDLESS: [&str; 10] =
    ["sensor", "topic", "client", "client_id", "payload", "path", "address", "ip", "peer", "query"];
/// Series one family may have in a town of two datasets.
const SERIES: usize = 200;

/// A family of the exposition.
#[derive(Debug, Default)]
struct Family {
    kind: String,
    help: String,
    /// Name and labels of each sample, with its value.
    samples: BTreeMap<(String, String), f64>,
}

#[test]
fn metrics_follow_the_rules_of_prometheus() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut server = busy(folder.path());
    let host = server.http();
    let open = said(&host, "application/openmetrics-text");
    let older = said(&host, "*/*");
    let mut faults = Vec::new();
    let families = families(&open, &mut faults);
    assert!(families.len() > 40, "only {} families in\n{open}", families.len());
    families.iter().for_each(|(name, family)| judge(name, family, &mut faults));
    if !open.ends_with("# EOF\n") {
        faults.push("no # EOF at the end of OpenMetrics".to_owned());
    }
    assert!(faults.is_empty(), "{}\n{open}", faults.join("\n"));
    promtool(&["check", "metrics"], Some(&older));
    // What operators are told to look at is there, and has been counted.
    for (series, least) in [
        ("lamppost_ready", 1.0),
        ("lamppost_build_info{version=\"0.1.0\"}", 1.0),
        ("lamppost_ingest_ack_duration_seconds_count{door=\"listener\"}", 10.0),
        ("lamppost_log_sync_duration_seconds_count", 1.0),
        ("lamppost_rows_total{dataset=\"things\"}", 6.0),
        ("lamppost_ingest_rejects_total{source=\"things/0\",reason=\"out_of_range\"}", 4.0),
        ("lamppost_disk_free_bytes{folder=\"log\"}", 1.0),
        ("lamppost_newest_reading_timestamp_seconds{dataset=\"things\"}", 1_760_000_000.0),
        ("process_resident_memory_bytes", 1e6),
        ("process_open_fds", 3.0),
    ] {
        let line = older.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse::<f64>().ok());
        assert!(line >= Some(least), "{series} is {line:?} in\n{older}");
    }
    alerts(&families);
    assert_eq!(server.stop().code, Some(0));
}

/// A server that has taken rows, one of them with an impossible value.
fn busy(folder: &Path) -> Server {
    write_contract(&folder.join("c"));
    let (config, rows) = (folder.join("lamppost.toml"), folder.join("rows.csv"));
    let text = "contracts = \"c\"\nhttp.listen = \"127.0.0.1:0\"\nmqtt.listen = \"127.0.0.1:0\"\n";
    std::fs::write(&config, text).expect("a config");
    let rest: String = (0..10).map(|n| format!("s{n},{},{}\n", 1_760_000_400 + n, 995 + n)).collect();
    std::fs::write(&rows, format!("id,at,n\n{rest}")).expect("rows");
    let mut server = Server::start([Path::new("serve"), Path::new("--config"), &config]);
    let mqtt = server.mqtt();
    let ended = lamppost(["replay", &rows.to_string_lossy(), "--to", &mqtt, "--topic", "things/{id}"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let (code, _) = get(&server.http(), "/api/v1/datasets/things/latest");
    assert_eq!(code, 200);
    server
}

/// `/metrics` as it is given to who accepts this.
fn said(host: &str, accept: &str) -> String {
    let (code, body) = get_as(host, "/metrics", accept);
    assert_eq!(code, 200, "{body}");
    body
}

/// The families of an OpenMetrics text by name; faults of its shape are kept.
fn families(text: &str, faults: &mut Vec<String>) -> BTreeMap<String, Family> {
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    for line in text.lines().filter(|line| *line != "# EOF") {
        let mut words = line.splitn(4, ' ');
        match [words.next(), words.next(), words.next(), words.next()] {
            [Some("#"), Some("HELP"), Some(name), help] => {
                families.entry(name.to_owned()).or_default().help = help.unwrap_or_default().to_owned();
            }
            [Some("#"), Some("TYPE"), Some(name), Some(kind)] => {
                families.entry(name.to_owned()).or_default().kind = kind.to_owned();
            }
            [Some("#"), ..] => {}
            _ => sample(line, &mut families, faults),
        }
    }
    families
}

/// One sample, put to its family.
fn sample(line: &str, families: &mut BTreeMap<String, Family>, faults: &mut Vec<String>) {
    let Some((series, value)) = line.rsplit_once(' ').and_then(|(series, value)| Some((series, value.parse().ok()?)))
    else {
        return faults.push(format!("not a sample: {line}"));
    };
    let (name, labels) = series.split_once('{').unwrap_or((series, ""));
    let suffixes = ["", "_total", "_bucket", "_sum", "_count"];
    let family = suffixes.iter().find_map(|suffix| {
        let family = name.strip_suffix(suffix)?;
        families.contains_key(family).then(|| family.to_owned())
    });
    match family.and_then(|family| families.get_mut(&family)) {
        None => faults.push(format!("{name} belongs to no family")),
        Some(family) => {
            if family.samples.insert((name.to_owned(), labels.to_owned()), value).is_some() {
                faults.push(format!("{series} is there twice"));
            }
        }
    }
}

/// The rules, one family at a time.
fn judge(name: &str, family: &Family, faults: &mut Vec<String>) {
    let mut fault = |what: &str| faults.push(format!("{name}: {what}"));
    let words: Vec<&str> = name.split('_').collect();
    if !matches!(words[0], "lamppost" | "process")
        || !name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    {
        fault("begin with lamppost_ or process_, in small letters");
    }
    if family.help.trim_end_matches('.').len() < 8 {
        fault("say in its help what it is");
    }
    if !matches!(family.kind.as_str(), "counter" | "gauge" | "histogram") {
        fault("be a counter, a gauge or a histogram");
    }
    if words.iter().any(|word| NOT_BASE.contains(word)) {
        fault("use base units: seconds, bytes, ratio");
    }
    if ["total", "count", "sum", "bucket"].contains(words.last().unwrap_or(&"")) {
        fault("leave the suffix to the format");
    }
    let unit = |unit: &str| words.contains(&unit);
    let help = family.help.to_lowercase();
    if (help.starts_with("time ") || help.starts_with("age ")) && !unit("seconds") {
        fault("name its unit, seconds");
    }
    if help.starts_with("bytes ") && !unit("bytes") {
        fault("name its unit, bytes");
    }
    if family.kind == "histogram" && !(unit("seconds") || unit("bytes")) {
        fault("name the unit of its buckets");
    }
    labels(family, &mut fault);
}

/// Labels are few and do not grow with the town.
fn labels(family: &Family, fault: &mut dyn FnMut(&str)) {
    let mut series = BTreeSet::new();
    for (name, labels) in family.samples.keys() {
        let pairs: Vec<&str> = labels.trim_end_matches('}').split(',').filter(|pair| !pair.is_empty()).collect();
        for (label, value) in pairs.iter().filter_map(|pair| pair.split_once('=')) {
            let named = value.trim_matches('"');
            if ENDLESS.contains(&label) || named.starts_with("things/s") || ["s0", "s1", "s9"].contains(&named) {
                fault(&format!("the label {label}={value} grows with the town"));
            }
        }
        let rest: Vec<&str> = pairs.into_iter().filter(|pair| !pair.starts_with("le=")).collect();
        series.insert((name.clone(), rest.join(",")));
    }
    if series.len() > SERIES {
        fault(&format!("has {} series", series.len()));
    }
    for ((name, labels), value) in family.samples.iter().filter(|((_, labels), _)| labels.contains("le=\"+Inf\"")) {
        let counted = (name.replace("_bucket", "_count"), labels.replace("le=\"+Inf\"", ""));
        let same = family.samples.iter().any(|((name, labels), count)| {
            let bare = |text: &str| text.replace([',', '}'], "");
            *name == counted.0 && bare(labels) == bare(&counted.1) && count == value
        });
        if !same {
            fault("its +Inf bucket is not its count");
        }
    }
}

/// The shipped alerts name metrics that there are, and come when they should.
fn alerts(families: &BTreeMap<String, Family>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let rules = root.join("install/prometheus-alerts.yml");
    let text = std::fs::read_to_string(&rules).expect("the shipped alerts");
    let word = |c: char| !(c.is_ascii_alphanumeric() || c == '_');
    let named: BTreeSet<&str> = text.split(word).filter(|word| word.starts_with("lamppost_")).collect();
    assert!(named.len() >= 6, "{named:?}");
    for name in named {
        let family = name.trim_end_matches("_total");
        let counter = families.get(family).map(|family| family.kind == "counter");
        assert_eq!(counter, Some(name.ends_with("_total")), "the alerts name {name}, which /metrics does not have");
    }
    assert_eq!(text.matches("- alert:").count(), 5);
    promtool(&["check", "rules", &rules.to_string_lossy()], None);
    let cases = std::fs::read_to_string(root.join("tests/install/alerts.test.yml")).expect("the cases");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("alerts.test.yml");
    std::fs::write(&file, cases.replace("prometheus-alerts.yml", &rules.to_string_lossy())).expect("written");
    promtool(&["test", "rules", &file.to_string_lossy()], None);
}

/// Runs promtool (Debian package prometheus), where there is one.
fn promtool(words: &[&str], input: Option<&str>) {
    let mut command = Command::new("promtool");
    command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let Ok(mut child) = command.spawn() else {
        return skipped(&format!("promtool {}: there is no promtool here", words.join(" ")));
    };
    let mut stdin = child.stdin.take().expect("stdin");
    stdin.write_all(input.unwrap_or_default().as_bytes()).expect("promtool reads");
    drop(stdin);
    let ended = child.wait_with_output().expect("promtool");
    let told = [ended.stdout, ended.stderr].concat();
    assert!(ended.status.success(), "promtool {words:?}: {}", String::from_utf8_lossy(&told));
}
