//! The running store: what its writers, readers and maintenance share.

use crate::book::Book;
use crate::cache::Cache;
use crate::disk::{self, Disk, Lock, Real};
use crate::intake::{Intake, lock};
use crate::log::Handle;
use crate::points::Points;
use crate::recover::{self, Ground};
use crate::released::Released;
use crate::replay::{Refusals, Replay};
use crate::shelf::Bin;
use crate::state::{self, Positions};
use crate::turns::Turns;
use crate::{Clock, Config, Error, Kind, LogId, act, audit, contract, desk, format, local};
use object_store::{ObjectStore, ObjectStoreExt};
use schemas::Dataset;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// A running store.
pub(crate) struct Store {
    pub(crate) config: Config,
    pub(crate) datasets: Vec<Arc<Dataset>>,
    pub(crate) intake: Arc<Intake>,
    pub(crate) objects: Arc<dyn ObjectStore>,
    pub(crate) cache: Cache,
    pub(crate) points: Points,
    pub(crate) log: Handle,
    pub(crate) log_id: LogId,
    pub(crate) recovered: Vec<String>,
    pub(crate) closed: AtomicBool,
    /// While history is imported: windows stay open, so that rows are fresh in whatever order they come.
    pub(crate) held: AtomicBool,
    pub(crate) turns: Turns,
    /// Up to where rejects and marks had seen each log at start.
    desk_positions: Positions,
    /// What the log folder says of segments that went.
    released: Mutex<Released>,
    /// The turn of saving rejects and of letting segments go.
    pub(crate) saving: tokio::sync::Mutex<()>,
    bin: Bin,
    lock: Mutex<Option<Lock>>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "store in {}", self.config.data.display())
    }
}

impl Store {
    /// Opens the folders, recovers and starts the log thread. Maintenance is not started.
    pub(crate) async fn open(config: Config, datasets: Vec<Arc<Dataset>>, clock: Clock) -> Result<Store, Error> {
        let disk: Arc<dyn Disk> = Arc::new(Real);
        disk::writable(&*disk, &config.data, "data folder")?;
        let held = Lock::take(&config.data)?;
        let objects = local::on(disk.clone(), &config.data)?;
        Store::over((objects, disk), held, config, datasets, clock).await
    }

    /// Opens a store over an object store and the disk its log is on.
    pub(crate) async fn over(
        (objects, disk): (Arc<dyn ObjectStore>, Arc<dyn Disk>),
        held: Lock,
        config: Config,
        datasets: Vec<Arc<Dataset>>,
        clock: Clock,
    ) -> Result<Store, Error> {
        let format = format::check(&*objects).await?;
        let cache = Cache::new(objects.clone(), config.cache_bytes);
        let bin = Bin::default();
        let ground = Ground { objects: objects.clone(), cache: cache.clone(), bin: bin.clone(), now: clock() };
        let mut books = Vec::with_capacity(datasets.len());
        let mut refusals = Refusals::new();
        for dataset in &datasets {
            if let Some(refusal) = contract::check(&*objects, dataset).await? {
                refusals.insert(dataset.id.clone(), refusal);
            }
            books.push(recover::open(&ground, dataset.clone()).await?);
        }
        let (desk, desk_positions) = desk::load(&*objects, &config).await?;
        let known = desk_positions.values().copied();
        let floor = known.chain(books.iter().map(recover::greatest)).chain([format.above]).max().unwrap_or_default();
        let intake = Arc::new(Intake::new(books, desk, clock, &config));
        let changed: Vec<Arc<str>> = refusals.keys().cloned().collect();
        let (log, found) =
            Replay { intake: intake.clone(), objects: objects.clone(), desk: desk_positions.clone(), refusals }
                .run(&config, &datasets, disk)
                .await?;
        let released = Released::read(&config.log, found.id)?;
        let reached = intake.books.iter().map(|book| (&*book.dataset.id, book.floors(found.id).reached()));
        released.check(&config.log, found.above, reached)?;
        for dataset in datasets.iter().filter(|d| changed.contains(&d.id)) {
            contract::keep(&*objects, dataset, None).await?;
        }
        let id = found.id;
        intake.books.iter().for_each(|book| lock(&book.holding).rows = 0);
        let feed = intake.clone();
        for book in &intake.books {
            act::find(book).await?;
        }
        let log = log.start(floor.max(found.last), Box::new(move |group| feed.durable(group)))?;
        Ok(Store {
            config,
            datasets,
            intake,
            objects,
            cache,
            points: Points::from_environment(),
            log,
            log_id: id,
            recovered: found.cut,
            closed: AtomicBool::new(false),
            held: AtomicBool::new(false),
            turns: Turns::default(),
            desk_positions,
            released: Mutex::new(released),
            saving: tokio::sync::Mutex::default(),
            bin,
            lock: Mutex::new(Some(held)),
        })
    }

    /// The book of a dataset, or an error that names those there are.
    pub(crate) fn book(&self, dataset: &str) -> Result<&Book, Error> {
        self.intake.book(dataset).ok_or_else(|| {
            let known: Vec<&str> = self.datasets.iter().map(|d| &*d.id).collect();
            Error::new(Kind::Unknown, format!("no dataset {dataset:?}; there are: {}", known.join(", ")))
        })
    }

    /// Lets log segments go that raw, saved state and rejects are past (rule 21).
    pub(crate) async fn release(&self) -> Result<(), Error> {
        let _turn = self.saving.lock().await;
        if self.log.stats().segments < 2 || self.closed.load(Ordering::Acquire) {
            return Ok(());
        }
        let books = self.intake.books.iter().map(|book| lock(&book.holding)).map(|h| h.saved.min(h.flushed));
        let least = books.min().unwrap_or_else(|| self.intake.applied());
        self.save_desk().await?;
        let least = least.min(lock(&self.intake.desk).saved);
        let (log, folder, mut released) = (self.log.clone(), self.config.log.clone(), lock(&self.released).clone());
        let news = released.raise(self.datasets.iter().map(|d| &*d.id), least);
        let noted = crate::seal::blocking(move || {
            // Without the note segments go all the same: on a full disk their room is what is needed. Then only a dataset that
            // comes back later could be refused.
            let noted = if news { released.write(log.disk(), &folder) } else { Ok(()) };
            log.release(least)?;
            Ok(noted.map(|()| released))
        });
        match noted.await? {
            Ok(released) => *lock(&self.released) = released,
            Err(error) => tracing::warn!(%error, "what was let go of the log could not be noted; it is tried again"),
        }
        self.points.pass("log.release")
    }

    /// Saves acts, rejects and marks as of every record applied so far. The caller has the turn of `saving`.
    pub(crate) async fn save_desk(&self) -> Result<(), Error> {
        let applied = self.intake.applied();
        let (position, acts, changed) = {
            let desk = lock(&self.intake.desk);
            let changed = desk.position > desk.saved;
            let changed = changed.then(|| (desk.rejects.rows(), desk.marks.iter().copied().collect()));
            (desk.position.max(applied), desk.acts.clone(), changed)
        };
        // First: no segment goes while an act in it is not in the audit log.
        audit::add(&*self.objects, &acts).await?;
        lock(&self.intake.desk).acts.drain(..acts.len());
        let Some((rows, marks)) = changed else {
            // What is saved is right for every position since.
            lock(&self.intake.desk).saved = position;
            return Ok(());
        };
        let mut positions = self.desk_positions.clone();
        positions.insert(self.log_id, position);
        desk::save(&*self.objects, positions, rows, marks).await?;
        lock(&self.intake.desk).saved = position;
        Ok(())
    }

    /// Removes files that no snapshot shows any more.
    pub(crate) async fn empty_bin(&self) -> Result<(), Error> {
        loop {
            let Some(place) = lock(&self.bin).pop() else { return Ok(()) };
            match self.objects.delete(&place).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
                Err(e) => {
                    lock(&self.bin).push(place.clone());
                    return Err(state::stored(&place, e));
                }
            }
        }
    }

    /// Gives the data folder back.
    pub(crate) fn unlock(&self) {
        lock(&self.lock).take();
    }
}
