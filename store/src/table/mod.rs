//! A table of a dataset, raw or a tier's: Delta as transaction log, one committer, its own manifest in memory.
//!
//! An entry is written by one conditional put through the data folder's store; deltalake-core writes the checkpoints. Its
//! own commits never sync and slow down with every commit held (`facts/delta-datafusion.md`).

mod app;
mod checkpoint;
mod entry;
mod past;
mod replay;
mod schema;

#[cfg(test)]
mod tests;

pub(crate) use app::App;
pub(crate) use checkpoint::Outdated;
pub(crate) use past::Past;

use crate::file::FileMeta;
use crate::paths::{self, FileName, Layer};
use crate::{Error, Kind, Position, Tier};
use bytes::Bytes;
use entry::{Metadata, corrupt};
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode};
use replay::State;
#[cfg(test)]
use replay::fetch;
use schema::Schema;
use schemas::Dataset;
use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// Commits remembered whose fate an error left open.
const MAX_PENDING: usize = 16;

/// What one commit changes, all or nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Commit {
    /// Files that join; already written and synced.
    pub(crate) adds: Vec<FileMeta>,
    /// Files that leave.
    pub(crate) removes: Vec<FileName>,
    /// Application transactions and the positions they reach.
    pub(crate) transactions: Vec<(App, Position)>,
    /// Kept in the log entry under `lamppost`, for [`Table::infos`].
    pub(crate) info: serde_json::Value,
    /// Whether the rows of the table change: false for compaction only.
    pub(crate) data_change: bool,
}

/// A table of one dataset. Whoever holds it is its only committer.
#[derive(Debug)]
pub(crate) struct Table {
    /// The object store of the data folder.
    store: Arc<dyn ObjectStore>,
    of: Of,
    state: State,
    /// Commits tried as the next version whose fate is open: they may stand, or may yet come to stand.
    pending: Vec<Pending>,
    /// What is known of older versions, for vacuum.
    past: Past,
    /// Files named by [`Table::fresh_seq`].
    named: u16,
}

/// Which table it is.
#[derive(Clone, Debug)]
pub(crate) struct Of {
    /// Its dataset.
    pub(crate) dataset: Arc<Dataset>,
    /// Its tier; nothing for raw.
    pub(crate) tier: Option<Tier>,
}

impl Of {
    /// Place of the entry of a version.
    fn commit(&self, version: u64) -> Path {
        paths::commit(&self.dataset.id, self.tier, version)
    }

    /// Folder of its log.
    fn commits(&self) -> Path {
        paths::commits(&self.dataset.id, self.tier)
    }

    /// Its folder within the dataset's, and its name.
    fn name(&self) -> &'static str {
        self.tier.map_or("raw", Tier::name)
    }

    /// Whether a file of that name belongs to it.
    fn holds(&self, name: &FileName) -> bool {
        match (name.layer, self.tier) {
            (Layer::Raw { .. }, None) => true,
            (Layer::Tier { tier, .. }, Some(own)) => tier == own,
            _ => false,
        }
    }

    /// Its name for SQL and people: `traffic`, `traffic_15m`.
    fn table(&self) -> String {
        self.tier.map_or_else(|| self.dataset.id.to_string(), |tier| format!("{}_{}", self.dataset.id, tier.name()))
    }

    /// The column by which it is partitioned.
    fn column(&self) -> &'static str {
        self.tier.map_or(schema::DAY, Tier::column)
    }
}

impl std::fmt::Display for Of {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {}", self.name(), self.dataset.id)
    }
}

/// A commit that was tried.
#[derive(Clone, Debug)]
struct Pending {
    nonce: String,
    commit: Commit,
}

impl Table {
    /// Opens a table of a dataset in the object store of the data folder, creating it when there is none.
    /// Fields that the contract has gained are added by a commit. `Kind::Mismatch` when the stored columns are not the
    /// contract's, `Kind::Corrupt` when the log cannot be read or needs what Lamppost does not know.
    pub(crate) async fn open_or_create(
        store: Arc<dyn ObjectStore>,
        dataset: Arc<Dataset>,
        tier: Option<Tier>,
    ) -> Result<Table, Error> {
        let of = Of { dataset, tier };
        let state = match replay::replay(store.as_ref(), &of).await? {
            Some(state) => state,
            None => create(store.as_ref(), &of).await?,
        };
        let mut table = Table { store, of, state, pending: Vec::new(), past: Past::default(), named: 0 };
        table.grow().await?;
        Ok(table)
    }

    /// Adds the columns that the contract has gained.
    async fn grow(&mut self) -> Result<(), Error> {
        let lost = |fault: String| corrupt(&self.of, self.state.version, fault);
        let Some(metadata) = self.state.metadata.clone() else { return Err(lost("it has no columns".into())) };
        if metadata.partition_columns != [self.of.column()] {
            return Err(lost(format!(
                "it is partitioned by {:?}, not by {}",
                metadata.partition_columns,
                self.of.column()
            )));
        }
        let stored: Schema = serde_json::from_str(&metadata.schema_string)
            .map_err(|e| lost(format!("its columns cannot be read: {e}")))?;
        let Some(grown) = stored.grown(&self.of)? else { return Ok(()) };
        let metadata = Metadata { schema_string: serde_json::json!(grown).to_string(), ..metadata };
        let (version, nonce) = (self.state.version + 1, nonce());
        let bytes = entry::of_metadata(&metadata, false, &nonce, now());
        match put(self.store.as_ref(), &self.of, version, &nonce, bytes).await {
            Landing::Stands => {}
            Landing::Taken(_) => return Err(taken(&self.of, version)),
            Landing::Open(e) => return Err(e),
        }
        self.state.version = version;
        self.state.metadata = Some(metadata);
        Ok(())
    }

    /// Newest version.
    pub(crate) fn version(&self) -> u64 {
        self.state.version
    }

    /// Files of the newest version by name.
    pub(crate) fn files(&self) -> &BTreeMap<FileName, FileMeta> {
        &self.state.files
    }

    /// Places of all that makes up the newest version: the newest checkpoint, the entries since, and the files.
    pub(crate) fn places(&self) -> Vec<Path> {
        let from = self.state.checkpoint.unwrap_or(0);
        let checkpoint = self.state.checkpoint.map(|version| checkpoint::place(&self.of, version));
        let entries = (from..=self.state.version).map(|version| self.of.commit(version));
        let files = self.state.files.keys().map(|name| name.place(&self.of.dataset.id));
        checkpoint.into_iter().chain(entries).chain(files).collect()
    }

    /// How far each application transaction has come.
    pub(crate) fn transactions(&self) -> &BTreeMap<App, Position> {
        &self.state.transactions
    }

    /// A `seq` for the n-th file that a fold or compaction writes before the next commit: never given before.
    pub(crate) fn seq(&self, n: u16) -> u64 {
        (self.state.version + 1) << 16 | u64::from(n)
    }

    /// A `seq` that no other file has, whatever becomes of the commit it is meant for.
    pub(crate) fn fresh_seq(&mut self) -> u64 {
        self.named = self.named.wrapping_add(1) | 1 << 15;
        self.seq(self.named)
    }

    /// Commits, durably, and gives the new version. An error that leaves open whether the commit stands is cleared up by
    /// reading the entry again. If that fails too, or the commit may yet come to stand, the error is given: repeat the very
    /// same commit, which then lands once. Refused: a transaction that would go back, a file added twice, a file removed
    /// that is not there. `Kind::Locked` when another writer has committed.
    pub(crate) async fn commit(&mut self, commit: &Commit) -> Result<u64, Error> {
        loop {
            if let Some(stands) = self.settle().await?
                && stands == *commit
            {
                return Ok(self.state.version);
            }
            let removed = self.check(commit)?;
            let version = self.state.version + 1;
            let nonce = self.tried(commit).unwrap_or_else(nonce);
            let bytes = entry::of_commit(&self.of, commit, &removed, &nonce, now());
            // Noted before the attempt: the caller may drop this future half way.
            self.note(&nonce, commit)?;
            match put(self.store.as_ref(), &self.of, version, &nonce, bytes).await {
                Landing::Stands => {
                    self.apply(commit);
                    return Ok(version);
                }
                // An earlier attempt has come to stand meanwhile: the next turn takes it over.
                Landing::Taken(other) if self.pending.iter().any(|p| other.as_ref() == Some(&p.nonce)) => {}
                Landing::Taken(_) => return Err(taken(&self.of, version)),
                Landing::Open(e) => return Err(e),
            }
        }
    }

    /// If an attempt whose fate was open turns out to stand, takes it over and gives it.
    async fn settle(&mut self) -> Result<Option<Commit>, Error> {
        if self.pending.is_empty() {
            return Ok(None);
        }
        let version = self.state.version + 1;
        let Some(whose) = whose(self.store.as_ref(), &self.of, version).await? else { return Ok(None) };
        let Some(at) = self.pending.iter().position(|p| whose.as_ref() == Some(&p.nonce)) else {
            return Err(taken(&self.of, version));
        };
        let commit = self.pending.swap_remove(at).commit;
        self.apply(&commit);
        Ok(Some(commit))
    }

    /// Whether the fate of a commit is open.
    pub(crate) fn is_open(&self) -> bool {
        !self.pending.is_empty()
    }

    /// The nonce of an earlier attempt of the same commit.
    fn tried(&self, commit: &Commit) -> Option<String> {
        self.pending.iter().find(|p| p.commit == *commit).map(|p| p.nonce.clone())
    }

    fn note(&mut self, nonce: &str, commit: &Commit) -> Result<(), Error> {
        if self.tried(commit).is_some() {
            return Ok(());
        }
        if self.pending.len() >= MAX_PENDING {
            let message = format!("table {}: the fate of {MAX_PENDING} commits is open; restart", self.of);
            return Err(Error::new(Kind::Io, message));
        }
        self.pending.push(Pending { nonce: nonce.to_owned(), commit: commit.clone() });
        Ok(())
    }

    /// The files that would leave, if the commit is sound.
    fn check(&self, commit: &Commit) -> Result<Vec<&FileMeta>, Error> {
        let refuse = |fault: String| Err(corrupt(&self.of, self.state.version, format!("commit refused: {fault}")));
        for (app, position) in &commit.transactions {
            match self.state.transactions.get(app) {
                Some(reached) if position < reached => {
                    return refuse(format!("{app} would go back from {} to {}", reached.0, position.0));
                }
                _ if i64::try_from(position.0).is_err() => return refuse(format!("{app} beyond 2^63: {}", position.0)),
                _ => {}
            }
        }
        let mut names = std::collections::BTreeSet::new();
        for file in &commit.adds {
            if self.state.files.contains_key(&file.name) || !names.insert(file.name) {
                return refuse(format!("{} is there already", file.name.path()));
            }
            if !self.of.holds(&file.name) {
                return refuse(format!("{} is no file of this table", file.name.path()));
            }
        }
        let mut removed = Vec::with_capacity(commit.removes.len());
        for name in &commit.removes {
            match self.state.files.get(name) {
                Some(file) if names.insert(*name) => removed.push(file),
                _ => return refuse(format!("{} is not there to be removed", name.path())),
            }
        }
        Ok(removed)
    }

    /// Takes over a commit that stands as the next version.
    fn apply(&mut self, commit: &Commit) {
        for name in &commit.removes {
            self.state.files.remove(name);
        }
        self.state.files.extend(commit.adds.iter().map(|file| (file.name, file.clone())));
        self.state.transactions.extend(commit.transactions.iter().copied());
        self.state.version += 1;
        self.past.stands(self.state.version, commit.removes.iter());
        self.pending.clear();
    }

    /// Visits the `info` of commits still in the log, newest first, until `visit` gives false. Commits without one
    /// (creation, new columns) are left out.
    pub(crate) async fn infos(
        &self,
        visit: &mut (dyn FnMut(u64, serde_json::Value) -> bool + Send),
    ) -> Result<(), Error> {
        for version in (0..=self.state.version).rev() {
            let place = self.of.commit(version);
            let bytes = match self.store.get(&place).await {
                Ok(got) => got.bytes().await.map_err(|e| Error::store(&place, e))?,
                Err(object_store::Error::NotFound { .. }) => return Ok(()),
                Err(e) => return Err(Error::store(&place, e)),
            };
            let lines = entry::parse(&self.of, version, &bytes)?;
            let info = lines.into_iter().find_map(|line| line.commit_info?.lamppost);
            if info.is_some_and(|info| !visit(version, info)) {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Parquet files in the raw folder that were never committed: left by a crash between file and commit. Sealed files
    /// above the position of their log's transaction, and outputs of a fold planned for a version that is not there yet.
    pub(crate) async fn orphans(&self) -> Result<Vec<FileName>, Error> {
        let folder = paths::table(&self.of.dataset.id, self.of.tier);
        let found = self.store.list(Some(&folder)).map_ok(|meta| meta.location);
        let found: Vec<_> = found.try_collect().await.map_err(|e| Error::store(&folder, e))?;
        let root = format!("{}/", self.of.dataset.id);
        let names = found.iter().filter_map(|place| FileName::parse(place.as_ref().strip_prefix(&root)?));
        Ok(names.filter(|name| self.is_orphan(name)).collect())
    }

    fn is_orphan(&self, name: &FileName) -> bool {
        match name.layer {
            _ if self.state.files.contains_key(name) => false,
            Layer::Raw { seq: 0 } => self.state.transactions.get(&App::Raw(name.log)).is_none_or(|p| name.last > *p),
            Layer::Raw { seq } | Layer::Tier { seq, .. } => seq >> 16 > self.state.version,
            Layer::Late => false,
        }
    }
}

/// What became of a put of an entry.
enum Landing {
    /// It stands.
    Stands,
    /// The version is another entry's, which has this nonce.
    Taken(Option<String>),
    /// It does not stand, but may yet; or nobody can tell.
    Open(Error),
}

/// Puts an entry that must not be there yet. A lost or doubtful answer is cleared up by reading the entry again.
async fn put(store: &dyn ObjectStore, of: &Of, version: u64, nonce: &str, bytes: Bytes) -> Landing {
    let place = of.commit(version);
    let Err(e) = store.put_opts(&place, bytes.into(), PutMode::Create.into()).await else { return Landing::Stands };
    match whose(store, of, version).await {
        Ok(Some(Some(theirs))) if theirs == nonce => Landing::Stands,
        Ok(Some(theirs)) => Landing::Taken(theirs),
        Ok(None) | Err(_) => Landing::Open(Error::store(&place, e)),
    }
}

/// The nonce of the entry of a version, if it has one, if there is such an entry.
async fn whose(store: &dyn ObjectStore, of: &Of, version: u64) -> Result<Option<Option<String>>, Error> {
    let place = of.commit(version);
    let bytes = match store.get(&place).await {
        Err(object_store::Error::NotFound { .. }) => return Ok(None),
        got => got.map_err(|e| Error::store(&place, e))?.bytes().await.map_err(|e| Error::store(&place, e))?,
    };
    let lines = entry::parse(of, version, &bytes)?;
    Ok(Some(lines.into_iter().find_map(|line| line.commit_info?.nonce)))
}

fn taken(of: &Of, version: u64) -> Error {
    let message = format!(
        "table {of}: another program has committed version {version}; Lamppost must be its one writer: stop the other, \
         then restart"
    );
    Error::new(Kind::Locked, message)
}

/// Creates a table.
async fn create(store: &dyn ObjectStore, of: &Of) -> Result<State, Error> {
    let schema = Schema::of(of)?;
    let created = now();
    let metadata = Metadata {
        id: uuid(),
        name: Some(of.table()),
        format: entry::parquet(),
        schema_string: serde_json::json!(schema).to_string(),
        partition_columns: vec![of.column().to_owned()],
        configuration: BTreeMap::new(),
        created_time: Some(created),
    };
    let nonce = nonce();
    let bytes = entry::of_metadata(&metadata, true, &nonce, created);
    match put(store, of, 0, &nonce, bytes).await {
        Landing::Stands => Ok(State { metadata: Some(metadata), ..State::default() }),
        Landing::Taken(_) => Err(taken(of, 0)),
        Landing::Open(e) => Err(e),
    }
}

/// Milliseconds since 1970 by the machine's clock, for people who read the log and for vacuum.
pub(crate) fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}

/// A number that no other commit has.
fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

fn nonce() -> String {
    format!("{:016x}{:016x}", random(), random())
}

/// A random UUID (RFC 9562, version 4).
fn uuid() -> String {
    let (high, low) = (random() & !0xf000 | 0x4000, random() & !(0b11 << 62) | 1 << 63);
    let (a, b, c) = (high >> 32, high >> 16 & 0xffff, high & 0xffff);
    format!("{a:08x}-{b:04x}-{c:04x}-{:04x}-{:012x}", low >> 48, low & 0xffff_ffff_ffff)
}
