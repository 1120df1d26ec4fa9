//! Refreshing: tier rows that folded late rows touch are computed anew and replaced (rules 9, 10, 11, 15).

use super::{Tier, file, frozen, kernel};
use crate::book::Book;
use crate::file::{Effort, FileMeta, Numbering};
use crate::intake::lock;
use crate::paths::FileName;
use crate::run::cut::Cut;
use crate::shelf::{LateFile, Shelf};
use crate::store::Store;
use crate::table::Commit;
use crate::{Error, Keys, Kind, Rollup, Run, SensorIx, snapshot};
use schemas::{Dataset, Day, Span, Time};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Late rows taken in at once.
const ROWS: u64 = 4_000_000;

/// Windows to compute anew, by sensor, ascending.
type Touched = BTreeMap<SensorIx, Vec<Span>>;

/// Brings the rows of folded late files into the tiers and lets those files go. Gives the bytes read and written; none when
/// nothing waits.
pub(crate) async fn refresh(store: &Store, book: &Book) -> Result<u64, Error> {
    let _turn = book.turn.lock().await;
    if store.closed.load(Ordering::Acquire) {
        return Err(Error::new(Kind::Closed, "the store has been closed"));
    }
    let (shelf, number) = {
        let holding = lock(&book.holding);
        (holding.shelf.clone(), snapshot::numbering(&holding.numbers))
    };
    let stale = oldest(&shelf);
    if stale.is_empty() {
        return Ok(0);
    }
    let mut work = Work { store, book, number, bytes: 1 };
    let mut changes = Changes::default();
    for file in &stale {
        changes.cuts.extend_from_slice(&file.cuts);
        if file.meta.rows > 0 {
            changes.keys.push(work.load(&file.meta, &[]).await?.keys);
        }
    }
    for tier in Tier::ALL {
        work.frozen(tier, &changes).await?;
        work.tier(tier, &changes).await?;
    }
    store.points.pass("refresh.remove")?;
    book.change(|holding| {
        Arc::make_mut(&mut holding.shelf).refreshed(&stale);
        holding.changed();
    });
    stale.iter().for_each(|file| store.cache.forget(&book.dataset, file.meta.name));
    Ok(work.bytes)
}

/// Stale files, as many as are taken in at once.
fn oldest(shelf: &Shelf) -> Vec<Arc<LateFile>> {
    let mut rows = 0;
    let more = |file: &&Arc<LateFile>| {
        let first = rows == 0;
        rows += file.meta.rows.max(1);
        first || rows <= ROWS
    };
    shelf.stale.values().flatten().take_while(more).cloned().collect()
}

/// What stale files say.
#[derive(Default)]
struct Changes {
    /// Keys of rows.
    keys: Vec<Arc<Keys>>,
    /// Erasures.
    cuts: Vec<Cut>,
}

/// The committed windows of a tier that changes lie in. Frozen ones are left alone: no row lies in them (rule 17).
fn touched(dataset: &Dataset, tier: Tier, shelf: &Shelf, changes: &Changes) -> Touched {
    let own = shelf.tier(tier);
    let stands = |window: Span| window.from < own.closed && window.from >= own.floor && !shelf.is_gone(window);
    let mut touched = Touched::new();
    for Cut { sensor, span, .. } in &changes.cuts {
        let windows = touched.entry(*sensor).or_default();
        let mut at = span.from;
        while at < span.to.min(own.closed) {
            let window = tier.window(at, &dataset.zone);
            at = window.to;
            windows.extend(Some(window).filter(|window| stands(*window)));
        }
    }
    for (sensor, rows) in changes.keys.iter().flat_map(|keys| keys.each().map(move |(s, rows)| (s, &keys.time[rows]))) {
        let windows = touched.entry(sensor).or_default();
        let mut next = i64::MIN;
        for &time in rows {
            if time >= next && time < own.closed.0 {
                let window = tier.window(Time(time), &dataset.zone);
                next = window.to.0;
                if stands(window) {
                    windows.push(window);
                }
            }
        }
    }
    touched.retain(|_, windows| {
        windows.sort_unstable_by_key(|window| window.from);
        windows.dedup();
        !windows.is_empty()
    });
    touched
}

/// A refresh under way.
struct Work<'a> {
    store: &'a Store,
    book: &'a Book,
    number: Numbering,
    bytes: u64,
}

impl Work<'_> {
    async fn load(&mut self, meta: &FileMeta, fields: &[usize]) -> Result<Run, Error> {
        self.bytes += meta.bytes;
        self.store.cache.load(&self.book.dataset, meta, fields, None, &self.number).await
    }

    /// Takes what is erased out of frozen rows of a tier, file by file.
    async fn frozen(&mut self, tier: Tier, changes: &Changes) -> Result<(), Error> {
        let dataset = self.book.dataset.clone();
        let shelf = lock(&self.book.holding).shelf.clone();
        let cuts: Vec<Cut> = changes
            .cuts
            .iter()
            .filter(|cut| shelf.is_gone(frozen::of_tier(cut, &dataset, tier).span))
            .cloned()
            .collect();
        let cuts: Vec<Cut> = cuts.iter().map(|cut| frozen::of_tier(cut, &dataset, tier)).collect();
        let every: Vec<usize> = (0..super::columns::columns(&dataset, tier).len()).collect();
        let is_frozen = |start: Time| shelf.is_gone(tier.window(start, &dataset.zone));
        for meta in shelf.tier(tier).files.values().flatten() {
            let inside = |cut: &&Cut| meta.max_time >= cut.span.from.0 && meta.min_time < cut.span.to.0;
            let cuts: Vec<Cut> = cuts.iter().filter(inside).cloned().collect();
            if cuts.is_empty() {
                continue;
            }
            self.bytes += meta.bytes;
            let keys = self.store.cache.load_tier(&dataset, tier, meta, &[], None, &self.number).await?.keys;
            let mut rows = cuts.iter().flat_map(|cut| cut.rows(&keys));
            if rows.any(|row| is_frozen(Time(keys.time[row]))) {
                let whole = self.store.cache.load_tier(&dataset, tier, meta, &every, None, &self.number).await?;
                let left = frozen::erase(&dataset, tier, &whole, &cuts, &is_frozen);
                self.exchange(tier, meta.name.day, vec![meta.name], left).await?;
            }
        }
        Ok(())
    }

    /// Replaces the touched rows of a tier, partition by partition.
    async fn tier(&mut self, tier: Tier, changes: &Changes) -> Result<(), Error> {
        let shelf = lock(&self.book.holding).shelf.clone();
        let mut partitions: BTreeMap<Day, Touched> = BTreeMap::new();
        for (sensor, windows) in touched(&self.book.dataset, tier, &shelf, changes) {
            for window in windows {
                let partition = partitions.entry(tier.partition(window.from)).or_default();
                partition.entry(sensor).or_default().push(window);
            }
        }
        for (partition, touched) in partitions {
            let fresh = self.compute(tier, &shelf, &touched).await?;
            self.replace(tier, &shelf, (partition, &touched), fresh).await?;
        }
        Ok(())
    }

    /// The rows of touched windows from committed raw files, those that begin on one UTC day at a time.
    async fn compute(&mut self, tier: Tier, shelf: &Shelf, touched: &Touched) -> Result<Vec<Rollup>, Error> {
        let dataset = self.book.dataset.clone();
        let fields: Vec<usize> = (0..dataset.fields.len()).collect();
        let days: BTreeSet<Day> = touched.values().flatten().map(|window| window.from.day()).collect();
        let mut made = Vec::new();
        for day in days {
            let of_day = |windows: &Vec<Span>| -> Vec<Span> {
                windows.iter().copied().filter(|window| window.from.day() == day).collect()
            };
            let windows: Touched = touched.iter().map(|(sensor, windows)| (*sensor, of_day(windows))).collect();
            let until = windows.values().flatten().map(|window| window.to).max().unwrap_or(day.start());
            let mut runs = Vec::new();
            for meta in shelf.committed(Span { from: day.start(), to: until }) {
                runs.push(self.load(meta, &fields).await?);
            }
            let dataset = dataset.clone();
            let work = move || {
                let run = crate::run::merge(&runs, dataset.fields.len());
                let of = |sensor| windows.get(&sensor).map_or(&[][..], Vec::as_slice);
                Ok(kernel::rollup(&dataset, tier, &run, of))
            };
            made.push(crate::seal::blocking(work).await?);
        }
        Ok(made)
    }

    /// Writes the files of a partition that hold touched rows anew, with `fresh` instead of these.
    async fn replace(
        &mut self,
        tier: Tier,
        shelf: &Shelf,
        (partition, touched): (Day, &Touched),
        fresh: Vec<Rollup>,
    ) -> Result<(), Error> {
        let files = shelf.tier(tier).files.get(&partition).map_or(&[][..], Vec::as_slice);
        let (removes, old) = self.holding_any(tier, files, touched).await?;
        if removes.is_empty() && fresh.iter().all(Rollup::is_empty) {
            return Ok(());
        }
        let kept = old.len();
        // Files that shrink are put together: what was touched lies near each other as a rule.
        let all: Vec<Rollup> = old.into_iter().chain(fresh).collect();
        let joined = Rollup::join(&all, &|at, sensor, start| at >= kept || !is_touched(touched, sensor, start));
        self.exchange(tier, partition, removes, joined).await
    }

    /// Commits a partition's rows instead of those in some files.
    async fn exchange(
        &mut self,
        tier: Tier,
        partition: Day,
        removes: Vec<FileName>,
        rows: Rollup,
    ) -> Result<(), Error> {
        let maker = {
            let holding = lock(&self.book.holding);
            let sensors = holding.known.sensors.clone();
            let (store, book, log, last) = (self.store, self.book, holding.log, holding.flushed);
            file::Maker { store, book, tier, sensors, log, last, effort: Effort::Small }
        };
        let adds = if rows.is_empty() { Vec::new() } else { vec![maker.file(partition, rows, 0).await?] };
        self.bytes += adds.iter().map(|meta| meta.bytes).sum::<u64>();
        let info = serde_json::json!({ "what": "refresh", "partition": partition.to_string() });
        maker.commit(&Commit { adds, removes, transactions: Vec::new(), info, data_change: true }).await
    }

    /// The files that hold a touched row, whole, and their names.
    async fn holding_any(
        &mut self,
        tier: Tier,
        files: &[Arc<FileMeta>],
        touched: &Touched,
    ) -> Result<(Vec<FileName>, Vec<Rollup>), Error> {
        let dataset = &self.book.dataset;
        let every: Vec<usize> = (0..super::columns::columns(dataset, tier).len()).collect();
        let starts = || touched.values().flatten().map(|window| window.from.0);
        let (low, high) = (starts().min().unwrap_or(0), starts().max().unwrap_or(0));
        let (mut names, mut rollups) = (Vec::new(), Vec::new());
        for meta in files.iter().filter(|meta| meta.max_time >= low && meta.min_time <= high) {
            self.bytes += meta.bytes;
            let cache = &self.store.cache;
            let keys = cache.load_tier(dataset, tier, meta, &[], None, &self.number).await?.keys;
            let mut rows = keys.each().flat_map(|(sensor, rows)| rows.map(move |row| (sensor, row)));
            if rows.any(|(sensor, row)| is_touched(touched, sensor, keys.time[row])) {
                rollups.push(cache.load_tier(dataset, tier, meta, &every, None, &self.number).await?);
                names.push(meta.name);
            }
        }
        Ok((names, rollups))
    }
}

/// Whether a window is to be computed anew.
fn is_touched(touched: &Touched, sensor: SensorIx, start: i64) -> bool {
    let windows = touched.get(&sensor);
    windows.is_some_and(|windows| windows.binary_search_by_key(&start, |window| window.from.0).is_ok())
}
