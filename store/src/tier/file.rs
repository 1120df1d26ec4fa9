//! Files of a tier, and the commits that bring them in.

use super::Tier;
use super::rollup::Rollup;
use crate::book::Book;
use crate::file::{Effort, FileMeta, encode_tier};
use crate::paths::{FileName, Layer};
use crate::seal::{blocking, put};
use crate::store::Store;
use crate::table::Commit;
use crate::{Error, LogId, Position, SensorTable};
use schemas::{Day, Time};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Writes files of a tier's next version.
pub(super) struct Maker<'a> {
    pub(super) store: &'a Store,
    pub(super) book: &'a Book,
    pub(super) tier: Tier,
    pub(super) sensors: Arc<SensorTable>,
    /// Raw's position, as of which rows were computed: it names the files.
    pub(super) log: LogId,
    pub(super) last: Position,
    /// How much work its files are worth.
    pub(super) effort: Effort,
}

impl Maker<'_> {
    /// Writes a file for each partition that rows lie in.
    pub(super) async fn write(&self, rollup: Rollup) -> Result<Vec<FileMeta>, Error> {
        let mut adds = Vec::new();
        for (partition, rollup) in by_partition(self.tier, rollup) {
            adds.push(self.file(partition, rollup, adds.len() as u16).await?);
        }
        Ok(adds)
    }

    /// Writes the n-th file of the next version.
    pub(super) async fn file(&self, partition: Day, rollup: Rollup, n: u16) -> Result<FileMeta, Error> {
        let seq = self.book.tier(self.tier).lock().await.seq(n);
        let layer = Layer::Tier { tier: self.tier, seq };
        let name = FileName { layer, day: partition, last: self.last, log: self.log };
        let (dataset, tier, sensors, effort) =
            (self.book.dataset.clone(), self.tier, self.sensors.clone(), self.effort);
        let (meta, bytes) = blocking(move || encode_tier(&dataset, tier, &rollup, &sensors, name, effort)).await?;
        put(self.store, &self.book.dataset, &meta, bytes).await?;
        self.store.points.pass("tier.file")?;
        Ok(meta)
    }

    /// Commits, and publishes the new version.
    pub(super) async fn commit(&self, commit: &Commit) -> Result<(), Error> {
        let mut table = self.book.tier(self.tier).lock().await;
        table.commit(commit).await?;
        self.store.points.pass("tier.commit")?;
        self.book.change(|holding| {
            Arc::make_mut(&mut holding.shelf).take_over_tier(self.tier, &table);
            holding.changed();
        });
        drop(table);
        commit.removes.iter().for_each(|name| self.store.cache.forget(&self.book.dataset, *name));
        Ok(())
    }
}

/// Rows by partition; as a rule they lie in one.
fn by_partition(tier: Tier, rollup: Rollup) -> BTreeMap<Day, Rollup> {
    let mut partitions: Vec<Day> = Vec::new();
    for &start in &rollup.keys.time {
        let known = |first: &&Day| tier.partition_span(**first).holds(Time(start));
        if partitions.last().filter(known).is_none() && !partitions.iter().any(|first| known(&first)) {
            partitions.push(tier.partition(Time(start)));
        }
    }
    match partitions[..] {
        [one] => BTreeMap::from([(one, rollup)]),
        _ => {
            let of = |&first: &Day| {
                let span = tier.partition_span(first);
                (first, Rollup::join(std::slice::from_ref(&rollup), &|_, _, start| span.holds(Time(start))))
            };
            partitions.iter().map(of).collect()
        }
    }
}
