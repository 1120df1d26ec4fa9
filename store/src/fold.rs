//! A day's late files are merged into the files they touch (rules 9, 10, 12, 13).

mod plan;

use crate::book::Book;
use crate::file::FileMeta;
use crate::intake::lock;
use crate::paths::{FileName, Layer};
use crate::run::cut::{erase, merge_cut};
use crate::run::merge;
use crate::seal::{blocking, encoded, put};
use crate::shelf::LateFile;
use crate::store::Store;
use crate::table::{App, Commit};
use crate::{Error, Kind, LogId, Position, Run, SensorTable, snapshot};
use object_store::ObjectStoreExt;
use plan::{Plan, Target};
use schemas::Day;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Late rows merged at once; a day with more is folded in several commits.
const ROWS: u64 = 4_000_000;

/// Folds the late files that a day has now, oldest first, in one commit. Gives the bytes read and written.
pub(crate) async fn fold(store: &Store, book: &Book, day: Day) -> Result<u64, Error> {
    let _turn = book.turn.lock().await;
    if store.closed.load(Ordering::Acquire) {
        return Err(Error::new(Kind::Closed, "the store has been closed"));
    }
    let (late, files, sensors, number) = {
        // A commit that stood though it answered an error may have changed the files.
        let table = book.table.lock().await;
        let mut holding = lock(&book.holding);
        Arc::make_mut(&mut holding.shelf).take_over(&table);
        holding.changed();
        let saved = (holding.log, holding.saved);
        let late = oldest(holding.shelf.late.get(&day).map_or(&[], Vec::as_slice), saved);
        let files = holding.shelf.files.get(&day).cloned().unwrap_or_default();
        (late, files, holding.known.sensors.clone(), snapshot::numbering(&holding.numbers))
    };
    if late.is_empty() {
        return Ok(0);
    }
    let reached = reached(&late);
    let mut work = Work { store, book, number, sensors, bytes: 0 };
    let plan = work.plan(day, &late, &files).await?;
    let adds = work.write(&late, &plan).await?;
    let commit = Commit {
        adds,
        removes: plan.targets.iter().filter_map(|t| t.file.as_ref().map(|f| f.name)).collect(),
        transactions: reached.into_iter().map(|(log, position)| (App::Late(log, day), position)).collect(),
        info: serde_json::json!({ "what": "fold", "day": day.to_string() }),
        data_change: true,
    };
    let bytes = work.bytes.max(1);
    let mut table = book.table.lock().await;
    let version = table.commit(&commit).await?;
    store.points.pass("fold.commit")?;
    book.change(|holding| {
        holding.version = version;
        holding.changed();
        Arc::make_mut(&mut holding.shelf).take_over(&table);
    });
    drop(table);
    commit.removes.iter().for_each(|name| store.cache.forget(&book.dataset, *name));
    Ok(bytes)
}

/// The oldest late files, as many as are merged at once. Erasures wait until newest values are saved that know of them: once
/// folded, nothing else tells of them.
fn oldest(late: &[Arc<LateFile>], (log, saved): (LogId, Position)) -> Vec<Arc<LateFile>> {
    let mut rows = 0;
    let known =
        |file: &&Arc<LateFile>| file.cuts.is_empty() || file.meta.name.log != log || file.meta.name.last <= saved;
    let more = |file: &&Arc<LateFile>| {
        let first = rows == 0;
        rows += file.meta.rows;
        first || rows <= ROWS
    };
    late.iter().take_while(known).take_while(more).cloned().collect()
}

/// The last position folded of each log.
fn reached(late: &[Arc<LateFile>]) -> BTreeMap<LogId, Position> {
    let mut reached: BTreeMap<LogId, Position> = BTreeMap::new();
    for FileName { log, last, .. } in late.iter().map(|f| f.meta.name) {
        let known = reached.entry(log).or_default();
        *known = (*known).max(last);
    }
    reached
}

/// One fold under way.
struct Work<'a> {
    store: &'a Store,
    book: &'a Book,
    number: crate::file::Numbering,
    sensors: Arc<SensorTable>,
    bytes: u64,
}

impl Work<'_> {
    async fn load(&mut self, meta: &FileMeta, fields: &[usize]) -> Result<Run, Error> {
        self.bytes += meta.bytes;
        self.store.cache.load(&self.book.dataset, meta, fields, None, &self.number).await
    }

    fn fields(&self) -> Vec<usize> {
        (0..self.book.dataset.fields.len()).collect()
    }

    /// Reads the late files, and the keys of the files they may touch.
    async fn plan(&mut self, day: Day, late: &[Arc<LateFile>], files: &[Arc<FileMeta>]) -> Result<Plan, Error> {
        let fields = self.fields();
        let (mut runs, mut cuts) = (Vec::with_capacity(late.len()), Vec::new());
        for file in late {
            cuts.extend(file.masks().map(|cut| (runs.len(), cut)));
            if file.meta.rows > 0 {
                runs.push(self.load(&file.meta, &fields).await?);
            }
        }
        let all = cuts.iter().map(|(_, cut)| cut.clone()).collect();
        let rows = blocking(move || Ok(merge_cut(&runs, &cuts, fields.len()))).await?;
        let mut plan = Plan::new(day, rows, all);
        for file in files {
            if plan.may_touch(file, &self.sensors) {
                let keys = self.load(file, &[]).await?.keys;
                plan.touch(file, &keys);
            }
        }
        plan.place_the_rest(files);
        Ok(plan)
    }

    /// Writes each target anew, with its late rows laid over what is not erased; without rows it has no file any more. Tried again and again on a full disk it leaves nothing behind.
    async fn write(&mut self, late: &[Arc<LateFile>], plan: &Plan) -> Result<Vec<FileMeta>, Error> {
        let newest = late.iter().map(|f| (f.meta.name.last, f.meta.name.log)).max().unwrap_or_default();
        let mut adds = Vec::with_capacity(plan.targets.len());
        for (n, target) in plan.targets.iter().enumerate() {
            match self.target(n, target, newest, plan).await {
                Ok(meta) => adds.extend(meta),
                Err(error) => {
                    self.tidy(&adds).await;
                    return Err(error);
                }
            }
            self.store.points.pass("fold.file")?;
        }
        Ok(adds)
    }

    /// Writes the n-th target.
    async fn target(
        &mut self,
        n: usize,
        Target { file, rows }: &Target,
        newest: (Position, LogId),
        plan: &Plan,
    ) -> Result<Option<FileMeta>, Error> {
        let fields = self.fields();
        let old = match file {
            Some(file) => self.load(file, &fields).await?,
            None => merge(&[], fields.len()),
        };
        let (over, cuts) = (plan.rows(rows), plan.cuts.clone());
        let run = blocking(move || Ok(merge(&[erase(&old, &*cuts), over], fields.len()))).await?;
        if run.is_empty() {
            return Ok(None);
        }
        let (last, log) = newest.max(file.as_ref().map(|f| (f.name.last, f.name.log)).unwrap_or_default());
        let seq = self.book.table.lock().await.seq(n as u16);
        let name = FileName { layer: Layer::Raw { seq }, day: plan.day, last, log };
        let (meta, bytes) = encoded(&self.book.dataset, run, self.sensors.clone(), name).await?;
        self.bytes += meta.bytes;
        put(self.store, &self.book.dataset, &meta, bytes).await?;
        Ok(Some(meta))
    }

    /// Removes what a fold that failed has written. While the fate of a commit is open nothing is removed: an earlier try of
    /// the same fold may stand, and its files have the same names.
    async fn tidy(&self, written: &[FileMeta]) {
        let table = self.book.table.lock().await;
        if table.is_open() {
            return;
        }
        for name in written.iter().map(|meta| meta.name).filter(|name| !table.files().contains_key(name)) {
            let place = name.place(&self.book.dataset.id);
            if let Err(error) = self.store.objects.delete(&place).await {
                tracing::warn!(%error, "a file that a failed fold has written could not be removed");
            }
        }
    }
}
