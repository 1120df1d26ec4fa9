//! What the rows of a file come to by quarter hour, computed when they are sealed and kept until every tier has them: closing
//! then reads no file.
//!
//! A file never changes, and no key is in two files. So long as every file that holds rows of a window has its partial here, the
//! window's row is what those come to together. A file that fold or compaction wrote has none: then windows are computed from rows.

use super::columns::{Column, Part, columns, find};
use super::rollup::Rollup;
use super::values::Values;
use super::{Tier, kernel};
use crate::file::FileMeta;
use crate::paths::FileName;
use crate::run::split::Picked;
use crate::shelf::Shelf;
use crate::{Keys, Run};
use schemas::{ABSENT, Dataset, Kind, Span, Time};
use std::collections::HashMap;
use std::sync::Arc;

/// Rows a quarter hour must have on the average; with fewer a partial takes more memory than the rows.
const DENSE: usize = if cfg!(test) { 0 } else { 4 };
/// All time.
const ALWAYS: Span = Span { from: Time(i64::MIN), to: Time(i64::MAX) };

/// Partials by file.
#[derive(Debug, Default)]
pub(crate) struct Partials {
    files: HashMap<FileName, Partial>,
}

#[derive(Debug)]
struct Partial {
    /// Rows by quarter hour; of civil days once the finer tiers have them.
    rows: Rollup,
    is_fine: bool,
    max_time: i64,
}

/// Whether rows of a dataset's windows can be put together from parts in any order.
fn is_additive(dataset: &Dataset) -> bool {
    let adds = |kind: &Kind| matches!(kind, Kind::Gauge | Kind::Count | Kind::Level | Kind::Angle);
    dataset.fields.iter().all(|field| adds(&field.kind) && !field.quantiles)
}

/// What picked rows of a run come to by quarter hour, in the columns of the 1d tier; nothing where that does not pay.
pub(crate) fn of(dataset: &Dataset, run: &Run, picked: &Picked) -> Option<Rollup> {
    is_additive(dataset).then(|| kernel::quarters(dataset, run, picked, DENSE))?
}

impl Partials {
    /// Keeps what a file's rows come to, if all together take `most` bytes at most.
    pub(crate) fn add(&mut self, file: &FileMeta, rows: Rollup, most: usize) {
        let kept: usize = self.files.values().map(|partial| partial.rows.bytes()).sum();
        if kept + rows.bytes() <= most {
            self.files.insert(file.name, Partial { rows, is_fine: true, max_time: file.max_time });
        }
    }

    /// What files come to, if all are known for that tier.
    pub(super) fn of<'a>(&self, tier: Tier, files: impl Iterator<Item = &'a Arc<FileMeta>>) -> Option<Vec<Rollup>> {
        let one = |file: &Arc<FileMeta>| {
            let known = self.files.get(&file.name).filter(|partial| partial.is_fine || tier == Tier::Day);
            known.map(|partial| partial.rows.clone())
        };
        files.map(one).collect()
    }

    /// Forgets what every tier has and files that are gone. `waiting` are sealed and not committed yet.
    pub(super) fn tidy(&mut self, dataset: &Dataset, shelf: &Shelf, waiting: &[FileName]) {
        let closed = |tier: Tier| shelf.tier(tier).closed.0;
        self.files.retain(|name, partial| {
            let is_there = shelf.files.get(&name.day).is_some_and(|day| day.iter().any(|file| file.name == *name));
            (is_there || waiting.contains(name)) && partial.max_time >= closed(Tier::Day)
        });
        for partial in self.files.values_mut().filter(|partial| partial.is_fine) {
            if partial.max_time < closed(Tier::Quarter).min(closed(Tier::Hour)) {
                partial.rows = combine(dataset, Tier::Day, std::slice::from_ref(&partial.rows), ALWAYS);
                partial.is_fine = false;
            }
        }
    }
}

/// Rows of a tier's windows that begin in a span, from partials of files.
pub(super) fn combine(dataset: &Dataset, tier: Tier, partials: &[Rollup], span: Span) -> Rollup {
    let Joined { keys, rows, ends } = Joined::of(dataset, tier, partials, span);
    let all = columns(dataset, Tier::Day);
    let work = Work { all: &all, partials, rows: &rows, ends: &ends };
    let column = |column: &Column| work.column(column).map(Arc::new);
    Rollup { columns: columns(dataset, tier).iter().map(column).collect(), keys: Arc::new(keys) }
}

/// Rows of partials in the order of a tier's windows.
#[derive(Default)]
struct Joined {
    keys: Keys,
    /// (number of the partial, row of it).
    rows: Vec<(u32, u32)>,
    /// For each window the row after its last.
    ends: Vec<u32>,
}

impl Joined {
    fn of(dataset: &Dataset, tier: Tier, partials: &[Rollup], span: Span) -> Joined {
        let mut joined = Joined::default();
        let mut sensors: Vec<_> = partials.iter().flat_map(|partial| partial.keys.sensors.iter().copied()).collect();
        sensors.sort_unstable();
        sensors.dedup();
        let mut own: Vec<(i64, (u32, u32))> = Vec::new();
        for sensor in sensors {
            own.clear();
            for (partial, number) in partials.iter().zip(0..) {
                let times = &partial.keys.time;
                own.extend(partial.keys.rows(sensor).map(|row| (times[row], (number, row as u32))));
            }
            if !own.is_sorted() {
                own.sort_unstable();
            }
            let mut window = Span { from: Time(0), to: Time(0) };
            let mut begun = None;
            for &(start, row) in &own {
                if !window.holds(Time(start)) {
                    window = tier.window(Time(start), &dataset.zone);
                }
                if !span.holds(window.from) {
                    continue;
                }
                joined.rows.push(row);
                if begun != Some(window.from) {
                    begun = Some(window.from);
                    joined.keys.push(sensor, [window.from.0]);
                    joined.ends.push(0);
                }
                if let Some(end) = joined.ends.last_mut() {
                    *end = joined.rows.len() as u32;
                }
            }
        }
        joined
    }
}

/// Columns being put together.
struct Work<'a> {
    all: &'a [Column],
    partials: &'a [Rollup],
    rows: &'a [(u32, u32)],
    ends: &'a [u32],
}

impl Work<'_> {
    /// A column of the windows; nothing when no partial has any.
    fn column(&self, column: &Column) -> Option<Values> {
        let sources = self.sources(column.field, column.part)?;
        if sources.iter().flatten().any(|values| matches!(values, Values::Wide(_))) {
            return Some(Values::Wide(self.wides(&sources)));
        }
        let longs = longs(&sources);
        let folded = match column.part {
            Part::Min => self.fold(&longs, i64::min),
            Part::Max | Part::LastAt => self.fold(&longs, i64::max),
            Part::Last => self.lasts(&longs, column.field),
            _ => self.fold(&longs, |sum, value| sum + value),
        };
        Some(Values::of(folded))
    }

    /// A part of a field in each partial.
    fn sources(&self, field: usize, part: Part) -> Option<Vec<Option<&Values>>> {
        let at = find(self.all, field, part)?;
        let sources: Vec<_> = self.partials.iter().map(|partial| partial.columns[at].as_deref()).collect();
        sources.iter().any(Option::is_some).then_some(sources)
    }

    /// The rows of each window.
    fn windows(&self) -> impl Iterator<Item = &[(u32, u32)]> {
        let mut start = 0;
        self.ends.iter().map(move |&end| {
            let rows = &self.rows[start..end as usize];
            start = end as usize;
            rows
        })
    }

    fn fold(&self, longs: &[Vec<i64>], of: impl Fn(i64, i64) -> i64) -> Vec<i64> {
        let one = |rows: &[(u32, u32)]| {
            rows.iter().fold(ABSENT, |folded, &(partial, row)| {
                match (folded, longs[partial as usize].get(row as usize).copied().unwrap_or(ABSENT)) {
                    (folded, ABSENT) => folded,
                    (ABSENT, value) => value,
                    (folded, value) => of(folded, value),
                }
            })
        };
        self.windows().map(one).collect()
    }

    /// The value of each window's last reading.
    fn lasts(&self, longs_: &[Vec<i64>], field: usize) -> Vec<i64> {
        let at = self.sources(field, Part::LastAt).map(|sources| longs(&sources)).unwrap_or_default();
        let of = |from: &[Vec<i64>], &(partial, row): &(u32, u32)| {
            from.get(partial as usize).and_then(|values| values.get(row as usize)).copied().unwrap_or(ABSENT)
        };
        let one =
            |rows: &[(u32, u32)]| rows.iter().max_by_key(|row| of(&at, row)).map_or(ABSENT, |row| of(longs_, row));
        self.windows().map(one).collect()
    }

    fn wides(&self, sources: &[Option<&Values>]) -> Vec<i128> {
        let one = |rows: &[(u32, u32)]| {
            let some = rows.iter().filter_map(|&(partial, row)| sources[partial as usize]?.wide(row as usize));
            some.reduce(|sum, value| sum + value).unwrap_or(i128::MIN)
        };
        self.windows().map(one).collect()
    }
}

/// Values of each source, none where it has none.
fn longs(sources: &[Option<&Values>]) -> Vec<Vec<i64>> {
    sources.iter().map(|values| values.map(|values| values.longs()).unwrap_or_default()).collect()
}
