//! Which file of a day takes which late row.

use crate::file::FileMeta;
use crate::run::cut::Cut;
use crate::run::split::{Picked, pick};
use crate::run::{Keys, SensorIx};
use crate::{Run, SensorTable};
use schemas::Day;
use std::sync::Arc;

/// A file of at most so many bytes takes in rows that no file has; larger ones are left in peace.
const SMALL: u64 = 8 << 20;

/// A file to be written anew, or a new one, and the late rows it takes.
#[derive(Debug)]
pub(super) struct Target {
    /// The file that is replaced.
    pub(super) file: Option<Arc<FileMeta>>,
    /// Rows of the overlay, ascending.
    pub(super) rows: Vec<u32>,
}

/// A fold's plan. A row whose key is in a file goes there and nowhere else, so that no key comes to be in two.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) day: Day,
    /// The day's late rows, merged.
    overlay: Run,
    /// What is erased in files before they get their rows.
    pub(super) cuts: Arc<[Cut]>,
    /// Per row whether a file has its key.
    taken: Vec<bool>,
    pub(super) targets: Vec<Target>,
}

impl Plan {
    /// A plan for a day's late rows and erasures.
    pub(super) fn new(day: Day, overlay: Run, cuts: Arc<[Cut]>) -> Plan {
        Plan { day, taken: vec![false; overlay.len()], overlay, cuts, targets: Vec::new() }
    }

    /// Whether a file may hold the key of a late row not placed yet, or erased rows.
    pub(super) fn may_touch(&self, file: &FileMeta, sensors: &SensorTable) -> bool {
        let inside = |cut: &Cut| cut.span.from.0 <= file.max_time && cut.span.to.0 > file.min_time;
        let has = |id: &Arc<str>| *file.min_sensor <= **id && **id <= *file.max_sensor;
        let erases = |cut: &Cut| inside(cut) && sensors.ids.get(cut.sensor as usize).is_some_and(has);
        self.cuts.iter().any(erases)
            || self.overlay.keys.each().any(|(_, rows)| {
                let from = rows.start + self.overlay.keys.time[rows.clone()].partition_point(|&t| t < file.min_time);
                (from..rows.end)
                    .take_while(|&row| self.overlay.keys.time[row] <= file.max_time)
                    .any(|row| !self.taken[row])
            })
    }

    /// Gives a file the late rows whose keys it has; it is written anew for these, and for rows that are erased in it.
    pub(super) fn touch(&mut self, file: &Arc<FileMeta>, keys: &Keys) {
        let mut rows = Vec::new();
        for (sensor, own) in self.overlay.keys.each() {
            let theirs = &keys.time[keys.rows(sensor)];
            let has = |&row: &usize| theirs.binary_search(&self.overlay.keys.time[row]).is_ok();
            rows.extend(own.filter(has).map(|row| row as u32));
        }
        if !rows.is_empty() || self.cuts.iter().any(|cut| !cut.rows(keys).is_empty()) {
            rows.iter().for_each(|&row| self.taken[row as usize] = true);
            self.targets.push(Target { file: Some(file.clone()), rows });
        }
    }

    /// Gives the rows that no file has to the smallest file that is written anyway, else to the day's smallest if that is
    /// small, else to a new one.
    pub(super) fn place_the_rest(&mut self, files: &[Arc<FileMeta>]) {
        let rest: Vec<u32> = (0..self.taken.len() as u32).filter(|&row| !self.taken[row as usize]).collect();
        if rest.is_empty() {
            return;
        }
        let bytes = |target: &&mut Target| target.file.as_ref().map_or(0, |f| f.bytes);
        if let Some(target) = self.targets.iter_mut().min_by_key(bytes) {
            target.rows.extend(rest);
            target.rows.sort_unstable();
            return;
        }
        let file = files.iter().min_by_key(|f| f.bytes).filter(|f| f.bytes <= SMALL).cloned();
        self.targets.push(Target { file, rows: rest });
    }

    /// Some rows of the overlay as a run.
    pub(super) fn rows(&self, rows: &[u32]) -> Run {
        let mut picked: Picked = Vec::new();
        let keys = &self.overlay.keys;
        let mut sensors = keys.each();
        let mut at: Option<(SensorIx, std::ops::Range<usize>)> = sensors.next();
        for &row in rows {
            let row = row as usize;
            while at.as_ref().is_some_and(|(_, range)| range.end <= row) {
                at = sensors.next();
            }
            let Some((sensor, _)) = &at else { break };
            match picked.last_mut() {
                Some((last, range)) if last == sensor && range.end == row => range.end += 1,
                _ => picked.push((*sensor, row..row + 1)),
            }
        }
        pick(&self.overlay, &picked)
    }
}
