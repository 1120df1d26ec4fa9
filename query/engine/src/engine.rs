//! The engine: resolves questions, answers them on its own threads, keeps rendered answers.

use crate::read::{self, Planned};
use crate::{Answer, Config, Error, Kind, Question};
use bytes::Bytes;
use foldhash::quality::FixedState;
use moka::future::Cache;
use schemas::{Dataset, Time};
use std::fmt;
use std::hash::BuildHasher;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use store::{Clock, Reader};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::{Semaphore, SemaphorePermit};

/// The one executor behind every door. Cloneable.
#[derive(Clone)]
pub struct Engine {
    reader: Reader,
    clock: Clock,
    config: Config,
    shared: Arc<Shared>,
    threads: Arc<Threads>,
}

/// What tasks hold, too.
struct Shared {
    /// Rendered answers by all they depend on.
    cache: Cache<Arc<str>, Bytes>,
    /// One permit per thread: a question computes only while it has one.
    turns: Semaphore,
    running: AtomicUsize,
    hits: AtomicU64,
    misses: AtomicU64,
}

/// The engine's threads, which end with its last clone.
struct Threads(Option<Runtime>);

impl Drop for Threads {
    fn drop(&mut self) {
        // Waiting for tasks would block, which is forbidden where an async caller drops the last clone.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// A question with its names found, its span widened and its snapshot taken. Nothing has been read yet.
#[derive(Clone, Debug)]
pub struct Resolved(Arc<Planned>);

/// Figures of the engine for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Bodies found in the cache.
    pub hits: u64,
    /// Bodies made.
    pub misses: u64,
    /// Bytes in the cache.
    pub cache_bytes: u64,
    /// Questions that wait or run.
    pub running: u64,
}

impl Resolved {
    /// Strong entity tag of the answer in a format, quotes included: changes when the answer may.
    pub fn etag(&self, format: &str) -> String {
        let of = |seed| FixedState::with_seed(seed).hash_one((env!("CARGO_PKG_VERSION"), format, &self.0.key));
        format!("\"{:016x}{:016x}\"", of(1), of(2))
    }

    /// How long a client may keep the answer: a minute where it no longer changes by readings that arrive on time.
    pub fn max_age(&self) -> Duration {
        self.0.max_age
    }
}

impl Engine {
    /// Starts the engine's threads.
    pub fn new(reader: Reader, clock: Clock, config: Config) -> Result<Engine, Error> {
        let runtime = Builder::new_multi_thread()
            .thread_name("query")
            .worker_threads(config.threads.max(1))
            .max_blocking_threads(config.threads.max(1) * 2)
            .enable_all()
            .build()
            .map_err(|why| Error::internal(format!("the query threads did not start: {why}")))?;
        let weigh = |key: &Arc<str>, body: &Bytes| u32::try_from(key.len() + body.len()).unwrap_or(u32::MAX);
        let shared = Shared {
            cache: Cache::builder().max_capacity(config.cache_bytes).weigher(weigh).build(),
            turns: Semaphore::new(config.threads.max(1)),
            running: AtomicUsize::new(0),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
        };
        Ok(Engine { reader, clock, config, shared: Arc::new(shared), threads: Arc::new(Threads(Some(runtime))) })
    }

    /// The instant `now` stands for in questions: the clock, cut to a whole second.
    pub fn now(&self) -> Time {
        let now = (self.clock)().0;
        Time(now - now.rem_euclid(schemas::time::SECOND))
    }

    /// A dataset's contract; the error names those there are.
    pub fn dataset(&self, id: &str) -> Result<Arc<Dataset>, Error> {
        read::dataset(&self.reader, id)
    }

    /// The contracts of all datasets.
    pub fn datasets(&self) -> &[Arc<Dataset>] {
        self.reader.datasets()
    }

    /// Figures for metrics.
    pub fn figures(&self) -> Figures {
        Figures {
            hits: self.shared.hits.load(Ordering::Relaxed),
            misses: self.shared.misses.load(Ordering::Relaxed),
            cache_bytes: self.shared.cache.weighted_size(),
            running: self.shared.running.load(Ordering::Relaxed) as u64,
        }
    }

    /// Checks a question and finds what it names, without reading data: cheap enough for each conditional request.
    pub fn resolve(&self, question: Question) -> Result<Resolved, Error> {
        self.resolve_within(question, self.config.max_cells)
    }

    /// The same for a caller whose answers may have fewer values.
    pub fn resolve_within(&self, question: Question, max_cells: usize) -> Result<Resolved, Error> {
        let config = Config { max_cells: max_cells.min(self.config.max_cells), ..self.config.clone() };
        let planned = read::plan(&self.reader, question, (self.clock)(), &config)?;
        Ok(Resolved(Arc::new(planned)))
    }

    /// The answer, not cached.
    pub async fn answer(&self, resolved: &Resolved) -> Result<Answer, Error> {
        let (running, shared, planned) = (self.admit()?, self.shared.clone(), resolved.0.clone());
        let task = async move {
            let _running = running;
            let _turn = shared.turn().await?;
            read::answer(&planned.plan).await
        };
        self.handle()?.spawn(task).await.map_err(ended)?
    }

    /// The answer rendered by `render`, from the cache if the same was asked before. `format` names what `render` makes.
    ///
    /// The work is a task of its own, so a caller that goes away neither stops it nor keeps those waiting who asked the same.
    /// `spent` is told how long a thread was busy with it, if one had to be.
    pub async fn body(
        &self,
        resolved: &Resolved,
        format: &str,
        render: impl Fn(&Answer) -> Result<Bytes, Error> + Send + 'static,
        spent: impl FnOnce(Duration) + Send + 'static,
    ) -> Result<Bytes, Error> {
        let key: Arc<str> = format!("{format}|{}", resolved.0.key).into();
        let keeps = self.config.cache_bytes > 0;
        if keeps && let Some(body) = self.shared.cache.get(&key).await {
            self.shared.hits.fetch_add(1, Ordering::Relaxed);
            return Ok(body);
        }
        let (running, shared, planned) = (self.admit()?, self.shared.clone(), resolved.0.clone());
        let task = async move {
            let _running = running;
            let computing = shared.clone();
            let make = async move {
                computing.misses.fetch_add(1, Ordering::Relaxed);
                let _turn = computing.turn().await?;
                let began = Instant::now();
                let body = read::answer(&planned.plan).await.and_then(|answer| render(&answer));
                spent(began.elapsed());
                body
            };
            if keeps { shared.cache.try_get_with(key, make).await } else { make.await.map_err(Arc::new) }
        };
        self.handle()?.spawn(task).await.map_err(ended)?.map_err(|error| Error::clone(&error))
    }

    /// Counts a question that is to run, unless too many do.
    fn admit(&self) -> Result<Running, Error> {
        let running = Running(self.shared.clone());
        if self.shared.running.fetch_add(1, Ordering::Relaxed) < self.config.max_waiting {
            return Ok(running);
        }
        Err(Error { kind: Kind::Busy, ..Error::internal("too many questions wait; ask again shortly") })
    }

    /// What can be read.
    pub(crate) fn reader(&self) -> &Reader {
        &self.reader
    }

    /// The clock's instant.
    pub(crate) fn instant(&self) -> Time {
        (self.clock)()
    }

    /// Waits for a thread's turn; work on data is done only while it is held.
    pub(crate) async fn turn(&self) -> Result<SemaphorePermit<'_>, Error> {
        self.shared.turn().await
    }

    /// The query threads.
    pub(crate) fn handle(&self) -> Result<&Handle, Error> {
        let runtime = self.threads.0.as_ref();
        runtime.map(Runtime::handle).ok_or_else(|| Error::internal("the query threads have ended"))
    }
}

impl Shared {
    /// Waits for a turn on the query threads.
    async fn turn(&self) -> Result<SemaphorePermit<'_>, Error> {
        self.turns.acquire().await.map_err(|_| Error::internal("the query threads have ended"))
    }
}

/// A question that waits or runs, until dropped.
struct Running(Arc<Shared>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What is told of a task that did not end by itself.
fn ended(error: tokio::task::JoinError) -> Error {
    tracing::error!(%error, "a question ended badly");
    Error::internal("the question ended badly; the log says how")
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("config", &self.config).field("figures", &self.figures()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
