//! A batch as it arrived made a run.

use super::{Column, Keys, Run, SensorIx};
use schemas::{ABSENT, Batch};
use std::sync::Arc;

/// Sorts the rows of a batch by (sensor, time) and merges rows of one key: the later row wins field by field.
/// `numbers` are the numbers of the batch's sensors, in its order; two names may have one number.
pub fn sort_batch(batch: &Batch, numbers: &[SensorIx]) -> Run {
    let order = order(batch, numbers);
    let mut keys = Keys::default();
    keys.time.reserve(order.len());
    // For each output row the index in `order` after its last input row.
    let mut ends: Vec<u32> = Vec::with_capacity(order.len());
    for (at, &row) in order.iter().enumerate() {
        let (sensor, time) = (numbers[batch.sensor[row as usize] as usize], batch.time[row as usize]);
        if keys.sensors.last() != Some(&sensor) {
            keys.sensors.push(sensor);
            keys.ends.push(keys.time.len() as u32);
        } else if keys.time.last() == Some(&time) {
            if let Some(end) = ends.last_mut() {
                *end = at as u32 + 1;
            }
            continue;
        }
        keys.time.push(time);
        ends.push(at as u32 + 1);
        if let Some(end) = keys.ends.last_mut() {
            *end = keys.time.len() as u32;
        }
    }
    let columns = batch.columns.iter().map(|column| gather(column, &order, &ends)).collect();
    Run { keys: Arc::new(keys), columns }
}

/// Rows of the batch by (sensor number, time, arrival).
fn order(batch: &Batch, numbers: &[SensorIx]) -> Vec<u32> {
    // Counting by the batch's own dictionary first: most batches then need no comparing at all.
    let mut by_number: Vec<u32> = (0..numbers.len() as u32).collect();
    by_number.sort_unstable_by_key(|&i| numbers[i as usize]);
    let mut next = vec![0_u32; numbers.len() + 1];
    let mut count = vec![0_u32; numbers.len()];
    batch.sensor.iter().for_each(|&s| count[s as usize] += 1);
    let mut start = 0;
    for &i in &by_number {
        next[i as usize] = start;
        start += count[i as usize];
    }
    let mut order = vec![0_u32; batch.sensor.len()];
    for (row, &s) in batch.sensor.iter().enumerate() {
        let at = &mut next[s as usize];
        order[*at as usize] = row as u32;
        *at += 1;
    }
    let time = |row: &u32| batch.time[*row as usize];
    for group in by_number.chunk_by(|a, b| numbers[*a as usize] == numbers[*b as usize]) {
        let rows: u32 = group.iter().map(|&i| count[i as usize]).sum();
        let end = group.last().map_or(0, |&i| next[i as usize]);
        let rows = &mut order[(end - rows) as usize..end as usize];
        if group.len() > 1 {
            rows.sort_unstable();
        }
        if !rows.is_sorted_by_key(time) {
            rows.sort_by_key(time);
        }
    }
    order
}

/// One column in key order: for each key the last value present among its rows.
fn gather(column: &[i64], order: &[u32], ends: &[u32]) -> Column {
    let mut start = 0;
    let mut any = false;
    let pick = |&end: &u32| {
        let rows = &order[start as usize..end as usize];
        start = end;
        let value = rows.iter().rev().map(|&row| column[row as usize]).find(|&v| v != ABSENT).unwrap_or(ABSENT);
        any |= value != ABSENT;
        value
    };
    let values: Vec<i64> = ends.iter().map(pick).collect();
    any.then(|| Arc::new(values))
}
