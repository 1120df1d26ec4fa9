//! Turns of maintenance: what is being done now, when it was done last, how long turns take and how many failed.

use crate::intake::lock;
use crate::status::{Task, TaskStatus, Turn};
use crate::{Durations, Error};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use tokio::time::Instant;

/// All tasks, in the order their status tells them.
const TASKS: [Task; 8] =
    [Task::Flush, Task::Fold, Task::Close, Task::Refresh, Task::Checkpoint, Task::Compact, Task::Vacuum, Task::Retain];

/// Turns of all datasets together.
#[derive(Debug, Default)]
pub(crate) struct Turns([Tally; TASKS.len()]);

/// Turns of one task.
#[derive(Debug, Default)]
struct Tally {
    took: Durations,
    failed: AtomicU64,
}

/// Turns of one dataset: each task at most once at a time.
#[derive(Debug, Default)]
pub(crate) struct Duty(Mutex<Times>);

#[derive(Debug, Default)]
struct Times {
    /// When what is being done was begun.
    begun: BTreeMap<Task, Instant>,
    /// When what was done last went well.
    done: BTreeMap<Task, Instant>,
}

impl Turns {
    /// Does one turn of a dataset's task, told by its status meanwhile and counted afterwards.
    pub(crate) async fn take<T>(
        &self,
        duty: &Duty,
        task: Task,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let began = Instant::now();
        lock(&duty.0).begun.insert(task, began);
        let under_way = UnderWay { duty, task };
        let answer = work.await;
        drop(under_way);
        let tally = &self.0[task as usize];
        tally.took.count(began.elapsed(), 1);
        if answer.is_ok() {
            lock(&duty.0).done.insert(task, Instant::now());
        } else {
            tally.failed.fetch_add(1, Relaxed);
        }
        answer
    }

    /// Figures of each task.
    pub(crate) fn look(&self) -> Vec<TaskStatus> {
        let status = |task: Task| {
            let tally = &self.0[task as usize];
            TaskStatus { task, took: tally.took.look(), failed: tally.failed.load(Relaxed) }
        };
        TASKS.map(status).into()
    }
}

/// A task under way; it ends with this, also when its future is dropped.
struct UnderWay<'a> {
    duty: &'a Duty,
    task: Task,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        lock(&self.duty.0).begun.remove(&self.task);
    }
}

impl Duty {
    /// What is being done, and since when.
    pub(crate) fn working(&self) -> Vec<Turn> {
        turns(&lock(&self.0).begun)
    }

    /// What was done well, and how long ago.
    pub(crate) fn done(&self) -> Vec<Turn> {
        turns(&lock(&self.0).done)
    }
}

fn turns(instants: &BTreeMap<Task, Instant>) -> Vec<Turn> {
    instants.iter().map(|(&task, instant)| Turn { task, seconds: instant.elapsed().as_secs_f64() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kind;

    #[tokio::test]
    async fn a_turn_is_told_while_it_lasts_and_counted_when_it_ends() {
        let (turns, duty) = (Turns::default(), Duty::default());
        let tasks = |turns: Vec<Turn>| turns.into_iter().map(|turn| turn.task).collect::<Vec<_>>();
        let work = async {
            assert_eq!((tasks(duty.working()), tasks(duty.done())), (vec![Task::Fold], vec![]));
            Ok(())
        };
        turns.take(&duty, Task::Fold, work).await.unwrap();
        assert_eq!((tasks(duty.working()), tasks(duty.done())), (vec![], vec![Task::Fold]));
        let failing = async { Err::<(), _>(Error::new(Kind::Io, "no")) };
        turns.take(&duty, Task::Flush, failing).await.unwrap_err();
        assert_eq!(tasks(duty.done()), [Task::Fold], "what failed is not done");
        // A turn that is given up is over too.
        let mut given_up = Box::pin(turns.take(&duty, Task::Flush, std::future::pending::<Result<(), Error>>()));
        assert!(futures::poll!(given_up.as_mut()).is_pending());
        assert_eq!(tasks(duty.working()), [Task::Flush]);
        drop(given_up);
        assert_eq!(tasks(duty.working()), []);
        let told: Vec<_> = turns.look().into_iter().map(|t| (t.task, t.took.count, t.failed)).collect();
        assert_eq!(told[..2], [(Task::Flush, 1, 1), (Task::Fold, 1, 0)]);
        assert!(told[2..].iter().all(|(_, count, failed)| count + failed == 0));
    }
}
