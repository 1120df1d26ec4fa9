//! What the engine's tests share: a dataset with a field of every kind, a store in a temporary folder, dice.

use crate::{Answer, Config, Engine, Error, Question, Values};
use schemas::{
    ABSENT, Access, Batch, Cadence, Dataset, Field, Keep, Keeps, Kind, Note, Resolution, Text, Time, Unit,
    UnknownSensors, Zone,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use store::{Append, Writer};

/// splitmix64: the same numbers in every run.
pub(crate) struct Random(pub u64);

impl Random {
    /// A number from 0 to below `n`.
    pub(crate) fn below(&mut self, n: u64) -> i64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n) as i64
    }
}

/// An instant from RFC 3339.
pub(crate) fn time(text: &str) -> Time {
    Time(text.parse::<jiff::Timestamp>().expect("a time").as_microsecond())
}

fn field(name: &str, unit: &str, kind: Kind, scale: u8) -> Field {
    Field {
        name: name.into(),
        title: Text::new(),
        unit: Unit::parse(unit).expect("a unit"),
        kind,
        resolution: Resolution::of_scale(scale).expect("a scale"),
        range: (-1_000_000, 1_000_000_000),
        quantiles: false,
    }
}

/// Fields by number in [`dataset`].
pub(crate) const TEMPERATURE: usize = 0;
pub(crate) const CARS: usize = 1;
pub(crate) const ENERGY: usize = 2;
pub(crate) const DOOR: usize = 3;
pub(crate) const NOISE: usize = 4;
pub(crate) const WIND: usize = 5;

/// A dataset with a field of every kind, a reading a minute, in Prague.
pub(crate) fn dataset(id: &str) -> Arc<Dataset> {
    let state = Kind::State { values: ["open", "closed"].map(Arc::from).to_vec(), hold: 600_000_000 };
    Arc::new(Dataset {
        id: id.into(),
        title: Text::from([("en".to_owned(), "Town".to_owned())]),
        description: Text::new(),
        license: "CC0-1.0".into(),
        publisher: "Test".into(),
        access: Access::Public,
        zone: Zone::parse("Europe/Prague").expect("a zone"),
        every: Cadence::Every(60_000_000),
        unknown_sensors: UnknownSensors::Accept,
        max_sensors: 10_000,
        keep: Keeps { raw: Keep::Forever, quarter: Keep::Forever, hour: Keep::Forever, day: Keep::Forever },
        fields: vec![
            field("temperature", "Cel", Kind::Gauge, 1),
            field("cars", "{car}", Kind::Count, 0),
            field("energy", "kW.h", Kind::Cumulative, 2),
            field("door", "1", state, 0),
            field("noise", "dB", Kind::Level, 1),
            field("wind", "deg", Kind::Angle, 0),
        ],
        sources: Vec::new(),
        sensors_file: None,
        sensors: Vec::new(),
        version: 1,
    })
}

/// A reading of a test: sensor, instant, (field, value) pairs.
pub(crate) type Row<'a> = (&'a str, Time, &'a [(usize, i64)]);

/// Rows as a batch.
pub(crate) fn batch(dataset: &Arc<Dataset>, rows: &[Row<'_>]) -> Batch {
    let mut batch = Batch::new(dataset.clone());
    let mut numbers: BTreeMap<&str, u32> = BTreeMap::new();
    for (sensor, time, values) in rows {
        let number = *numbers.entry(sensor).or_insert_with(|| {
            batch.sensors.push((*sensor).into());
            batch.sensors.len() as u32 - 1
        });
        batch.sensor.push(number);
        batch.time.push(time.0);
        for (field, column) in batch.columns.iter_mut().enumerate() {
            column.push(values.iter().find(|(f, _)| *f == field).map_or(ABSENT, |(_, value)| *value));
        }
    }
    batch
}

/// A store in a temporary folder and an engine over it, with a clock that stands until it is set.
pub(crate) struct Bench {
    pub dataset: Arc<Dataset>,
    pub writer: Writer,
    pub engine: Engine,
    clock: Arc<AtomicI64>,
    _folder: tempfile::TempDir,
}

impl Bench {
    /// An empty store at `now`.
    pub(crate) async fn new(now: Time, config: Config) -> Bench {
        Bench::with(dataset("town"), now, config).await
    }

    /// An empty store of one dataset at `now`.
    pub(crate) async fn with(dataset: Arc<Dataset>, now: Time, config: Config) -> Bench {
        Bench::flushed(dataset, now, config, std::time::Duration::from_secs(30)).await
    }

    /// An empty store of one dataset at `now` that flushes rows of such an age.
    pub(crate) async fn flushed(dataset: Arc<Dataset>, now: Time, config: Config, age: std::time::Duration) -> Bench {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let clock = Arc::new(AtomicI64::new(now.0));
        let told = clock.clone();
        let tell: store::Clock = Arc::new(move || Time(told.load(Ordering::SeqCst)));
        let mut settings = store::Config::new(folder.path().join("log"), folder.path().join("data"));
        settings.flush_age = age;
        let (writer, reader) =
            store::open(settings, vec![dataset.clone()], tell.clone()).await.expect("an empty store opens");
        let engine = Engine::new(reader, tell, config).expect("threads");
        Bench { dataset, writer, engine, clock, _folder: folder }
    }

    /// Sets the clock.
    pub(crate) fn set(&self, now: Time) {
        self.clock.store(now.0, Ordering::SeqCst);
    }

    /// Appends rows.
    pub(crate) async fn put(&self, rows: &[Row<'_>]) {
        self.append(batch(&self.dataset, rows)).await;
    }

    /// Appends a note on a sensor.
    pub(crate) async fn note(&self, sensor: &str, time: Time, attributes: &[(&str, &str)]) {
        let attributes = attributes.iter().map(|(name, text)| (name.to_string(), text.to_string())).collect();
        let mut batch = Batch::new(self.dataset.clone());
        batch.notes.push(Note { sensor: sensor.into(), time, place: None, attributes, every: None });
        self.append(batch).await;
    }

    /// Appends a batch.
    pub(crate) async fn append(&self, batch: Batch) {
        self.writer.append(Append { batches: vec![batch], rejects: Vec::new() }).await.expect("an append");
    }

    /// Asks.
    pub(crate) async fn ask(&self, question: Question) -> Result<Answer, Error> {
        self.engine.answer(&self.engine.resolve(question)?).await
    }
}

/// A cell as text: decimals as they are published, null as `-`.
pub(crate) fn cell(answer: &Answer, column: &str, row: usize) -> String {
    let found = answer.columns.iter().find(|c| c.name == column).unwrap_or_else(|| panic!("no column {column}"));
    let text = match &found.values {
        Values::Time { zone, values } => values[row].map(|time| zone.format(time)),
        Values::Text(values) => values[row].as_ref().map(|text| text.to_string()),
        Values::Int(values) => values[row].map(|value| value.to_string()),
        Values::Decimal { scale, values } => values[row].map(|value| schemas::decimal::text(value, *scale)),
        Values::Real(values) => values[row].map(|value| value.to_string()),
        Values::Bool(values) => values[row].map(|value| value.to_string()),
        other => Some(format!("{other:?}")),
    };
    text.unwrap_or_else(|| "-".to_owned())
}

/// All rows of some columns, each as texts by spaces.
pub(crate) fn table(answer: &Answer, columns: &[&str]) -> Vec<String> {
    let row = |row| columns.iter().map(|column| cell(answer, column, row)).collect::<Vec<_>>().join(" ");
    (0..answer.rows).map(row).collect()
}
