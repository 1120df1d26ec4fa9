//! Store, intake and door in this process, with the shipped contract `traffic`.

use access::{Entrance, Front};
use ingest::doors::listener::{self, gate::Gate};
use ingest::{Catalog, Config, Intake, Metrics, intake};
use schemas::{Time, contract};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::{Reader, Writer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A door that takes messages.
pub(crate) struct Server {
    runtime: Runtime,
    pub(crate) address: SocketAddr,
    intake: Intake,
    reader: Reader,
    writer: Writer,
    metrics: Metrics,
    stop: oneshot::Sender<()>,
    door: JoinHandle<()>,
    working: JoinHandle<Result<(), ingest::Error>>,
    _folder: tempfile::TempDir,
}

/// CPU seconds of this process, in user and kernel: fields 14 and 15 of stat (proc(5)), in steps of 10 ms.
pub(crate) fn cpu() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").expect("stat");
    let fields: Vec<&str> = text.rsplit(") ").next().expect("fields").split(' ').collect();
    [11, 12].iter().map(|&i| fields[i].parse::<f64>().expect("ticks") / 100.0).sum()
}

/// Memory of this process now, in MB (10^6 bytes).
pub(crate) fn resident() -> f64 {
    let text = std::fs::read_to_string("/proc/self/status").expect("status");
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
    line.trim().trim_end_matches(" kB").parse::<f64>().expect("kB") * 1024.0 / 1e6
}

fn now() -> Time {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a clock");
    Time(since.as_micros() as i64)
}

fn contracts() -> Vec<Arc<schemas::Dataset>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas/datasets");
    let toml = std::fs::read_to_string(folder.join("traffic.toml")).expect("the contract");
    let registry = std::fs::read_to_string(folder.join("traffic.geojson")).map_err(|error| error.to_string());
    let registry = Some(("traffic.geojson".into(), registry));
    contract::parse(&[contract::Text { file: "traffic.toml".into(), toml, registry }]).unwrap_or_else(|e| panic!("{e}"))
}

impl Server {
    /// Starts on an empty folder and a free port.
    pub(crate) fn start() -> Server {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        if let Some(threads) = std::env::var("THREADS").ok().and_then(|text| text.parse().ok()) {
            builder.worker_threads(threads);
        }
        let runtime = builder.enable_all().build().expect("runtime");
        let folder = tempfile::tempdir().expect("a folder");
        let (stop, stopped) = oneshot::channel::<()>();
        let datasets = contracts();
        let clock: store::Clock = Arc::new(now);
        let mut config = store::Config::new(folder.path().join("log"), folder.path().join("data"));
        config.flush_age = Duration::from_secs(5);
        let (writer, reader) =
            runtime.block_on(store::open(config, datasets.clone(), clock.clone())).expect("an open store");
        let (metrics, catalog) = (Metrics::default(), Arc::new(Catalog::new(datasets)));
        let (intake, gathering) = intake::open(writer.clone(), catalog, &[], Config::default(), clock, metrics.clone());
        let working = runtime.spawn(gathering.run());
        let front = Front { connections: 20_000, ..Front::default() };
        let socket = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("a port");
        let address = socket.local_addr().expect("an address");
        let shutdown = async move { drop(stopped.await) };
        let entrance = {
            let _inside = runtime.enter();
            Entrance::new(socket, front)
        };
        let run = listener::run(entrance, Gate::open(), intake.clone(), listener::Config::default(), shutdown);
        let door = runtime.spawn(run);
        Server { runtime, address, intake, reader, writer, metrics, stop, door, working, _folder: folder }
    }

    /// Appends made so far.
    pub(crate) fn appends(&self) -> f64 {
        self.metrics.appends.get() as f64
    }

    /// Publishes a value again and again; milliseconds until a reader sees each, for nine seconds.
    pub(crate) fn visibility(&self, address: SocketAddr) -> Vec<f64> {
        let reader = &self.reader;
        self.runtime.block_on(async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            let mut stream = crate::device::connect(address, 99).await;
            let (begun, mut took) = (Instant::now(), Vec::new());
            while begun.elapsed() < Duration::from_secs(9) {
                let value = (took.len() % 2000) as i64;
                let payload = format!(r#"{{"ts":"{}","vehicles":{value}}}"#, now());
                let topic = "city/probe/traffic";
                let length = 2 + topic.len() + 2 + payload.len();
                let mut packet = vec![0x32, length as u8, 0, topic.len() as u8];
                packet.extend(topic.as_bytes());
                packet.extend([0, 1]);
                packet.extend(payload.as_bytes());
                let sent = Instant::now();
                stream.write_all(&packet).await.expect("a door that reads");
                while shown(reader) != Some(value) {
                    assert!(sent.elapsed() < Duration::from_secs(10), "seen in vain");
                    tokio::time::sleep(Duration::from_micros(500)).await;
                }
                took.push(sent.elapsed().as_secs_f64() * 1e3);
                stream.read_exact(&mut [0; 4]).await.expect("PUBACK");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            took
        })
    }

    /// Stops in order; all that was acknowledged must be there.
    pub(crate) fn end(self, messages: u64) {
        let _ = self.stop.send(());
        let Server { runtime, intake, writer, reader, door, working, metrics, .. } = self;
        runtime.block_on(async {
            door.await.expect("the door ends");
            drop(intake);
            working.await.expect("the intake ends").expect("all is durable");
            let dataset = ingest::metrics::ByDataset { dataset: "traffic".into() };
            assert_eq!(metrics.readings.get_or_create(&dataset).get(), messages, "readings");
            drop(reader);
            writer.close().await.expect("a closed store");
        });
    }
}

/// The probe's newest value of its first field.
fn shown(reader: &Reader) -> Option<i64> {
    let snapshot = reader.snapshot("traffic").ok()?;
    snapshot.latest.get(snapshot.sensor("probe")?, 0).map(|(_, value)| value)
}
