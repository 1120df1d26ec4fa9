//! What a worker gets of a store whose rows are partly filed, late, sealed and hot.

use super::*;
use crate::Config;
use crate::sql::counters::Counters;
use crate::sql::message::Fault;
use crate::sql::tables;
use crate::testing::{Bench, CARS, NOISE, Row, TEMPERATURE, time};
use schemas::{ABSENT, Time};
use std::collections::BTreeMap;

const MINUTE: i64 = 60_000_000;

/// A row: sensor, instant, temperature and cars.
type Flat = (String, i64, i64, i64);

fn scan(columns: &[usize]) -> Scan {
    let (table, columns) = ("town".to_owned(), columns.to_vec());
    Scan { scan: 7, table, columns, sensors: None, from: None, to: None, limit: None }
}

fn ground(bench: &Bench, rows: u64) -> Ground {
    let datasets = vec![bench.dataset.clone()];
    let catalog = tables::catalog(&datasets, &["street".to_owned(), "last".to_owned()].into());
    Ground::new(bench.engine.clone(), datasets, catalog, rows, Arc::new(Counters::default()))
}

/// All that a scan sends.
async fn sent(ground: &Ground, scan: &Scan) -> Result<Vec<ToWorker>, Failure> {
    let (frames, mut queue) = mpsc::channel(1000);
    run(scan, ground, &Pieces::new(Arc::new(Semaphore::new(1000)), frames)).await?;
    let mut messages = Vec::new();
    while let Some(frame) = queue.recv().await {
        messages.push(ToWorker::decode(frame[4], &frame[5..]).unwrap());
    }
    Ok(messages)
}

/// The rows of scans of sensor, time, temperature and cars.
async fn flat(bench: &Bench, scan: &Scan) -> Vec<Flat> {
    let (mut names, mut rows) = (Vec::new(), Vec::new());
    for message in sent(&ground(bench, u64::MAX), scan).await.unwrap() {
        match message {
            ToWorker::Names { ids, .. } => names = ids,
            ToWorker::Rows(piece) => {
                let sensors =
                    piece.runs.iter().flat_map(|(place, rows)| vec![names[*place as usize].clone(); *rows as usize]);
                let before = rows.len();
                rows.extend(sensors.enumerate().map(|(row, sensor)| {
                    (sensor, piece.columns[0][row], piece.columns[1][row], piece.columns[2][row])
                }));
                assert_eq!(rows.len() - before, piece.rows as usize);
            }
            other => panic!("{other:?}"),
        }
    }
    rows
}

/// Three sensors over three days: filed, then late and hot rows over them, some of them corrections.
async fn town() -> (Bench, BTreeMap<(String, i64), (i64, i64)>) {
    let now = time("2026-11-20T09:00:00Z");
    let bench = Bench::new(now, Config::default()).await;
    let mut expected = BTreeMap::new();
    let begin = now.0 - 3 * 24 * 60 * MINUTE;
    for (turn, step) in [(0_i64, 7), (1, 11), (2, 90)] {
        let instants = (0..3 * 24 * 60).step_by(step).map(|minute| begin + (minute + turn % 2) * MINUTE);
        let keys: Vec<(String, i64)> =
            ["a", "b", "c"].iter().flat_map(|sensor| instants.clone().map(|at| ((*sensor).to_owned(), at))).collect();
        let values: Vec<Vec<(usize, i64)>> = (0..keys.len() as i64)
            .map(|n| match turn {
                0 => vec![(TEMPERATURE, n), (CARS, n % 50)],
                _ => vec![(CARS, 1000 * turn + n)],
            })
            .collect();
        let rows: Vec<Row<'_>> =
            keys.iter().zip(&values).map(|((sensor, at), values)| (sensor.as_str(), Time(*at), &values[..])).collect();
        bench.put(&rows).await;
        for (key, values) in keys.iter().zip(&values) {
            let row = expected.entry(key.clone()).or_insert((ABSENT, ABSENT));
            for (field, value) in values {
                *(if *field == TEMPERATURE { &mut row.0 } else { &mut row.1 }) = *value;
            }
        }
        if turn == 0 {
            bench.writer.settle().await.unwrap();
        }
    }
    (bench, expected)
}

#[tokio::test]
async fn every_row_comes_once_as_it_stands_after_all_layers() {
    let (bench, expected) = town().await;
    let rows = flat(&bench, &scan(&[0, 1, 2 + TEMPERATURE, 2 + CARS])).await;
    let found: BTreeMap<(String, i64), (i64, i64)> =
        rows.iter().map(|(sensor, at, t, c)| ((sensor.clone(), *at), (*t, *c))).collect();
    assert_eq!(found.len(), rows.len(), "a key came twice");
    assert!(found == expected, "{} rows instead of {}", found.len(), expected.len());
}

#[tokio::test]
async fn sensors_spans_and_limits_are_held() {
    let (bench, expected) = town().await;
    let (from, to) = (time("2026-11-18T10:30:00Z").0, time("2026-11-19T07:00:00Z").0);
    let part = Scan {
        sensors: Some(vec!["c".into(), "nobody".into(), "b".into(), "c".into()]),
        from: Some(from),
        to: Some(to),
        ..scan(&[0, 1, 2, 3])
    };
    let rows = flat(&bench, &part).await;
    let wanted = expected.keys().filter(|(sensor, at)| sensor != "a" && (from..to).contains(at)).count();
    assert_eq!(rows.len(), wanted);
    assert!(rows.iter().all(|(sensor, at, ..)| expected.contains_key(&(sensor.clone(), *at)) && sensor != "a"));
    assert_eq!(flat(&bench, &Scan { limit: Some(10), ..part.clone() }).await.len(), 10);
    assert_eq!(flat(&bench, &Scan { limit: Some(0), ..part.clone() }).await.len(), 0);
    assert_eq!(flat(&bench, &Scan { sensors: Some(Vec::new()), ..part.clone() }).await.len(), 0);
    assert_eq!(flat(&bench, &Scan { from: Some(to), to: Some(from), ..part }).await.len(), 0);
}

#[tokio::test]
async fn only_what_is_wanted_is_sent() {
    let (bench, expected) = town().await;
    let ground = ground(&bench, u64::MAX);
    let count = sent(&ground, &scan(&[])).await.unwrap();
    let [ToWorker::Rows(rows)] = &count[..] else { panic!("{} messages to count rows", count.len()) };
    assert_eq!((rows.rows as usize, rows.runs.len(), rows.columns.len()), (expected.len(), 0, 0));
    let noise = sent(&ground, &scan(&[2 + NOISE])).await.unwrap();
    let [ToWorker::Rows(rows)] = &noise[..] else { panic!("{noise:?}") };
    assert!(rows.runs.is_empty() && rows.columns.len() == 1 && rows.columns[0].iter().all(|&value| value == ABSENT));
}

#[tokio::test]
async fn a_question_sees_one_state_and_reads_no_more_than_it_may() {
    let (bench, expected) = town().await;
    let rows = |messages: Vec<ToWorker>| -> u32 {
        messages.iter().map(|message| if let ToWorker::Rows(rows) = message { rows.rows } else { 0 }).sum()
    };
    let early = ground(&bench, u64::MAX);
    let before = rows(sent(&early, &scan(&[])).await.unwrap());
    bench.put(&[("d", time("2026-11-20T08:59:30Z"), &[(CARS, 1)])]).await;
    assert_eq!(rows(sent(&early, &scan(&[1])).await.unwrap()), before, "the second scan sees what the first saw");
    assert_eq!(rows(sent(&ground(&bench, u64::MAX), &scan(&[])).await.unwrap()), before + 1);
    let most = expected.len() as u64;
    let refused = sent(&ground(&bench, most), &scan(&[])).await.unwrap_err();
    assert_eq!(refused.fault, Fault::TooMuch, "{refused:?}");
    assert!(sent(&ground(&bench, most + 1), &scan(&[])).await.is_ok());
}

#[tokio::test]
async fn rows_come_on_credit_only() {
    let bench = Bench::new(time("2026-11-20T09:00:00Z"), Config::default()).await;
    let instants: Vec<Time> = (0..200_000).map(|n| Time(time("2026-11-19T09:00:00Z").0 + n * 100_000)).collect();
    let rows: Vec<Row<'_>> = instants.iter().map(|at| ("a", *at, &[(CARS, 1)][..])).collect();
    bench.put(&rows).await;
    let (frames, mut queue) = mpsc::channel(1000);
    let credit = Arc::new(Semaphore::new(1));
    let pieces = Pieces::new(credit.clone(), frames);
    let ground = Arc::new(ground(&bench, u64::MAX));
    let task = tokio::spawn(async move { run(&scan(&[1, 3]), &ground, &pieces).await.is_ok() });
    let mut taken = 0;
    while let Some(frame) = queue.recv().await {
        let Ok(ToWorker::Rows(piece)) = ToWorker::decode(frame[4], &frame[5..]) else { panic!("no rows") };
        assert!(piece.rows <= 65_536);
        taken += piece.rows;
        tokio::task::yield_now().await;
        assert!(queue.is_empty(), "a piece came without credit");
        credit.add_permits(1);
    }
    assert_eq!((taken, task.await.unwrap()), (200_000, true));
}

#[tokio::test]
async fn sensors_and_datasets_are_tables_too() {
    let (bench, _) = town().await;
    bench.note("b", time("2026-11-20T08:00:00Z"), &[("street", "Nad Nádražím 4"), ("last", "taken")]).await;
    let ground = ground(&bench, u64::MAX);
    let table = |name: &str| ground.table(name).unwrap().columns.iter().map(|c| c.name.clone()).collect::<Vec<_>>();
    let names = table("sensors");
    assert_eq!(names.iter().filter(|name| *name == "last").count(), 1, "an attribute does not hide a column");
    let all = |name: &str, sensors| Scan {
        table: name.to_owned(),
        columns: (0..table(name).len()).collect(),
        sensors,
        ..scan(&[])
    };
    let sent_rows = async |scan: Scan| match &sent(&ground, &scan).await.unwrap()[..] {
        [ToWorker::Records { rows, .. }] => rows.clone(),
        other => panic!("{other:?}"),
    };
    let rows = sent_rows(all("sensors", None)).await;
    assert_eq!(rows.len(), 3);
    let cell = |name: &str| rows[1][names.iter().position(|n| n == name).unwrap()].clone();
    assert_eq!((cell("dataset"), cell("sensor"), cell("street")), ("town".into(), "b".into(), "Nad Nádražím 4".into()));
    assert_eq!(cell("attributes"), r#"{"last":"taken","street":"Nad Nádražím 4"}"#);
    assert_eq!((cell("registered"), cell("lon")), (false.into(), serde_json::Value::Null));
    assert!(cell("last").as_i64() > cell("since").as_i64());
    assert_eq!(sent_rows(all("sensors", Some(vec!["c".into()]))).await.len(), 1);
    let rows = sent_rows(all("datasets", None)).await;
    let names = table("datasets");
    let cell = |name: &str| rows[0][names.iter().position(|n| n == name).unwrap()].clone();
    assert_eq!((cell("id"), cell("title"), cell("sensors")), ("town".into(), "Town".into(), 3.into()));
    assert_eq!(cell("every_seconds").to_string(), "60");
    assert!(cell("fields").as_str().unwrap().starts_with("temperature, cars, "), "{}", cell("fields"));
}
