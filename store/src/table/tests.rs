//! A table's log holds what was committed, once, whatever the store answers.

use super::*;
use crate::fault::{Call, Fault, Faulty};
use crate::file::tests::{dataset, field, name, run, sensors};
use crate::file::{self};
use crate::{LogId, local};
use schemas::Day;
use serde_json::json;

mod readers;
mod timing;

const LOG: LogId = LogId(1);

/// A data folder with faults, and the table in it.
async fn begin(folder: &std::path::Path) -> (Faulty, Table) {
    let store = Faulty::new(local::open(folder).unwrap());
    let table = open(&store).await.unwrap();
    (store, table)
}

async fn open(store: &Faulty) -> Result<Table, Error> {
    Table::open_or_create(Arc::new(store.clone()), Arc::new(dataset("air")), None).await
}

/// Writes a file of a day and gives its figures.
async fn file(store: &dyn ObjectStore, day: i32, last: u64, of: &[u32]) -> FileMeta {
    let (dataset, day) = (dataset("air"), Day(day));
    let sensors = sensors(&["m", "z/9", "a", "ž"]);
    let (meta, bytes) =
        file::encode(&dataset, &run(&dataset, of, day, 20), &sensors, name(day, last), file::Effort::Quick).unwrap();
    store.put(&meta.name.place("air"), bytes.into()).await.unwrap();
    meta
}

/// A flush of files up to a position.
fn flush(adds: Vec<FileMeta>, last: u64) -> Commit {
    let transactions = vec![(App::Raw(LOG), Position(last))];
    Commit { adds, transactions, info: json!({ "n": last }), data_change: true, ..Commit::default() }
}

/// Whether two tables hold the same.
fn assert_same(a: &Table, b: &Table) {
    assert_eq!(a.version(), b.version());
    assert_eq!(a.files(), b.files());
    assert_eq!(a.transactions(), b.transactions());
}

#[tokio::test]
async fn what_was_committed_is_there_after_reopening_with_and_without_checkpoints() {
    let folder = tempfile::tempdir().unwrap();
    let (store, mut table) = begin(folder.path()).await;
    for n in 1..=5 {
        let meta = file(&store, 20_000 + n as i32 % 2, n, &[0, 1, 2]).await;
        assert_eq!(table.commit(&flush(vec![meta], n)).await.unwrap(), n);
    }
    assert_same(&table, &open(&store).await.unwrap());
    let at = table.checkpoint().await.unwrap();
    table.checkpointed(at);
    assert_same(&table, &open(&store).await.unwrap());

    let folded = *table.files().keys().next().unwrap();
    let mut meta = file(&store, folded.day.0, 6, &[3]).await;
    meta.name.layer = Layer::Raw { seq: table.seq(2) };
    let fold = Commit {
        adds: vec![meta],
        removes: vec![folded],
        transactions: vec![(App::Late(LOG, folded.day), Position(6))],
        data_change: true,
        ..Commit::default()
    };
    table.commit(&fold).await.unwrap();
    let again = open(&store).await.unwrap();
    assert_same(&table, &again);
    assert_eq!(again.transactions()[&App::Raw(LOG)], Position(5), "a fold leaves the flushed position (rule 12)");
    let mut seen = Vec::new();
    again
        .infos(&mut |version, info| {
            seen.push((version, info["n"].as_u64().unwrap()));
            version > 3
        })
        .await
        .unwrap();
    assert_eq!(seen, [(5, 5), (4, 4), (3, 3)], "newest first, across the checkpoint, without the fold's");
}

#[tokio::test]
async fn a_commit_that_makes_no_sense_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (store, mut table) = begin(folder.path()).await;
    let meta = file(&store, 20_000, 7, &[0]).await;
    table.commit(&flush(vec![meta.clone()], 7)).await.unwrap();
    let other = FileMeta { name: name(Day(20_001), 9), ..meta.clone() };
    let late = FileMeta { name: FileName { layer: Layer::Late, ..other.name }, ..meta.clone() };
    for wrong in [
        flush(vec![], 6),
        flush(vec![meta.clone()], 8),
        flush(vec![other.clone(), other.clone()], 8),
        flush(vec![late], 8),
        Commit { removes: vec![other.name], ..flush(vec![], 8) },
        Commit { removes: vec![meta.name, meta.name], ..flush(vec![], 8) },
    ] {
        assert_eq!(table.commit(&wrong).await.unwrap_err().kind, Kind::Corrupt);
    }
    table.commit(&flush(vec![], 7)).await.unwrap();
    assert_same(&table, &open(&store).await.unwrap());
}

#[tokio::test]
async fn an_error_that_comes_after_the_commit_is_no_error() {
    for fault in [Fault::After, Fault::Twice] {
        let folder = tempfile::tempdir().unwrap();
        let (store, mut table) = begin(folder.path()).await;
        let meta = file(&store, 20_000, 1, &[0]).await;
        store.plan(Call::Put, "_delta_log", 0, 1, fault);
        assert_eq!(table.commit(&flush(vec![meta], 1)).await.unwrap(), 1);
        assert_same(&table, &open(&store).await.unwrap());
    }
}

#[tokio::test]
async fn an_open_commit_lands_once_when_repeated() {
    for (put, get) in [(Fault::Before, None), (Fault::After, Some(Fault::Before)), (Fault::Before, Some(Fault::Before))]
    {
        let folder = tempfile::tempdir().unwrap();
        let (store, mut table) = begin(folder.path()).await;
        let commit = flush(vec![file(&store, 20_000, 1, &[0]).await], 1);
        store.plan(Call::Put, "_delta_log", 0, 1, put);
        if let Some(get) = get {
            store.plan(Call::Get, "_delta_log", 0, 1, get);
        }
        assert_eq!(table.commit(&commit).await.unwrap_err().kind, Kind::Io);
        assert_eq!(table.version(), 0);
        assert_eq!(table.commit(&commit).await.unwrap(), 1);
        assert_eq!(table.commit(&flush(vec![file(&store, 20_000, 2, &[0]).await], 2)).await.unwrap(), 2);
        assert_same(&table, &open(&store).await.unwrap());
        assert_eq!(table.files().len(), 2);
    }
}

#[tokio::test]
async fn a_dropped_commit_that_stands_is_found_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let (store, mut table) = begin(folder.path()).await;
    let first = flush(vec![file(&store, 20_000, 1, &[0]).await], 1);
    store.plan(Call::Put, "_delta_log", 0, 1, Fault::After);
    store.plan(Call::Get, "_delta_log", 0, 1, Fault::Hang);
    {
        let commit = table.commit(&first);
        tokio::pin!(commit);
        // Until it hangs in reading the entry it has written.
        while !store.calls().contains(&(Call::Get, paths::commit("air", None, 1).to_string())) {
            assert!(futures::poll!(&mut commit).is_pending());
            tokio::task::yield_now().await;
        }
    }
    let second = flush(vec![file(&store, 20_000, 2, &[0]).await], 2);
    assert_eq!(table.commit(&second).await.unwrap(), 2);
    assert_same(&table, &open(&store).await.unwrap());
    assert_eq!(table.files().len(), 2);
}

#[tokio::test]
async fn a_second_writer_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (store, mut table) = begin(folder.path()).await;
    let mut other = open(&store).await.unwrap();
    table.commit(&flush(vec![], 1)).await.unwrap();
    assert_eq!(other.commit(&flush(vec![], 2)).await.unwrap_err().kind, Kind::Locked);
    assert_eq!(other.commit(&flush(vec![], 2)).await.unwrap_err().kind, Kind::Locked);
    assert_same(&table, &open(&store).await.unwrap());
}

#[tokio::test]
async fn what_a_crash_left_is_an_orphan() {
    let folder = tempfile::tempdir().unwrap();
    let (store, mut table) = begin(folder.path()).await;
    let kept = file(&store, 20_000, 1, &[0]).await;
    let removed = file(&store, 20_000, 2, &[1]).await;
    table.commit(&flush(vec![kept.clone(), removed.clone()], 2)).await.unwrap();
    table.commit(&Commit { removes: vec![removed.name], ..flush(vec![], 2) }).await.unwrap();
    assert_eq!(table.orphans().await.unwrap(), []);
    let sealed = file(&store, 20_001, 3, &[0]).await.name;
    let folded = FileName { layer: Layer::Raw { seq: table.seq(0) }, ..kept.name };
    store.put(&folded.place("air"), "x".into()).await.unwrap();
    store.put(&paths::late("air").join("day=2024-10-04").join("x.parquet"), "x".into()).await.unwrap();
    let mut orphans = table.orphans().await.unwrap();
    orphans.sort();
    assert_eq!(orphans, [sealed, folded]);
}

#[tokio::test]
async fn a_contract_that_grew_gives_the_table_columns() {
    let folder = tempfile::tempdir().unwrap();
    let (store, table) = begin(folder.path()).await;
    drop(table);
    let mut air = dataset("air");
    air.fields.push(field("rain", schemas::Kind::Count, 0, (0, 9)));
    let store: Arc<dyn ObjectStore> = Arc::new(store);
    let grown = Table::open_or_create(store.clone(), Arc::new(air.clone()), None).await.unwrap();
    assert_eq!(grown.version(), 1);
    assert_eq!(grown.checkpoint().await.unwrap(), 1);
    assert_eq!(Table::open_or_create(store.clone(), Arc::new(air.clone()), None).await.unwrap().version(), 1, "once");
    air.fields[0] = field("co2", schemas::Kind::Gauge, 3, (0, 9));
    let refused = Table::open_or_create(store, Arc::new(air), None).await.unwrap_err();
    assert_eq!(refused.kind, Kind::Mismatch);
    assert!(refused.message.contains("co2"), "{refused}");
}

#[tokio::test]
async fn a_damaged_log_stops_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let (store, mut table) = begin(folder.path()).await;
    for n in 1..=3 {
        table.commit(&flush(vec![], n)).await.unwrap();
    }
    let place = paths::commit("air", None, 2);
    let good = fetch(&store, &place).await.unwrap();
    let newer = r#"{"protocol":{"minReaderVersion":3,"minWriterVersion":7}}"#;
    let foreign = r#"{"add":{"path":"day=2024-10-04/part-0.parquet","size":1,"stats":"{}","partitionValues":{}}}"#;
    for damaged in [good.slice(..good.len() / 2), newer.into(), foreign.into()] {
        store.put(&place, damaged.into()).await.unwrap();
        let refused = open(&store).await.unwrap_err();
        assert_eq!(refused.kind, Kind::Corrupt);
        assert!(refused.message.contains("table raw of air, version"), "{refused}");
    }
    store.delete(&place).await.unwrap();
    assert_eq!(open(&store).await.unwrap_err().kind, Kind::Corrupt);
    store.put(&place, good.into()).await.unwrap();
    assert_same(&table, &open(&store).await.unwrap());
}

impl Table {
    /// The files of a version, as a reader finds them that knows nothing of newer ones.
    pub(crate) async fn files_at(
        store: &dyn ObjectStore,
        dataset: Arc<Dataset>,
        tier: Option<Tier>,
        version: u64,
    ) -> Result<Vec<FileName>, Error> {
        let of = Of { dataset, tier };
        let mut state = State::default();
        let mut base = None;
        for older in (0..=version).rev() {
            if store.head(&checkpoint::place(&of, older)).await.is_ok() {
                base = Some(older);
                break;
            }
        }
        if let Some(base) = base {
            let bytes = fetch(store, &checkpoint::place(&of, base)).await?;
            checkpoint::read(&of, base, bytes)?.into_iter().try_for_each(|line| state.apply(&of, line))?;
        }
        for newer in base.map_or(0, |base| base + 1)..=version {
            let bytes = fetch(store, &of.commit(newer)).await?;
            entry::parse(&of, newer, &bytes)?.into_iter().try_for_each(|line| state.apply(&of, line))?;
        }
        Ok(state.files.into_keys().collect())
    }
}
