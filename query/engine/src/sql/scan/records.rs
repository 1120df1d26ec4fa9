//! The tables that are no readings: `sensors` and `datasets`, as the other answers give them, cell by cell.

use super::Pieces;
use crate::answer::{Answer, Column, Values};
use crate::read;
use crate::sql::Table;
use crate::sql::ground::Ground;
use crate::sql::message::{Failure, Scan, ToWorker};
use crate::sql::tables::{ATTRIBUTES, SENSORS, english};
use schemas::Time;
use serde_json::Value;
use std::sync::Arc;
use store::Snapshot;

/// Rows of a piece.
const PIECE: usize = 2000;

/// Sends them.
pub(super) async fn send(scan: &Scan, table: &Table, ground: &Ground, pieces: &Pieces) -> Result<(), Failure> {
    let mut left = scan.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    let snapshots: Vec<Arc<Snapshot>> =
        ground.datasets.iter().map(|dataset| ground.snapshot(&dataset.id)).collect::<Result<_, _>>()?;
    let parts = if table.name == SENSORS { snapshots.into_iter().map(|s| vec![s]).collect() } else { vec![snapshots] };
    for part in parts {
        let answer = {
            let _turn = ground.turn().await?;
            if table.name == SENSORS { sensors(part, ground.now) } else { datasets(part) }
        };
        let columns: Vec<Cells<'_>> =
            scan.columns.iter().filter_map(|&at| Some(Cells::of(&answer, &table.columns.get(at)?.name))).collect();
        let rows: Vec<usize> = (0..answer.rows).filter(|&row| asked(scan, &answer, row)).take(left).collect();
        left -= rows.len();
        ground.spend(rows.len() as u64)?;
        for rows in rows.chunks(PIECE) {
            let rows = rows.iter().map(|&row| columns.iter().map(|cells| cells.json(row)).collect()).collect();
            pieces.send(&ToWorker::Records { scan: scan.scan, rows }).await?;
        }
    }
    Ok(())
}

/// Whether the row is of a sensor that is asked for.
fn asked(scan: &Scan, answer: &Answer, row: usize) -> bool {
    let Some(ids) = &scan.sensors else { return true };
    let sensors = answer.columns.iter().find(|column| column.name == "sensor").map(|column| &column.values);
    let Some(Values::Text(sensors)) = sensors else { return true };
    sensors[row].as_ref().is_some_and(|sensor| ids.iter().any(|id| **id == **sensor))
}

/// The sensors of a dataset.
fn sensors(mut part: Vec<Arc<Snapshot>>, now: Time) -> Answer {
    let Some(snapshot) = part.pop() else { return Answer { meta: Default::default(), columns: Vec::new(), rows: 0 } };
    let id = snapshot.dataset.id.clone();
    let last = |sensor: &Option<Arc<str>>| {
        let number = snapshot.sensor(sensor.as_deref()?)?;
        let fields = 0..snapshot.dataset.fields.len();
        fields.filter_map(|field| Some(snapshot.latest.get(number, field)?.0)).max()
    };
    let mut answer = read::sensors::every(snapshot.clone(), now);
    let times = answer.columns.iter().find_map(|column| match &column.values {
        Values::Text(ids) if column.name == "sensor" => Some(ids.iter().map(last).collect()),
        _ => None,
    });
    let last = Values::Time { zone: schemas::Zone::utc(), values: times.unwrap_or_default() };
    let dataset = Values::Text(vec![Some(id); answer.rows]);
    answer.columns.push(Column { name: "last".to_owned(), values: last });
    answer.columns.push(Column { name: "dataset".to_owned(), values: dataset });
    answer
}

/// The datasets; of texts in several languages one.
fn datasets(part: Vec<Arc<Snapshot>>) -> Answer {
    let mut answer = read::datasets::of(part);
    for column in &mut answer.columns {
        if let Values::Map(texts) = &column.values {
            let texts = texts.iter().map(|text| english(text.as_ref()?).map(Arc::from)).collect();
            column.values = Values::Text(texts);
        }
    }
    answer
}

/// The cells of a column.
enum Cells<'a> {
    /// Values as they are.
    Plain(&'a Values),
    /// An attribute of that name.
    Attribute(&'a Values, &'a str),
    /// Nothing is known of it.
    None,
}

impl<'a> Cells<'a> {
    /// The cells of the column of that name; a name that no column has is that of an attribute.
    fn of(answer: &'a Answer, name: &'a str) -> Cells<'a> {
        let find = |name: &str| answer.columns.iter().find(|column| column.name == name).map(|column| &column.values);
        match (find(name), find(ATTRIBUTES)) {
            (Some(values), _) => Cells::Plain(values),
            (None, Some(attributes)) => Cells::Attribute(attributes, name),
            (None, None) => Cells::None,
        }
    }

    fn json(&self, row: usize) -> Value {
        match self {
            Cells::Plain(values) => json(values, row),
            Cells::Attribute(Values::Map(maps), name) => {
                maps[row].as_ref().and_then(|map| map.get(*name)).map_or(Value::Null, |text| Value::from(text.as_str()))
            }
            Cells::Attribute(..) | Cells::None => Value::Null,
        }
    }
}

/// A value as it is told to a worker.
fn json(values: &Values, row: usize) -> Value {
    match values {
        Values::Time { values, .. } => values[row].map(|time| time.0).into(),
        Values::Text(values) => values[row].as_deref().into(),
        Values::Int(values) => values[row].into(),
        Values::Decimal { scale, values } => {
            let text = values[row].map(|value| schemas::decimal::text(value, *scale));
            text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
        }
        Values::Real(values) => values[row].into(),
        Values::Bool(values) => values[row].into(),
        Values::Map(values) => values[row].as_ref().and_then(|map| serde_json::to_string(map).ok()).into(),
        Values::Fields(values) => {
            let names =
                |fields: &Vec<crate::FieldInfo>| fields.iter().map(|field| &*field.name).collect::<Vec<_>>().join(", ");
            values[row].as_ref().map(names).into()
        }
        Values::List(values) => values[row].as_ref().map(|words| words.join(", ")).into(),
    }
}
