//! `lamppost.toml`: what an operator sets. Read whole, without side effects but reading; all faults come at once.

mod broker;
mod document;
mod front;
mod secret;
pub mod value;

pub use broker::parse_url as broker_url;
pub use secret::Secret;

use access::Front;
use document::{Document, Table};
use schemas::{Fault, Faults};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;
use toml::de::DeTable;

/// The settings of one Lamppost.
#[derive(Clone, Debug)]
pub struct Config {
    /// Folder with one contract per dataset.
    pub contracts: PathBuf,
    /// Folders and bounds of the store.
    pub store: store::Config,
    /// Where the public API listens.
    pub http: SocketAddr,
    /// Where the built-in MQTT door listens; nothing keeps it shut.
    pub mqtt: Option<SocketAddr>,
    /// Where the door for Graphite's plaintext listens; nothing keeps it shut.
    pub graphite: Option<SocketAddr>,
    /// File with the keys of callers.
    pub keys: PathBuf,
    /// How much callers may ask for.
    pub allowance: access::Allowance,
    /// Values one answer to an anonymous caller may have.
    pub anonymous_cells: usize,
    /// Whether `/metrics` is told to anybody.
    pub public_metrics: bool,
    /// Who gets in at the HTTP door, and how.
    pub http_front: Front,
    /// Bounds of its requests.
    pub limits: access::Limits,
    /// Who gets in at the built-in MQTT door, and how.
    pub mqtt_front: Front,
    /// Whether publishing there takes a key even while there is none: others can reach the door.
    pub mqtt_keyed: bool,
    /// Who gets in at the door for Graphite's plaintext.
    pub graphite_front: Front,
    /// Bounds of what is published at the built-in MQTT door.
    pub listener: ingest::doors::listener::Config,
    /// Whether writing at the HTTP door takes a key even while there is none: others can reach the door.
    pub http_keyed: bool,
    /// Whether anybody who reaches the HTTP door may write while no key is asked for (`--insecure`).
    pub http_open: bool,
    /// Bounds of what is written there.
    pub write: ingest::doors::http::Config,
    /// Bounds of decoding and of the queue in front of the log.
    pub ingest: ingest::Config,
    /// Bounds of questions and answers.
    pub engine: engine::Config,
    /// Bounds of questions in SQL.
    pub sql: engine::sql::Config,
    /// Brokers to subscribe at.
    pub brokers: Vec<ingest::doors::broker::Config>,
}

impl Config {
    /// The defaults below a folder.
    pub fn new(folder: &Path) -> Config {
        Config {
            contracts: folder.join("schemas/datasets"),
            store: store::Config::new(folder.join("log"), folder.join("data")),
            http: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080),
            mqtt: None,
            graphite: None,
            keys: folder.join("keys.toml"),
            allowance: access::Allowance::default(),
            anonymous_cells: 1_000_000,
            public_metrics: false,
            http_front: Front::default(),
            limits: access::Limits::default(),
            // Devices stay connected for good.
            mqtt_front: Front { connections: 10_000, ..Front::default() },
            mqtt_keyed: false,
            graphite_front: Front { connections: 1024, ..Front::default() },
            listener: ingest::doors::listener::Config::default(),
            http_keyed: false,
            http_open: false,
            write: ingest::doors::http::Config::default(),
            ingest: ingest::Config::default(),
            engine: engine::Config::default(),
            sql: engine::sql::Config::default(),
            brokers: Vec::new(),
        }
    }

    /// Reads a config file. Paths in it are relative to its folder. `insecure`: doors may listen beyond this machine.
    pub fn read(file: &Path, insecure: bool) -> Result<Config, Faults> {
        let text = std::fs::read_to_string(file).map_err(|e| {
            Faults(vec![Fault {
                file: file.to_owned(),
                line: 0,
                wrong: format!("cannot be read: {e}"),
                remedy: "name a config file with --config".into(),
            }])
        })?;
        Config::parse(file, &text, insecure)
    }

    /// Parses the text of a config file.
    pub fn parse(file: &Path, text: &str, insecure: bool) -> Result<Config, Faults> {
        let folder = file.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let document = Document::new(file, text);
        let (root, errors) = DeTable::parse_recoverable(text);
        for error in &errors {
            let at = error.span().map_or(0, |span| span.start);
            document.fault(at, format!("not TOML: {}", error.message().replace('\n', ", ")), "mend the syntax");
        }
        // What could be made out of a broken text would only lead to faults that are none.
        if !errors.is_empty() {
            return Err(Faults(document.into_faults()));
        }
        let config = fill(Table::root(&document, root.get_ref()), folder, insecure);
        match document.into_faults() {
            faults if faults.is_empty() => Ok(config),
            faults => Err(Faults(faults)),
        }
    }
}

/// Fills a config from the root table; faults go to the document.
fn fill(root: Table<'_>, folder: &Path, insecure: bool) -> Config {
    let mut config = Config::new(folder);
    if let Some(path) = root.path("contracts") {
        config.contracts = folder.join(path);
    }
    if let Some(path) = root.path("log") {
        config.store.log = folder.join(path);
    }
    if let Some(path) = root.path("data") {
        if path.to_string_lossy().contains("://") {
            root.fault("data", "`data` is not a local folder", "name a folder on this machine");
        }
        config.store.data = folder.join(path);
    }
    callers(&root, folder, &mut config);
    front::read(&root, folder, &mut config, insecure);
    config.brokers = broker::read_all(&root, folder);
    way_in(&root, &mut config);
    bounds(&root, &mut config.store);
    if let Some(table) = root.table("engine") {
        config.engine.threads = table.count("threads").unwrap_or(config.engine.threads);
        config.engine.cache_bytes = table.size("cache").unwrap_or(config.engine.cache_bytes);
        table.close();
    }
    if let Some(table) = root.table("sql") {
        sql(&table, &mut config.sql);
        table.close();
        // A question waits for a worker and then is answered: the door must not be the first to lose patience.
        let longest = Duration::from_secs(config.sql.seconds.saturating_mul(3));
        config.limits.request = config.limits.request.max(longest);
    }
    root.close();
    config
}

/// Bounds of questions in SQL.
fn sql(table: &Table<'_>, sql: &mut engine::sql::Config) {
    sql.workers = table.count("workers").unwrap_or(sql.workers);
    sql.waiting = table.count("waiting").unwrap_or(sql.waiting);
    sql.idle = table.age("idle").unwrap_or(sql.idle);
    sql.memory = table.size("memory").unwrap_or(sql.memory);
    sql.bytes = table.size("bytes").unwrap_or(sql.bytes);
    for (key, number) in [("seconds", &mut sql.seconds), ("rows", &mut sql.rows), ("scan_rows", &mut sql.scan_rows)] {
        *number = table.count(key).map_or(*number, |count| count as u64);
    }
}

/// Who may ask, and for how much.
fn callers(root: &Table<'_>, folder: &Path, config: &mut Config) {
    if let Some(path) = root.path("keys") {
        config.keys = folder.join(path);
    }
    if let Some(budget) = root.table("budget") {
        let allowance = &mut config.allowance;
        for (key, bound) in [
            ("anonymous", &mut allowance.anonymous),
            ("keyed", &mut allowance.keyed),
            ("under_way", &mut allowance.under_way),
            ("keyed_under_way", &mut allowance.keyed_under_way),
            ("wrong_keys", &mut allowance.wrong_keys),
        ] {
            *bound = budget.count(key).map_or(*bound, |n| u32::try_from(n).unwrap_or(u32::MAX));
        }
        allowance.callers = budget.count("callers").unwrap_or(allowance.callers);
        config.anonymous_cells = budget.count("cells").unwrap_or(config.anonymous_cells);
        budget.close();
    }
    if let Some(metrics) = root.table("metrics") {
        config.public_metrics = metrics.truth("public").unwrap_or(config.public_metrics);
        metrics.close();
    }
}

/// Bounds between doors and log.
fn way_in(root: &Table<'_>, config: &mut Config) {
    if let Some(message) = root.table("message") {
        let bytes = message.size("bytes").and_then(|b| usize::try_from(b).ok());
        config.ingest.max_message = bytes.unwrap_or(config.ingest.max_message);
        config.listener.max_message = config.ingest.max_message;
        message.close();
    }
    if let Some(write) = root.table("write") {
        let door = &mut config.write;
        for (key, bytes) in
            [("bytes", &mut door.body_bytes), ("memory", &mut door.memory_bytes), ("series", &mut door.series_bytes)]
        {
            *bytes = write.size(key).and_then(|b| usize::try_from(b).ok()).unwrap_or(*bytes);
        }
        door.readers = write.count("readers").unwrap_or(door.readers);
        door.max_names = write.count("names").unwrap_or(door.max_names);
        door.max_refused = write.count("refused").unwrap_or(door.max_refused);
        door.patience = write.age("patience").unwrap_or(door.patience);
        write.close();
    }
    if let Some(intake) = root.table("intake") {
        let bytes = intake.size("bytes").and_then(|b| usize::try_from(b).ok());
        config.ingest.queue_bytes = bytes.unwrap_or(config.ingest.queue_bytes);
        intake.close();
    }
}

/// The store's bounds, each under the word the design gives it.
fn bounds(root: &Table<'_>, store: &mut store::Config) {
    for (section, key, bytes) in [
        ("segment", "bytes", &mut store.segment_bytes),
        ("tail", "bytes", &mut store.tail_bytes),
        ("fold", "bytes", &mut store.fold_bytes),
        ("reserve", "bytes", &mut store.reserve_bytes),
        ("cache", "bytes", &mut store.cache_bytes),
    ] {
        if let Some(table) = root.table(section) {
            *bytes = table.size(key).unwrap_or(*bytes);
            table.close();
        }
    }
    for (section, bytes) in [("hot", &mut store.hot_bytes), ("queue", &mut store.queue_bytes)] {
        if let Some(table) = root.table(section) {
            *bytes = table.size("bytes").and_then(|b| usize::try_from(b).ok()).unwrap_or(*bytes);
            table.close();
        }
    }
    if let Some(flush) = root.table("flush") {
        store.flush_age = flush.age("age").unwrap_or(store.flush_age);
        flush.close();
    }
    if let Some(vacuum) = root.table("vacuum") {
        store.vacuum_after = vacuum.age("after").unwrap_or(store.vacuum_after);
        vacuum.close();
    }
    if let Some(rejects) = root.table("rejects") {
        store.max_rejects = rejects.count("rows").unwrap_or(store.max_rejects);
        let payload = rejects.size("payload").and_then(|b| usize::try_from(b).ok());
        store.reject_bytes = payload.unwrap_or(store.reject_bytes);
        rejects.close();
    }
    if let Some(marks) = root.table("marks") {
        store.max_marks = marks.count("rows").unwrap_or(store.max_marks);
        marks.close();
    }
}

#[cfg(test)]
mod tests;
