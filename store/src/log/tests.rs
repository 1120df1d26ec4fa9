//! Tests of the log, and what they share: datasets, seeded batches, a disk that fails when told, images of a crash.

mod encoding;
mod recovery;
mod running;
mod tails;
mod timing;
pub(in crate::log) mod torture;

use super::*;
use crate::Kind;
use crate::disk::Real;
use schemas::{ABSENT, Access, Cadence, Field, Keep, Keeps, Mark, Note, Place, Reason, Time, UnknownSensors, Zone};
use std::fs;
use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// SplitMix64: seeded numbers.
pub(in crate::log) struct Numbers(pub u64);

impl Numbers {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

pub(super) fn dataset(id: &str, fields: &[&str]) -> Arc<Dataset> {
    let unit = schemas::Unit { code: "1".into(), dimension: "1", factor: (1, 1), offset: (0, 1) };
    let field = |name: &&str| Field {
        name: (*name).into(),
        title: Default::default(),
        unit: unit.clone(),
        kind: schemas::Kind::Gauge,
        resolution: schemas::Resolution::of_scale(0).unwrap(),
        range: (i64::MIN + 1, i64::MAX),
        quantiles: false,
    };
    Arc::new(Dataset {
        id: id.into(),
        title: Default::default(),
        description: Default::default(),
        license: String::new(),
        publisher: String::new(),
        access: Access::Public,
        zone: Zone::utc(),
        every: Cadence::Event,
        unknown_sensors: UnknownSensors::Accept,
        max_sensors: 1000,
        keep: Keeps { raw: Keep::Forever, quarter: Keep::Forever, hour: Keep::Forever, day: Keep::Forever },
        fields: fields.iter().map(field).collect(),
        sources: Vec::new(),
        sensors_file: None,
        sensors: Vec::new(),
        version: 0,
    })
}

pub(super) fn air() -> Arc<Dataset> {
    dataset("air", &["co2", "temperature", "humidity"])
}

/// A batch of `rows` rows whose columns differ in spread and in how many values they lack.
pub(super) fn batch(numbers: &mut Numbers, dataset: &Arc<Dataset>, rows: usize) -> Batch {
    let mut batch = Batch::new(dataset.clone());
    let sensors = 1 + numbers.below(rows.max(1) as u64) as usize;
    batch.sensors = (0..sensors).map(|i| format!("sensor-{i}").into()).collect();
    let start = 1_700_000_000_000_000 + numbers.below(1 << 40) as i64;
    let spread = 1 << numbers.below(50);
    for _ in 0..rows {
        batch.sensor.push(numbers.below(sensors as u64) as u32);
        batch.time.push(start + numbers.below(spread) as i64);
    }
    for column in &mut batch.columns {
        let (bits, absent) = (numbers.below(64), numbers.below(3) * numbers.below(5));
        let value = |numbers: &mut Numbers| match numbers.below(4) < absent {
            true => ABSENT,
            false => (numbers.next() as i64 >> bits).max(i64::MIN + 1),
        };
        *column = (0..rows).map(|_| value(numbers)).collect();
    }
    batch
}

/// An append of one batch of a few rows.
pub(super) fn append(numbers: &mut Numbers, dataset: &Arc<Dataset>) -> Append {
    Append { batches: vec![batch(numbers, dataset, 3)], rejects: Vec::new() }
}

pub(super) fn note(numbers: &mut Numbers) -> Note {
    let part = |numbers: &mut Numbers| numbers.next() as f64 / u64::MAX as f64;
    Note {
        sensor: "sensor-0".into(),
        time: Time(numbers.below(1 << 50) as i64),
        place: Place::new(part(numbers) * 180.0, part(numbers) * -90.0),
        attributes: [("street".to_owned(), "Žižkova \"1\"".to_owned())].into(),
        every: Some(Cadence::Every(60_000_000)),
    }
}

pub(super) fn reject(numbers: &mut Numbers) -> Reject {
    Reject {
        source: "air/0".into(),
        topic: "city/7/air".into(),
        hash: numbers.next(),
        reason: Reason::OutOfRange,
        field: "co2".into(),
        detail: "9 is below 300".into(),
        payload: numbers.next().to_le_bytes().to_vec(),
        time: Time(5),
    }
}

/// What an entry carries, for comparing.
pub(super) fn told(entry: &Entry) -> String {
    match entry {
        Entry::Batch(b) => format!(
            "{} {:?} {:?} {:?} {:?} {:?} {:?}",
            b.dataset.id, b.sensors, b.sensor, b.time, b.columns, b.notes, b.marks
        ),
        other => format!("{other:?}"),
    }
}

/// Position and content of a record.
pub(super) type Told = (u64, String);

/// A disk that fails the operation whose number comes up (counted down to 0), and whose room can be set.
#[derive(Debug)]
pub(super) struct Faulty {
    pub fuse: AtomicI64,
    pub room: AtomicU64,
    pub written: AtomicU64,
}

impl Faulty {
    pub(super) fn new() -> Arc<Faulty> {
        Arc::new(Faulty { fuse: AtomicI64::new(-1), room: AtomicU64::new(u64::MAX), written: AtomicU64::new(0) })
    }

    fn burn(&self) -> io::Result<()> {
        match self.fuse.fetch_sub(1, Ordering::SeqCst) {
            0 => Err(io::Error::other("the fuse blew")),
            _ => Ok(()),
        }
    }
}

impl Disk for Faulty {
    fn create(&self, path: &Path) -> io::Result<File> {
        self.burn()?;
        Real.create(path)
    }

    fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        self.written.fetch_add(bytes.len() as u64, Ordering::SeqCst);
        self.burn().or_else(|e| Real.write(file, &bytes[..bytes.len() / 2]).and(Err(e)))?;
        Real.write(file, bytes)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        self.burn()?;
        Real.sync(file)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        self.burn()?;
        Real.sync_folder(folder)
    }

    fn free(&self, _: &Path) -> io::Result<u64> {
        Ok(self.room.load(Ordering::SeqCst))
    }
}

/// Settings under which only closing notes the last group.
pub(super) fn settings() -> Settings {
    Settings {
        segment_bytes: 1 << 20,
        queue_bytes: 64 << 20,
        group_bytes: 8 << 20,
        reserve_bytes: 0,
        tail_bytes: 1 << 30,
        quiet: Duration::from_secs(3600),
        beside: Vec::new(),
        disk: Arc::new(Real),
    }
}

/// Opens a log and closes it again: what it holds and what was found.
pub(super) fn read(folder: &Path) -> Result<(Vec<Told>, Recovered), Error> {
    let mut records = Vec::new();
    let (_, found) = Log::open(folder, settings(), &[air()], &mut |_, record| {
        records.push((record.position.0, told(&record.entry)));
        Ok(())
    })?;
    Ok((records, found))
}

/// A running log.
pub(super) fn run(folder: &Path, settings: Settings) -> Handle {
    let (log, _) = Log::open(folder, settings, &[air()], &mut |_, _| Ok(())).unwrap();
    log.start(Position(0), Box::new(|_| {})).unwrap()
}

/// Appends and waits for the receipt.
pub(super) fn put(handle: &Handle, append: Append) -> Result<u64, Error> {
    handle.append(append)?.blocking_recv().unwrap().map(|receipt| receipt.position.0)
}

/// What the folder of a running log would hold after SIGKILL: a copy.
pub(super) fn image(folder: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for file in fs::read_dir(folder).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
    }
    copy
}

/// The segments of a folder, oldest first.
pub(super) fn segments(folder: &Path) -> Vec<PathBuf> {
    segment::list(folder).unwrap().into_iter().map(|first| segment::path(folder, first)).collect()
}

/// Waits until something holds, at most ten seconds.
pub(super) fn until(mut holds: impl FnMut() -> bool) {
    let start = std::time::Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(10), "waited ten seconds");
        std::thread::park_timeout(Duration::from_millis(1));
    }
}
