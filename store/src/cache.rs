//! Decoded keys and columns of files, kept in memory within a bound.

use crate::file::layout::{Layout, Spec};
use crate::file::{FileMeta, Footer, Numbering, Opened, Order, Parts};
use crate::paths::FileName;
use crate::run::Column;
use crate::seal::blocking;
use crate::tier::values::Values;
use crate::{Error, Keys, Kind, Rollup, Run, SensorIx, Tier};
use bytes::Bytes;
use moka::sync::Cache as Bounded;
use object_store::ObjectStore;
use schemas::Dataset;
use std::ops::Range;
use std::sync::Arc;

/// Files up to this size are fetched whole; of larger ones the footer, then the columns.
const WHOLE_BYTES: u64 = 1 << 20;
/// Bytes fetched from the end of a larger file to find its footer.
const FOOTER_BYTES: u64 = 64 << 10;
/// Bytes an entry takes besides its rows.
const ENTRY_BYTES: usize = 256;

/// A file of a dataset.
type FileKey = (Arc<str>, FileName);

/// What of a file is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum What {
    /// Its keys.
    Keys,
    /// A column, by its number in the file's layout.
    Column(usize),
}

/// Something kept.
#[derive(Clone, Debug)]
enum Kept {
    Keys(Arc<Keys>),
    /// A column of raw rows; nothing when it has no values.
    Longs(Column),
    /// A column of a tier.
    Values(Option<Arc<Values>>),
}

impl Kept {
    fn bytes(&self) -> usize {
        match self {
            Kept::Keys(keys) => keys.time.len() * 8 + keys.sensors.len() * 8,
            Kept::Longs(values) => values.as_ref().map_or(0, |values| values.len() * 8),
            Kept::Values(values) => values.as_ref().map_or(0, |values| values.bytes()),
        }
    }
}

/// Reads files through a bounded memory of decoded columns. Cloneable: clones share the memory.
#[derive(Clone, Debug)]
pub(crate) struct Cache {
    store: Arc<dyn ObjectStore>,
    opened: Bounded<FileKey, Arc<Opened>>,
    kept: Bounded<(FileKey, What), Kept>,
}

/// A file, and what is wanted of it.
struct Wanted<'a> {
    dataset: &'a Arc<Dataset>,
    file: &'a FileMeta,
    tier: Option<Tier>,
    columns: &'a [usize],
    only: Option<&'a [SensorIx]>,
    number: &'a Numbering,
}

impl Wanted<'_> {
    fn key(&self, what: What) -> (FileKey, What) {
        ((Arc::clone(&self.dataset.id), self.file.name), what)
    }
}

impl Cache {
    /// A cache over the object store of the data folder that holds at most about `bytes` bytes: an eighth for footers, the
    /// rest for decoded keys and columns.
    pub(crate) fn new(store: Arc<dyn ObjectStore>, bytes: u64) -> Cache {
        let size = |bytes: usize| u32::try_from(bytes + ENTRY_BYTES).unwrap_or(u32::MAX);
        let opened = Bounded::builder()
            .max_capacity(bytes / 8)
            .weigher(move |_, opened: &Arc<Opened>| size(opened.bytes()))
            .build();
        let kept = Bounded::builder()
            .max_capacity(bytes - bytes / 8)
            .weigher(move |_, kept: &Kept| size(kept.bytes()))
            .build();
        Cache { store, opened, kept }
    }

    /// Keys and the given fields of a file as a run; other columns are `None`. Fetches and decodes only what is not in
    /// memory, decoding on the runtime's blocking threads. `only`: rows of other sensors are not asked for; the run has
    /// none of them where that is cheaper (then nothing is kept). A dropped call leaves nothing hanging: calls that want the
    /// same file at once each read it.
    pub(crate) async fn load(
        &self,
        dataset: &Arc<Dataset>,
        file: &FileMeta,
        fields: &[usize],
        only: Option<&[SensorIx]>,
        number: &Numbering,
    ) -> Result<Run, Error> {
        let mut columns = vec![None; dataset.fields.len()];
        let wanted = Wanted { dataset, file, tier: None, columns: fields, only, number };
        let keys = self.all(&wanted, |ix, kept| {
            if let Kept::Longs(values) = kept {
                columns[ix] = values;
            }
        });
        Ok(Run { keys: keys.await?, columns })
    }

    /// Keys and the given columns of a tier's file (numbers of [`crate::tier::columns::columns`]), as [`Cache::load`].
    pub(crate) async fn load_tier(
        &self,
        dataset: &Arc<Dataset>,
        tier: Tier,
        file: &FileMeta,
        columns: &[usize],
        only: Option<&[SensorIx]>,
        number: &Numbering,
    ) -> Result<Rollup, Error> {
        let mut found = vec![None; Layout::of(dataset, Some(tier)).columns.len()];
        let wanted = Wanted { dataset, file, tier: Some(tier), columns, only, number };
        let keys = self.all(&wanted, |ix, kept| {
            if let Kept::Values(values) = kept {
                found[ix] = values;
            }
        });
        Ok(Rollup { keys: keys.await?, columns: found })
    }

    /// Forgets a file that is gone.
    pub(crate) fn forget(&self, dataset: &Dataset, name: FileName) {
        let key = (Arc::clone(&dataset.id), name);
        self.opened.invalidate(&key);
        self.kept.invalidate(&(key.clone(), What::Keys));
        let tier = if let crate::paths::Layer::Tier { tier, .. } = name.layer { Some(tier) } else { None };
        for ix in 0..Layout::of(dataset, tier).columns.len() {
            self.kept.invalidate(&(key.clone(), What::Column(ix)));
        }
    }

    /// Gives the keys of a file, and to `each` the wanted columns.
    async fn all(&self, wanted: &Wanted<'_>, mut each: impl FnMut(usize, Kept)) -> Result<Arc<Keys>, Error> {
        let (mut there, mut missing) = (Vec::new(), Vec::new());
        for &ix in wanted.columns {
            match self.kept.get(&wanted.key(What::Column(ix))) {
                Some(kept) => there.push((ix, kept)),
                None => missing.push(ix),
            }
        }
        let keys = match self.kept.get(&wanted.key(What::Keys)) {
            Some(Kept::Keys(keys)) => Some(keys),
            _ => None,
        };
        if let (Some(keys), true) = (&keys, missing.is_empty()) {
            there.into_iter().for_each(|(ix, kept)| each(ix, kept));
            return Ok(keys.clone());
        }
        let (opened, parts) = self.open(wanted).await?;
        let few = wanted.only.and_then(|sensors| opened.few(sensors));
        if let Some(order) = few {
            if order.rows == 0 {
                return Ok(Arc::default());
            }
            let (keys, read) = self.read(wanted, opened, parts, order, None, wanted.columns).await?;
            read.into_iter().for_each(|(ix, kept)| each(ix, kept));
            return Ok(keys);
        }
        there.into_iter().for_each(|(ix, kept)| each(ix, kept));
        let order = opened.order();
        let (found, read) = self.read(wanted, opened, parts, order, keys, &missing).await?;
        self.kept.insert(wanted.key(What::Keys), Kept::Keys(found.clone()));
        for (ix, kept) in read {
            self.kept.insert(wanted.key(What::Column(ix)), kept.clone());
            each(ix, kept);
        }
        Ok(found)
    }

    /// The opened file, and the bytes of it that were fetched on the way.
    async fn open(&self, wanted: &Wanted<'_>) -> Result<(Arc<Opened>, Parts), Error> {
        let file = wanted.file;
        let key = wanted.key(What::Keys).0;
        let mut parts = Parts::new(file.bytes);
        if let Some(opened) = self.opened.get(&key) {
            return Ok((opened, parts));
        }
        let mut tail = if file.bytes <= WHOLE_BYTES { file.bytes } else { FOOTER_BYTES.min(file.bytes) };
        loop {
            let (start, end) = (file.bytes - tail, file.bytes);
            let bytes = self.fetch(wanted, std::slice::from_ref(&(start..end))).await?.pop().unwrap_or_default();
            match Footer::length(&bytes) {
                Some(needed) if needed > tail && needed <= file.bytes => tail = needed,
                _ => {
                    parts.add(start, bytes);
                    break;
                }
            }
        }
        let footer = Footer::read(wanted.dataset, file, &parts)?;
        self.fill(wanted, &mut parts, &footer.openers()).await?;
        let (ends, number) = (parts.clone(), Arc::clone(wanted.number));
        let opened = Arc::new(blocking(move || Opened::read(footer, &ends, &number)).await?);
        self.opened.insert(key, opened.clone());
        Ok((opened, parts))
    }

    /// Fetches and decodes rows of columns, and the keys if they are not there yet.
    async fn read(
        &self,
        wanted: &Wanted<'_>,
        opened: Arc<Opened>,
        mut parts: Parts,
        order: Order,
        keys: Option<Arc<Keys>>,
        columns: &[usize],
    ) -> Result<(Arc<Keys>, Vec<(usize, Kept)>), Error> {
        let (dataset, tier) = (Arc::clone(wanted.dataset), wanted.tier);
        let layout = Layout::of(&dataset, tier);
        let mut columns = columns.to_vec();
        columns.sort_unstable();
        columns.dedup();
        let ranges = opened.ranges(&specs(&layout, &columns), keys.is_none(), &order);
        self.fill(wanted, &mut parts, &ranges).await?;
        let work = move || {
            let keys = match keys {
                Some(keys) => keys,
                None => Arc::new(opened.keys(&parts, &order)?),
            };
            let specs = specs(&layout, &columns);
            let read: Vec<Kept> = match tier {
                None => opened.longs(&parts, &order, &dataset, &specs)?.into_iter().map(Kept::Longs).collect(),
                Some(_) => opened.values(&parts, &order, &dataset, &specs)?.into_iter().map(Kept::Values).collect(),
            };
            Ok((keys, columns.into_iter().zip(read).collect()))
        };
        blocking(work).await
    }

    /// Fetches the ranges that are not there yet.
    async fn fill(&self, wanted: &Wanted<'_>, parts: &mut Parts, ranges: &[Range<u64>]) -> Result<(), Error> {
        let missing: Vec<Range<u64>> = ranges.iter().filter(|range| !parts.holds(range)).cloned().collect();
        if missing.is_empty() {
            return Ok(());
        }
        let bytes = self.fetch(wanted, &missing).await?;
        missing.iter().zip(bytes).for_each(|(range, bytes)| parts.add(range.start, bytes));
        Ok(())
    }

    async fn fetch(&self, wanted: &Wanted<'_>, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, Error> {
        let place = wanted.file.name.place(&wanted.dataset.id);
        let bytes = self.store.get_ranges(&place, ranges).await;
        bytes.map_err(|e| match e {
            object_store::Error::NotFound { .. } => {
                Error::new(Kind::Corrupt, format!("{place} is missing; restore it from a backup"))
            }
            e => Error::store(&place, e),
        })
    }
}

fn specs<'a>(layout: &'a Layout, columns: &[usize]) -> Vec<&'a Spec> {
    columns.iter().map(|&ix| &layout.columns[ix]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::{Call, Faulty};
    use crate::file::tests::{dataset, name, numbering, run, sensors};
    use crate::file::{Effort, encode};
    use crate::local;
    use object_store::ObjectStoreExt;
    use schemas::Day;

    /// Writes a run of so many rows per sensor; gives the store, the run, its file and a cache of so many bytes.
    async fn begin(folder: &std::path::Path, rows: usize, bytes: u64) -> (Faulty, Run, FileMeta, Cache) {
        let store = Faulty::new(local::open(folder).unwrap());
        let mut run = run(&dataset("air"), &[0, 1, 2], Day(20_000), rows);
        // Noise, so that many rows are many bytes.
        let mut dice = crate::testing::Dice(7);
        let noise = (0..3 * rows).map(|_| dice.below(10_000) as i64).collect();
        run.columns[0] = Some(Arc::new(noise));
        let (meta, bytes_) = encode(&dataset("air"), &run, &ids(), name(Day(20_000), 1), Effort::Quick).unwrap();
        store.put(&meta.name.place("air"), bytes_.into()).await.unwrap();
        let cache = Cache::new(Arc::new(store.clone()), bytes);
        (store, run, meta, cache)
    }

    fn ids() -> crate::SensorTable {
        sensors(&["m", "z/9", "a"])
    }

    fn gets(store: &Faulty) -> usize {
        store.calls().iter().filter(|(call, _)| *call == Call::Get).count()
    }

    #[tokio::test]
    async fn a_column_is_read_once() {
        // The second file is read in stretches.
        for rows in [100, 500_000] {
            let folder = tempfile::tempdir().unwrap();
            let (store, run, meta, cache) = begin(folder.path(), rows, 1 << 30).await;
            assert_eq!(meta.bytes > WHOLE_BYTES, rows > 100);
            let (air, number) = (Arc::new(dataset("air")), numbering(&ids()));
            let first = cache.load(&air, &meta, &[1], None, &number).await.unwrap();
            assert_eq!((&first.keys, &first.columns[1], &first.columns[0]), (&run.keys, &run.columns[1], &None));
            let second = cache.load(&air, &meta, &[0, 1, 3, 4], None, &number).await.unwrap();
            assert_eq!((&second.columns[..2], &second.columns[3..]), (&run.columns[..2], &run.columns[3..]));
            let before = gets(&store);
            let third = cache.load(&air, &meta, &[3, 0, 4], None, &number).await.unwrap();
            assert_eq!(third.columns[3], run.columns[3]);
            assert!(Arc::ptr_eq(&third.keys, &first.keys));
            assert_eq!(gets(&store), before);
            cache.forget(&air, meta.name);
            cache.load(&air, &meta, &[0], None, &number).await.unwrap();
            assert!(gets(&store) > before);
        }
    }

    #[tokio::test]
    async fn what_does_not_fit_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let (_, run, meta, cache) = begin(folder.path(), 5000, 1000).await;
        let (air, number) = (Arc::new(dataset("air")), numbering(&ids()));
        for _ in 0..3 {
            let loaded = cache.load(&air, &meta, &[0, 2], None, &number).await.unwrap();
            assert_eq!((&loaded.columns[0], &loaded.columns[2]), (&run.columns[0], &run.columns[2]));
        }
        cache.kept.run_pending_tasks();
        assert!(cache.kept.weighted_size() <= 1000);
    }

    #[tokio::test]
    async fn a_file_that_is_gone_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let (store, _, meta, cache) = begin(folder.path(), 10, 1000).await;
        store.delete(&meta.name.place("air")).await.unwrap();
        let lost = cache.load(&Arc::new(dataset("air")), &meta, &[0], None, &numbering(&ids())).await.unwrap_err();
        assert_eq!(lost.kind, Kind::Corrupt);
        assert!(lost.message.contains("air/raw/day=2024-10-04/"), "{lost}");
    }

    #[tokio::test]
    async fn few_sensors_are_read_alone_unless_all_are_there() {
        let folder = tempfile::tempdir().unwrap();
        let store = Faulty::new(local::open(folder.path()).unwrap());
        // Numbers are not in the order of ids.
        let ids = crate::SensorTable { ids: (0..200).map(|n| format!("s{:03}", n * 7 % 200).into()).collect() };
        let numbers: Vec<u32> = (0..200).collect();
        let run = run(&dataset("air"), &numbers, Day(20_000), 1000);
        let (meta, bytes) = encode(&dataset("air"), &run, &ids, name(Day(20_000), 1), Effort::Quick).unwrap();
        assert!(meta.bytes < WHOLE_BYTES);
        store.put(&meta.name.place("air"), bytes.into()).await.unwrap();
        let cache = Cache::new(Arc::new(store.clone()), 1 << 30);
        let (air, number) = (Arc::new(dataset("air")), numbering(&ids));
        let part = |few: &Run, sensor: u32| {
            let (from, to) = (run.keys.rows(sensor), few.keys.rows(sensor));
            assert_eq!(run.keys.time[from.clone()], few.keys.time[to.clone()]);
            for field in [0, 1, 2, 3] {
                let one = |run: &Run, rows: Range<usize>| rows.map(|row| run.value(field, row)).collect::<Vec<_>>();
                assert_eq!(one(&run, from.clone()), one(few, to.clone()), "field {field} of sensor {sensor}");
            }
        };
        for _ in ["cold", "with a footer"] {
            let some = [150, 3, 77, 9999];
            let few = cache.load(&air, &meta, &[0, 1, 2, 3, 4], Some(&some), &number).await.unwrap();
            assert_eq!((&few.keys.sensors[..], few.len()), (&[3, 77, 150][..], 3000));
            [3, 77, 150].into_iter().for_each(|sensor| part(&few, sensor));
            assert_eq!(few.columns[4], None);
        }
        let none = cache.load(&air, &meta, &[0], Some(&[9999]), &number).await.unwrap();
        assert!(none.is_empty());
        let all = cache.load(&air, &meta, &[0], Some(&numbers), &number).await.unwrap();
        assert_eq!(all.keys, run.keys);
        let before = gets(&store);
        let kept = cache.load(&air, &meta, &[0], Some(&[5]), &number).await.unwrap();
        assert!(Arc::ptr_eq(&kept.keys, &all.keys));
        assert_eq!(gets(&store), before);
    }
}
