//! Power cuts: the model at work on a tape; from many moments of it what a power cut could have left is opened, and holds
//! every acknowledged row with its value, nothing else, and tiers that equal raw.
//!
//! `LAMPPOST_SEEDS=from..to` runs other seeds than the few of an ordinary run, `./check --long` more.

use super::model::{Model, check, kept, seeds};
use crate::fault::{Call, Fault};
use crate::testing::bed::Rows;
use crate::testing::tape::{Fate, Left, Medium, Tape, Volatile};
use crate::testing::{Bed, Dice};
use futures::future::join_all;
use futures::{FutureExt, TryStreamExt};
use object_store::ObjectStore;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use tempfile::TempDir;

/// Steps of the model on one tape.
const STEPS: usize = 45;
/// Moments of one tape at which the power is cut.
const CUTS: u64 = 24;

/// What was true from when on, in steps of the tape.
struct Moment {
    /// Before it, nobody had asked for it.
    begun: usize,
    /// From then on it was acknowledged.
    sure: usize,
    rows: Rows,
}

/// A model on a tape, and all it has known to be true.
struct Run {
    model: Model,
    tape: Arc<Tape>,
    moments: Vec<Moment>,
}

impl Run {
    async fn new(seed: u64) -> Run {
        let folder = TempDir::new().unwrap();
        let tape = Tape::new(folder.path());
        let bed = Bed::at(folder, vec![Model::dataset(seed)], tape.clone());
        let model = Model::on(bed, seed).await;
        let nothing = Moment { begun: 0, sure: 0, rows: Rows::new() };
        Run { model, tape, moments: vec![nothing] }
    }

    /// The rows of the model are acknowledged now.
    fn sure(&mut self, begun: usize) {
        self.moments.push(Moment { begun, sure: self.tape.len(), rows: self.model.rows.clone() });
    }

    async fn step(&mut self) {
        let what = self.model.dice.below(24);
        self.model.told.push(format!("{what} at {}", self.tape.len()));
        let begun = self.tape.len();
        match what {
            0..8 => {
                self.model.put().await;
                self.sure(begun);
            }
            8..10 => self.put_together().await,
            10..12 => {
                self.model.erase().await;
                self.sure(begun);
            }
            12..17 => self.work().await,
            17 => self.model.work_on_a_bad_disk().await,
            18 => self.model.bed.restart().await,
            19..21 => self.die_at_work().await,
            21 => self.die_at_a_put().await,
            22 => self.fail(true).await,
            _ => self.fail(false).await,
        }
    }

    async fn work(&mut self) {
        if self.model.work().await.is_err() {
            self.model.bed.settle().await.unwrap();
        }
    }

    /// Several appends that wait for the same fsync.
    async fn put_together(&mut self) {
        let begun = self.tape.len();
        let before = self.model.rows.clone();
        let (mut batches, mut rows) = (Vec::new(), Vec::new());
        for _ in 0..3 {
            let Some((batch, next)) = self.model.readings() else { continue };
            self.model.rows = next.clone();
            batches.push(batch);
            rows.push(next);
        }
        self.model.rows = before;
        let appends = batches.into_iter().map(|batch| self.model.bed.append(vec![batch], Vec::new()));
        let positions = join_all(appends).await;
        for (position, rows) in positions.into_iter().zip(rows) {
            self.model.rows = rows.clone();
            self.model.history.push((position, rows));
            self.sure(begun);
        }
    }

    /// The process is killed in the midst of maintenance, and started again.
    async fn die_at_work(&mut self) {
        let after = self.model.dice.below(40) as usize;
        self.tape.meet(Some(Fate::Dies(after)));
        for _ in 0..4 {
            if self.model.work().await.is_err() {
                break;
            }
        }
        self.model.bed.crash();
        self.tape.meet(None);
        self.model.bed.open().await.unwrap();
    }

    /// The process is killed while a row is put: it may be there afterwards, and then it stays.
    async fn die_at_a_put(&mut self) {
        let begun = self.tape.len();
        let after = self.model.dice.below(6) as usize;
        let Some((batch, rows)) = self.model.readings() else { return };
        self.tape.meet(Some(Fate::Dies(after)));
        let append = crate::Append { batches: vec![batch], rejects: Vec::new() };
        let answer = crate::writer::append_to(self.model.bed.store(), append).await;
        self.model.bed.crash();
        self.tape.meet(None);
        self.model.bed.open().await.unwrap();
        let found = self.model.bed.rows().await;
        if answer.is_ok() || found == kept(&self.model.bed, &rows) {
            let position = self.model.bed.store().log.stats().last.0;
            self.model.history.push((position, rows.clone()));
            self.model.rows = rows;
            self.sure(begun);
        }
        assert_eq!(found, kept(&self.model.bed, &self.model.rows), "a killed put");
    }

    /// A sync of a file or of a folder fails while there is work.
    async fn fail(&mut self, folder: bool) {
        let after = self.model.dice.below(6) as usize;
        let more = self.model.dice.below(3) as usize;
        self.tape.meet(Some(if folder { Fate::Folder(after, more) } else { Fate::Sync(after) }));
        for _ in 0..4 {
            let _ = self.model.work().await;
        }
        self.tape.meet(None);
    }

    /// Cuts the power at random moments of the tape, in order.
    async fn cut(&mut self, cuts: u64) {
        let steps = self.tape.steps();
        let mut dice = Dice(self.model.dice.roll());
        let mut at: Vec<usize> = (0..cuts).map(|_| 1 + dice.below(steps.len() as u64) as usize).collect();
        at.push(steps.len());
        at.sort_unstable();
        let (mut medium, mut done) = (Medium::new(), 0);
        for cut in at {
            steps[done..cut].iter().for_each(|step| medium.take(step, &mut dice));
            done = cut;
            let left = [Left::Nothing, Left::Some, Left::Some, Left::Some, Left::All][dice.below(5) as usize];
            let folder = TempDir::new().unwrap();
            medium.cut(folder.path(), left, &mut dice);
            let ended = AssertUnwindSafe(self.examine(folder, cut, dice.below(3) == 0)).catch_unwind().await;
            assert!(ended.is_ok(), "cut after {cut} of {} steps, {left:?} of the unsynced left", steps.len());
        }
    }

    /// Opens what a power cut left.
    async fn examine(&self, folder: TempDir, cut: usize, long: bool) {
        let mut bed = Bed::at(folder, self.model.bed.datasets.clone(), Arc::new(Volatile));
        bed.config.segment_bytes = 2048;
        bed.open().await.unwrap();
        let least = self.moments.iter().rposition(|moment| moment.sure <= cut).expect("nothing is sure from the start");
        let asked = self.moments[least..].iter().take_while(|moment| moment.begun <= cut);
        let found = bed.rows().await;
        let truth = asked.clone().find(|moment| kept(&bed, &moment.rows) == found);
        let Some(Moment { rows, .. }) = truth else {
            panic!("found {found:?}, acknowledged {:?}", kept(&bed, &self.moments[least].rows))
        };
        check(&bed, rows).await;
        if long {
            bed.settle().await.unwrap();
            check(&bed, rows).await;
            assert_eq!(bed.table_rows().await, kept(&bed, rows), "once all is folded the table alone is exact");
            bed.restart().await;
            check(&bed, rows).await;
        }
    }
}

#[tokio::test]
async fn a_power_cut_takes_nothing_acknowledged() {
    for seed in seeds(4, 60) {
        let mut run = Run::new(seed).await;
        let answer = async {
            for _ in 0..STEPS {
                run.step().await;
            }
            run.model.bed.crash();
            assert_eq!(run.tape.retried(), 0, "a file whose sync failed was synced again");
            run.cut(CUTS).await;
        };
        let answer = AssertUnwindSafe(answer).catch_unwind().await;
        assert!(answer.is_ok(), "seed {seed} failed after steps {:?}", run.model.told);
    }
}

/// The folder's sync fails when the commit's entry is in its place already. Whoever then reads the entry may let the log go.
#[tokio::test]
async fn a_commit_whose_folder_could_not_be_synced_stands_only_when_it_is() {
    let folder = TempDir::new().unwrap();
    let tape = Tape::new(folder.path());
    let mut bed = Bed::at(folder, vec![crate::testing::dataset("d", 1)], tape.clone());
    bed.config.segment_bytes = 100;
    bed.open().await.unwrap();
    for time in 0..4 {
        bed.put(&[("y", time, &[(0, time)])]).await;
    }
    let truth = bed.rows().await;
    bed.seal().await.unwrap();
    // The next put is the commit; the sync of its folder fails, now and when it is tried again.
    tape.meet(Some(Fate::Folder(0, 2)));
    let first = bed.flush().await;
    assert!(first.is_err(), "the entry is not known to be on the medium");
    let listed = bed.faults.as_ref().unwrap().list(None).try_collect::<Vec<_>>().await;
    assert!(listed.is_err(), "nothing is shown while the folder cannot be synced");
    assert!(!tape.waits(), "all the planned faults were met");
    bed.flush().await.unwrap();
    assert_eq!(bed.store().log.stats().segments, 1, "the log has let go of the rows");
    bed.crash();
    let (mut medium, mut dice) = (Medium::new(), Dice(1));
    tape.steps().iter().for_each(|step| medium.take(step, &mut dice));
    let left = TempDir::new().unwrap();
    medium.cut(left.path(), Left::Nothing, &mut dice);
    let mut after = Bed::at(left, bed.datasets.clone(), Arc::new(Volatile));
    after.open().await.unwrap();
    assert_eq!(after.rows().await, truth);
}

/// A process that is killed between naming a commit and syncing its folder leaves an entry that the next one finds.
#[tokio::test]
async fn what_a_killed_process_left_unsynced_is_synced_before_it_is_believed() {
    let mut found = 0;
    for after in 0..60 {
        let folder = TempDir::new().unwrap();
        let tape = Tape::new(folder.path());
        let mut bed = Bed::at(folder, vec![crate::testing::dataset("d", 1)], tape.clone());
        bed.config.segment_bytes = 100;
        bed.open().await.unwrap();
        for time in 0..4 {
            bed.put(&[("y", time, &[(0, time)])]).await;
        }
        let mut truth = bed.rows().await;
        tape.meet(Some(Fate::Dies(after)));
        let done = bed.flush().await.is_ok();
        bed.crash();
        tape.meet(None);
        bed.open().await.unwrap();
        // Nothing is committed by this: the entry that is found is believed, and the log let go.
        bed.flush().await.unwrap();
        found += usize::from(!done && bed.store().log.stats().segments == 1);
        bed.put(&[("y", 5, &[(0, 5)])]).await;
        truth.insert(("y".into(), 5), vec![5]);
        bed.crash();
        let (mut medium, mut dice) = (Medium::new(), Dice(after as u64));
        tape.steps().iter().for_each(|step| medium.take(step, &mut dice));
        let left = TempDir::new().unwrap();
        medium.cut(left.path(), Left::Nothing, &mut dice);
        let mut bed = Bed::at(left, bed.datasets.clone(), Arc::new(Volatile));
        bed.open().await.unwrap();
        assert_eq!(bed.rows().await, truth, "killed {after} calls into the flush, done: {done}");
    }
    assert!(found > 0, "segments went at some of the points");
}

/// A first start that is killed at any point, then one that is not, then a power cut.
#[tokio::test]
async fn a_killed_first_start_takes_nothing_from_the_second() {
    for after in 0..70 {
        let folder = TempDir::new().unwrap();
        let tape = Tape::new(folder.path());
        let mut bed = Bed::at(folder, vec![crate::testing::dataset("d", 1)], tape.clone());
        tape.meet(Some(Fate::Dies(after)));
        let _ = bed.open().await;
        bed.crash();
        tape.meet(None);
        bed.open().await.unwrap();
        bed.put(&[("y", 1, &[(0, 1)])]).await;
        let truth = bed.rows().await;
        bed.crash();
        let (mut medium, mut dice) = (Medium::new(), Dice(1));
        tape.steps().iter().for_each(|step| medium.take(step, &mut dice));
        let left = TempDir::new().unwrap();
        medium.cut(left.path(), Left::Nothing, &mut dice);
        let mut bed = Bed::at(left, bed.datasets.clone(), Arc::new(Volatile));
        bed.open().await.unwrap();
        assert_eq!(bed.rows().await, truth, "killed {after} calls into the first start");
    }
}

/// A put that was done but whose answer is lost counts once.
#[tokio::test]
async fn a_lost_answer_and_a_power_cut_together_lose_nothing() {
    let folder = TempDir::new().unwrap();
    let tape = Tape::new(folder.path());
    let mut bed = Bed::at(folder, vec![crate::testing::dataset("d", 1)], tape.clone());
    bed.open().await.unwrap();
    bed.put(&[("y", 1, &[(0, 1)]), ("y", 2, &[(0, 2)])]).await;
    let truth = bed.rows().await;
    bed.faults.as_ref().unwrap().plan(Call::Put, "_delta_log", 0, 1, Fault::After);
    let _ = bed.flush().await;
    bed.flush().await.unwrap();
    bed.crash();
    let steps = tape.steps();
    for cut in 0..steps.len() {
        let (mut medium, mut dice) = (Medium::new(), Dice(cut as u64));
        steps[..cut].iter().for_each(|step| medium.take(step, &mut dice));
        let left = TempDir::new().unwrap();
        medium.cut(left.path(), Left::Some, &mut dice);
        let mut bed = Bed::at(left, bed.datasets.clone(), Arc::new(Volatile));
        bed.open().await.unwrap();
        let found = bed.rows().await;
        assert!(found == truth || found.is_empty(), "cut after {cut}: {found:?}");
    }
}
