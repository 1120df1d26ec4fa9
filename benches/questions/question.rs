//! The six questions, and what each must answer: computed from the town itself.

use crate::town::{AIR, DAY, Dataset, END, LAST, SENSORS, TRAFFIC};
use std::collections::BTreeMap;
use std::ops::Range;

/// Rows of an answer: what a row is of (a sensor, a field or nothing) and its time in seconds, or 0 where there is one row
/// for the whole span; and its value.
pub(crate) type Rows = BTreeMap<(String, i64), f64>;

/// A sort of question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sort {
    /// One crossing, cars an hour, whole span.
    Chart,
    /// CO2 an hour over all stations, whole span.
    City,
    /// Newest CO2 of every station.
    Newest,
    /// The ten crossings with most cars of a day.
    Busiest,
    /// Exact 95th percentile of CO2 of every station, whole span.
    P95,
    /// The same by a sketch.
    Sketch,
    /// One crossing's readings of a day.
    Raw,
}

/// All sorts: what they are called, and the goal in milliseconds.
pub(crate) const SORTS: [(Sort, &str, Option<f64>); 7] = [
    (Sort::Chart, "one crossing, hourly cars", Some(1.0)),
    (Sort::City, "CO2 per hour, all stations", Some(3.0)),
    (Sort::Newest, "newest CO2 of every station", Some(1.5)),
    (Sort::Busiest, "ten busiest crossings of a day", Some(1.5)),
    (Sort::Sketch, "p95 CO2 per station, sketch", Some(20.0)),
    (Sort::P95, "p95 CO2 per station, exact", None),
    (Sort::Raw, "one crossing's readings of a day", Some(0.5)),
];

/// Days a question spans at most: those of June, which are days in Prague.
pub(crate) const MOST_DAYS: i64 = 30;
/// The part of all readings that p95 asks for.
pub(crate) const PART: f64 = 0.95;
/// How far a sketch may be off, of the value, as its column's meta says; half a step of rounding besides.
const SKETCH_ERROR: f64 = 1.0 / 128.0;
/// Digits after the point of a mean in Lamppost's answers: four past the resolution of CO2. Half of the last may be missing.
const MEAN_ERROR: f64 = 0.000_051;

/// A question.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) sort: Sort,
    /// What it is about.
    pub(crate) minutes: Range<i64>,
    /// The crossing, if it is about one.
    pub(crate) sensor: usize,
}

impl Question {
    /// The `number`-th form of a question about the last so many days: another crossing, another day.
    pub(crate) fn new(sort: Sort, days: i64, number: usize) -> Question {
        let back = match sort {
            Sort::Busiest | Sort::Raw => number as i64 % days,
            _ => 0,
        };
        let end = END - back * DAY;
        let minutes = match sort {
            Sort::Busiest | Sort::Raw => end - DAY..end,
            Sort::Newest => LAST - DAY..LAST,
            _ => END - days * DAY..END,
        };
        // 389 and 1000 have no divisor in common: all crossings have their turn.
        Question { sort, minutes, sensor: (number * 389 + 77) % SENSORS }
    }

    /// The dataset it is about.
    pub(crate) fn dataset(&self) -> &'static Dataset {
        match self.sort {
            Sort::Chart | Sort::Busiest | Sort::Raw => &TRAFFIC,
            _ => &AIR,
        }
    }

    /// The id of its crossing.
    pub(crate) fn crossing(&self) -> String {
        TRAFFIC.sensor(self.sensor)
    }

    /// Its span in seconds since the epoch.
    pub(crate) fn seconds(&self) -> Range<i64> {
        self.minutes.start * 60..self.minutes.end * 60
    }

    /// What is right. `interpolates`: a quantile lies between two readings instead of being one.
    pub(crate) fn truth(&self, interpolates: bool) -> Rows {
        let cars = TRAFFIC.field("cars");
        match self.sort {
            Sort::Chart => hours(&self.minutes, &column(&TRAFFIC, cars, self.sensor, &self.minutes)),
            Sort::City => self.city(),
            Sort::Newest => all(&AIR, &(self.minutes.end - 1..self.minutes.end), |values| f64::from(values[0])),
            Sort::Busiest => {
                let sums = all(&TRAFFIC, &self.minutes, |values| sum(&values[cars * DAY as usize..][..DAY as usize]));
                let mut order: Vec<_> = sums.into_iter().collect();
                order.sort_by(|a, b| b.1.total_cmp(&a.1));
                order.truncate(10);
                order.into_iter().collect()
            }
            Sort::P95 | Sort::Sketch => {
                let width = (self.minutes.end - self.minutes.start) as usize;
                all(&AIR, &self.minutes, |values| quantile(&mut values[..width], interpolates))
            }
            Sort::Raw => self.raw(),
        }
    }

    fn city(&self) -> Rows {
        let mut sums = vec![0; (self.minutes.end - self.minutes.start) as usize];
        for sensor in 0..SENSORS {
            for (sum, value) in sums.iter_mut().zip(column(&AIR, 0, sensor, &self.minutes)) {
                *sum += value;
            }
        }
        let rows = hours(&self.minutes, &sums).into_iter();
        rows.map(|(key, sum)| (key, sum / (SENSORS * 60) as f64)).collect()
    }

    fn raw(&self) -> Rows {
        let mut rows = Rows::new();
        for (at, field) in TRAFFIC.fields.iter().enumerate() {
            let values = column(&TRAFFIC, at, self.sensor, &self.minutes);
            for (minute, value) in self.minutes.clone().zip(values) {
                let time = TRAFFIC.second(self.sensor, minute);
                rows.insert((field.name.to_owned(), time), f64::from(value));
            }
        }
        rows
    }

    /// Compares an answer with what is right; the first difference.
    pub(crate) fn compare(&self, answer: &Rows, truth: &Rows) -> Result<(), String> {
        if let Some(key) = truth.keys().find(|key| !answer.contains_key(*key)) {
            return Err(format!("{key:?} is missing; {} rows instead of {}", answer.len(), truth.len()));
        }
        for (key, value) in answer {
            let Some(right) = truth.get(key) else {
                return Err(format!("{key:?} is too much; {} rows instead of {}", answer.len(), truth.len()));
            };
            let allowed = match self.sort {
                Sort::City => MEAN_ERROR,
                Sort::Sketch => right * SKETCH_ERROR + 0.5,
                _ => 1e-6,
            };
            if (value - right).abs() > allowed {
                return Err(format!("{key:?} is {value} and should be {right}"));
            }
        }
        Ok(())
    }
}

/// A sensor's values of one field.
fn column(dataset: &Dataset, field: usize, sensor: usize, minutes: &Range<i64>) -> Vec<i32> {
    let mut values = Vec::new();
    dataset.readings(sensor, minutes.clone(), &mut values);
    let width = (minutes.end - minutes.start) as usize;
    values[field * width..(field + 1) * width].to_vec()
}

/// A figure of every sensor, from all its values.
fn all(dataset: &Dataset, minutes: &Range<i64>, figure: impl Fn(&mut [i32]) -> f64) -> Rows {
    let mut values = Vec::new();
    let row = |sensor| {
        dataset.readings(sensor, minutes.clone(), &mut values);
        ((dataset.sensor(sensor), 0), figure(&mut values))
    };
    (0..SENSORS).map(row).collect()
}

fn hours(minutes: &Range<i64>, values: &[i32]) -> Rows {
    let row = |(at, hour): (usize, &[i32])| ((String::new(), minutes.start * 60 + at as i64 * 3600), sum(hour));
    values.chunks(60).enumerate().map(row).collect()
}

fn sum(values: &[i32]) -> f64 {
    values.iter().map(|value| f64::from(*value)).sum()
}

/// The nearest rank, as `quantile_disc` in SQL; or between the two next to it, as `quantile_cont`.
fn quantile(values: &mut [i32], interpolates: bool) -> f64 {
    values.sort_unstable();
    if interpolates {
        let place = PART * (values.len() - 1) as f64;
        let (left, right) = (f64::from(values[place.floor() as usize]), f64::from(values[place.ceil() as usize]));
        return left + (right - left) * place.fract();
    }
    let rank = (values.len() * 95).div_ceil(100);
    f64::from(values[rank.saturating_sub(1)])
}
