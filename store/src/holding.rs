//! All a running store knows of one dataset, under one lock: what snapshots are made of.

use crate::cache::Cache;
use crate::file::FileMeta;
use crate::hot::{Hot, days_of};
use crate::late::erased::Told;
use crate::late::{Closed, Filed};
use crate::run::cut::Cut;
use crate::run::segment::Segment;
use crate::shelf::{Bin, Shelf};
use crate::snapshot::Numbers;
use crate::stamps::Stamps;
use crate::tier::partial::Partials;
use crate::{Erasure, Latest, LogId, Position, Run, SensorIx, SensorTable, Snapshot, Stamp};
use schemas::{Batch, Dataset, Day, Registry, Time};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tokio::time::Instant;

/// What is saved beside the table, as of one position.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    /// Sensors by number.
    pub(crate) sensors: Arc<SensorTable>,
    /// The registry.
    pub(crate) registry: Arc<Registry>,
    /// Newest values.
    pub(crate) latest: Arc<Latest>,
    /// Stamps of all days.
    pub(crate) stamps: Arc<Stamps>,
    /// Days whose raw rows go, and the record that said so (rule 16).
    pub(crate) going: Arc<BTreeMap<Day, Position>>,
}

impl Known {
    /// Number of a sensor, a new one if it is new.
    pub(crate) fn number(&mut self, id: &Arc<str>) -> SensorIx {
        let known = self.sensors.ids.iter().position(|known| known == id);
        let number = known.unwrap_or_else(|| {
            Arc::make_mut(&mut self.sensors).ids.push(id.clone());
            self.sensors.ids.len() - 1
        });
        Arc::make_mut(&mut self.latest).grow(self.sensors.ids.len());
        number as SensorIx
    }
}

/// Rows taken out of hot together, on their way into files. Readers see them here until the commit.
#[derive(Debug)]
pub(crate) struct Sealed {
    /// The rows; none where there are only erasures.
    pub(crate) rows: Option<Arc<Segment>>,
    /// Erasures that hold for all below these rows.
    pub(crate) cuts: Vec<Cut>,
    /// Rows by day, at most.
    pub(crate) days: BTreeMap<Day, u64>,
    /// Every record of the dataset up to here is in these rows or in earlier ones.
    pub(crate) position: Position,
    /// What was known then.
    pub(crate) known: Known,
    /// Its sorted and its late files, once they stand.
    pub(crate) files: Option<(Vec<FileMeta>, Vec<Told>)>,
}

/// Up to where the log's records are known already when it is replayed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Floors {
    /// Records whose rows are filed.
    pub(crate) filed: Position,
    /// Records that newest values, registry and stamps have seen.
    pub(crate) known: Position,
}

impl Floors {
    /// The last record that table or saved state needs no more from the log: without saved state the files tell all, and a
    /// table made anew for a changed contract has lost no rows.
    pub(crate) fn reached(self) -> Position {
        self.filed.max(self.known)
    }
}

/// One dataset.
#[derive(Debug)]
pub(crate) struct Holding {
    pub(crate) dataset: Arc<Dataset>,
    pub(crate) log: LogId,
    pub(crate) known: Known,
    pub(crate) numbers: Arc<Numbers>,
    /// Per sensor the earliest instant the registry was told of.
    first: Vec<i64>,
    pub(crate) filed: Filed,
    pub(crate) closed: Closed,
    pub(crate) hot: Hot,
    pub(crate) sealed: Vec<Sealed>,
    pub(crate) shelf: Arc<Shelf>,
    /// Last record applied.
    pub(crate) position: Position,
    /// Raw's position in this log.
    pub(crate) flushed: Position,
    /// Position up to which state is saved.
    pub(crate) saved: Position,
    /// What was known at `flushed`, while it is not saved.
    pub(crate) unsaved: Option<(Known, Filed)>,
    pub(crate) newest: i64,
    pub(crate) version: u64,
    pub(crate) rows: u64,
    pub(crate) bin: Bin,
    /// What sealed files come to, for the tiers.
    pub(crate) partials: Partials,
    /// When rows came last.
    pub(crate) arrived: Option<Instant>,
    /// The number that the next sensor is likely to have.
    guess: usize,
    cache: Cache,
    snapshot: Option<Arc<Snapshot>>,
}

impl Holding {
    /// What a dataset holds before any record of the log.
    pub(crate) fn new(
        dataset: Arc<Dataset>,
        known: Known,
        filed: Filed,
        shelf: Shelf,
        cache: Cache,
        bin: Bin,
    ) -> Holding {
        let numbers = known.sensors.ids.iter().zip(0..).map(|(id, n)| (id.clone(), n)).collect();
        let since = |id: &Arc<str>| known.registry.get(id).and_then(|s| s.since).map_or(i64::MAX, |t| t.0);
        let first = known.sensors.ids.iter().map(since).collect();
        let newest = (0..known.sensors.ids.len() as SensorIx).map(|s| filed.of(s)).max().unwrap_or(i64::MIN);
        Holding {
            numbers: Arc::new(numbers),
            first,
            newest,
            dataset,
            known,
            filed,
            shelf: Arc::new(shelf),
            cache,
            bin,
            log: LogId::default(),
            closed: Closed::NOTHING,
            hot: Hot::default(),
            sealed: Vec::new(),
            position: Position(0),
            flushed: Position(0),
            saved: Position(0),
            unsaved: None,
            version: 0,
            rows: 0,
            arrived: None,
            guess: 0,
            partials: Partials::default(),
            snapshot: None,
        }
    }

    /// Takes a durable batch over.
    pub(crate) fn apply(&mut self, batch: Batch, position: Position, now: Time, floors: Floors) {
        self.position = self.position.max(position);
        if position <= floors.filed.min(floors.known) {
            return;
        }
        self.snapshot = None;
        self.arrived = Some(Instant::now());
        let numbers = self.numbers_of(&batch.sensors);
        let days = days_of(&batch.time);
        if position > floors.known {
            self.learn_batch(&batch, &numbers);
            let stamp = Stamp { position, log: self.log };
            let stamps = Arc::make_mut(&mut self.known.stamps);
            days.iter().for_each(|(day, _)| stamps.touch(*day, stamp));
        }
        if position > floors.filed {
            self.rows += batch.len() as u64;
            self.hot.push(batch, &numbers, &days, now);
        }
    }

    /// Takes a durable erasure over.
    pub(crate) fn erase(&mut self, erasure: &Erasure, position: Position, now: Time, floors: Floors) {
        self.position = self.position.max(position);
        if position <= floors.filed.min(floors.known) {
            return;
        }
        self.snapshot = None;
        let field = |name: &Arc<str>| self.dataset.field(name).map(|(ix, _)| ix);
        let fields = erasure.fields.iter().filter_map(field).collect();
        let cut = Cut { sensor: self.number(&erasure.sensor), span: erasure.span, fields };
        if position > floors.known {
            Arc::make_mut(&mut self.known.latest).erase(&cut);
            let stamp = Stamp { position, log: self.log };
            Arc::make_mut(&mut self.known.stamps).touch_all(cut.span, stamp);
        }
        if position > floors.filed {
            self.hot.erase(cut, self.dataset.fields.len(), now);
        }
    }

    /// Takes over that days go.
    pub(crate) fn go(&mut self, days: &[Day], position: Position, floors: Floors) {
        self.position = self.position.max(position);
        if position > floors.known {
            let stamp = Stamp { position, log: self.log };
            for &day in days {
                Arc::make_mut(&mut self.known.going).entry(day).or_insert(position);
                Arc::make_mut(&mut self.known.stamps).touch(day, stamp);
            }
            self.snapshot = None;
        }
    }

    /// Days that take no rows: going or gone.
    pub(crate) fn refused(&self) -> BTreeSet<Day> {
        self.known.going.keys().chain(&*self.shelf.gone).copied().collect()
    }

    /// Newest values and registry take a run over that arrived after all before.
    pub(crate) fn learn(&mut self, run: &Run) {
        if !run.is_empty() {
            Arc::make_mut(&mut self.known.latest).apply(run);
        }
        for (sensor, rows) in run.keys.each() {
            let times = &run.keys.time[rows];
            self.seen(sensor, times[0], times[times.len() - 1]);
        }
    }

    /// Newest values and registry take a batch over that arrived after all before.
    fn learn_batch(&mut self, batch: &Batch, numbers: &[SensorIx]) {
        let mut spans = vec![(i64::MAX, i64::MIN); numbers.len()];
        for (&sensor, &time) in batch.sensor.iter().zip(&batch.time) {
            let span = &mut spans[sensor as usize];
            *span = (span.0.min(time), span.1.max(time));
        }
        if !batch.time.is_empty() {
            Arc::make_mut(&mut self.known.latest).take(batch, numbers, &spans);
        }
        for (&sensor, (first, last)) in numbers.iter().zip(spans).filter(|(_, (first, last))| first <= last) {
            self.seen(sensor, first, last);
        }
        if !batch.notes.is_empty() {
            let registry = Arc::make_mut(&mut self.known.registry);
            batch.notes.iter().for_each(|note| {
                registry.note(note);
            });
        }
    }

    /// A sensor has sent readings between two instants.
    fn seen(&mut self, sensor: SensorIx, first: i64, last: i64) {
        self.newest = self.newest.max(last);
        let known = &mut self.first[sensor as usize];
        if first < *known {
            *known = first;
            Arc::make_mut(&mut self.known.registry).seen(&self.known.sensors.ids[sensor as usize], Time(first));
        }
    }

    /// Numbers of sensors. They come in the order of their numbers as a rule.
    fn numbers_of(&mut self, ids: &[Arc<str>]) -> Vec<SensorIx> {
        let mut numbers = Vec::with_capacity(ids.len());
        for id in ids {
            let known = self.known.sensors.ids.get(self.guess);
            let is_it = known.is_some_and(|known| Arc::ptr_eq(known, id) || known == id);
            let number = if is_it { self.guess as SensorIx } else { self.number(id) };
            self.guess = number as usize + 1;
            numbers.push(number);
        }
        numbers
    }

    /// Number of a sensor, a new one if it is new.
    pub(crate) fn number(&mut self, id: &Arc<str>) -> SensorIx {
        if let Some(number) = self.numbers.get(id) {
            return *number;
        }
        let sensors = Arc::make_mut(&mut self.known.sensors);
        let number = sensors.ids.len() as SensorIx;
        sensors.ids.push(id.clone());
        Arc::make_mut(&mut self.numbers).insert(id.clone(), number);
        self.first.push(i64::MAX);
        Arc::make_mut(&mut self.known.latest).grow(number as usize + 1);
        self.snapshot = None;
        number
    }

    /// Takes all hot rows out, to be sealed. `applied`: every record up to there has been applied.
    pub(crate) fn seal(&mut self, applied: Position) {
        if self.hot.is_empty() {
            return;
        }
        let mut hot = std::mem::take(&mut self.hot);
        self.sealed.push(Sealed {
            rows: hot.take(self.dataset.fields.len()),
            cuts: hot.cuts,
            days: hot.days,
            position: self.position.max(applied),
            known: self.known.clone(),
            files: None,
        });
    }

    /// Days with rows in files, or in parts that were sealed before the `part`-th.
    pub(crate) fn days_below(&self, part: usize) -> BTreeSet<Day> {
        let files = self.shelf.files.keys().chain(self.shelf.late.keys());
        files.chain(self.sealed[..part].iter().flat_map(|part| part.days.keys())).copied().collect()
    }

    /// Something readers see has changed.
    pub(crate) fn changed(&mut self) {
        self.snapshot = None;
    }

    /// Bytes of rows in memory.
    pub(crate) fn bytes(&self) -> usize {
        let sealed = self.sealed.iter().filter_map(|s| s.rows.as_ref());
        self.hot.bytes() + sealed.map(|rows| rows.bytes).sum::<usize>()
    }

    /// The newest state, made when it is first asked for: groups that nobody looks at cost nothing.
    pub(crate) fn snapshot(&mut self) -> Arc<Snapshot> {
        if let Some(snapshot) = &self.snapshot {
            return snapshot.clone();
        }
        let mut days = self.hot.days.clone();
        for (day, rows) in self.sealed.iter().flat_map(|s| &s.days) {
            *days.entry(*day).or_default() += rows;
        }
        let (mut memory, mut cuts) = (Vec::new(), Vec::new());
        let hot = self.hot.segments(self.dataset.fields.len());
        let parts = self.sealed.iter().map(|part| (&part.cuts, part.rows.as_slice()));
        for (own, segments) in parts.chain([(&self.hot.cuts, &hot[..])]) {
            cuts.extend(own.iter().map(|cut| (memory.len(), cut.clone())));
            memory.extend_from_slice(segments);
        }
        let snapshot = Arc::new(Snapshot {
            dataset: self.dataset.clone(),
            sensors: self.known.sensors.clone(),
            registry: self.known.registry.clone(),
            latest: self.known.latest.clone(),
            position: self.position,
            numbers: self.numbers.clone(),
            stamps: self.known.stamps.clone(),
            shelf: self.shelf.clone(),
            memory,
            cuts,
            days,
            newest: self.newest,
            cache: self.cache.clone(),
        });
        self.snapshot = Some(snapshot.clone());
        snapshot
    }
}
