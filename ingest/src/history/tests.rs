//! Rows read by columns are what the pipeline makes of their messages, or are left to it.

use super::*;
use crate::pipeline::Past;
use crate::{Catalog, Config, Message, Pipeline};
use schemas::contract::{Text, parse};

const CONTRACT: &str = r#"
id = "air"
title = "Air"
license = "CC0-1.0"
publisher = "Test"
zone = "Europe/Prague"
every = "1m"
[[field]]
name = "co2"
unit = "ppm"
kind = "gauge"
range = [300, 10000]
[[field]]
name = "temperature"
unit = "Cel"
kind = "gauge"
resolution = 0.1
range = [-40, 60]
[[field]]
name = "door"
kind = "state"
values = ["closed", "open"]
[[source]]
mqtt = "city/+/air"
sensor = "{topic.1}"
decoder = "json"
time = { path = "/ts", format = "rfc3339" }
missing = ["", "na"]
map = { co2 = "/co2", temperature = { path = "/t", unit = "[degF]" }, door = "/door" }
"#;

fn dataset() -> Arc<Dataset> {
    let text = Text { file: "air.toml".into(), toml: CONTRACT.into(), registry: None };
    parse(&[text]).unwrap_or_else(|faults| panic!("{faults}")).remove(0)
}

const NOW: Time = Time(1_800_000_000_000_000);

/// What the pipeline makes of a row.
fn ordinary(dataset: &Arc<Dataset>, names: &[String], line: &str) -> (Option<(String, i64, Vec<i64>)>, usize) {
    let cells: Vec<&str> = line.split(',').collect();
    let object: serde_json::Map<String, serde_json::Value> =
        names.iter().cloned().zip(cells.iter().map(|cell| (*cell).into())).collect();
    let catalog = Arc::new(Catalog::new(vec![dataset.clone()]));
    let mut pipeline = Pipeline::new(catalog, Config::default(), &[Vec::new()]);
    let mut gather = pipeline.begin();
    let topic = format!("city/{}/air", cells[0]);
    let message = Message::new(topic.into(), serde_json::Value::from(object).to_string().into(), NOW);
    let past = Past { mark: &|_| None, too_old: &|_, _| false };
    pipeline.take_for(0, &message, NOW, past, &mut gather);
    let batch = &gather.batches()[0];
    let row = (!batch.time.is_empty())
        .then(|| (batch.sensors[0].to_string(), batch.time[0], batch.columns.iter().map(|c| c[0]).collect()));
    (row, gather.rejects().len())
}

#[test]
fn a_row_taken_by_columns_is_what_its_message_says_and_all_else_is_left_alone() {
    let dataset = dataset();
    let names: Vec<String> = ["site", "ts", "co2", "t", "door", "note"].map(str::to_owned).to_vec();
    let level = |at: usize| (at == 1).then_some(Cell::Level(0));
    let table = Table::new(&dataset, 0, &names, b',', &level).expect("plain enough");
    let lines = [
        ("a,2026-11-20T08:15:00Z,600,68,open,x", true),
        ("b,2026-11-20T08:15:00.25+01:00,601.0,,closed", true),
        ("a, 2026-11-20T08:16:00Z ,na,32.18,open", true),
        ("a,2026-11-20T08:17:00Z, 640 ,na,", true),
        ("a,2026-11-20T08:18:00Z,,,", false),
        ("a,2026-11-20T08:18:00Z,600,68,ajar", false),
        ("a,2026-11-20T08:18:00Z,20,68,open", false),
        ("a,na,600,68,open", false),
        ("a,yesterday,600,68,open", false),
        ("a,2096-11-20T08:15:00Z,600,68,open", false),
        (",2026-11-20T08:15:00Z,600,68,open", false),
        ("a+b,2026-11-20T08:15:00Z,600,68,open", false),
        ("a,2026-11-20T08:15:00Z,\"600\",68,open", false),
        ("a,2026-11-20T08:15:00Z,600,68,open,x,y", false),
    ];
    for (line, plain) in lines {
        let pieces = table.read(line.as_bytes(), NOW);
        let [piece] = &pieces[..] else { panic!("{line}: {} pieces", pieces.len()) };
        assert_eq!((piece.bytes.clone(), piece.rows), (0..line.len(), 1), "{line}");
        assert_eq!(piece.batch.is_some(), plain, "{line}");
        if let Some(batch) = &piece.batch {
            let row = (batch.sensors[0].to_string(), batch.time[0], batch.columns.iter().map(|c| c[0]).collect());
            assert_eq!((Some(row), 0), ordinary(&dataset, &names, line), "{line}");
        }
    }
    let block: String = lines.iter().map(|(line, _)| format!("{line}\r\n\n")).collect();
    let pieces = table.read(block.as_bytes(), NOW);
    let rows: Vec<(u64, bool)> = pieces.iter().map(|piece| (piece.rows, piece.batch.is_some())).collect();
    assert_eq!(rows, [(4, true), (10, false)]);
    assert_eq!(pieces[1].bytes.end, block.len());
    assert_eq!(pieces[0].batch.as_ref().unwrap().sensor, [0, 1, 0, 0]);
    assert!(Table::new(&dataset, 0, &names[1..], b',', &|_| None).is_none(), "no sensor");
}
