//! Rows of the town as text: CSV for Lamppost, VictoriaMetrics and DuckDB, line protocol for InfluxDB.

use crate::town::{DAY, Dataset, END, LAST};
use std::io::Write;
use std::ops::Range;

/// Readings of some sensors over some minutes.
pub(crate) struct Stretch<'a> {
    dataset: &'a Dataset,
    minutes: Range<i64>,
    sensors: Vec<Sensor>,
}

struct Sensor {
    name: String,
    /// The instant of each reading.
    seconds: Vec<i64>,
    values: Vec<i32>,
}

/// One reading.
#[derive(Clone, Copy)]
pub(crate) struct Row<'a> {
    stretch: &'a Stretch<'a>,
    sensor: &'a Sensor,
    minute: i64,
}

impl<'a> Stretch<'a> {
    /// Makes them.
    pub(crate) fn new(dataset: &'a Dataset, sensors: Range<usize>, minutes: Range<i64>) -> Stretch<'a> {
        let make = |sensor| {
            let mut values = Vec::new();
            dataset.readings(sensor, minutes.clone(), &mut values);
            Sensor {
                name: dataset.sensor(sensor),
                seconds: minutes.clone().map(|minute| dataset.second(sensor, minute)).collect(),
                values,
            }
        };
        Stretch { dataset, sensors: sensors.map(make).collect(), minutes }
    }

    /// All rows as they come in: minute after minute.
    pub(crate) fn by_time(&self) -> impl Iterator<Item = Row<'_>> {
        let row = move |minute| self.sensors.iter().map(move |sensor| Row { stretch: self, sensor, minute });
        self.minutes.clone().flat_map(row)
    }

    /// All rows, sensor after sensor.
    pub(crate) fn by_sensor(&self) -> impl Iterator<Item = Row<'_>> {
        let row = move |sensor| self.minutes.clone().map(move |minute| Row { stretch: self, sensor, minute });
        self.sensors.iter().flat_map(row)
    }
}

/// The days of the town in UTC, the first and last of which may be parts: as minutes.
pub(crate) fn utc_days(days: i64) -> Vec<Range<i64>> {
    let begin = END - days * DAY;
    let first = begin.div_euclid(DAY);
    let cut = |day: i64| (day * DAY).max(begin)..((day + 1) * DAY).min(LAST);
    (first..).map(cut).take_while(|minutes| minutes.start < minutes.end).collect()
}

/// Text of rows.
#[derive(Default)]
pub(crate) struct Text {
    /// What is written so far.
    pub(crate) bytes: Vec<u8>,
    /// The day that `date` is of, since the epoch.
    day: i64,
    date: String,
}

impl Text {
    /// A CSV header of a dataset.
    pub(crate) fn header(&mut self, dataset: &Dataset) {
        self.bytes.extend_from_slice(b"sensor,time");
        for field in dataset.fields {
            self.bytes.push(b',');
            self.bytes.extend_from_slice(field.name.as_bytes());
        }
        self.bytes.push(b'\n');
    }

    /// `x0001,2025-06-30T21:59:17Z,3,…`
    pub(crate) fn csv(&mut self, row: Row<'_>) {
        self.bytes.extend_from_slice(row.sensor.name.as_bytes());
        self.bytes.push(b',');
        self.time(row);
        for (field, digits) in row.digits() {
            self.bytes.push(b',');
            self.value(row.value(field), digits);
        }
        self.bytes.push(b'\n');
    }

    /// `traffic,sensor=x0001 cars=3i,… 1751320757`: integers where the resolution is 1, else floating point.
    pub(crate) fn line(&mut self, row: Row<'_>) {
        self.bytes.extend_from_slice(row.stretch.dataset.id.as_bytes());
        self.bytes.extend_from_slice(b",sensor=");
        self.bytes.extend_from_slice(row.sensor.name.as_bytes());
        for (field, digits) in row.digits() {
            self.bytes.push(if field == 0 { b' ' } else { b',' });
            self.bytes.extend_from_slice(row.stretch.dataset.fields[field].name.as_bytes());
            self.bytes.push(b'=');
            self.value(row.value(field), digits);
            if digits == 0 {
                self.bytes.push(b'i');
            }
        }
        self.bytes.push(b' ');
        self.number(row.second() as u64);
        self.bytes.push(b'\n');
    }

    /// `{"sensor":"x0001","time":"…","cars":3,…}`
    pub(crate) fn json(&mut self, row: Row<'_>) {
        self.bytes.extend_from_slice(b"{\"sensor\":\"");
        self.bytes.extend_from_slice(row.sensor.name.as_bytes());
        self.bytes.extend_from_slice(b"\",\"time\":\"");
        self.time(row);
        self.bytes.push(b'"');
        for (field, digits) in row.digits() {
            self.bytes.extend_from_slice(b",\"");
            self.bytes.extend_from_slice(row.stretch.dataset.fields[field].name.as_bytes());
            self.bytes.extend_from_slice(b"\":");
            self.value(row.value(field), digits);
        }
        self.bytes.push(b'}');
    }

    fn time(&mut self, row: Row<'_>) {
        let (day, second) = (row.second().div_euclid(DAY * 60), row.second().rem_euclid(DAY * 60));
        if day != self.day || self.date.is_empty() {
            let midnight = jiff::Timestamp::from_second(day * DAY * 60).expect("a time of this century");
            self.date = midnight.strftime("%Y-%m-%dT").to_string();
            self.day = day;
        }
        self.bytes.extend_from_slice(self.date.as_bytes());
        for (number, after) in [(second / 3600, b':'), (second / 60 % 60, b':'), (second % 60, b'Z')] {
            self.bytes.extend([b'0' + (number / 10) as u8, b'0' + (number % 10) as u8, after]);
        }
    }

    fn value(&mut self, steps: i32, digits: u32) {
        if steps < 0 {
            self.bytes.push(b'-');
        }
        let steps = u64::from(steps.unsigned_abs());
        if digits == 0 {
            return self.number(steps);
        }
        self.number(steps / 10);
        self.bytes.extend([b'.', b'0' + (steps % 10) as u8]);
    }

    fn number(&mut self, number: u64) {
        let mut digits = [0; 20];
        let (mut at, mut left) = (digits.len(), number);
        loop {
            at -= 1;
            digits[at] = b'0' + (left % 10) as u8;
            left /= 10;
            if left == 0 {
                break;
            }
        }
        self.bytes.extend_from_slice(&digits[at..]);
    }

    /// Hands over what is written once it is so many bytes, and begins anew.
    pub(crate) fn drain(&mut self, bytes: usize, mut take: impl FnMut(&[u8])) {
        if self.bytes.len() >= bytes.max(1) {
            take(&self.bytes);
            self.bytes.clear();
        }
    }
}

/// Writes a CSV file with a header.
pub(crate) fn csv_file<'a>(file: &std::path::Path, dataset: &Dataset, rows: impl Iterator<Item = Row<'a>>) {
    let mut out = std::fs::File::create(file).expect("file");
    let mut text = Text::default();
    text.header(dataset);
    for row in rows {
        text.csv(row);
        text.drain(1 << 20, |bytes| out.write_all(bytes).expect("room on disk"));
    }
    text.drain(0, |bytes| out.write_all(bytes).expect("room on disk"));
}

impl Row<'_> {
    /// The places of the fields and their digits after the point: none or one.
    fn digits(&self) -> impl Iterator<Item = (usize, u32)> + use<'_> {
        self.stretch.dataset.fields.iter().map(|field| field.digits).enumerate()
    }

    /// Its instant, in seconds since the epoch.
    fn second(&self) -> i64 {
        self.sensor.seconds[(self.minute - self.stretch.minutes.start) as usize]
    }

    fn value(&self, field: usize) -> i32 {
        let minutes = &self.stretch.minutes;
        let width = (minutes.end - minutes.start) as usize;
        self.sensor.values[field * width + (self.minute - minutes.start) as usize]
    }
}
