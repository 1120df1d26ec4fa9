//! How fast files and commits are, and how small.

use super::*;
use crate::cache::Cache;
use crate::file::tests::numbering;
use crate::testing::Dice;
use crate::{Keys, Run, SensorTable};
use std::time::Instant;

/// A day of so many sensors every thirty seconds: values wander as real ones do.
fn wander(sensors: u32, rows: i64) -> Run {
    let mut dice = Dice(1);
    let mut keys = Keys::default();
    let mut columns = vec![Vec::new(); 5];
    for sensor in 0..sensors {
        keys.sensors.push(sensor);
        let mut at = [600, 1500, 1_000_000, 0, 500];
        for row in 0..rows {
            keys.time.push(Day(20_000).start().0 + row * 30_000_000 + dice.below(900_000) as i64);
            at[0] = (at[0] + dice.below(21) as i64 - 10).clamp(300, 5000);
            at[1] += dice.below(9) as i64 - 4;
            at[2] += dice.below(40) as i64;
            at[3] = if dice.below(50) == 0 { 1 - at[3] } else { at[3] };
            at[4] = 400 + dice.below(200) as i64;
            columns.iter_mut().zip(at).for_each(|(column, value)| column.push(value));
        }
        keys.ends.push(keys.time.len() as u32);
    }
    Run { keys: Arc::new(keys), columns: columns.into_iter().map(|c| Some(Arc::new(c))).collect() }
}

/// Encodes and decodes a run, and says how it went.
#[allow(clippy::print_stdout, reason = "its result")]
fn measure(what: &str, air: &Dataset, run: &Run, ids: &SensorTable) -> (FileMeta, Bytes) {
    let rows = run.keys.time.len();
    let best = |mut work: Box<dyn FnMut() + '_>| {
        (0..5)
            .map(|_| {
                let start = Instant::now();
                work();
                rows as f64 / start.elapsed().as_secs_f64() / 1e6
            })
            .fold(0.0, f64::max)
    };
    let day = schemas::Time(run.keys.time[0]).day();
    let (meta, bytes) = file::encode(air, run, ids, name(day, 1), file::Effort::Quick).unwrap();
    let encode = best(Box::new(|| drop(file::encode(air, run, ids, name(day, 1), file::Effort::Quick).unwrap())));
    let number = numbering_by_text(ids);
    let all: Vec<usize> = (0..air.fields.len()).collect();
    let decode = |fields: &[usize]| drop(file::tests::decode(air, &meta, &bytes, fields, &number).unwrap());
    let (keys, one, every) =
        (best(Box::new(|| decode(&[]))), best(Box::new(|| decode(&[0]))), best(Box::new(|| decode(&all))));
    let values: usize = run.columns.iter().flatten().map(|c| c.iter().filter(|v| **v != schemas::ABSENT).count()).sum();
    println!(
        "{what}: {rows} rows, {:.2} bytes a value; M rows/s: encode {encode:.2}, decode keys {keys:.1}, +1 field {one:.1}, \
         all {every:.1}",
        bytes.len() as f64 / values as f64
    );
    (meta, bytes)
}

fn numbering_by_text(ids: &SensorTable) -> file::Numbering {
    let ids: std::collections::HashMap<Arc<str>, u32> = ids.ids.iter().cloned().zip(0..).collect();
    Arc::new(move |id| Ok(ids[id]))
}

#[tokio::test]
#[ignore = "a measurement"]
#[allow(clippy::print_stdout, reason = "its result")]
async fn timing() {
    let air = dataset("air");
    let ids = SensorTable { ids: (0..1000).map(|i| format!("sensor-{i:04}").into()).collect() };
    measure("a day", &air, &wander(1000, 2880), &ids);
    let (meta, bytes) = measure("a flush of 30 s", &air, &wander(1000, 1), &ids);

    let folder = tempfile::tempdir().unwrap();
    let (store, mut table) = begin(folder.path()).await;
    let (mut puts, mut commits) = (Vec::new(), Vec::new());
    for n in 1..=1000 {
        let meta = FileMeta { name: name(Day(20_000), n), ..meta.clone() };
        let start = Instant::now();
        store.put(&meta.name.place("air"), bytes.clone().into()).await.unwrap();
        puts.push(start.elapsed());
        let start = Instant::now();
        table.commit(&flush(vec![meta], n)).await.unwrap();
        commits.push(start.elapsed());
    }
    for (what, mut times) in [("put of a file", puts), ("commit", commits)] {
        let late = times[900..].iter().sum::<std::time::Duration>() / 100;
        times.sort();
        println!("{what}: p50 {:.2?}, p99 {:.2?}, last hundred {late:.2?}", times[500], times[990]);
    }
    let start = Instant::now();
    open(&store).await.unwrap();
    println!("open 1000 commits without a checkpoint: {:.1?}", start.elapsed());
    let start = Instant::now();
    table.checkpoint().await.unwrap();
    println!("checkpoint of 1000 files: {:.1?}", start.elapsed());
    let start = Instant::now();
    open(&store).await.unwrap();
    println!("open with it: {:.1?}", start.elapsed());
    let cache = Cache::new(Arc::new(store), 1 << 30);
    let (air, number) = (Arc::new(air), numbering(&ids));
    for what in ["cold", "warm"] {
        let start = Instant::now();
        for file in table.files().values().take(100) {
            cache.load(&air, file, &[0], None, &number).await.unwrap();
        }
        println!("one field of 100 files, {what}: {:.1?}", start.elapsed());
    }
}
