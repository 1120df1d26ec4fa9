//! A small town for tests: two public datasets and a restricted one in a folder that goes away.

use super::worker;
use crate::{Admission, Figure, FigureKind, Parts, router};
use access::{Allowance, Budget, Keyring, Keys};
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use engine::Engine;
use http_body_util::BodyExt;
use prometheus_client::metrics::counter::Counter;
use schemas::{ABSENT, Batch, Dataset, Note, Place, Time};
use serde_json::Value;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use store::{Append, Clock, Reader, Writer};
use tempfile::TempDir;
use tower::ServiceExt;

const AIR: &str = r#"
id = "air_quality"
title = { en = "Air quality", cs = "Kvalita ovzduší" }
description = { en = "CO2 and climate." }
license = "CC-BY-4.0"
publisher = "Test <town>"
access = "public"
zone = "Europe/Prague"
every = "1m"

[[field]]
name = "co2"
title = { en = "CO2 concentration" }
unit = "ppm"
kind = "gauge"
resolution = 1
range = [300, 10000]

[[field]]
name = "temperature"
title = { en = "Temperature" }
unit = "Cel"
kind = "gauge"
resolution = 0.1
range = [-40, 60]

[[source]]
mqtt = "city/+/air"
sensor = "{topic.1}"
decoder = "json"
time = { path = "/ts", format = "rfc3339" }
map = { co2 = "/co2", temperature = "/temp" }
"#;

/// The clock of the town: 2026-11-20T09:00:00Z.
pub(super) const NOW: Time = Time(1_795_165_200_000_000);
/// A minute in microseconds.
pub(super) const MINUTE: i64 = 60_000_000;

/// The town. Lives as long as its folder.
pub(super) struct Town {
    pub(super) router: Router,
    /// What the router was made of.
    pub(super) parts: Parts,
    pub(super) engine: Engine,
    pub(super) air: Arc<Dataset>,
    pub(super) writer: Writer,
    /// Reasons that `/ready` gives.
    pub(super) unready: Arc<Mutex<Vec<String>>>,
    _folder: TempDir,
}

/// A response in full.
pub(super) struct Said {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

impl Said {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// Rows of `data`.
    pub(super) fn rows(&self) -> Vec<Value> {
        assert_eq!(self.status, StatusCode::OK, "{}", self.body);
        self.json()["data"].as_array().cloned().unwrap_or_else(|| panic!("no rows: {}", self.body))
    }
}

impl Town {
    /// An hour of readings, one a minute and sensor, up to now: co2 is 400 + minute, temperature 20.0 + a tenth a minute.
    /// `museum` stands in a street; `school` reports no temperature.
    pub(super) async fn new() -> Town {
        let folder = tempfile::tempdir().expect("a folder");
        let restricted =
            AIR.replace("air_quality", "secret").replace("\"public\"", "\"restricted\"").replace("city/", "hidden/");
        let empty = AIR.replace("air_quality", "silent").replace("city/", "silent/");
        let texts = [("air", AIR), ("secret", &*restricted), ("silent", &*empty)].map(|(name, toml)| {
            schemas::contract::Text { file: PathBuf::from(name), toml: toml.to_owned(), registry: None }
        });
        let datasets = schemas::contract::parse(&texts).unwrap_or_else(|faults| panic!("{faults:?}"));
        let air = datasets.iter().find(|dataset| &*dataset.id == "air_quality").cloned().expect("declared");
        let config = store::Config::new(folder.path().join("log"), folder.path().join("data"));
        let clock: Clock = Arc::new(|| NOW);
        let (writer, reader) = store::open(config, datasets, clock.clone()).await.expect("a store");
        let town = Town::over(folder, writer, reader, clock, air);
        town.append(&town.hour()).await;
        town
    }

    fn over(folder: TempDir, writer: Writer, reader: Reader, clock: Clock, air: Arc<Dataset>) -> Town {
        let engine = Engine::new(reader, clock, engine::Config::default()).expect("an engine");
        let unready = Arc::new(Mutex::new(Vec::new()));
        let reasons = unready.clone();
        let figure = Figure {
            name: "lamppost_log_bytes",
            help: "Bytes of log on disk",
            kind: FigureKind::Gauge,
            values: vec![(vec![("log", "a\"b".to_owned())], 7.0)],
        };
        let parts = Parts {
            limits: access::Limits::default(),
            engine: engine.clone(),
            sql: worker::pool(&engine),
            admission: admission(Keyring::default(), Allowance::default()),
            unready: Arc::new(move || reasons.lock().expect("no panic holds it").clone()),
            figures: Arc::new(move || vec![figure.clone()]),
            register: Arc::new(|registry| {
                let messages = Counter::<u64>::default();
                messages.inc_by(3);
                registry.register("door_messages", "Messages of a door", messages);
            }),
            status: Arc::new(|| serde_json::json!({ "position": 1 })),
            operate: Arc::new(|order| {
                let told = serde_json::json!({ "act": order.act, "who": order.who, "words": order.words });
                Box::pin(async move { Ok(told) })
            }),
        };
        Town { router: router(parts.clone()), parts, engine, air, writer, unready, _folder: folder }
    }

    /// The batch of the hour before now.
    fn hour(&self) -> Batch {
        let mut batch = Batch::new(self.air.clone());
        batch.sensors = vec!["museum".into(), "school".into()];
        for minute in 0..60 {
            for sensor in 0..2_u32 {
                batch.sensor.push(sensor);
                batch.time.push(NOW.0 - (60 - minute) * MINUTE);
                batch.columns[0].push(400 + minute + i64::from(sensor) * 100);
                batch.columns[1].push(if sensor == 0 { 200 + minute } else { ABSENT });
            }
        }
        batch.notes = vec![Note {
            sensor: "museum".into(),
            time: Time(NOW.0 - 60 * MINUTE),
            place: Place::new(14.1475, 49.3088),
            attributes: [("street".to_owned(), "Velké náměstí".to_owned())].into(),
            every: None,
        }];
        batch
    }

    pub(super) async fn append(&self, batch: &Batch) {
        let append = Append { batches: vec![batch.clone()], rejects: Vec::new() };
        self.writer.append(append).await.expect("appended");
    }

    pub(super) async fn ask(&self, request: Request<Body>) -> Said {
        let Ok(response) = self.router.clone().oneshot(request).await;
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("a body").to_bytes();
        Said { status: parts.status, headers: parts.headers, body: String::from_utf8(bytes.to_vec()).expect("text") }
    }

    pub(super) async fn get(&self, address: &str) -> Said {
        self.ask(request(Method::GET, address, &[])).await
    }
}

/// Who may ask, and how much.
pub(super) fn admission(ring: Keyring, allowance: Allowance) -> Admission {
    Admission {
        keys: Keys::fixed(ring),
        budget: Budget::new(allowance),
        anonymous_cells: 1_000_000,
        public_metrics: true,
    }
}

/// A request with headers.
pub(super) fn request(method: Method, address: &str, headers: &[(&str, &str)]) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(address);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::empty()).unwrap_or_else(|error| panic!("{address}: {error}"))
}
