//! Decoded keys and columns of files, kept in memory within a bound.

use crate::file::{FileKeys, FileMeta, Footer, Numbering, Parts, values};
use crate::paths::FileName;
use crate::{Error, Kind, Run};
use bytes::Bytes;
use moka::sync::Cache as Bounded;
use object_store::{ObjectStore, ObjectStoreExt};
use schemas::Dataset;
use std::sync::Arc;

/// Files up to this size are fetched whole; of larger ones the footer, then the columns.
const WHOLE_BYTES: u64 = 1 << 20;
/// Bytes fetched from the end of a larger file to find its footer.
const FOOTER_BYTES: u64 = 64 << 10;
/// Bytes an entry takes besides its rows.
const ENTRY_BYTES: usize = 256;

/// A file of a dataset.
type FileKey = (Arc<str>, FileName);
/// Its footer and keys.
type Opened = (Footer, FileKeys);
/// A column of it; nothing when it has no values.
type Values = Option<Arc<Vec<i64>>>;

/// Reads files through a bounded memory of decoded columns. Cloneable: clones share the memory.
#[derive(Clone, Debug)]
pub(crate) struct Cache {
    store: Arc<dyn ObjectStore>,
    opened: Bounded<FileKey, Arc<Opened>>,
    columns: Bounded<(FileKey, Arc<str>), Values>,
}

impl Cache {
    /// A cache over the object store of the data folder that holds at most about `bytes` bytes of decoded columns: a
    /// quarter for keys, the rest for values.
    pub(crate) fn new(store: Arc<dyn ObjectStore>, bytes: u64) -> Cache {
        let size = |bytes: usize| u32::try_from(bytes + ENTRY_BYTES).unwrap_or(u32::MAX);
        let opened = Bounded::builder()
            .max_capacity(bytes / 4)
            .weigher(move |_, opened: &Arc<Opened>| size(opened.0.bytes() + opened.1.bytes()))
            .build();
        let columns = Bounded::builder()
            .max_capacity(bytes - bytes / 4)
            .weigher(move |_, values: &Values| size(values.as_ref().map_or(0, |values| values.len() * 8)))
            .build();
        Cache { store, opened, columns }
    }

    /// Keys and the given fields of a file as a run; other columns are `None`. Fetches and decodes only what is not in
    /// memory, decoding on the runtime's blocking threads. A dropped call leaves nothing hanging: calls that want the same
    /// file at once each read it.
    pub(crate) async fn load(
        &self,
        dataset: &Arc<Dataset>,
        file: &FileMeta,
        fields: &[usize],
        number: &Numbering,
    ) -> Result<Run, Error> {
        let key = (Arc::clone(&dataset.id), file.name);
        let mut columns = vec![None; dataset.fields.len()];
        let mut missing = Vec::new();
        for &ix in fields {
            match self.columns.get(&(key.clone(), Arc::clone(&dataset.fields[ix].name))) {
                Some(values) => columns[ix] = values,
                None => missing.push(ix),
            }
        }
        let opened = self.opened.get(&key);
        if let (Some(opened), true) = (&opened, missing.is_empty()) {
            return Ok(Run { keys: Arc::clone(&opened.1.keys), columns });
        }
        let parts = self.fetch(dataset, file, opened.as_deref(), &missing).await?;
        let (opened, read) = self.decode(dataset, file, opened, missing, number, parts).await?;
        let keys = Arc::clone(&opened.1.keys);
        self.opened.insert(key.clone(), opened);
        for (ix, values) in read {
            columns[ix] = values.clone();
            self.columns.insert((key.clone(), Arc::clone(&dataset.fields[ix].name)), values);
        }
        Ok(Run { keys, columns })
    }

    /// Forgets a file that is gone.
    pub(crate) fn forget(&self, dataset: &Dataset, name: FileName) {
        let key = (Arc::clone(&dataset.id), name);
        self.opened.invalidate(&key);
        for field in &dataset.fields {
            self.columns.invalidate(&(key.clone(), Arc::clone(&field.name)));
        }
    }

    /// The bytes that decoding these fields needs, and the keys if they are not there yet.
    async fn fetch(
        &self,
        dataset: &Dataset,
        file: &FileMeta,
        opened: Option<&Opened>,
        fields: &[usize],
    ) -> Result<Parts, Error> {
        let place = file.name.place(&dataset.id);
        let failed = |e| match e {
            object_store::Error::NotFound { .. } => {
                Error::new(Kind::Corrupt, format!("{place} is missing; restore it from a backup"))
            }
            e => Error::store(&place, e),
        };
        if file.bytes <= WHOLE_BYTES {
            let whole = async { self.store.get(&place).await?.bytes().await }.await.map_err(failed)?;
            return Ok(Parts::whole(whole));
        }
        let mut parts = Parts::new(file.bytes);
        let footer = match opened {
            Some((footer, _)) => footer.clone(),
            None => {
                let mut tail = FOOTER_BYTES.min(file.bytes);
                loop {
                    let start = file.bytes - tail;
                    let bytes = self.store.get_range(&place, start..file.bytes).await.map_err(failed)?;
                    match Footer::length(&bytes) {
                        Some(needed) if needed > tail && needed <= file.bytes => tail = needed,
                        _ => {
                            parts.add(start, bytes);
                            break Footer::read(dataset, file, &parts)?;
                        }
                    }
                }
            }
        };
        let ranges = footer.ranges(dataset, fields, opened.is_none());
        let bytes: Vec<Bytes> = self.store.get_ranges(&place, &ranges).await.map_err(failed)?;
        ranges.iter().zip(bytes).for_each(|(range, bytes)| parts.add(range.start, bytes));
        Ok(parts)
    }

    /// Decodes on a blocking thread.
    async fn decode(
        &self,
        dataset: &Arc<Dataset>,
        file: &FileMeta,
        opened: Option<Arc<Opened>>,
        fields: Vec<usize>,
        number: &Numbering,
        parts: Parts,
    ) -> Result<(Arc<Opened>, Vec<values::FieldColumn>), Error> {
        let (dataset, file, number) = (Arc::clone(dataset), file.clone(), Arc::clone(number));
        let work = move || {
            let opened = match opened {
                Some(opened) => opened,
                None => {
                    let footer = Footer::read(&dataset, &file, &parts)?;
                    let keys = FileKeys::read(&footer, &parts, &number)?;
                    Arc::new((footer, keys))
                }
            };
            let read = values::read(&opened.0, &parts, &opened.1, &dataset, &fields)?;
            Ok((opened, read))
        };
        tokio::task::spawn_blocking(work).await.map_err(|e| Error::new(Kind::Io, format!("decoding stopped: {e}")))?
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::{Call, Faulty};
    use crate::file::encode;
    use crate::file::tests::{dataset, name, numbering, run, sensors};
    use crate::local;
    use schemas::Day;

    /// Writes a run of so many rows per sensor; gives the store, the run, its file and a cache of so many bytes.
    async fn begin(folder: &std::path::Path, rows: usize, bytes: u64) -> (Faulty, Run, FileMeta, Cache) {
        let store = Faulty::new(local::open(folder).unwrap());
        let mut run = run(&dataset("air"), &[0, 1, 2], Day(20_000), rows);
        // Noise, so that many rows are many bytes.
        let mut dice = crate::testing::Dice(7);
        let noise = (0..3 * rows).map(|_| dice.below(10_000) as i64).collect();
        run.columns[0] = Some(Arc::new(noise));
        let (meta, bytes_) = encode(&dataset("air"), &run, &ids(), name(Day(20_000), 1)).unwrap();
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
            let first = cache.load(&air, &meta, &[1], &number).await.unwrap();
            assert_eq!((&first.keys, &first.columns[1], &first.columns[0]), (&run.keys, &run.columns[1], &None));
            let second = cache.load(&air, &meta, &[0, 1, 3, 4], &number).await.unwrap();
            assert_eq!((&second.columns[..2], &second.columns[3..]), (&run.columns[..2], &run.columns[3..]));
            let before = gets(&store);
            let third = cache.load(&air, &meta, &[3, 0, 4], &number).await.unwrap();
            assert_eq!(third.columns[3], run.columns[3]);
            assert!(Arc::ptr_eq(&third.keys, &first.keys));
            assert_eq!(gets(&store), before);
            cache.forget(&air, meta.name);
            cache.load(&air, &meta, &[0], &number).await.unwrap();
            assert!(gets(&store) > before);
        }
    }

    #[tokio::test]
    async fn what_does_not_fit_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let (_, run, meta, cache) = begin(folder.path(), 5000, 1000).await;
        let (air, number) = (Arc::new(dataset("air")), numbering(&ids()));
        for _ in 0..3 {
            let loaded = cache.load(&air, &meta, &[0, 2], &number).await.unwrap();
            assert_eq!((&loaded.columns[0], &loaded.columns[2]), (&run.columns[0], &run.columns[2]));
        }
        cache.columns.run_pending_tasks();
        assert!(cache.columns.weighted_size() <= 1000);
    }

    #[tokio::test]
    async fn a_file_that_is_gone_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let (store, _, meta, cache) = begin(folder.path(), 10, 1000).await;
        store.delete(&meta.name.place("air")).await.unwrap();
        let lost = cache.load(&Arc::new(dataset("air")), &meta, &[0], &numbering(&ids())).await.unwrap_err();
        assert_eq!(lost.kind, Kind::Corrupt);
        assert!(lost.message.contains("air/raw/day=2024-10-04/"), "{lost}");
    }
}
