//! Sheaves: rows that doors have read go straight to the batch of their dataset.

use super::{Past, Pipeline};
use crate::Gather;
use crate::sheaf::{Item, Sheaf};
use crate::topics::Topics;
use schemas::Time;
use schemas::time::HOUR;

impl Pipeline {
    /// Takes a sheaf, in its order, and leaves it empty.
    pub(crate) fn take_sheaf(
        &mut self,
        sheaf: &mut Sheaf,
        topics: &mut Topics,
        now: Time,
        past: Past<'_>,
        gather: &mut Gather,
    ) {
        // The dataset and the quarter hour of which it is known that raw readings are kept. Windows are quarter hours at least.
        let mut kept = (usize::MAX, 0, 0);
        for item in &sheaf.items {
            let row = match item {
                Item::Row(row) => row,
                Item::Message(message) => {
                    self.take(message, now, past, gather);
                    continue;
                }
                Item::Refused => continue,
            };
            let sensors = &self.sensors;
            let Some((dataset, sensor)) = topics.sensor(row.topic, |plain| sensors[plain.dataset].find(&plain.id))
            else {
                // A sensor's first reading.
                self.take(&sheaf.message(row, topics), now, past, gather);
                continue;
            };
            if kept.0 != dataset || !(kept.1..kept.2).contains(&row.time.0) {
                if (past.too_old)(&self.catalog.datasets[dataset].id, row.time) {
                    self.take(&sheaf.message(row, topics), now, past, gather);
                    continue;
                }
                let quarter = row.time.0 - row.time.0.rem_euclid(HOUR / 4);
                kept = (dataset, quarter, quarter + HOUR / 4);
            }
            let batch = &mut gather.batches[dataset];
            batch.sensor.push(self.sensors[dataset].row(sensor, gather.number, &mut batch.sensors));
            batch.time.push(row.time.0);
            let values = &sheaf.values[row.values as usize..];
            for (column, value) in batch.columns.iter_mut().zip(values) {
                column.push(*value);
            }
        }
        sheaf.clear();
    }
}
