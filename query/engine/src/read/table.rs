//! Rows of aggregates on their way into columns.

use crate::aggregate::cut::{Buckets, Key};
use crate::aggregate::value::{Form, form, value};
use crate::aggregate::{Cell, Sums};
use crate::answer::{Column, Values};
use crate::columns::{Function, Output};
use schemas::{Dataset, Field, Time, Zone};
use std::sync::Arc;

/// Rows added so far.
pub(super) struct Table<'a> {
    dataset: &'a Dataset,
    outputs: &'a [Output],
    /// For each output the place of its field among those read.
    places: Vec<usize>,
    keys: Vec<Key>,
    values: Vec<Vec<Option<i128>>>,
}

/// One row's sources.
pub(super) struct Row<'a> {
    /// Where it stands.
    pub key: Key,
    /// Its cells by field read.
    pub cells: &'a [Option<Cell>],
    /// Coverage by field read.
    pub coverage: &'a [Option<i128>],
    /// Part of the bucket before now, in microseconds.
    pub elapsed: i64,
}

impl<'a> Table<'a> {
    /// No rows yet; `fields` are those read, as indexes into the dataset's.
    pub(super) fn new(dataset: &'a Dataset, outputs: &'a [Output], fields: &[usize]) -> Table<'a> {
        let place = |output: &Output| fields.iter().position(|&field| field == output.field).unwrap_or_default();
        let places = outputs.iter().map(place).collect();
        Table { dataset, outputs, places, keys: Vec::new(), values: vec![Vec::new(); outputs.len()] }
    }

    /// Adds a row.
    pub(super) fn push(&mut self, row: &Row<'_>) {
        self.keys.push(row.key);
        for ((output, &place), values) in self.outputs.iter().zip(&self.places).zip(&mut self.values) {
            let field = &self.dataset.fields[output.field];
            values.push(match (output.function, &row.cells[place]) {
                (Function::Coverage, _) => row.coverage[place],
                (Function::N, None) => Some(0),
                (_, None) => None,
                (function, Some(cell)) => value(cell, field, function, row.elapsed),
            });
        }
    }

    /// Rows.
    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    /// Columns `start`, `end`, the group's if it has a name, then the outputs; rows by bucket, then as they were added.
    pub(super) fn columns(
        self,
        buckets: &Buckets,
        zone: &Zone,
        group: Option<(&str, &[Option<Arc<str>>])>,
    ) -> Vec<Column> {
        let order = by_bucket(&self.keys, buckets.count());
        let times = |of: &dyn Fn(usize) -> i64| Values::Time {
            zone: zone.clone(),
            values: order.iter().map(|&row| Some(Time(of(self.keys[row as usize].bucket as usize)))).collect(),
        };
        let mut columns = vec![
            Column { name: "start".to_owned(), values: times(&|bucket| buckets.start(bucket)) },
            Column { name: "end".to_owned(), values: times(&|bucket| buckets.end(bucket)) },
        ];
        if let Some((name, names)) = group {
            let values = order.iter().map(|&row| names[self.keys[row as usize].group as usize].clone()).collect();
            columns.push(Column { name: name.to_owned(), values: Values::Text(values) });
        }
        // Each column's values go as soon as they are shaped: all of them twice would be hundreds of megabytes.
        for (output, values) in self.outputs.iter().zip(self.values) {
            let ordered = order.iter().map(|&row| values[row as usize]);
            let values = shaped(&self.dataset.fields[output.field], output.function, ordered);
            columns.push(Column { name: output.column.clone(), values });
        }
        columns
    }
}

/// Row numbers by ascending bucket; rows of one bucket keep their order.
fn by_bucket(keys: &[Key], buckets: usize) -> Vec<u32> {
    let mut places = vec![0_u32; buckets + 1];
    keys.iter().for_each(|key| places[key.bucket as usize + 1] += 1);
    (1..places.len()).for_each(|bucket| places[bucket] += places[bucket - 1]);
    let mut order = vec![0; keys.len()];
    for (row, key) in keys.iter().enumerate() {
        let place = &mut places[key.bucket as usize];
        order[*place as usize] = row as u32;
        *place += 1;
    }
    order
}

/// Values of a function in the shape they are published in.
fn shaped(field: &Field, function: Function, values: impl Iterator<Item = Option<i128>>) -> Values {
    match form(field, function) {
        Form::Int => Values::Int(values.map(|value| value.and_then(|v| v.try_into().ok())).collect()),
        Form::Decimal(scale) => Values::Decimal { scale, values: values.collect() },
        Form::Word => {
            let word = |value: i128| field.state(value.try_into().ok()?).cloned();
            Values::Text(values.map(|value| value.and_then(word)).collect())
        }
    }
}

/// Plain values of a field, steps or absent, in the shape they are published in.
pub(super) fn plain(field: &Field, values: impl Iterator<Item = Option<i64>>) -> Values {
    shaped(field, Function::Last, values.map(|value| value.map(i128::from)))
}

/// Notes that a cell holds all of one sensor's readings of its bucket and group.
pub(super) fn close_sensor(cell: &mut Cell) {
    if let Sums::Numeric(sums) = &mut cell.sums
        && cell.n > 0
    {
        sums.close_sensor(cell.n);
    }
}
