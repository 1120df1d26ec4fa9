//! Readings that were read before they came here: what is left to see to is whether their dataset takes them.

use super::{Past, Pipeline};
use crate::Gather;
use crate::normalize::Refusal;
use crate::parcel::{Parcel, Readings, Refused};
use crate::refusals::line_reject;
use crate::sensors::Said;
use schemas::time::HOUR;
use schemas::{Batch, Time};
use std::sync::Arc;

impl Pipeline {
    /// Takes readings whose messages say nothing else, all or none: none when a sensor is not welcome, or a window's raw readings
    /// are gone.
    pub(crate) fn take_readings(&mut self, read: Batch, past: Past<'_>, gather: &mut Gather) -> bool {
        let Some(dataset) = self.catalog.datasets.iter().position(|d| d.id == read.dataset.id) else { return false };
        let welcome = self.welcomes_all(dataset, &read, past);
        if welcome {
            self.add(dataset, read, gather);
        }
        welcome
    }

    /// Takes what a door has read. What a dataset does not take is refused line by line.
    pub(crate) fn take_parcel(&mut self, mut parcel: Parcel, now: Time, past: Past<'_>, gather: &mut Gather) {
        for refused in std::mem::take(&mut parcel.refused) {
            self.refuse_line(&parcel, refused, now, gather);
        }
        for mut readings in std::mem::take(&mut parcel.readings) {
            let dataset = self.catalog.routes[readings.route].dataset;
            if !self.welcomes_all(dataset, &readings.batch, past) {
                for refused in self.sift(dataset, &mut readings, past) {
                    self.refuse_line(&parcel, refused, now, gather);
                }
            }
            self.add(dataset, readings.batch, gather);
        }
    }

    /// Whether a dataset takes all of these. Windows are quarter hours at least, from the full hour.
    fn welcomes_all(&self, dataset: usize, read: &Batch, past: Past<'_>) -> bool {
        let sensors = &self.sensors[dataset];
        let room = read.dataset.max_sensors.saturating_sub(sensors.len());
        let new = read.sensors.iter().filter(|id| !sensors.knows(id)).count();
        let quarter = |time: &i64| time - time.rem_euclid(HOUR / 4);
        let mut looked = i64::MIN;
        let old = read.time.iter().any(|time| {
            let new = !(looked..looked.saturating_add(HOUR / 4)).contains(time);
            if new {
                looked = quarter(time);
            }
            new && (past.too_old)(&read.dataset.id, Time(*time))
        });
        new <= room && !old && read.sensors.iter().all(|id| self.catalog.welcomes(dataset, id))
    }

    /// Adds readings that are all welcome, and what is new about their sensors.
    fn add(&mut self, dataset: usize, read: Batch, gather: &mut Gather) {
        let (batch, sensors) = (&mut gather.batches[dataset], &mut self.sensors[dataset]);
        let numbers: Vec<u32> =
            read.sensors.iter().map(|id| sensors.number(id, gather.number, &mut batch.sensors)).collect();
        batch.sensor.extend(read.sensor.iter().map(|&sensor| numbers[sensor as usize]));
        batch.time.extend(read.time);
        batch.columns.iter_mut().zip(read.columns).for_each(|(to, from)| to.extend(from));
        for note in read.notes {
            let said = Said { place: note.place, attributes: note.attributes, every: note.every };
            batch.notes.extend(sensors.news(&note.sensor, note.time, said));
        }
    }

    /// Takes out the rows, notes and sensors that a dataset does not take, and says why.
    fn sift(&mut self, dataset: usize, readings: &mut Readings, past: Past<'_>) -> Vec<Refused> {
        let (batch, route) = (&mut readings.batch, readings.route);
        let of = batch.dataset.clone();
        let mut room = of.max_sensors.saturating_sub(self.sensors[dataset].len());
        let mut verdict = |id: &Arc<str>| {
            if !self.catalog.welcomes(dataset, id) {
                return Some(Refusal::unlisted(id));
            }
            if !self.sensors[dataset].knows(id) {
                let Some(left) = room.checked_sub(1) else { return Some(Refusal::too_many(id, of.max_sensors)) };
                room = left;
            }
            None
        };
        let verdicts: Vec<Option<Refusal>> = batch.sensors.iter().map(&mut verdict).collect();
        let mut refused = Vec::new();
        let keep: Vec<bool> = (0..batch.len())
            .map(|row| {
                let time = Time(batch.time[row]);
                let old = || (past.too_old)(&of.id, time).then(|| Refusal::too_old(time));
                let Some(refusal) = verdicts[batch.sensor[row] as usize].clone().or_else(old) else { return true };
                refused.push(Refused { at: readings.at[row], route: Some(route), field: "".into(), refusal });
                false
            })
            .collect();
        retain(batch, &keep, &verdicts);
        refused
    }

    /// Makes a reject of one line that was refused.
    fn refuse_line(&self, parcel: &Parcel, refused: Refused, now: Time, gather: &mut Gather) {
        let source = refused.route.map_or_else(|| "".into(), |route| self.catalog.source(route).name.clone());
        let of = (refused.at, refused.route);
        gather.refuse(line_reject(parcel, source, refused, now, self.config.reject_bytes), of);
    }
}

/// Leaves the rows to keep, and of the sensors those that are welcome.
fn retain(batch: &mut Batch, keep: &[bool], verdicts: &[Option<Refusal>]) {
    fn column<T: Copy>(values: &mut Vec<T>, keep: &[bool]) {
        let mut row = 0;
        values.retain(|_| {
            row += 1;
            keep[row - 1]
        });
    }
    column(&mut batch.sensor, keep);
    column(&mut batch.time, keep);
    batch.columns.iter_mut().for_each(|values| column(values, keep));
    // Sensors that are left without rows must not be counted as known.
    let mut numbers = vec![u32::MAX; batch.sensors.len()];
    let mut sensors = Vec::new();
    for sensor in &mut batch.sensor {
        let number = &mut numbers[*sensor as usize];
        if *number == u32::MAX {
            *number = sensors.len() as u32;
            sensors.push(batch.sensors[*sensor as usize].clone());
        }
        *sensor = *number;
    }
    debug_assert!(verdicts.iter().zip(&numbers).all(|(verdict, number)| verdict.is_none() || *number == u32::MAX));
    batch.sensors = sensors;
    let known = &batch.sensors;
    batch.notes.retain(|note| known.contains(&note.sensor));
}
