//! The pool of workers: who waits, who is asked, and who goes.

use super::Config;
use super::conversation;
use super::counters::{Counters, Figures, Raised};
use super::failure::SMALLER;
use super::ground::Ground;
use super::message::{Ask, Failure, Fault, Format, Limits};
use super::tables::{self, Attributes};
use super::worker::{Start, Worker};
use crate::{Engine, Error, Kind};
use schemas::Dataset;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};
use store::Snapshot;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

/// Answers questions in SQL. Cloneable; with the last clone all workers end.
#[derive(Clone)]
pub struct Pool(Arc<Shared>);

/// A question in SQL.
#[derive(Clone, Debug)]
pub struct Question {
    /// The text.
    pub text: String,
    /// How the answer is to be written.
    pub format: Format,
    /// The datasets it may see.
    pub datasets: Vec<Arc<Dataset>>,
}

/// An answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// Its columns: name, and PostgreSQL's name of the type.
    pub columns: Vec<(String, String)>,
    /// Its rows.
    pub rows: u64,
    /// The rows as [`Format`] says.
    pub body: Vec<u8>,
}

/// Is told how long a worker was busy with a question.
type Spent = Box<dyn FnOnce(Duration) + Send>;

/// A worker that is busy with a question, until dropped.
struct Busy {
    began: Instant,
    spent: Option<Spent>,
}

impl Drop for Busy {
    fn drop(&mut self) {
        if let Some(spent) = self.spent.take() {
            spent(self.began.elapsed());
        }
    }
}

struct Shared {
    engine: Engine,
    config: Config,
    start: Start,
    /// A permit for each worker there may be.
    places: Arc<Semaphore>,
    /// A permit for each question that may wait.
    waiting: Semaphore,
    /// Workers that wait for a question and since when, the last to be used last.
    idle: Mutex<Vec<(Worker, Instant)>>,
    attributes: Attributes,
    counters: Arc<Counters>,
}

impl Pool {
    /// A pool without workers yet: they start with the first question.
    pub fn new(engine: Engine, config: Config, start: Start) -> Result<Pool, Error> {
        let shared = Arc::new(Shared {
            places: Arc::new(Semaphore::new(config.workers.max(1))),
            waiting: Semaphore::new(config.waiting),
            idle: Mutex::default(),
            attributes: Attributes::default(),
            counters: Arc::default(),
            engine,
            config,
            start,
        });
        shared.engine.handle()?.spawn(dismiss(Arc::downgrade(&shared), shared.config.idle));
        Ok(Pool(shared))
    }

    /// Answers a question. If this future is dropped, its worker is killed. `spent` is told how long a worker was busy with
    /// it, however it ended.
    pub async fn ask(
        &self,
        question: Question,
        spent: impl FnOnce(Duration) + Send + 'static,
    ) -> Result<Answer, Error> {
        let mut ending = self.0.counters.question();
        let answered = self.answer(question, Box::new(spent)).await;
        ending.tell(&answered);
        answered
    }

    /// Figures for metrics.
    pub fn figures(&self) -> Figures {
        self.0.counters.figures()
    }

    async fn answer(&self, question: Question, spent: Spent) -> Result<Answer, Error> {
        let place = self.0.place().await?;
        let busy = Busy { began: Instant::now(), spent: Some(spent) };
        // A set of tasks aborts its only one when it is dropped, which a plain handle would not.
        let mut task = JoinSet::new();
        task.spawn_on(self.0.clone().within_time(question, place, busy), self.0.engine.handle()?);
        match task.join_next().await {
            Some(Ok(answered)) => Ok(answered?),
            ended => {
                tracing::error!(?ended, "a question in SQL ended badly");
                Err(Failure::internal().into())
            }
        }
    }
}

impl Shared {
    /// A place for a question, as soon as one is free.
    async fn place(&self) -> Result<OwnedSemaphorePermit, Error> {
        if let Ok(place) = self.places.clone().try_acquire_owned() {
            return Ok(place);
        }
        let busy = |message| Error { kind: Kind::Busy, ..Error::internal(message) };
        let _waiting =
            self.waiting.try_acquire().map_err(|_| busy("too many questions in SQL wait; ask again shortly"))?;
        let _counted = Raised::new(&self.counters.waiting);
        let turn = tokio::time::timeout(self.seconds() * 3 / 2, self.places.clone().acquire_owned()).await;
        turn.ok().and_then(Result::ok).ok_or_else(|| busy("no SQL worker became free in time; ask again shortly"))
    }

    fn seconds(&self) -> Duration {
        Duration::from_secs(self.config.seconds)
    }

    /// Answers a question in the time it may take.
    async fn within_time(
        self: Arc<Shared>,
        question: Question,
        place: OwnedSemaphorePermit,
        _busy: Busy,
    ) -> Result<Answer, Failure> {
        let _running = Raised::new(&self.counters.running);
        match tokio::time::timeout(self.seconds(), self.answer(question, place)).await {
            Ok(answered) => answered,
            Err(_) => {
                let message = format!("the question took longer than {} s", self.config.seconds);
                Err(Failure::new(Fault::Timeout, message, &SMALLER))
            }
        }
    }

    /// Answers a question by a worker that is free, or a new one.
    async fn answer(&self, question: Question, place: OwnedSemaphorePermit) -> Result<Answer, Failure> {
        let (ask, ground) = self.prepare(question)?;
        let mut worker = match self.take() {
            Some(mut worker) => {
                worker.sit(place);
                worker
            }
            None => Worker::start(&self.start, place, &self.counters).await?,
        };
        match conversation::hold(&mut worker, ask, ground).await {
            Ok(told) => {
                self.give_back(worker);
                told
            }
            Err(error) => Err(worker.ended(&error).await),
        }
    }

    /// What the worker is told, and what its scans stand on.
    fn prepare(&self, question: Question) -> Result<(Ask, Arc<Ground>), Failure> {
        let reader = self.engine.reader();
        let snapshots: Vec<Arc<Snapshot>> = question
            .datasets
            .iter()
            .map(|dataset| reader.snapshot(&dataset.id).map_err(super::ground::failed))
            .collect::<Result<_, _>>()?;
        let catalog = tables::catalog(&question.datasets, &self.attributes.names(&snapshots));
        let ground = Ground::new(
            self.engine.clone(),
            question.datasets,
            catalog.clone(),
            self.config.scan_rows,
            self.counters.clone(),
        );
        let limits = Limits { rows: self.config.rows, bytes: self.config.bytes, memory: self.config.memory / 10 * 7 };
        let ask = Ask { text: question.text, now: ground.now.0, catalog, limits, format: question.format };
        Ok((ask, Arc::new(ground)))
    }

    /// The idle worker that was used last, so that those not needed grow old.
    fn take(&self) -> Option<Worker> {
        loop {
            let (mut worker, _) = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()?;
            if worker.is_alive() {
                return Some(worker);
            }
        }
    }

    fn give_back(&self, mut worker: Worker) {
        match worker.rise(self.config.memory) {
            Some(place) => {
                self.idle.lock().unwrap_or_else(PoisonError::into_inner).push((worker, Instant::now()));
                // Not before: whoever gets the place must find the worker.
                drop(place);
            }
            None => worker.dismiss(),
        }
    }
}

/// Ends workers that were not used for so long, until the pool is gone.
async fn dismiss(pool: Weak<Shared>, idle: Duration) {
    let mut looks = tokio::time::interval((idle / 4).max(Duration::from_millis(10)));
    loop {
        looks.tick().await;
        let Some(pool) = pool.upgrade() else { return };
        let old = |(_, since): &mut (Worker, Instant)| since.elapsed() >= idle;
        let mut workers = pool.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let old: Vec<(Worker, Instant)> = workers.extract_if(.., old).collect();
        drop(workers);
        old.into_iter().for_each(|(worker, _)| worker.dismiss());
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("config", &self.0.config).field("figures", &self.figures()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
