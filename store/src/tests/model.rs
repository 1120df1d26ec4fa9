//! The store against a map that is plainly right: random puts, corrections, late rows, duplicates, erasures, seals, flushes, folds,
//! closing, refreshing, compaction, vacuum, retention,
//! crashes at every named point, restarts, loss of the log folder. After each step a reader sees what the map says, and the
//! table on disk is sorted and holds no key twice.
//!
//! `LAMPPOST_SEEDS=from..to` runs other seeds than the few of an ordinary run, `./check --long` more.

use super::law;
use crate::disk::Real;
use crate::fault::{Call, Fault};
use crate::intake::lock;
use crate::points;
use crate::testing::bed::Rows;
use crate::testing::{Bed, Dice, batch, of_kinds};
use schemas::time::DAY;
use schemas::{ABSENT, Batch, Dataset, Keep, Keeps};
use std::sync::Arc;
use tempfile::TempDir;

pub(super) struct Model {
    pub(super) bed: Bed,
    pub(super) dice: Dice,
    pub(super) rows: Rows,
    /// The truth as of each position.
    pub(super) history: Vec<(u64, Rows)>,
    clock: i64,
    pub(super) told: Vec<String>,
}

const FIELDS: usize = 6;

impl Model {
    /// The dataset of a seed.
    pub(super) fn dataset(seed: u64) -> Arc<Dataset> {
        let zones = ["UTC", "Europe/Prague", "Asia/Kathmandu", "Australia/Lord_Howe"];
        let mut dataset = of_kinds(zones[(seed % 4) as usize]);
        if seed % 3 == 1 {
            // Windows of such fields alone are put together from what sealed files come to.
            let fields = &mut Arc::make_mut(&mut dataset).fields;
            fields[0].quantiles = false;
            fields[2].kind = schemas::Kind::Gauge;
            fields[3].kind = schemas::Kind::Count;
        }
        // All has been kept for long enough: what goes is a matter of turns.
        Arc::make_mut(&mut dataset).keep = Keeps { raw: Keep::For(1), quarter: Keep::For(1), ..dataset.keep };
        dataset
    }

    async fn new(seed: u64) -> Model {
        let bed = Bed::at(TempDir::new().unwrap(), vec![Model::dataset(seed)], Arc::new(Real));
        Model::on(bed, seed).await
    }

    /// A model of a new store that is not open yet.
    pub(super) async fn on(mut bed: Bed, seed: u64) -> Model {
        bed.config.segment_bytes = 2048;
        bed.open().await.unwrap();
        Model { bed, dice: Dice(seed), rows: Rows::new(), history: vec![(0, Rows::new())], clock: 0, told: Vec::new() }
    }

    /// A random reading: mostly the next instant of its sensor, else a correction, a duplicate or something late.
    fn reading(&mut self) -> (String, i64, Vec<(usize, i64)>) {
        let sensor = format!("s{}", self.dice.below(4));
        self.clock += self.dice.below(3) as i64 * DAY / 40;
        let time = match self.dice.below(4) {
            0 | 1 => self.clock,
            2 => self.dice.below(1 + (self.clock / (DAY / 40)) as u64) as i64 * DAY / 40,
            _ => match self.rows.len() as u64 {
                0 => self.clock,
                n => self.rows.keys().nth(self.dice.below(n) as usize).expect("below its length").1,
            },
        };
        let mut values = Vec::new();
        for field in 0..FIELDS {
            if self.dice.below(3) > 0 {
                // Few states, many of the others.
                let most = if field == 3 { 3 } else { 360 };
                values.push((field, self.dice.below(most) as i64));
            }
        }
        (sensor, time, values)
    }

    /// Some random readings, as a batch, and the rows there are with them.
    pub(super) fn readings(&mut self) -> Option<(Batch, Rows)> {
        let mut readings: Vec<_> = (0..1 + self.dice.below(4)).map(|_| self.reading()).collect();
        readings.retain(|(_, time, _)| !self.bed.too_old(*time));
        let borrowed: Vec<_> = readings.iter().map(|(s, t, v)| (s.as_str(), *t, v.as_slice())).collect();
        let batch = batch(&self.bed.datasets[0], &borrowed);
        let mut rows = self.rows.clone();
        for (sensor, time, values) in readings {
            let row = rows.entry((sensor, time)).or_insert_with(|| vec![ABSENT; FIELDS]);
            values.into_iter().for_each(|(field, value)| row[field] = value);
        }
        (!batch.is_empty()).then_some((batch, rows))
    }

    pub(super) async fn put(&mut self) {
        let Some((batch, rows)) = self.readings() else { return };
        let position = self.bed.append(vec![batch], Vec::new()).await;
        self.rows = rows;
        assert!(position > self.history.last().expect("never empty").0, "positions grow");
        self.history.push((position, self.rows.clone()));
    }

    /// Erases a random span of a sensor, whole readings or one field.
    pub(super) async fn erase(&mut self) {
        let sensor = format!("s{}", self.dice.below(4));
        // Where raw rows are gone an erasure widens: another test's matter.
        let goes = !lock(&self.bed.store().intake.books[0].holding).refused().is_empty();
        if goes || self.bed.snapshot().sensor(&sensor).is_none() {
            return;
        }
        let steps = 2 + (self.clock / (DAY / 40)) as u64;
        let from = self.dice.below(steps) as i64 * DAY / 40;
        let most = [4, 40, steps][self.dice.below(3) as usize];
        let to = from + 1 + self.dice.below(most) as i64 * DAY / 40;
        let fields: Vec<usize> = if self.dice.below(2) == 0 { vec![] } else { vec![self.dice.below(2) as usize] };
        self.told.push(format!("erase {sensor} {from}..{to} {fields:?}"));
        let position = self.bed.erase(&sensor, (from, to), &fields).await.unwrap();
        self.rows.retain(|(id, time), values| {
            if *id != sensor || !(from..to).contains(time) {
                return true;
            }
            fields.iter().for_each(|&field| values[field] = ABSENT);
            !fields.is_empty() && values.iter().any(|value| *value != ABSENT)
        });
        self.history.push((position, self.rows.clone()));
    }

    /// Loses the log: what was not flushed is gone.
    async fn lose_log(&mut self) {
        self.bed.lose_log().await;
        let filed = {
            let table = self.bed.store().intake.books[0].table.lock().await;
            crate::book::filed(&table).into_values().max().unwrap_or_default()
        };
        let known = self.history.iter().rev().find(|(position, _)| *position <= filed.0);
        self.rows = known.expect("position 0 is there").1.clone();
        // Positions of the lost log may come again; what matters is that they are above all that was kept.
        self.history.retain(|(position, _)| *position <= filed.0);
    }

    pub(super) async fn work(&mut self) -> Result<(), crate::Error> {
        match self.dice.below(11) {
            0 | 1 => self.bed.seal().await,
            2 | 3 => self.bed.flush().await,
            4 => self.bed.fold().await,
            5 => self.bed.close().await,
            6 => self.bed.refresh().await,
            7 => self.bed.compact().await,
            8 => self.bed.vacuum().await.map(|_| ()),
            // Early in a run it would leave nothing to be late or erased.
            9 if self.history.len() > 25 => self.bed.retain().await.map(|_| ()),
            _ => self.bed.settle().await,
        }
    }

    /// Works while calls of the object store fail, some of them after they were done.
    pub(super) async fn work_on_a_bad_disk(&mut self) {
        let faults = self.bed.faults.clone().expect("the bed has faults");
        for _ in 0..1 + self.dice.below(3) {
            let parts = ["raw/day=", "_delta_log", "late/day=", "newest.json", "_store", "15m/", "1h/month=", "1d/"];
            let part = parts[self.dice.below(parts.len() as u64) as usize];
            let call = [Call::Put, Call::Put, Call::Get, Call::Delete][self.dice.below(4) as usize];
            let fault = [Fault::Before, Fault::After, Fault::Twice][self.dice.below(3) as usize];
            self.told.push(format!("{call:?} {part} {fault:?}"));
            faults.plan(call, part, self.dice.below(3), 1 + self.dice.below(2), fault);
        }
        for _ in 0..1 + self.dice.below(4) {
            let _ = self.work().await;
        }
        faults.heal();
    }

    async fn step(&mut self) {
        let what = self.dice.below(22);
        self.told.push(format!("{what}"));
        match what {
            0..10 => self.put().await,
            20.. => self.erase().await,
            10..14 => {
                // A fold planned before the fate of an earlier commit was known is refused once.
                if self.work().await.is_err() {
                    self.bed.settle().await.unwrap();
                }
            }
            14 => self.work_on_a_bad_disk().await,
            15 => self.bed.restart().await,
            16 => self.lose_log().await,
            _ => {
                let point = points::ALL[self.dice.below(points::ALL.len() as u64) as usize];
                self.told.push(point.to_owned());
                self.bed.crash_at(Some(point));
                for _ in 0..4 {
                    if self.work().await.is_err() {
                        break;
                    }
                }
                if self.dice.below(5) == 0 {
                    self.lose_log().await;
                } else {
                    self.bed.restart().await;
                }
            }
        }
    }

    async fn check(&self) {
        check(&self.bed, &self.rows).await;
    }
}

/// The rows whose days retention has not dropped.
pub(super) fn kept(bed: &Bed, rows: &Rows) -> Rows {
    let gone = bed.snapshot().shelf.gone.clone();
    let is_kept = |(_, time): &(String, i64)| !gone.contains(&schemas::Time(*time).day());
    rows.iter().filter(|(key, _)| is_kept(key)).map(|(key, row)| (key.clone(), row.clone())).collect()
}

/// Holds all that a reader sees to what was put.
pub(super) async fn check(bed: &Bed, rows: &Rows) {
    let kept = kept(bed, rows);
    assert_eq!(bed.rows().await, kept);
    bed.table_rows().await;
    law::check(bed, rows).await;
    let snapshot = bed.snapshot();
    for sensor in 0..4 {
        let id = format!("s{sensor}");
        for field in 0..FIELDS {
            let own = rows.iter().filter(|((s, _), values)| *s == id && values[field] != ABSENT);
            let newest = own.map(|((_, time), values)| (*time, values[field])).max_by_key(|(time, _)| *time);
            let latest = snapshot.sensor(&id).and_then(|s| snapshot.latest.get(s, field));
            assert_eq!(latest.map(|(time, value)| (time.0, value)), newest, "newest f{field} of {id}");
        }
    }
    let days: std::collections::BTreeSet<_> = kept.keys().map(|(_, t)| schemas::Time(*t).day()).collect();
    let told = snapshot.days(crate::testing::bed::ALWAYS);
    assert!(days.iter().all(|day| told.contains(day)), "{told:?} lacks one of {days:?}");
    assert!(kept.is_empty() || snapshot.extent().is_some());
}

/// The seeds asked for, or else the first `few`, or `many` in a long run.
pub(super) fn seeds(few: u64, many: u64) -> std::ops::Range<u64> {
    let asked = std::env::var("LAMPPOST_SEEDS").unwrap_or_default();
    let parsed = asked.split_once("..").and_then(|(from, to)| Some(from.parse().ok()?..to.parse().ok()?));
    let long = std::env::var("LAMPPOST_LONG").is_ok_and(|long| long == "yes");
    parsed.unwrap_or(0..if long { many } else { few })
}

#[tokio::test]
async fn the_store_is_the_map() {
    for seed in seeds(6, 150) {
        let mut model = Model::new(seed).await;
        let run = async {
            for _ in 0..60 {
                model.step().await;
                model.check().await;
            }
            model.bed.crash_at(None);
            model.bed.settle().await.unwrap();
            assert_eq!(
                model.bed.table_rows().await,
                kept(&model.bed, &model.rows),
                "once all is folded the table alone is exact"
            );
            model.bed.restart().await;
            model.check().await;
        };
        let answer = futures::FutureExt::catch_unwind(std::panic::AssertUnwindSafe(run)).await;
        assert!(answer.is_ok(), "seed {seed} failed after steps {:?}", model.told);
    }
}
