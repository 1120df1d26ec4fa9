//! The files of a dataset that readers may open, by day.

use crate::Tier;
use crate::file::FileMeta;
use crate::intake::lock;
use crate::paths::FileName;
use crate::run::cut::Cut;
use crate::table::{App, Table};
use object_store::path::Path;
use schemas::{Day, Span, Time};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// Takes files that nobody may open any more, for maintenance to remove.
pub(crate) type Bin = Arc<Mutex<Vec<Path>>>;

/// A late file in force, or folded and not in the tiers yet. Once it is in all it is removed when the last snapshot that shows it goes.
#[derive(Debug)]
pub(crate) struct LateFile {
    /// Its name and figures.
    pub(crate) meta: FileMeta,
    /// Erasures in it, which hold for all below its rows.
    pub(crate) cuts: Vec<Cut>,
    place: Path,
    folded: AtomicBool,
    bin: Bin,
}

impl LateFile {
    /// A late file of a dataset.
    pub(crate) fn new(meta: FileMeta, dataset: &str, bin: Bin) -> LateFile {
        LateFile { place: meta.name.place(dataset), meta, cuts: Vec::new(), folded: AtomicBool::new(false), bin }
    }

    /// Erasures of its own day. Others concern days whose raw readings are gone: tiers alone.
    pub(crate) fn masks(&self) -> impl Iterator<Item = Cut> {
        let day = self.meta.name.day.span();
        self.cuts.iter().filter_map(move |cut| cut.within(day))
    }

    /// The file, with the erasures it says.
    pub(crate) fn erasing(mut self, cuts: Vec<Cut>) -> LateFile {
        self.cuts = cuts;
        self
    }

    /// Its rows are in the table's files and tiers now.
    pub(crate) fn folded(&self) {
        self.folded.store(true, Ordering::Relaxed);
    }
}

impl Drop for LateFile {
    fn drop(&mut self) {
        if *self.folded.get_mut() {
            lock(&self.bin).push(std::mem::take(&mut self.place));
        }
    }
}

/// The committed files of a tier.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TierShelf {
    /// Windows that begin before it are committed (rule 3); the beginning of time while none are.
    pub(crate) closed: Time,
    /// Windows that begin before it are dropped (rule 19).
    pub(crate) floor: Time,
    /// Files of the table's newest version by the first day of their partition. No key is in two of them.
    pub(crate) files: BTreeMap<Day, Vec<Arc<FileMeta>>>,
}

impl Default for TierShelf {
    fn default() -> TierShelf {
        TierShelf { closed: Time(i64::MIN), floor: Time(i64::MIN), files: BTreeMap::new() }
    }
}

impl TierShelf {
    /// Files that may hold windows that begin in a span.
    pub(crate) fn over(&self, span: Span) -> impl Iterator<Item = &Arc<FileMeta>> {
        let all = self.files.values().flatten();
        all.filter(move |meta| meta.max_time >= span.from.0 && meta.min_time < span.to.0)
    }
}

/// Committed files and late files in force.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shelf {
    /// Files of the table's newest version. No key is in two of them.
    pub(crate) files: BTreeMap<Day, Vec<Arc<FileMeta>>>,
    /// Late files, by ascending last position: each overlays the files and those before it.
    pub(crate) late: BTreeMap<Day, Vec<Arc<LateFile>>>,
    /// Late files whose rows are in the files while a tier does not have them yet: no longer overlaid, they still make their
    /// windows dirty (rule 9).
    pub(crate) stale: BTreeMap<Day, Vec<Arc<LateFile>>>,
    /// The tiers, in the order of [`Tier::ALL`].
    pub(crate) tiers: [Arc<TierShelf>; 3],
    /// Days whose raw rows retention has dropped (rule 17).
    pub(crate) gone: Arc<BTreeSet<Day>>,
}

impl Shelf {
    /// Takes over the raw table's newest version: its files, and which late files are in them. The latter are no longer
    /// overlaid, and wait for the tiers (rule 9).
    pub(crate) fn take_over(&mut self, table: &Table) {
        let mut files: BTreeMap<Day, Vec<Arc<FileMeta>>> = BTreeMap::new();
        for (name, meta) in table.files() {
            let old = self.files.get(&name.day).and_then(|day| {
                // Files of a day are few changes apart: those that stay keep their place in memory.
                day.binary_search_by(|m| m.name.cmp(name)).ok().map(|at| day[at].clone())
            });
            files.entry(name.day).or_default().push(old.unwrap_or_else(|| Arc::new(meta.clone())));
        }
        self.files = files;
        let gone =
            table.transactions().keys().filter_map(|app| if let App::Gone(day) = app { Some(*day) } else { None });
        self.gone = Arc::new(gone.collect());
        self.late.retain(|day, files| {
            let folded: Vec<_> = files.extract_if(.., |late| is_folded(table, &late.meta.name)).collect();
            if !folded.is_empty() {
                self.stale.entry(*day).or_default().extend(folded);
            }
            !files.is_empty()
        });
    }

    /// Lets late files go that every tier has.
    pub(crate) fn refreshed(&mut self, files: &[Arc<LateFile>]) {
        self.stale.retain(|_, day| {
            day.retain(|stale| !files.iter().any(|file| Arc::ptr_eq(file, stale)));
            !day.is_empty()
        });
        files.iter().for_each(|file| file.folded());
    }

    /// Takes over the newest version of a tier's table.
    pub(crate) fn take_over_tier(&mut self, tier: Tier, table: &Table) {
        let instant = |app| {
            let reached = table.transactions().get(&app);
            reached.map_or(Time(i64::MIN), |instant| Time(i64::try_from(instant.0).unwrap_or(i64::MAX)))
        };
        let mut files: BTreeMap<Day, Vec<Arc<FileMeta>>> = BTreeMap::new();
        for (name, meta) in table.files() {
            files.entry(name.day).or_default().push(Arc::new(meta.clone()));
        }
        let shelf = TierShelf { closed: instant(App::Closed), floor: instant(App::Floor), files };
        self.tiers[tier as usize] = Arc::new(shelf);
    }

    /// Committed raw files that may hold rows of a span.
    pub(crate) fn committed(&self, span: Span) -> impl Iterator<Item = &Arc<FileMeta>> {
        let days = span.days().map_or(Day(0)..Day(0), |(first, last)| first..Day(last.0 + 1));
        let files = self.files.range(days).flat_map(|(_, day)| day);
        files.filter(move |meta| meta.max_time >= span.from.0 && meta.min_time < span.to.0)
    }

    /// Whether a span touches a day whose raw rows were dropped.
    pub(crate) fn is_gone(&self, span: Span) -> bool {
        span.days().is_some_and(|(first, last)| self.gone.range(first..=last).next().is_some())
    }

    /// What there is of a tier.
    pub(crate) fn tier(&self, tier: Tier) -> &TierShelf {
        &self.tiers[tier as usize]
    }

    /// Puts a late file above those of its day.
    pub(crate) fn add_late(&mut self, file: LateFile) {
        let day = self.late.entry(file.meta.name.day).or_default();
        day.push(Arc::new(file));
        day.sort_by_key(|file| file.meta.name.last);
    }

    /// Late files whose erasures may lie in a span, ascending.
    pub(crate) fn erasing(&self, span: Span) -> impl Iterator<Item = &Arc<LateFile>> {
        let days = span.days().map_or(Day(0)..Day(0), |(first, last)| first..Day(last.0 + 1));
        self.late.range(days).flat_map(|(_, day)| day).filter(|file| !file.cuts.is_empty())
    }

    /// Files and late files that may hold rows of a span, the former first: ascending precedence.
    pub(crate) fn over(&self, span: Span) -> impl Iterator<Item = &FileMeta> {
        // An empty span has no days; the range from 1 to 0 would panic.
        let days = span.days().map_or(Day(0)..Day(0), |(first, last)| first..Day(last.0 + 1));
        let files = self.files.range(days.clone()).flat_map(|(_, day)| day).map(|meta| &**meta);
        let late = self.late.range(days).flat_map(|(_, day)| day).map(|file| &file.meta).filter(|meta| meta.rows > 0);
        files.chain(late).filter(move |meta| meta.max_time >= span.from.0 && meta.min_time < span.to.0)
    }
}

/// Whether the table says that a late file's rows are in its files.
pub(crate) fn is_folded(table: &Table, late: &FileName) -> bool {
    table.transactions().get(&App::Late(late.log, late.day)).is_some_and(|reached| late.last <= *reached)
}
