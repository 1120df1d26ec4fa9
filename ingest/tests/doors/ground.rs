//! What the tests of the doors stand on: a real store in a temporary folder, the intake in front of it, and a door.

use access::{Allowance, Budget, Entrance, Front, Limits};
use ingest::doors::listener::gate::Gate;
use ingest::{Catalog, Config, Intake, Metrics, doors, intake};
use schemas::{ABSENT, Span, Time, contract, decimal};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::{Reader, Writer};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A dataset whose payloads carry their time, and one whose payloads do not.
const CONTRACTS: [&str; 2] = [
    r#"
id = "air"
title = { en = "Air" }
description = { en = "Rooms." }
license = "CC-BY-4.0"
publisher = "Test"
zone = "Europe/Prague"
every = "1m"
keep = { raw = "forever", 15m = "forever", 1h = "forever", 1d = "forever" }
[[field]]
name = "co2"
unit = "ppm"
kind = "gauge"
range = [0, 100000]
[[source]]
mqtt = "city/+/air"
sensor = "{topic.1}"
decoder = "json"
time = { path = "/ts", format = "epoch_s" }
map = { co2 = "/co2" }
[[source]]
mqtt = "local/+/air"
sensor = "{topic.1}"
decoder = "json"
time = { path = "/ts", format = "%Y-%m-%d %H:%M", zone = "Europe/Prague" }
map = { co2 = "/co2" }
[[source]]
graphite = "house.{box}.co2"
sensor = "{box}"
map = { co2 = "value" }
[[source]]
mqtt = "senml/+"
senml = "urn:dev:ow:{box}:{name}"
sensor = "{box}"
map = { co2 = "co2" }
[[source]]
line = "air"
sensor = "{room}"
map = { co2 = "co2" }
[[source]]
http = "readings"
sensor = "{/room}"
time = { path = "/ts", format = "epoch_s" }
map = { co2 = "/co2" }
"#,
    r#"
id = "doors"
title = { en = "Doors" }
description = { en = "Passages." }
license = "CC-BY-4.0"
publisher = "Test"
zone = "UTC"
every = "event"
keep = { raw = "forever", 15m = "forever", 1h = "forever", 1d = "forever" }
[[field]]
name = "passages"
unit = "{person}"
kind = "count"
range = [0, 100000]
[[source]]
mqtt = "doors/+"
sensor = "{topic.1}"
decoder = "json"
time = "arrival"
map = { passages = "/n" }
[[source]]
line = "doors"
sensor = "{id}"
map = { passages = "n" }
attributes = { street = "street" }
"#,
];

/// How long anything may take before a test gives up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A store and an intake.
pub(crate) struct Ground {
    pub(crate) intake: Option<Intake>,
    pub(crate) reader: Reader,
    pub(crate) writer: Writer,
    pub(crate) metrics: Metrics,
    working: JoinHandle<Result<(), ingest::Error>>,
    door: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
    folder: tempfile::TempDir,
}

/// The present instant.
pub(crate) fn now() -> Time {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Time(since.as_micros() as i64)
}

/// Seconds since 1970 of a reading so many seconds ago.
pub(crate) fn ago(seconds: i64) -> i64 {
    now().0 / 1_000_000 - seconds
}

impl Ground {
    pub(crate) async fn new(config: Config) -> Ground {
        Ground::on(tempfile::tempdir().unwrap(), config).await
    }

    /// With a store that finds its disk full.
    pub(crate) async fn full(config: Config) -> Ground {
        Ground::with(tempfile::tempdir().unwrap(), config, Some(u64::MAX)).await
    }

    /// With a store that takes nothing until the word is given.
    pub(crate) async fn held(config: Config) -> (Ground, oneshot::Sender<()>) {
        let (go, given) = oneshot::channel();
        (Ground::begun(tempfile::tempdir().unwrap(), config, None, Some(given)).await, go)
    }

    async fn on(folder: tempfile::TempDir, config: Config) -> Ground {
        Ground::with(folder, config, None).await
    }

    /// `reserve`: free bytes of disk below which the store takes nothing in, if not the default.
    async fn with(folder: tempfile::TempDir, config: Config, reserve: Option<u64>) -> Ground {
        Ground::begun(folder, config, reserve, None).await
    }

    /// `held`: nothing is gathered before this resolves.
    async fn begun(
        folder: tempfile::TempDir,
        config: Config,
        reserve: Option<u64>,
        held: Option<oneshot::Receiver<()>>,
    ) -> Ground {
        let texts =
            CONTRACTS.map(|toml| contract::Text { file: "test.toml".into(), toml: toml.into(), registry: None });
        let datasets = contract::parse(&texts).unwrap_or_else(|faults| panic!("{faults}"));
        let clock: store::Clock = Arc::new(now);
        let mut at = store::Config::new(folder.path().join("log"), folder.path().join("data"));
        at.reserve_bytes = reserve.unwrap_or(at.reserve_bytes);
        let (writer, reader) = store::open(at, datasets.clone(), clock.clone()).await.unwrap();
        let metrics = Metrics::default();
        let catalog = Arc::new(Catalog::new(datasets));
        let (intake, gathering) = intake::open(writer.clone(), catalog, &[], config, clock, metrics.clone());
        let working = tokio::spawn(async move {
            if let Some(held) = held {
                let _ = held.await;
            }
            gathering.run().await
        });
        Ground { intake: Some(intake), reader, writer, metrics, working, door: None, folder }
    }

    /// Starts the built-in door on a free port.
    pub(crate) async fn listener(&mut self, config: doors::listener::Config) -> SocketAddr {
        self.guarded(Gate::open(), Front::default(), config).await
    }

    /// The same with a gate and a front.
    pub(crate) async fn guarded(&mut self, gate: Gate, front: Front, config: doors::listener::Config) -> SocketAddr {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let intake = self.intake.clone().unwrap();
        let shutdown = async move { drop(stopped.await) };
        let entrance = Entrance::new(socket, front);
        self.door = Some((stop, tokio::spawn(doors::listener::run(entrance, gate, intake, config, shutdown))));
        address
    }

    /// Starts the HTTP door on a free port. `open`: anybody may write while no key is asked for.
    pub(crate) async fn http(&mut self, gate: Gate, open: bool, config: doors::http::Config) -> SocketAddr {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let limits = Limits { request: Duration::from_secs(3), ..Limits::default() };
        let budget = Budget::new(Allowance::default());
        let intake = self.intake.clone().unwrap();
        let router = doors::http::router(doors::http::Parts { intake, gate, open, budget, limits, config });
        let entrance = Entrance::new(socket, Front::default());
        let run = async move {
            let _ = access::run(entrance, router, limits, async move { drop(stopped.await) }).await;
        };
        self.door = Some((stop, tokio::spawn(run)));
        address
    }

    /// Starts subscriptions at a broker.
    pub(crate) fn broker(&mut self, config: doors::broker::Config) {
        let (stop, stopped) = oneshot::channel::<()>();
        let intake = self.intake.clone().unwrap();
        let shutdown = async move { drop(stopped.await) };
        let run = async move { doors::broker::run(config, intake, shutdown).await.unwrap() };
        self.door = Some((stop, tokio::spawn(run)));
    }

    /// Stops the door in order.
    pub(crate) async fn close_door(&mut self) {
        if let Some((stop, door)) = self.door.take() {
            let _ = stop.send(());
            door.await.unwrap();
        }
    }

    /// Stops door and intake in order; what the intake ended with.
    pub(crate) async fn end(mut self) -> Result<(), ingest::Error> {
        self.close_door().await;
        self.intake = None;
        self.working.await.unwrap()
    }

    /// Stops everything in order and opens the same store again.
    pub(crate) async fn restart(mut self, config: Config) -> Ground {
        self.close_door().await;
        self.intake = None;
        self.working.await.unwrap().unwrap();
        self.writer.close().await.unwrap();
        drop((self.reader, self.writer));
        Ground::on(self.folder, config).await
    }

    /// Ends the intake at once, as when the store fails for good.
    pub(crate) fn kill_intake(&mut self) {
        self.working.abort();
    }

    /// All rows of a dataset: `sensor time value`, the value of its first field.
    pub(crate) async fn rows(&self, dataset: &str) -> Vec<String> {
        let snapshot = self.reader.snapshot(dataset).unwrap();
        let always = Span { from: Time(i64::MIN / 2), to: Time(i64::MAX / 2) };
        let loaded = snapshot.load(always, None, &[0]).await.unwrap();
        let mut rows = Vec::new();
        for sensor in loaded.sensors() {
            loaded.series(sensor, &mut |series| {
                for (time, value) in series.time.iter().zip(series.columns[0]) {
                    let shown = if *value == ABSENT { "-".into() } else { decimal::text(i128::from(*value), 0) };
                    rows.push(format!("{} {} {shown}", snapshot.sensors.ids[sensor as usize], time / 1_000_000));
                }
            });
        }
        rows
    }

    /// Reasons and fields in the rejects table, with their counts, sorted.
    pub(crate) fn rejects(&self) -> Vec<String> {
        let rows = self.reader.rejects();
        let mut rejects: Vec<String> = rows
            .iter()
            .map(|row| format!("{} {} {} x{}", row.first.reason.name(), row.first.topic, row.first.field, row.count))
            .collect();
        rejects.sort();
        rejects
    }
}

/// Waits until something holds.
pub(crate) async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let start = Instant::now();
    while !holds().await {
        assert!(start.elapsed() < PATIENCE, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
