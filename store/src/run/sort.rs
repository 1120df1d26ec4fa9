//! Rows as they arrived made a run.

use super::{Column, Keys, Run, SensorIx};
use schemas::{ABSENT, Batch};
use std::sync::Arc;

/// Rows in the order they arrived.
#[derive(Clone, Debug, Default)]
pub(crate) struct Arrived {
    sensor: Vec<SensorIx>,
    time: Vec<i64>,
    /// Per field the values, or nothing when no row has any.
    columns: Vec<Option<Vec<i64>>>,
}

impl Arrived {
    /// The rows of a batch, whose memory is taken over. `numbers` are the numbers of its sensors, in its order; two names
    /// may have one number.
    pub(crate) fn of(mut batch: Batch, numbers: &[SensorIx]) -> Arrived {
        batch.sensor.iter_mut().for_each(|sensor| *sensor = numbers[*sensor as usize]);
        let columns = batch.columns.into_iter().map(|column| has_value(&column).then_some(column)).collect();
        Arrived { sensor: batch.sensor, time: batch.time, columns }
    }

    /// Takes in the rows of a batch that arrived after all others.
    pub(crate) fn add(&mut self, batch: &Batch, numbers: &[SensorIx]) {
        let before = self.time.len();
        self.columns.resize(batch.columns.len(), None);
        self.sensor.extend(batch.sensor.iter().map(|&sensor| numbers[sensor as usize]));
        self.time.extend_from_slice(&batch.time);
        for (own, new) in self.columns.iter_mut().zip(&batch.columns) {
            match own {
                Some(own) => own.extend_from_slice(new),
                None if has_value(new) => own.insert(vec![ABSENT; before]).extend_from_slice(new),
                None => {}
            }
        }
    }

    /// Rows.
    pub(crate) fn len(&self) -> usize {
        self.time.len()
    }

    /// Memory of its rows, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.len() * (4 + 8 + 8 * self.columns.iter().flatten().count())
    }
}

fn has_value(column: &[i64]) -> bool {
    column.iter().any(|&value| value != ABSENT)
}

/// Sorts the rows of a batch by (sensor, time) and merges rows of one key: the later row wins field by field.
/// `numbers` are the numbers of the batch's sensors, in its order; two names may have one number.
pub fn sort_batch(batch: &Batch, numbers: &[SensorIx]) -> Run {
    let mut rows = Arrived::default();
    rows.add(batch, numbers);
    sort(vec![Arc::new(rows)], batch.columns.len())
}

/// Sorts rows by (sensor, time), part after part as they arrived, and merges rows of one key: the later row wins field by
/// field. The memory of parts that nobody else holds is given back on the way.
pub(crate) fn sort(mut parts: Vec<Arc<Arrived>>, fields: usize) -> Run {
    let Places { keys, to, unique } = Places::of(&parts);
    let ends: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    parts.iter_mut().filter_map(Arc::get_mut).for_each(|part| (part.sensor, part.time) = Default::default());
    let mut column = |field: usize| -> Column {
        let some = |part: &Arc<Arrived>| part.columns.get(field).is_some_and(Option::is_some);
        if !parts.iter().any(some) {
            return None;
        }
        let mut sorted = vec![ABSENT; keys.time.len()];
        let mut rest = &to[..];
        for (part, rows) in parts.iter_mut().zip(&ends) {
            let (own, after) = rest.split_at(*rows);
            rest = after;
            match Arc::get_mut(part) {
                Some(part) => {
                    scatter(part.columns.get_mut(field).and_then(Option::take).as_deref(), own, unique, &mut sorted)
                }
                None => scatter(part.columns.get(field).and_then(Option::as_deref), own, unique, &mut sorted),
            }
        }
        Some(Arc::new(sorted))
    };
    let columns = (0..fields).map(&mut column).collect();
    Run { keys: Arc::new(keys), columns }
}

/// Puts values in their places, those that arrived later over those before; absent ones leave what is there.
fn scatter(values: Option<&[i64]>, to: &[u32], unique: bool, sorted: &mut [i64]) {
    for (&to, &value) in to.iter().zip(values.unwrap_or_default()) {
        if unique || value != ABSENT {
            sorted[to as usize] = value;
        }
    }
}

/// Where rows go.
struct Places {
    keys: Keys,
    /// For each row as it arrived its place among the keys.
    to: Vec<u32>,
    /// No two rows have one key.
    unique: bool,
}

impl Places {
    fn of(parts: &[Arc<Arrived>]) -> Places {
        let mut to: Vec<u32> = Vec::with_capacity(parts.iter().map(|part| part.len()).sum());
        parts.iter().for_each(|part| to.extend_from_slice(&part.sensor));
        // Sensors by their numbers, or by their rank when rows are few.
        let most = to.iter().max().map_or(0, |most| *most as usize + 1);
        let known = (most > 4 * to.len() + 64).then(|| ranked(&mut to));
        let mut next = vec![0_u32; known.as_ref().map_or(most, Vec::len)];
        to.iter().for_each(|&sensor| next[sensor as usize] += 1);
        let mut keys = Keys { time: vec![0; to.len()], ..Keys::default() };
        let mut start = 0;
        for (sensor, next) in next.iter_mut().enumerate().filter(|(_, rows)| **rows > 0) {
            let rows = std::mem::replace(next, start);
            start += rows;
            keys.sensors.push(known.as_ref().map_or(sensor as SensorIx, |known| known[sensor]));
            keys.ends.push(start);
        }
        let mut newest = vec![i64::MIN; next.len()];
        let mut ascending = true;
        for (to, &time) in to.iter_mut().zip(parts.iter().flat_map(|part| &part.time)) {
            let sensor = *to as usize;
            *to = next[sensor];
            next[sensor] += 1;
            keys.time[*to as usize] = time;
            ascending &= time > newest[sensor];
            newest[sensor] = time;
        }
        let mut places = Places { keys, to, unique: true };
        if !ascending {
            places.order();
        }
        places
    }

    /// Puts the rows of each sensor in the order of time, those of one key in one place.
    fn order(&mut self) {
        let mut moved = vec![0_u32; self.to.len()];
        let mut rows: Vec<(i64, u32)> = Vec::new();
        let (mut start, mut end) = (0, 0);
        for own_end in &mut self.keys.ends {
            let own = start..*own_end as usize;
            start = own.end;
            rows.clear();
            rows.extend(self.keys.time[own.clone()].iter().copied().zip(own.start as u32..));
            settle(&mut rows);
            let begin = end;
            for &(time, from) in &rows {
                // `end` never passes the row that is read.
                if end == begin || self.keys.time[end - 1] != time {
                    self.keys.time[end] = time;
                    end += 1;
                } else {
                    self.unique = false;
                }
                moved[from as usize] = end as u32 - 1;
            }
            *own_end = end as u32;
        }
        self.keys.time.truncate(end);
        self.to.iter_mut().for_each(|to| *to = moved[*to as usize]);
    }
}

/// Sorts rows by time and arrival. They are nearly sorted as a rule.
fn settle(rows: &mut [(i64, u32)]) {
    let mut patience = 16 * rows.len();
    for at in 1..rows.len() {
        let row = rows[at];
        let mut to = at;
        while to > 0 && rows[to - 1].0 > row.0 {
            rows[to] = rows[to - 1];
            to -= 1;
        }
        rows[to] = row;
        patience = patience.saturating_sub(at - to);
        if patience == 0 {
            return rows.sort_unstable();
        }
    }
}

/// Replaces sensors by their rank among those that come, and gives these.
fn ranked(sensors: &mut [SensorIx]) -> Vec<SensorIx> {
    let mut known = sensors.to_vec();
    known.sort_unstable();
    known.dedup();
    sensors.iter_mut().for_each(|sensor| *sensor = known.partition_point(|known| known < sensor) as SensorIx);
    known
}
