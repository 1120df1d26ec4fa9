//! Up to where the store itself let log segments go, by dataset: tells records that were filed from records that are lost.
//!
//! The file `released` in the log folder names the log and, for each dataset there was at the time, the position below which
//! segments may be gone. It is written before they go. A dataset whose contract was out for a while has an older position,
//! so that it may come back though the log went on without it.

use crate::disk::{Disk, write_atomic};
use crate::{Error, Kind, LogId, Position};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// What was let go of one log.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Released {
    log: LogId,
    datasets: BTreeMap<String, Position>,
}

impl Released {
    /// What the log folder says of its log; nothing if it says nothing, or speaks of another log.
    pub(crate) fn read(folder: &Path, log: LogId) -> Result<Released, Error> {
        let path = folder.join("released");
        let nothing = Released { log, ..Released::default() };
        let bytes = match std::fs::read(&path) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(nothing),
            bytes => bytes.map_err(|e| Error::io(&path, e))?,
        };
        let found: Released = serde_json::from_slice(&bytes).map_err(|e| {
            let message = format!("{}: {e}; restore the log folder from a backup, or remove that file", path.display());
            Error::new(Kind::Corrupt, message)
        })?;
        Ok(if found.log == log { found } else { nothing })
    }

    /// Refuses a log that lacks records at or below `above` which a dataset still needs: it has come to the position beside
    /// its name only, and the rest did not go by the store's own hand, or went when its table was further.
    pub(crate) fn check<'a>(
        &self,
        folder: &Path,
        above: Position,
        mut reached: impl Iterator<Item = (&'a str, Position)>,
    ) -> Result<(), Error> {
        let most = self.datasets.values().copied().max().unwrap_or_default();
        let needs = |(dataset, reached): &(&'a str, Position)| {
            let own = self.datasets.get(*dataset).copied().unwrap_or_default();
            *reached < above && (*reached < own || above > most)
        };
        let Some((dataset, reached)) = reached.find(needs) else { return Ok(()) };
        let message = format!(
            "the log in {} begins after position {}, but the data of {dataset} has come to position {} only: the segments \
             between are gone, or the data folder is older than the log; restore what is missing from a backup, or move the \
             log folder elsewhere and start with an empty one: what was filed stays, what was only in the log is then lost",
            folder.display(),
            above.0,
            reached.0
        );
        Err(Error::new(Kind::Corrupt, message))
    }

    /// Segments up to `position` may go for these datasets. Gives whether that is news.
    pub(crate) fn raise<'a>(&mut self, datasets: impl Iterator<Item = &'a str>, position: Position) -> bool {
        let mut news = false;
        for dataset in datasets {
            let known = self.datasets.entry(dataset.to_owned()).or_default();
            news |= *known < position;
            *known = (*known).max(position);
        }
        news
    }

    /// Writes it durably.
    pub(crate) fn write(&self, disk: &dyn Disk, folder: &Path) -> Result<(), Error> {
        let path = folder.join("released");
        let bytes = serde_json::to_vec(self).map_err(|e| Error::io(&path, e.into()))?;
        write_atomic(disk, &path, &bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_and_needed_is_told_from_what_was_let_go() {
        let folder = tempfile::tempdir().unwrap();
        let log = LogId(u64::MAX);
        let mut released = Released::read(folder.path(), log).unwrap();
        assert!(released.raise(["a", "b"].into_iter(), Position(10)));
        assert!(released.raise(["a"].into_iter(), Position(30)), "b is out for a while");
        assert!(!released.raise(["a"].into_iter(), Position(20)));
        released.write(&crate::disk::Real, folder.path()).unwrap();
        assert_eq!(Released::read(folder.path(), log).unwrap(), released);
        assert_eq!(Released::read(folder.path(), LogId(1)).unwrap(), Released { log: LogId(1), ..Released::default() });
        let check = |above: u64, a: u64, b: u64| {
            let reached = [("a", Position(a)), ("b", Position(b)), ("new", Position(0))];
            released.check(folder.path(), Position(above), reached.into_iter()).map_err(|e| e.kind)
        };
        assert_eq!(check(30, 30, 10), Ok(()), "b comes back, and a dataset is new");
        assert_eq!(check(5, 5, 10), Ok(()), "segments may stay longer than they must");
        assert_eq!(check(30, 29, 10), Err(Kind::Corrupt), "the table of a is older than the log");
        assert_eq!(check(30, 30, 9), Err(Kind::Corrupt));
        assert_eq!(check(31, 30, 40), Err(Kind::Corrupt), "a segment more is gone than was let go");
        std::fs::write(folder.path().join("released"), "{").unwrap();
        assert_eq!(Released::read(folder.path(), log).unwrap_err().kind, Kind::Corrupt);
    }
}
