//! Small files become large ones: the files of a day one day file, those of a tier's partition one file (rules 12 and 13).
//!
//! Files of similar size are put together when there are enough of them, so that a row is rewritten a few times only; all of them
//! once the day is over and at rest. Rows stay as they are, and no key comes to be in two files of any version.

use crate::book::Book;
use crate::file::{Effort, FileMeta, Numbering, encode_tier};
use crate::holding::Holding;
use crate::intake::lock;
use crate::paths::{FileName, Layer};
use crate::run::merge;
use crate::seal::{blocking, encoded, put};
use crate::store::Store;
use crate::table::{Commit, Table};
use crate::{Error, Kind, Rollup, SensorTable, Tier, snapshot, tier};
use object_store::ObjectStoreExt;
use schemas::{Dataset, Day, Time};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::time::Instant;

/// Files of similar size that are put together.
const FILES: usize = 8;
/// Files are of similar size within this many times of each other: what comes of so many of one size is of another.
const TIMES: u64 = FILES as u64 / 2;
/// Files so small are all similar.
const TINY: u64 = 64 << 10;
/// Values of rows put together at once, keys included: what they take in memory is a few times 8 bytes each.
const VALUES: u64 = 12_000_000;

/// Whether a day or partition, with these files, has been at rest for long enough to be made one file.
pub(crate) type IsAtRest<'a> = &'a mut (dyn FnMut(Option<Tier>, Day, &[Arc<FileMeta>]) -> bool + Send);

/// Files to be put together.
#[derive(Debug)]
pub(crate) struct Job {
    /// Of which table.
    tier: Option<Tier>,
    /// Their day, or the first of their partition.
    first: Day,
    files: Vec<Arc<FileMeta>>,
}

/// The next files to be put together, if any.
pub(crate) fn next(holding: &Holding, now: Time, is_at_rest: IsAtRest<'_>) -> Option<Job> {
    let (dataset, shelf) = (&*holding.dataset, &holding.shelf);
    let most = VALUES / (dataset.fields.len() as u64 + 1);
    let raw = shelf.files.iter().find_map(|(&first, files)| {
        let whole = files.len() > 1 && is_over(holding, first, now) && is_at_rest(None, first, files);
        Some(Job { tier: None, first, files: choose(files, whole, most)? })
    });
    raw.or_else(|| Tier::ALL.into_iter().find_map(|tier| next_of_tier(holding, tier, is_at_rest)))
}

fn next_of_tier(holding: &Holding, tier: Tier, is_at_rest: IsAtRest<'_>) -> Option<Job> {
    let shelf = holding.shelf.tier(tier);
    let most = VALUES / (tier::columns::columns(&holding.dataset, tier).len() as u64 + 1);
    shelf.files.iter().find_map(|(&first, files)| {
        let over = files.len() > 1 && tier.partition_span(first).to <= shelf.closed;
        let whole = over && is_at_rest(Some(tier), first, files);
        Some(Job { tier: Some(tier), first, files: choose(files, whole, most)? })
    })
}

/// Whether a day is over, and no row of it is anywhere but in committed files.
fn is_over(holding: &Holding, day: Day, now: Time) -> bool {
    let rows = |days: &BTreeMap<Day, u64>| days.contains_key(&day);
    let waits = rows(&holding.hot.days) || holding.sealed.iter().any(|sealed| rows(&sealed.days));
    day.span().to <= holding.dataset.settled(now) && !waits && !holding.shelf.late.contains_key(&day)
}

/// The files of a day or partition to be put together: all of them if `whole`, else enough of similar size and those smaller.
/// `most` rows at once.
fn choose(files: &[Arc<FileMeta>], whole: bool, most: u64) -> Option<Vec<Arc<FileMeta>>> {
    if files.len() < 2 {
        return None;
    }
    let mut sorted: Vec<&Arc<FileMeta>> = files.iter().collect();
    sorted.sort_unstable_by_key(|file| (file.bytes, file.name));
    let end = match whole {
        true => sorted.len(),
        false => {
            let similar = |from: usize| {
                let most = sorted[from].bytes.max(TINY / TIMES) * TIMES;
                from + sorted[from..].partition_point(|file| file.bytes <= most)
            };
            (0..sorted.len()).map(|from| (from, similar(from))).find(|(from, end)| end - from >= FILES)?.1
        }
    };
    let mut rows = 0;
    let fits = |file: &&&Arc<FileMeta>| {
        rows += file.rows;
        rows <= most
    };
    let chosen: Vec<Arc<FileMeta>> = sorted[..end].iter().take_while(fits).map(|file| (*file).clone()).collect();
    (chosen.len() > 1).then_some(chosen)
}

/// Since when days and partitions that could be made one file have been as they are.
#[derive(Debug, Default)]
pub(crate) struct Rest(HashMap<(Option<Tier>, Day), (usize, FileName, Instant)>);

impl Rest {
    /// Whether they have not changed for `long`, as far as this was asked before.
    pub(crate) fn has(
        &mut self,
        long: std::time::Duration,
        tier: Option<Tier>,
        first: Day,
        files: &[Arc<FileMeta>],
    ) -> bool {
        let Some(newest) = files.iter().map(|file| file.name).max() else { return false };
        let known = self.0.entry((tier, first)).or_insert_with(|| (files.len(), newest, Instant::now()));
        if (known.0, known.1) != (files.len(), newest) {
            *known = (files.len(), newest, Instant::now());
        }
        known.2.elapsed() >= long
    }

    /// Forgets days and partitions that need no work.
    pub(crate) fn tidy(&mut self, holding: &Holding) {
        self.0.retain(|(tier, first), _| {
            let files = match tier {
                None => holding.shelf.files.get(first),
                Some(tier) => holding.shelf.tier(*tier).files.get(first),
            };
            files.is_some_and(|files| files.len() > 1)
        });
    }
}

/// Puts the next files together, in one commit. Gives the bytes read and written; none when there was nothing to do.
pub(crate) async fn compact(store: &Store, book: &Book, now: Time, is_at_rest: IsAtRest<'_>) -> Result<u64, Error> {
    let _turn = book.turn.lock().await;
    if store.closed.load(Ordering::Acquire) {
        return Err(Error::new(Kind::Closed, "the store has been closed"));
    }
    let (job, sensors, number) = {
        let holding = lock(&book.holding);
        let Some(job) = next(&holding, now, is_at_rest) else { return Ok(0) };
        (job, holding.known.sensors.clone(), snapshot::numbering(&holding.numbers))
    };
    let table = job.tier.map_or(&book.table, |tier| book.tier(tier));
    let name = job.name(&mut *table.lock().await);
    let made = job.write(store, &book.dataset, name, sensors, &number).await?;
    let bytes = made.bytes + job.files.iter().map(|file| file.bytes).sum::<u64>();
    let commit = Commit {
        adds: vec![made],
        removes: job.files.iter().map(|file| file.name).collect(),
        transactions: Vec::new(),
        info: serde_json::json!({ "what": "compact", "first": job.first.to_string() }),
        data_change: false,
    };
    let mut table = table.lock().await;
    let committed = table.commit(&commit).await;
    // Also after an error: a commit that stood earlier may have changed the files.
    publish(book, job.tier, &table);
    let is_open = table.is_open();
    drop(table);
    if let Err(error) = committed {
        // While the fate of the commit is open its file stays: vacuum finds it if it turns out to be nobody's.
        if !is_open && let Err(error) = store.objects.delete(&name.place(&book.dataset.id)).await {
            tracing::warn!(%error, "a file that a failed compaction has written could not be removed; vacuum will");
        }
        return Err(error);
    }
    store.points.pass("compact.commit")?;
    commit.removes.iter().for_each(|name| store.cache.forget(&book.dataset, *name));
    Ok(bytes)
}

/// Shows readers the newest version of a table.
fn publish(book: &Book, tier: Option<Tier>, table: &Table) {
    book.change(|holding| {
        let shelf = Arc::make_mut(&mut holding.shelf);
        match tier {
            Some(tier) => shelf.take_over_tier(tier, table),
            None => {
                shelf.take_over(table);
                holding.version = table.version();
            }
        }
        holding.changed();
    });
}

impl Job {
    /// The name of what comes of it: in place of its newest file, of a `seq` of its own.
    fn name(&self, table: &mut Table) -> FileName {
        let seq = table.fresh_seq();
        let layer = self.tier.map_or(Layer::Raw { seq }, |tier| Layer::Tier { tier, seq });
        let newest = self.files.iter().map(|file| (file.name.last, file.name.log)).max();
        let (last, log) = newest.unwrap_or_default();
        FileName { layer, day: self.first, last, log }
    }

    /// Writes the one file.
    async fn write(
        &self,
        store: &Store,
        dataset: &Arc<Dataset>,
        name: FileName,
        sensors: Arc<SensorTable>,
        number: &Numbering,
    ) -> Result<FileMeta, Error> {
        let (meta, bytes) = match self.tier {
            None => {
                let fields: Vec<usize> = (0..dataset.fields.len()).collect();
                let mut runs = Vec::with_capacity(self.files.len());
                for file in &self.files {
                    runs.push(store.cache.load(dataset, file, &fields, None, number).await?);
                }
                let run = blocking(move || Ok(merge(&runs, fields.len()))).await?;
                encoded(dataset, run, sensors, name).await?
            }
            Some(tier) => {
                let columns: Vec<usize> = (0..tier::columns::columns(dataset, tier).len()).collect();
                let mut rollups = Vec::with_capacity(self.files.len());
                for file in &self.files {
                    rollups.push(store.cache.load_tier(dataset, tier, file, &columns, None, number).await?);
                }
                let dataset = dataset.clone();
                let work = move || {
                    let whole = Rollup::join(&rollups, &|_, _, _| true);
                    encode_tier(&dataset, tier, &whole, &sensors, name, Effort::Small)
                };
                blocking(work).await?
            }
        };
        put(store, dataset, &meta, bytes).await?;
        store.points.pass("compact.file")?;
        Ok(meta)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{LogId, Position};

    fn file(n: u64, bytes: u64, rows: u64) -> Arc<FileMeta> {
        let name = FileName { layer: Layer::Raw { seq: 0 }, day: Day(1), last: Position(n), log: LogId(1) };
        let (min_sensor, max_sensor) = ("a".to_owned(), "b".to_owned());
        Arc::new(FileMeta { name, bytes, rows, min_time: 0, max_time: 1, min_sensor, max_sensor })
    }

    #[test]
    fn files_wait_for_others_of_their_size_unless_all_become_one() {
        let files: Vec<_> = (0..7).map(|n| file(n, 1000, 10)).chain([file(7, 9 << 20, 1000)]).collect();
        assert!(choose(&files, false, 1 << 20).is_none(), "seven small ones are few");
        assert_eq!(choose(&files, true, 1 << 20).map(|c| c.len()), Some(8));
        let files: Vec<_> = files.into_iter().chain([file(8, 50_000, 10)]).collect();
        let chosen = choose(&files, false, 1 << 20).unwrap();
        assert_eq!(chosen.len(), 8);
        assert!(chosen.iter().all(|file| file.bytes <= 1000 || file.bytes == 50_000), "the large one is left in peace");
        assert_eq!(choose(&files, true, 35).map(|c| c.len()), Some(3), "as many rows as are put together at once");
        assert!(choose(&files[7..8], true, 1 << 20).is_none());
    }

    #[test]
    fn a_row_is_rewritten_few_times() {
        // Flushes of two days, a file each half minute, without the end of the day.
        let (mut files, mut written): (Vec<Arc<FileMeta>>, u64) = (Vec::new(), 0);
        const FLUSHES: u64 = 5760;
        for n in 0..FLUSHES {
            files.push(file(n, 60_000, 1000));
            while let Some(chosen) = choose(&files, false, u64::MAX) {
                let bytes: u64 = chosen.iter().map(|file| file.bytes).sum();
                files.retain(|file| !chosen.iter().any(|c| Arc::ptr_eq(c, file)));
                files.push(file(n, bytes, 1000));
                written += bytes;
            }
            assert!(files.len() < 40, "{} files", files.len());
        }
        assert!(written < 5 * FLUSHES * 60_000, "each byte is rewritten {} times", written / (FLUSHES * 60_000));
    }
}
