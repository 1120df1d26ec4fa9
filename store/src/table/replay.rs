//! The state of a table from its log: the newest checkpoint, and the entries after it.

use super::entry::{self, Line, Metadata, corrupt};
use super::{App, Of, checkpoint};
use crate::file::FileMeta;
use crate::paths::FileName;
use crate::{Error, Position};
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use std::collections::BTreeMap;

/// Entries fetched at once.
const AHEAD: usize = 8;

/// What the log says up to a version.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) version: u64,
    pub(super) checkpoint: Option<u64>,
    pub(super) files: BTreeMap<FileName, FileMeta>,
    pub(super) transactions: BTreeMap<App, Position>,
    pub(super) metadata: Option<Metadata>,
}

/// Replays the log; nothing when there is none.
pub(super) async fn replay(store: &dyn ObjectStore, of: &Of) -> Result<Option<State>, Error> {
    let (checkpoint, entries) = list(store, of).await?;
    let mut state = State { checkpoint, ..State::default() };
    if let Some(version) = checkpoint {
        let bytes = fetch(store, &checkpoint::place(of, version)).await?;
        state.version = version;
        for line in checkpoint::read(of, version, bytes)? {
            state.apply(of, line)?;
        }
    }
    let first = checkpoint.map_or(0, |version| version + 1);
    let last = entries.last().copied().unwrap_or(0);
    match (checkpoint, entries.first()) {
        (None, None) => return Ok(None),
        (_, None) => {}
        _ if entries.iter().copied().eq(first..=last) => state.version = last,
        _ => return Err(corrupt(of, first, "an entry of its log is missing; restore it from a backup")),
    }
    let mut fetched = futures::stream::iter(entries)
        .map(|version| async move { Ok((version, fetch(store, &of.commit(version)).await?)) })
        .buffered(AHEAD);
    while let Some((version, bytes)) = fetched.try_next().await? {
        for line in entry::parse(of, version, &bytes)? {
            state.apply(of, line)?;
        }
    }
    Ok(Some(state))
}

/// Version of the newest checkpoint, and the entries after it, ascending.
async fn list(store: &dyn ObjectStore, of: &Of) -> Result<(Option<u64>, Vec<u64>), Error> {
    let folder = of.commits();
    let hint = checkpoint::hint(store, of).await.map(|version| of.commit(version.saturating_sub(1)));
    let found = match &hint {
        // Names sort by version: entries long past need not even be listed.
        Some(offset) => store.list_with_offset(Some(&folder), offset),
        None => store.list(Some(&folder)),
    };
    let found: Vec<Path> =
        found.map_ok(|meta| meta.location).try_collect().await.map_err(|e| Error::store(&folder, e))?;
    let names = || found.iter().filter_map(Path::filename);
    let checkpoint = names().filter_map(|name| name.strip_suffix(".checkpoint.parquet")?.parse().ok()).max();
    let entry = |name: &str| name.strip_suffix(".json").filter(|v| v.len() == 20)?.parse().ok();
    let mut entries: Vec<u64> = names().filter_map(entry).filter(|v| checkpoint.is_none_or(|c| *v > c)).collect();
    entries.sort_unstable();
    Ok((checkpoint, entries))
}

/// The bytes of an object.
pub(super) async fn fetch(store: &dyn ObjectStore, place: &Path) -> Result<bytes::Bytes, Error> {
    let got = async { store.get(place).await?.bytes().await };
    got.await.map_err(|e| Error::store(place, e))
}

impl State {
    /// Applies one action.
    pub(super) fn apply(&mut self, of: &Of, line: Line) -> Result<(), Error> {
        let fault = |fault: String| corrupt(of, self.version, fault);
        if let Some(protocol) = line.protocol
            && (protocol.min_reader_version > 1 || protocol.min_writer_version > 2)
        {
            let (reader, writer) = (protocol.min_reader_version, protocol.min_writer_version);
            return Err(fault(format!("it asks for Delta protocol {reader}/{writer}; Lamppost knows 1/2")));
        }
        if let Some(add) = line.add {
            let file = add.file(of).map_err(fault)?;
            self.files.insert(file.name, file);
        }
        if let Some(remove) = line.remove {
            self.files.remove(&entry::file_name(of, &remove.path).map_err(fault)?);
        }
        if let Some((app, position)) = line.txn.and_then(|txn| txn.ours()) {
            self.transactions.insert(app, position);
        }
        if let Some(metadata) = line.meta_data {
            self.metadata = Some(metadata);
        }
        Ok(())
    }
}
