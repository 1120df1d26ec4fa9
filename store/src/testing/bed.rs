//! A store on a temporary folder, moved step by step, and what a reader sees of it.

use super::{Row, batch, noon};
use crate::disk::{Disk, Real};
use crate::fault::Faulty;
use crate::intake::lock;
use crate::paths::Layer;
use crate::store::Store;
use crate::table::Table;
use crate::writer::append_to;
use crate::{
    Append, Config, Erasure, Error, Run, Snapshot, act, compact, disk, flush, fold, local, maintenance, retention,
    tier, vacuum,
};
use object_store::ObjectStore;
use schemas::{Batch, Dataset, Reject, Span, Time};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

/// Every row a reader sees: (sensor, instant) to the value of each field.
pub(crate) type Rows = BTreeMap<(String, i64), Vec<i64>>;

/// All time.
pub(crate) const ALWAYS: Span = Span { from: Time(-1 << 60), to: Time(1 << 60) };

/// A store without maintenance: each step is asked for.
pub(crate) struct Bed {
    _folder: TempDir,
    pub(crate) datasets: Vec<Arc<Dataset>>,
    pub(crate) config: Config,
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) faults: Option<Faulty>,
    store: Option<Arc<Store>>,
}

impl Bed {
    /// An open store of datasets.
    pub(crate) async fn new(datasets: Vec<Arc<Dataset>>) -> Bed {
        let mut bed = Bed::at(TempDir::new().expect("a temporary folder"), datasets, Arc::new(Real));
        bed.open().await.expect("a new store opens");
        bed
    }

    /// A store on a disk, not open yet.
    pub(crate) fn at(folder: TempDir, datasets: Vec<Arc<Dataset>>, disk: Arc<dyn Disk>) -> Bed {
        let mut config = Config::new(folder.path().join("log"), folder.path().join("data"));
        config.reserve_bytes = 0;
        Bed { _folder: folder, datasets, config, disk, faults: None, store: None }
    }

    /// A store of one dataset of so many fields.
    pub(crate) async fn of(fields: usize) -> Bed {
        Bed::new(vec![super::dataset("d", fields)]).await
    }

    /// Opens what is on disk.
    pub(crate) async fn open(&mut self) -> Result<(), Error> {
        disk::writable(&*self.disk, &self.config.data, "data folder")?;
        let lock = disk::Lock::take(&self.config.data)?;
        let faults = Faulty::new(local::on(self.disk.clone(), &self.config.data)?);
        self.faults = Some(faults.clone());
        let clock = Arc::new(noon);
        let objects = (Arc::new(faults) as Arc<dyn ObjectStore>, self.disk.clone());
        let store = Store::over(objects, lock, self.config.clone(), self.datasets.clone(), clock).await?;
        self.store = Some(Arc::new(store));
        Ok(())
    }

    pub(crate) fn store(&self) -> &Arc<Store> {
        self.store.as_ref().expect("the store is open")
    }

    /// Ends the process, as far as the store can tell. What was acknowledged is in the log.
    pub(crate) fn crash(&mut self) {
        if let Some(store) = self.store.take() {
            store.log.close();
            store.unlock();
        }
    }

    /// Ends the process and starts it again.
    pub(crate) async fn restart(&mut self) {
        self.crash();
        self.open().await.expect("the store opens again");
    }

    /// From now on a step that reaches this point crashes there.
    pub(crate) fn crash_at(&self, point: Option<&'static str>) {
        *self.store().points.fail.lock().expect("no panic") = point;
    }

    /// Removes the log folder between two lives of the store.
    pub(crate) async fn lose_log(&mut self) {
        self.crash();
        std::fs::remove_dir_all(&self.config.log).expect("the log folder goes");
        self.open().await.expect("the store opens with a new log");
    }

    pub(crate) async fn append(&self, batches: Vec<Batch>, rejects: Vec<Reject>) -> u64 {
        append_to(self.store(), Append { batches, rejects }).await.expect("taken").position.0
    }

    /// Appends rows of the first dataset.
    pub(crate) async fn put(&self, rows: &[Row<'_>]) -> u64 {
        self.append(vec![batch(&self.datasets[0], rows)], Vec::new()).await
    }

    /// Erases readings of a sensor of the first dataset, or values of some of its fields.
    pub(crate) async fn erase(&self, sensor: &str, span: (i64, i64), fields: &[usize]) -> Result<u64, Error> {
        act::erase(self.store(), self.erasure(sensor, span, fields)).await.map(|receipt| receipt.position.0)
    }

    /// An erasure in the first dataset.
    pub(crate) fn erasure(&self, sensor: &str, (from, to): (i64, i64), fields: &[usize]) -> Erasure {
        let dataset = &self.datasets[0];
        Erasure {
            dataset: dataset.id.clone(),
            sensor: sensor.into(),
            span: Span { from: Time(from), to: Time(to) },
            fields: fields.iter().map(|&field| dataset.fields[field].name.clone()).collect(),
            at: noon(),
            who: "tester".into(),
            rows: 0,
        }
    }

    pub(crate) async fn seal(&self) -> Result<(), Error> {
        flush::seal_only(self.store(), &self.store().intake.books[0]).await
    }

    pub(crate) async fn flush(&self) -> Result<(), Error> {
        for book in &self.store().intake.books {
            flush::flush(self.store(), book).await?;
        }
        self.store().release().await
    }

    pub(crate) async fn fold(&self) -> Result<(), Error> {
        for book in &self.store().intake.books {
            let days: Vec<_> = lock(&book.holding).shelf.late.keys().copied().collect();
            for day in days {
                fold::fold(self.store(), book, day).await?;
            }
        }
        self.store().empty_bin().await
    }

    /// Closes windows that are due, one step per tier.
    pub(crate) async fn close(&self) -> Result<(), Error> {
        for book in &self.store().intake.books {
            tier::close(self.store(), book, tier::Pace::Now).await?;
        }
        Ok(())
    }

    /// Puts files together, one step per dataset, days that are over whole.
    pub(crate) async fn compact(&self) -> Result<(), Error> {
        for book in &self.store().intake.books {
            compact::compact(self.store(), book, noon(), &mut |_, _, _| true).await?;
        }
        Ok(())
    }

    pub(crate) async fn refresh(&self) -> Result<(), Error> {
        for book in &self.store().intake.books {
            tier::refresh(self.store(), book).await?;
        }
        self.store().empty_bin().await
    }

    /// Marks and drops what has been kept for long enough, one step per dataset. Gives how many days and partitions.
    pub(crate) async fn retain(&self) -> Result<usize, Error> {
        let mut done = 0;
        for book in &self.store().intake.books {
            let patience = retention::Patience { rest: Duration::ZERO, grace: Duration::ZERO };
            let mut since = retention::Since::default();
            done += retention::retain(self.store(), book, noon(), &mut since, patience).await?;
        }
        Ok(done)
    }

    /// Whether a reading of the first dataset would be refused as too old.
    pub(crate) fn too_old(&self, time: i64) -> bool {
        let book = &self.store().intake.books[0];
        book.refused.holds(&book.dataset, Time(time))
    }

    /// Removes what was replaced before now, one step per dataset. Gives how many objects went.
    pub(crate) async fn vacuum(&self) -> Result<usize, Error> {
        let mut removed = 0;
        for book in &self.store().intake.books {
            // The files of this very moment too, by a clock that may be a little behind.
            removed += vacuum::vacuum(self.store(), book, crate::table::now() + 1000, Duration::ZERO).await?;
        }
        Ok(removed)
    }

    pub(crate) async fn settle(&self) -> Result<(), Error> {
        maintenance::settle(self.store()).await
    }

    pub(crate) async fn save_desk(&self) {
        let _turn = self.store().saving.lock().await;
        self.store().save_desk().await.expect("rejects are saved");
    }

    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        lock(&self.store().intake.books[0].holding).snapshot()
    }

    /// All rows of the newest snapshot of the first dataset.
    pub(crate) async fn rows(&self) -> Rows {
        rows_of(&self.snapshot()).await
    }

    /// Files of the first dataset on disk, as listed: committed or not.
    pub(crate) async fn stored(&self, layer: &str) -> Vec<String> {
        let objects = local::on(self.disk.clone(), &self.config.data).expect("opened before");
        let folder = object_store::path::Path::from(format!("{}/{layer}", self.datasets[0].id));
        let mut names = Vec::new();
        let mut list = objects.list(Some(&folder));
        while let Some(object) = futures::StreamExt::next(&mut list).await {
            let place = object.expect("listed").location.to_string();
            if place.ends_with(".parquet") {
                names.push(place);
            }
        }
        names.sort();
        names
    }

    /// Reads the table of the first dataset from disk as anyone would: checks that each file is sorted and that no key is in
    /// two files, and gives all rows.
    pub(crate) async fn table_rows(&self) -> Rows {
        let dataset = self.datasets[0].clone();
        let objects = local::on(self.disk.clone(), &self.config.data).expect("opened before");
        let table = Table::open_or_create(objects.clone(), dataset.clone(), None).await.expect("the table opens");
        let names = Arc::new(std::sync::Mutex::new(Vec::<String>::new()));
        let mut rows = Rows::new();
        for (name, meta) in table.files() {
            assert!(matches!(name.layer, Layer::Raw { .. }));
            let place = name.place(&dataset.id);
            let bytes = objects.get_opts(&place, Default::default()).await.expect("a committed file is there");
            let bytes = bytes.bytes().await.expect("it can be read");
            let known = names.clone();
            let number: crate::file::Numbering = Arc::new(move |id| {
                let mut known = known.lock().expect("no panic");
                let at = known.iter().position(|k| k == id);
                Ok(at.unwrap_or_else(|| {
                    known.push(id.to_owned());
                    known.len() - 1
                }) as u32)
            });
            let fields: Vec<usize> = (0..dataset.fields.len()).collect();
            let run = crate::file::tests::decode(&dataset, meta, &bytes, &fields, &number).expect("a good file");
            assert_eq!(run.len() as u64, meta.rows);
            add(&mut rows, &run, &names.lock().expect("no panic"));
        }
        rows
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        self.crash();
    }
}

fn add(rows: &mut Rows, run: &Run, names: &[String]) {
    for (sensor, own) in run.keys.each() {
        assert!(run.keys.time[own.clone()].is_sorted_by(|a, b| a < b), "a file is sorted");
        for row in own {
            let values = (0..run.columns.len()).map(|f| run.value(f, row)).collect();
            let key = (names[sensor as usize].clone(), run.keys.time[row]);
            assert!(rows.insert(key.clone(), values).is_none(), "{key:?} is in two files of one version");
        }
    }
}

/// All rows of a snapshot, by `load` and `series`; sensors asked for one by one give the same.
pub(crate) async fn rows_of(snapshot: &Snapshot) -> Rows {
    let fields: Vec<usize> = (0..snapshot.dataset.fields.len()).collect();
    let loaded = snapshot.load(ALWAYS, None, &fields).await.expect("the span loads");
    let mut rows = Rows::new();
    for sensor in loaded.sensors() {
        let mut calls = 0;
        loaded.series(sensor, &mut |series| {
            calls += 1;
            assert!(series.time.is_sorted_by(|a, b| a < b), "a key twice in one answer");
            for (row, time) in series.time.iter().enumerate() {
                let id = snapshot.sensors.ids[sensor as usize].to_string();
                rows.insert((id, *time), series.columns.iter().map(|c| c[row]).collect());
            }
        });
        // All its rows may be erased among the layers.
        let erases = !snapshot.cuts.is_empty() || snapshot.shelf.erasing(ALWAYS).next().is_some();
        assert!(calls == 1 || calls == 0 && erases, "a sensor with rows is visited once");
    }
    assert!(snapshot.rows_at_most(ALWAYS) >= rows.len() as u64);
    if let Some(&one) = loaded.sensors().last() {
        let alone = snapshot.load(ALWAYS, Some(&[one, one, u32::MAX]), &fields).await.expect("the span loads");
        assert_eq!(alone.sensors(), [one]);
        let id = &snapshot.sensors.ids[one as usize];
        alone.series(one, &mut |series| {
            let times: Vec<i64> = rows.keys().filter(|(s, _)| **s == **id).map(|(_, time)| *time).collect();
            assert_eq!(series.time, times, "asked for alone it has the same rows");
        });
    }
    rows
}
