//! Every path below the data folder, built and parsed in one place.
//!
//! ```text
//! <dataset>/raw/                      a Delta table; its log is in _delta_log/
//! <dataset>/raw/day=2026-11-20/<log-id>-<last position>-<seq>.parquet
//! <dataset>/late/day=2026-11-20/<log-id>-<last position>.parquet
//! <dataset>/15m/, <dataset>/1h/, <dataset>/1d/      a Delta table each; files as in raw/, by week=, month=, year= (first days)
//! <dataset>/state/<name>
//! ```
//! A log-id is 16 hexadecimal digits, a position 20 decimal ones: names of one log sort by position.

use crate::{LogId, Position, Tier};
use object_store::path::Path;
use schemas::Day;

/// Which folder of its dataset a file lies in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Layer {
    /// Committed to the raw table, or on its way there. `seq` tells files of one day and position apart.
    Raw {
        /// 0 for a sealed file, else what [`crate::table::Table::seq`] gave.
        seq: u64,
    },
    /// A late file, in force from the moment it stands (rule 6).
    Late,
    /// Committed to a tier's table, or on its way there. Its day is the first of its partition.
    Tier {
        /// The tier.
        tier: Tier,
        /// What [`crate::table::Table::seq`] gave.
        seq: u64,
    },
}

/// Name of a Parquet file within its dataset: what is known of it without opening it.
/// The order is that of precedence where files lie over one another (rule 8): raw < late, then by last position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct FileName {
    /// Its folder.
    pub(crate) layer: Layer,
    /// The UTC day of all its rows; in a tier the first day of their partition.
    pub(crate) day: Day,
    /// Position of the last record that has rows in it.
    pub(crate) last: Position,
    /// The log that record was in.
    pub(crate) log: LogId,
}

impl FileName {
    /// Path relative to the folder of the dataset: `raw/day=2026-11-20/….parquet`.
    pub(crate) fn path(&self) -> String {
        let FileName { day, log, last, .. } = self;
        match self.layer {
            Layer::Raw { seq } => format!("raw/day={day}/{log}-{:020}-{seq}.parquet", last.0),
            Layer::Late => format!("late/day={day}/{log}-{:020}.parquet", last.0),
            Layer::Tier { tier, seq } => {
                format!("{}/{}={day}/{log}-{:020}-{seq}.parquet", tier.name(), tier.column(), last.0)
            }
        }
    }

    /// The name behind a path relative to the folder of the dataset; nothing if it is not one of ours.
    pub(crate) fn parse(path: &str) -> Option<FileName> {
        let (layer, rest) = path.split_once('/')?;
        let (day, file) = rest.split_once('=')?.1.split_once('/')?;
        let mut parts = file.strip_suffix(".parquet")?.split('-');
        let log = LogId(u64::from_str_radix(parts.next()?, 16).ok()?);
        let last = Position(parts.next()?.parse().ok()?);
        let layer = match (layer, parts.next()) {
            ("raw", Some(seq)) => Layer::Raw { seq: seq.parse().ok()? },
            ("late", None) => Layer::Late,
            (tier, Some(seq)) => Layer::Tier { tier: Tier::parse(tier)?, seq: seq.parse().ok()? },
            _ => return None,
        };
        let name = FileName { layer, day: Day::parse(day)?, log, last };
        // Only the one spelling: a path must be found again under the name it gives.
        (name.path() == path).then_some(name)
    }

    /// Place in the object store of the data folder.
    pub(crate) fn place(&self, dataset: &str) -> Path {
        Path::from(format!("{dataset}/{}", self.path()))
    }
}

/// Folder of a table of a dataset: raw, or a tier's.
pub(crate) fn table(dataset: &str, tier: Option<Tier>) -> Path {
    Path::from(format!("{dataset}/{}", tier.map_or("raw", Tier::name)))
}

/// Folder of the late files of a dataset.
pub(crate) fn late(dataset: &str) -> Path {
    Path::from(format!("{dataset}/late"))
}

/// A saved state of a dataset (registry, newest values): `<dataset>/state/<name>`.
pub(crate) fn state(dataset: &str, name: &str) -> Path {
    Path::from(format!("{dataset}/state/{name}"))
}

/// The log entry of a version of a table.
pub(crate) fn commit(dataset: &str, tier: Option<Tier>, version: u64) -> Path {
    commits(dataset, tier).join(format!("{version:020}.json"))
}

/// The folder of a table's log.
pub(crate) fn commits(dataset: &str, tier: Option<Tier>) -> Path {
    table(dataset, tier).join("_delta_log")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back_from_their_paths() {
        let day = Day::parse("2026-11-20").unwrap();
        let (log, last) = (LogId(0xab), Position(77));
        let tiers = Tier::ALL.map(|tier| Layer::Tier { tier, seq: 65_536 });
        for layer in [Layer::Raw { seq: 0 }, Layer::Raw { seq: 65_537 }, Layer::Late].into_iter().chain(tiers) {
            let name = FileName { layer, day, log, last };
            assert_eq!(FileName::parse(&name.path()), Some(name), "{}", name.path());
        }
        let raw = FileName { layer: Layer::Raw { seq: 3 }, day, log, last };
        assert_eq!(raw.path(), "raw/day=2026-11-20/00000000000000ab-00000000000000000077-3.parquet");
    }

    #[test]
    fn other_paths_are_not_ours() {
        for path in [
            "",
            "raw/x.parquet",
            "raw/day=2026-11-20/ab-77-3.parquet",
            "raw/day=2026-11-20/00000000000000ab-00000000000000000077.parquet",
            "late/day=2026-11-20/00000000000000ab-00000000000000000077-3.parquet",
            "raw/day=2026-11-20/00000000000000ab-00000000000000000077-3-4.parquet",
            "raw/day=2026-11-20/00000000000000AB-00000000000000000077-3.parquet",
            "raw/day=2026-13-20/00000000000000ab-00000000000000000077-3.parquet",
        ] {
            assert_eq!(FileName::parse(path), None, "{path}");
        }
    }
}
