//! Versions of a table that are no longer the newest: when each was replaced, and which files left with it.

use super::entry::{self, corrupt};
use super::{Of, Table, now};
use crate::Error;
use crate::paths::{self, FileName};
use futures::future::BoxFuture;
use futures::{StreamExt, TryStreamExt};
use object_store::ObjectStore;
use object_store::path::Path;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// Versions committed within so many milliseconds of each other are told apart by the last of them alone.
const GRAIN: i64 = 250;
/// Instants remembered; past it every other one is forgotten.
const MAX_MARKS: usize = 4096;
/// Entries fetched at once.
const AHEAD: usize = 8;

/// What is known of older versions.
#[derive(Debug, Default)]
pub(crate) struct Past {
    /// Files that are in no version from this one on.
    left: BTreeSet<(u64, FileName)>,
    /// Versions and the instants by which they stood, in milliseconds since 1970, ascending.
    marks: VecDeque<(u64, i64)>,
    /// Whether what lay in the folder at start has been taken in.
    read: bool,
}

/// What the folders of a table held at start that its manifest does not tell of.
#[derive(Debug, Default)]
pub(crate) struct Found {
    left: BTreeSet<(u64, FileName)>,
    marks: Vec<(u64, i64)>,
    /// Every file in the table's folder.
    names: BTreeSet<FileName>,
}

impl Past {
    /// A version stands from now on; these files left with it.
    pub(super) fn stands<'a>(&mut self, version: u64, left: impl Iterator<Item = &'a FileName>) {
        self.left.extend(left.map(|name| (version, *name)));
        self.mark(version, now());
    }

    fn mark(&mut self, version: u64, at: i64) {
        let last = self.marks.len();
        if last >= 2 && at - self.marks[last - 2].1 < GRAIN {
            self.marks.pop_back();
        }
        if self.marks.len() >= MAX_MARKS {
            let mut nth = 0;
            self.marks.retain(|_| {
                nth += 1;
                nth % 2 == 0
            });
        }
        self.marks.push_back((version, at));
    }

    /// Takes in what was found. A file of no version that the log still has, a stray, counts as left with `version`, the newest.
    pub(super) fn take_in(&mut self, found: Found, version: u64, is_stray: impl Fn(&FileName) -> bool) {
        let since = std::mem::take(&mut self.marks);
        let newest = found.marks.last().map(|(version, _)| *version);
        found.marks.into_iter().for_each(|(version, at)| self.mark(version, at.min(now())));
        since
            .into_iter()
            .filter(|(known, _)| newest.is_none_or(|newest| *known > newest))
            .for_each(|m| self.mark(m.0, m.1));
        if self.marks.is_empty() {
            self.mark(version, now());
        }
        self.left.extend(found.left);
        let known: BTreeSet<FileName> = self.left.iter().map(|(_, name)| *name).collect();
        let strays = found.names.into_iter().filter(|name| !known.contains(name) && is_stray(name));
        self.left.extend(strays.map(|name| (version, name)));
        self.read = true;
    }

    /// Whether what lay in the folder at start has been taken in.
    pub(crate) fn is_read(&self) -> bool {
        self.read
    }

    /// The newest version that has stood since before `instant`: versions below it were replaced before.
    pub(crate) fn at(&self, instant: i64) -> Option<u64> {
        self.marks.iter().rev().find(|(_, at)| *at <= instant).map(|(version, _)| *version)
    }

    /// Up to `most` files that no version from `version` on has.
    pub(crate) fn gone(&self, version: u64, most: usize) -> Vec<FileName> {
        self.left.iter().take_while(|(left, _)| *left <= version).take(most).map(|(_, name)| *name).collect()
    }

    /// Files that wait to be removed.
    pub(crate) fn waiting(&self) -> usize {
        self.left.len()
    }

    /// Whether a version has left files behind that no checkpoint up to `known` is past.
    pub(crate) fn is_left_between(&self, known: u64, version: u64) -> bool {
        self.left.iter().any(|(left, _)| *left > known && *left <= version)
    }

    /// A file has been removed.
    pub(crate) fn removed(&mut self, names: &[FileName]) {
        self.left.retain(|(_, name)| !names.contains(name));
    }
}

impl Table {
    /// What is known of older versions.
    pub(crate) fn past(&mut self) -> &mut Past {
        &mut self.past
    }

    /// Looks through the table's folders for what [`Past`] does not know. Runs beside flushes: take the future, and give its
    /// answer to [`Table::take_in_past`].
    pub(crate) fn find_past(&self) -> BoxFuture<'static, Result<Found, Error>> {
        let (store, of, version) = (Arc::clone(&self.store), self.of.clone(), self.state.version);
        Box::pin(async move { find(&*store, &of, version).await })
    }

    /// Takes in what was found. No turn but the flushes' may write files meanwhile.
    pub(crate) fn take_in_past(&mut self, found: Found) {
        let mut past = std::mem::take(&mut self.past);
        let is_stray = |name: &FileName| !self.state.files.contains_key(name) && !self.is_orphan(name);
        past.take_in(found, self.state.version, is_stray);
        self.past = past;
    }
}

/// Looks through a table's folders: which versions up to `version` its log still has, since when, which files left with them,
/// and which files there are.
pub(super) async fn find(store: &dyn ObjectStore, of: &Of, version: u64) -> Result<Found, Error> {
    let mut found = Found::default();
    let folder = of.commits();
    let listed: Vec<_> = store.list(Some(&folder)).try_collect().await.map_err(|e| Error::store(&folder, e))?;
    let entry = |name: &str| name.strip_suffix(".json").filter(|v| v.len() == 20)?.parse::<u64>().ok();
    let entries: BTreeMap<u64, i64> = listed
        .iter()
        .filter_map(|object| Some((entry(object.location.filename()?)?, object.last_modified.timestamp_millis())))
        .filter(|(number, _)| *number <= version)
        .collect();
    let mut fetched = futures::stream::iter(entries.keys().copied().collect::<Vec<_>>())
        .map(|number| async move { Ok::<_, Error>((number, super::replay::fetch(store, &of.commit(number)).await?)) })
        .buffered(AHEAD);
    while let Some((number, bytes)) = fetched.try_next().await? {
        for remove in entry::parse(of, number, &bytes)?.into_iter().filter_map(|line| line.remove) {
            let name = entry::file_name(of, &remove.path).map_err(|fault| corrupt(of, number, fault))?;
            found.left.insert((number, name));
        }
    }
    found.marks = entries.into_iter().collect();
    let files = paths::table(&of.dataset.id, of.tier);
    let listed: Vec<Path> = store
        .list(Some(&files))
        .map_ok(|object| object.location)
        .try_collect()
        .await
        .map_err(|e| Error::store(&files, e))?;
    let root = format!("{}/", of.dataset.id);
    found.names = listed.iter().filter_map(|place| FileName::parse(place.as_ref().strip_prefix(&root)?)).collect();
    // What has been removed from disk already need not be removed again.
    found.left.retain(|(_, name)| found.names.contains(name));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paths::Layer;
    use crate::{LogId, Position};
    use schemas::Day;

    fn file(last: u64) -> FileName {
        FileName { layer: Layer::Raw { seq: 0 }, day: Day(1), last: Position(last), log: LogId(1) }
    }

    #[test]
    fn versions_are_known_by_the_last_of_each_grain() {
        let mut past = Past::default();
        (0..10_u64).for_each(|version| past.mark(version, version as i64 * GRAIN / 4));
        assert_eq!(past.at(-1), None);
        assert_eq!(past.at(0), Some(0));
        assert_eq!(past.at(9 * GRAIN / 4), Some(9), "the newest is always known");
        for instant in 0..10 * GRAIN / 4 {
            let true_one = (instant / (GRAIN / 4)) as u64;
            assert!(past.at(instant).is_some_and(|known| known <= true_one && known + 4 >= true_one), "{instant}");
        }
        (10..100_000_u64).for_each(|version| past.mark(version, version as i64 * GRAIN));
        assert!(past.marks.len() <= MAX_MARKS);
        assert_eq!(past.at(i64::MAX), Some(99_999));
    }

    #[test]
    fn a_file_is_gone_from_the_version_that_left_it_out() {
        let mut past = Past::default();
        past.stands(5, [file(1), file(2)].iter());
        past.stands(7, [file(3)].iter());
        assert_eq!(past.gone(4, 9), []);
        assert_eq!(past.gone(6, 9), [file(1), file(2)]);
        assert_eq!(past.gone(6, 1), [file(1)]);
        assert!(past.is_left_between(5, 7) && !past.is_left_between(5, 6) && !past.is_left_between(7, 9));
        past.removed(&[file(2)]);
        assert_eq!(past.gone(9, 9), [file(1), file(3)]);
        assert_eq!(past.left.len(), 2);
    }

    #[test]
    fn what_was_found_at_start_comes_before_what_came_since() {
        let mut past = Past::default();
        past.stands(8, [file(4)].iter());
        let left = BTreeSet::from([(3, file(1))]);
        let names = BTreeSet::from([file(1), file(4), file(7), file(9)]);
        past.take_in(Found { left, marks: vec![(2, 10), (3, 10 + GRAIN)], names }, 8, |name| *name != file(7));
        assert_eq!(past.at(10 + GRAIN), Some(3));
        assert_eq!(past.gone(3, 9), [file(1)]);
        assert_eq!(past.gone(7, 9), [file(1)]);
        assert_eq!(past.gone(8, 9), [file(1), file(4), file(9)], "a stray counts from the start");
        assert!(past.is_read());
    }
}
