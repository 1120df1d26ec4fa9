//! Checkpoints: written by deltalake-core, read as the actions they hold.

use super::entry::{Add, Line, Metadata, Protocol, Txn, corrupt, parquet};
use super::{Of, Table};
use crate::{Error, Kind, paths};
use arrow::array::{Array, AsArray, StructArray};
use arrow::datatypes::{Int32Type, Int64Type};
use bytes::Bytes;
use deltalake_core::DeltaTableBuilder;
use futures::TryStreamExt;
use futures::future::BoxFuture;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use std::sync::Arc;
use url::Url;

/// Commits between checkpoints: opening reads at most so many entries one by one.
const CHECKPOINT_EVERY: u64 = 100;

impl Table {
    /// Whether a checkpoint is due: so many commits since the last.
    pub(crate) fn checkpoint_due(&self) -> bool {
        self.state.version - self.state.checkpoint.unwrap_or(0) >= CHECKPOINT_EVERY
    }

    /// Writes a checkpoint of the newest version. Runs beside commits: take the future, spawn it, and call
    /// [`Table::checkpointed`] with its answer.
    pub(crate) fn checkpoint(&self) -> BoxFuture<'static, Result<u64, Error>> {
        self.checkpoint_of(self.state.version)
    }

    /// As [`Table::checkpoint`], of a version that is newer than the last checkpoint.
    pub(crate) fn checkpoint_of(&self, version: u64) -> BoxFuture<'static, Result<u64, Error>> {
        Box::pin(write(Arc::clone(&self.store), self.of.clone(), version))
    }

    /// Version of the newest checkpoint.
    pub(crate) fn newest_checkpoint(&self) -> Option<u64> {
        self.state.checkpoint
    }

    /// What of the log lies below the newest checkpoint up to `version`. Nothing when there is no such checkpoint, or when
    /// readers are not pointed to it or a later one.
    pub(crate) fn outdated(&self, version: u64) -> BoxFuture<'static, Result<Option<Outdated>, Error>> {
        let (store, of) = (Arc::clone(&self.store), self.of.clone());
        Box::pin(async move { outdated(&*store, &of, version).await })
    }

    /// Notes that a checkpoint of `version` stands.
    pub(crate) fn checkpointed(&mut self, version: u64) {
        self.state.checkpoint = self.state.checkpoint.max(Some(version));
    }
}

/// Place of the checkpoint of a version.
pub(super) fn place(of: &Of, version: u64) -> Path {
    of.commits().join(format!("{version:020}.checkpoint.parquet"))
}

/// Version of a checkpoint to begin listing at; a hint only, nothing when it is missing or unreadable.
pub(super) async fn hint(store: &dyn ObjectStore, of: &Of) -> Option<u64> {
    let place = of.commits().join("_last_checkpoint");
    let bytes = store.get(&place).await.ok()?.bytes().await.ok()?;
    let version = serde_json::from_slice::<serde_json::Value>(&bytes).ok()?.get("version")?.as_u64()?;
    store.head(&self::place(of, version)).await.ok().map(|_| version)
}

/// What of a log lies below a checkpoint.
#[derive(Debug)]
pub(crate) struct Outdated {
    /// Version of the checkpoint.
    pub(crate) checkpoint: u64,
    /// Entries and checkpoints, the newest first.
    pub(crate) places: Vec<Path>,
}

/// What of the log lies below the newest checkpoint up to `version`.
pub(super) async fn outdated(store: &dyn ObjectStore, of: &Of, version: u64) -> Result<Option<Outdated>, Error> {
    let folder = of.commits();
    let listed: Vec<Path> = store
        .list(Some(&folder))
        .map_ok(|object| object.location)
        .try_collect()
        .await
        .map_err(|e| Error::store(&folder, e))?;
    // `<version>.json`, `<version>.checkpoint.parquet`; the hint of readers has no version.
    let number = |place: &Path| place.filename()?.split_once('.').filter(|(v, _)| v.len() == 20)?.0.parse::<u64>().ok();
    let is_checkpoint = |place: &&Path| place.as_ref().ends_with(".checkpoint.parquet");
    let newest = listed.iter().filter(is_checkpoint).filter_map(number).filter(|found| *found <= version).max();
    let Some(checkpoint) = newest else { return Ok(None) };
    if hint(store, of).await.is_none_or(|hint| hint < checkpoint) {
        return Ok(None);
    }
    let mut places: Vec<Path> =
        listed.into_iter().filter(|place| number(place).is_some_and(|v| v < checkpoint)).collect();
    // From the newest down, so that every version whose entry is still there can be read. An entry
    // goes before the checkpoint of its version.
    places.sort_unstable_by(|a, b| b.as_ref().cmp(a.as_ref()));
    Ok(Some(Outdated { checkpoint, places }))
}

/// Writes the checkpoint of a version through `store`, the object store of the data folder.
pub(super) async fn write(store: Arc<dyn ObjectStore>, of: Of, version: u64) -> Result<u64, Error> {
    let failed = |e: &dyn std::fmt::Display| {
        Error::new(Kind::Io, format!("table {of}: no checkpoint of version {version}: {e}"))
    };
    // Any scheme that stands for a plain store with sorted listings does; the path is that in `store`.
    let url = Url::parse(&format!("memory:///{}/", paths::table(&of.dataset.id, of.tier))).map_err(|e| failed(&e))?;
    let table = DeltaTableBuilder::from_url(url.clone()).map_err(|e| failed(&e))?;
    let table = table.with_storage_backend(store, url).with_version(version).load().await.map_err(|e| failed(&e))?;
    deltalake_core::checkpoints::create_checkpoint(&table, None).await.map_err(|e| failed(&e))?;
    Ok(version)
}

/// The actions in a checkpoint that make up the state of a table.
pub(super) fn read(of: &Of, version: u64, bytes: Bytes) -> Result<Vec<Line>, Error> {
    lines(bytes).map_err(|e| corrupt(of, version, format!("its checkpoint cannot be read: {e}; remove that file")))
}

fn lines(bytes: Bytes) -> Result<Vec<Line>, Box<dyn std::error::Error>> {
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let reader = ParquetRecordBatchReaderBuilder::try_new_with_options(bytes, options)?;
    let wanted = ["add.path", "add.size", "add.stats", "txn", "protocol", "metaData"];
    let mask = ProjectionMask::columns(reader.parquet_schema(), wanted);
    let mut lines = Vec::new();
    for batch in reader.with_projection(mask).build()? {
        let batch = batch?;
        let column = |name: &str| Some(Action(batch.column_by_name(name)?.as_struct_opt()?));
        let (add, txn, protocol, metadata) = (column("add"), column("txn"), column("protocol"), column("metaData"));
        for row in 0..batch.num_rows() {
            let line = Line {
                add: add.as_ref().and_then(|a| a.add(row)),
                txn: txn.as_ref().and_then(|a| a.txn(row)),
                protocol: protocol.as_ref().and_then(|a| a.protocol(row)),
                meta_data: metadata.as_ref().and_then(|a| a.metadata(row)),
                ..Line::default()
            };
            lines.push(line);
        }
    }
    Ok(lines)
}

/// The column of one sort of action.
struct Action<'a>(&'a StructArray);

impl Action<'_> {
    fn text(&self, name: &str, row: usize) -> Option<String> {
        let column = self.0.column_by_name(name)?.as_string_opt::<i32>()?;
        (self.0.is_valid(row) && column.is_valid(row)).then(|| column.value(row).to_owned())
    }

    fn long(&self, name: &str, row: usize) -> Option<i64> {
        let column = self.0.column_by_name(name)?.as_primitive_opt::<Int64Type>()?;
        (self.0.is_valid(row) && column.is_valid(row)).then(|| column.value(row))
    }

    fn short(&self, name: &str, row: usize) -> Option<i32> {
        let column = self.0.column_by_name(name)?.as_primitive_opt::<Int32Type>()?;
        (self.0.is_valid(row) && column.is_valid(row)).then(|| column.value(row))
    }

    fn add(&self, row: usize) -> Option<Add> {
        let size = u64::try_from(self.long("size", row)?).ok()?;
        Some(Add { path: self.text("path", row)?, size, stats: self.text("stats", row) })
    }

    fn txn(&self, row: usize) -> Option<Txn> {
        Some(Txn { app_id: self.text("appId", row)?, version: self.long("version", row)? })
    }

    fn protocol(&self, row: usize) -> Option<Protocol> {
        let (min_reader_version, min_writer_version) =
            (self.short("minReaderVersion", row)?, self.short("minWriterVersion", row)?);
        Some(Protocol { min_reader_version, min_writer_version })
    }

    fn metadata(&self, row: usize) -> Option<Metadata> {
        let words = |array: &dyn Array| -> Vec<String> {
            let words = array.as_string_opt::<i32>();
            words.map(|words| words.iter().flatten().map(str::to_owned).collect()).unwrap_or_default()
        };
        let partition = self.0.column_by_name("partitionColumns")?.as_list_opt::<i32>()?.value(row);
        let settings = self.0.column_by_name("configuration")?.as_map_opt()?.value(row);
        Some(Metadata {
            id: self.text("id", row)?,
            name: self.text("name", row),
            format: parquet(),
            schema_string: self.text("schemaString", row)?,
            partition_columns: words(&partition),
            configuration: words(settings.column(0)).into_iter().zip(words(settings.column(1))).collect(),
            created_time: self.long("createdTime", row),
        })
    }
}
