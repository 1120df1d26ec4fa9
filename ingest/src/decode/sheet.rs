//! Readings of one route while a body is read, in columns; and its sensors, which are remembered from body to body.

use super::news::{Heard, News};
use crate::parcel::Readings;
use hashbrown::HashMap;
use schemas::sensor::Attributes;
use schemas::{ABSENT, Batch, Cadence, Dataset, Note, Place, Time};
use std::sync::Arc;

/// Rows there is space for at first.
const FIRST: usize = 64;

/// Rows of one route, and a row that is being filled.
#[derive(Debug)]
pub struct Sheet {
    route: usize,
    batch: Batch,
    /// Row: first byte of its text in the body.
    at: Vec<u32>,
    /// Rows the columns have space for; the rows there are is the length of `at`.
    space: usize,
    /// Rows of the batch before: bodies of one sender are of one size.
    usual: usize,
    /// Whether the row being filled has a value.
    filled: bool,
    /// Number of the batch, so that sensors know whether they have a number in it.
    number: u64,
    sensors: Vec<Sensor>,
    known: HashMap<Arc<str>, u32>,
    news: News,
}

/// A sensor of the route.
#[derive(Debug)]
struct Sensor {
    id: Arc<str>,
    /// The last batch it was in, and its number there.
    row: (u64, u32),
    /// What was last said of it, by any reader.
    heard: Option<Heard>,
}

/// What a text says of a sensor.
#[derive(Debug, Default)]
pub struct Saying {
    /// Where it stands.
    pub place: Option<Place>,
    /// Attributes.
    pub attributes: Attributes,
    /// Its source's cadence, where that differs from the dataset's.
    pub every: Option<Cadence>,
}

impl Sheet {
    /// An empty sheet of a route of that dataset. `news` is what all readers know of what was said.
    pub fn new(route: usize, dataset: Arc<Dataset>, news: News) -> Sheet {
        let (sensors, known) = (Vec::new(), HashMap::new());
        let batch = Batch::new(dataset);
        Sheet { route, batch, at: Vec::new(), space: 0, usual: FIRST, filled: false, number: 1, sensors, known, news }
    }

    /// Its route in the catalog.
    pub fn route(&self) -> usize {
        self.route
    }

    /// Begins a row; the last one was closed or dropped.
    #[inline]
    pub fn open(&mut self) {
        if self.at.len() >= self.space {
            self.grow();
        }
    }

    #[cold]
    fn grow(&mut self) {
        self.space = (self.at.len() * 2).max(self.usual);
        self.batch.columns.iter_mut().for_each(|column| column.resize(self.space, ABSENT));
        let more = self.space - self.at.len();
        self.batch.sensor.reserve_exact(more);
        self.batch.time.reserve_exact(more);
        self.at.reserve_exact(more);
    }

    /// Puts a value into the row, in steps of its field; the last of several counts.
    #[inline]
    pub fn set(&mut self, field: usize, steps: i64) {
        let row = self.at.len();
        if let Some(cell) = self.batch.columns[field].get_mut(row) {
            *cell = steps;
            self.filled = true;
        }
    }

    /// Whether the row has a value.
    #[inline]
    pub fn is_filled(&self) -> bool {
        self.filled
    }

    /// Closes the row: it is a reading of that sensor ([`Sheet::sensor`]), read from `at` on.
    #[inline]
    pub fn close(&mut self, sensor: u32, time: Time, at: u32) {
        let known = &mut self.sensors[sensor as usize];
        if known.row.0 != self.number {
            known.row = (self.number, self.batch.sensors.len() as u32);
            self.batch.sensors.push(known.id.clone());
        }
        self.batch.sensor.push(known.row.1);
        self.batch.time.push(time.0);
        self.at.push(at);
        self.filled = false;
    }

    /// Drops the row.
    pub fn drop_row(&mut self) {
        if std::mem::take(&mut self.filled) {
            let row = self.at.len();
            self.batch.columns.iter_mut().for_each(|column| column[row] = ABSENT);
        }
    }

    /// The sensor of an id; it is remembered until [`Sheet::forget`].
    pub fn sensor(&mut self, id: &str) -> u32 {
        if let Some(&known) = self.known.get(id) {
            return known;
        }
        let (number, id) = (self.sensors.len() as u32, Arc::<str>::from(id));
        self.sensors.push(Sensor { id: id.clone(), row: (0, 0), heard: None });
        self.known.insert(id, number);
        number
    }

    /// Notes what is said of a sensor, if it is not what was last said of it: `mark` stands for the whole of it.
    #[inline]
    pub fn say(&mut self, sensor: u32, time: Time, mark: u64, saying: impl FnOnce() -> Saying) {
        let (known, news, dataset) = (&mut self.sensors[sensor as usize], &self.news, &self.batch.dataset.id);
        let heard = known.heard.get_or_insert_with(|| news.of(dataset, &known.id));
        if news.tell(heard, mark) {
            let Saying { place, attributes, every } = saying();
            if place.is_some() || every.is_some() || !attributes.is_empty() {
                self.batch.notes.push(Note { sensor: known.id.clone(), time, place, attributes, every });
            }
        }
    }

    /// Its rows, if there are any. It is empty then, and knows its sensors still.
    pub fn take(&mut self) -> Option<Readings> {
        self.number += 1;
        self.filled = false;
        self.space = 0;
        let empty = Batch::new(self.batch.dataset.clone());
        let mut batch = std::mem::replace(&mut self.batch, empty);
        let at = std::mem::take(&mut self.at);
        self.usual = (at.len() + at.len() / 16).max(FIRST);
        batch.columns.iter_mut().for_each(|column| column.truncate(at.len()));
        (!at.is_empty()).then_some(Readings { route: self.route, batch, at })
    }

    /// Forgets its sensors; it must be empty.
    pub fn forget(&mut self) {
        self.sensors = Vec::new();
        self.known = HashMap::new();
    }
}
