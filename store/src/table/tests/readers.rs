//! Readers that know nothing of Lamppost see exactly the rows: Python's deltalake, and DuckDB over the files it lists.

use super::*;
use crate::Run;
use schemas::ABSENT;
use std::collections::BTreeMap;
use std::process::Command;

/// Prints each version as the rows that deltalake sees, after checking that DuckDB sees the same in the files deltalake
/// lists, and that a filter which skips files by their statistics loses no row.
const SCRIPT: &str = r#"
import sys, json, duckdb, deltalake
folder, versions = sys.argv[1], [int(v) for v in sys.argv[2:]]
duckdb.sql("set timezone = 'UTC'")
text = ", ".join("cast(%s as varchar) as %s" % (c, c) for c in ["co2", "temperature", "energy", "place", "noise", "day"])
query = "select sensor, %s as micros, " + text + " from %s %s order by sensor, micros"
def ask(builder, where=""):
    read = builder.execute(query % ("cast(time as bigint)", "t", where)).read_all()
    columns = [read[name].to_pylist() for name in read.column_names]
    return [list(row) for row in zip(*columns)]
for version in versions:
    table = deltalake.DeltaTable(folder, version=version)
    builder = deltalake.QueryBuilder().register("t", table)
    rows = ask(builder)
    files = json.dumps(table.file_uris()).replace('"', "'")
    scan = "read_parquet(%s, hive_partitioning = true, union_by_name = true)" % files
    duck = [list(row) for row in duckdb.sql(query % ('epoch_us("time")', scan, "")).fetchall()]
    assert duck == rows, (version, duck[:3], rows[:3])
    for low in sorted({row[1] for row in rows})[:50]:
        stamp = "to_timestamp_micros(%d)" % low
        got = builder.execute("select count(*) as n from t where time >= %s and sensor >= 'm'" % stamp).read_all()
        assert got["n"].to_pylist() == [sum(1 for r in rows if r[1] >= low and r[0] >= "m")], (version, low)
    print(json.dumps(rows))
"#;

/// A row as the script prints it.
fn row(sensor: &str, day: Day, time: i64, values: &[i64]) -> serde_json::Value {
    let decimal = |value: i64, scale: u32| match value {
        ABSENT => serde_json::Value::Null,
        _ => {
            let (sign, value) = (if value < 0 { "-" } else { "" }, value.unsigned_abs());
            let (whole, part) = (value / 10_u64.pow(scale), value % 10_u64.pow(scale));
            let width = scale as usize;
            if scale == 0 { json!(format!("{sign}{whole}")) } else { json!(format!("{sign}{whole}.{part:0width$}")) }
        }
    };
    let word = match values[3] {
        ABSENT => serde_json::Value::Null,
        state => json!(["free", "occupied", "closed"][state as usize]),
    };
    let none = serde_json::Value::Null;
    json!([
        sensor,
        time,
        decimal(values[0], 0),
        decimal(values[1], 2),
        decimal(values[2], 3),
        word,
        none,
        day.to_string()
    ])
}

/// The rows of a run as the script prints them, keyed so that they sort as it sorts them.
fn expect(run: &Run, day: Day, rows: &mut BTreeMap<(String, i64), serde_json::Value>) {
    let ids = ["m", "z/9", "a", "ž"];
    let mut start = 0;
    for (sensor, &end) in run.keys.sensors.iter().zip(&run.keys.ends) {
        for at in start..end as usize {
            let values: Vec<i64> = run.columns.iter().map(|c| c.as_ref().map_or(ABSENT, |c| c[at])).collect();
            let (id, time) = (ids[*sensor as usize], run.keys.time[at]);
            rows.insert((id.to_owned(), time), row(id, day, time, &values));
        }
        start = end as usize;
    }
}

fn python(folder: &std::path::Path, versions: &[u64]) -> Vec<Vec<serde_json::Value>> {
    let versions: Vec<String> = versions.iter().map(u64::to_string).collect();
    // ./check names a Python that has deltalake and DuckDB.
    let python = std::env::var("LAMPPOST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let ran = Command::new(python).args(["-c", SCRIPT]).arg(folder.join("air/raw")).args(versions).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8(ran.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn outside_readers_see_every_version_exactly() {
    let folder = tempfile::tempdir().unwrap();
    let (store, mut table) = begin(folder.path()).await;
    let air = dataset("air");
    let mut files = Vec::new();
    for (n, day, of) in [(1, 20_000, &[0, 1, 2][..]), (2, 20_000, &[3]), (3, 20_001, &[0, 3]), (4, -1, &[1])] {
        let meta = file(&store, day, n, of).await;
        files.push((meta.name, run(&air, of, Day(day), 20)));
        table.commit(&flush(vec![meta], n)).await.unwrap();
    }
    let gone = Commit { removes: vec![files[1].0], ..flush(vec![], 4) };
    table.commit(&gone).await.unwrap();
    table.checkpoint().await.unwrap();
    table.commit(&flush(vec![file(&store, 20_002, 5, &[2]).await], 5)).await.unwrap();
    files.push((name(Day(20_002), 5), run(&air, &[2], Day(20_002), 20)));

    let versions = [1, 3, 4, 5, 6];
    let shown: [&[usize]; 5] = [&[0], &[0, 1, 2], &[0, 1, 2, 3], &[0, 2, 3], &[0, 2, 3, 4]];
    for (seen, shown) in python(folder.path(), &versions).into_iter().zip(shown) {
        let mut rows = BTreeMap::new();
        for &at in shown {
            expect(&files[at].1, files[at].0.day, &mut rows);
        }
        assert_eq!(seen, rows.into_values().collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn outside_readers_see_pages_of_our_own_exactly() {
    let folder = tempfile::tempdir().unwrap();
    let (store, mut table) = begin(folder.path()).await;
    let (air, day) = (dataset("air"), 20_000);
    let mut run = run(&air, &[0, 1, 2, 3], Day(day), 1400);
    // Noise of a hundred steps around slow change, some of it absent: what packed pages are for.
    let mut dice = crate::testing::Dice(11);
    let mut noise = |row: usize| 3000 + row as i64 / 3 + dice.below(100) as i64 + dice.below(100) as i64;
    let rows = run.len();
    run.columns[0] = Some(Arc::new((0..rows).map(&mut noise).collect()));
    run.columns[1] = Some(Arc::new((0..rows).map(|row| if row % 9 == 2 { ABSENT } else { -noise(row) }).collect()));
    let ids = sensors(&["m", "z/9", "a", "ž"]);
    let (meta, bytes) = file::encode(&air, &run, &ids, name(Day(day), 1), file::Effort::Small).unwrap();
    store.put(&meta.name.place("air"), bytes.into()).await.unwrap();
    table.commit(&flush(vec![meta], 1)).await.unwrap();
    let mut rows = BTreeMap::new();
    expect(&run, Day(day), &mut rows);
    assert_eq!(python(folder.path(), &[1])[0], rows.into_values().collect::<Vec<_>>());
}
