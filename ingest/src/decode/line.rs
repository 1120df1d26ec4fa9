//! InfluxDB line protocol: bytes of a body straight to columns, in one pass.
//!
//! `measurement,tag=value field=21.5,other=3i,text="…" 1763719200000000000`, one reading a line. What goes fast is the usual:
//! the series that came after this one last time, its fields in the order they had last time, plain numbers, the time of the
//! line before. All else takes the long way and comes to the same.

mod keys;
mod measure;
mod reading;
mod series;
mod stamp;
mod text;

pub use measure::Measures;
pub use stamp::Precision;

use super::{Memory, News, Sheet};
use crate::Parcel;
use bytes::Bytes;
use keys::Keys;
use reading::Reading;
use schemas::Time;
use series::{Member, Series};
use stamp::Stamps;
use std::sync::Arc;

/// Reads bodies one after the other, and remembers their series.
#[derive(Debug)]
pub struct Reader {
    measures: Arc<Measures>,
    series: Memory<Series>,
    /// Who takes each series, by series.
    members: Vec<Member>,
    /// By measurement.
    keys: Vec<Keys>,
    /// By taker.
    sheets: Vec<Sheet>,
    /// By taker and want: the value in the line at hand, if the line has one.
    heard: Vec<Vec<Option<usize>>>,
    stamps: Stamps,
    /// The series of the last line.
    last: u32,
    bounds: Bounds,
}

/// What a reader may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes of series that it remembers. Past it, it begins anew.
    pub series_bytes: usize,
    /// Lines and fields of one body that are refused one by one. Past it the rest of the body is not read.
    pub max_refused: usize,
}

/// One body to be read.
#[derive(Clone, Debug)]
pub struct Body {
    /// How it came, for rejects.
    pub topic: Arc<str>,
    /// Its text.
    pub text: Bytes,
    /// Unit of its times.
    pub precision: Precision,
    /// When it arrived: the time of lines without one.
    pub now: Time,
}

impl Reader {
    /// A reader of the lines that sources take. `news` is what all readers know of what was said of sensors.
    pub fn new(measures: Arc<Measures>, news: &News, bounds: Bounds) -> Reader {
        let sheet = |taker: &measure::Taker| Sheet::new(taker.route, taker.dataset.clone(), news.clone());
        Reader {
            series: Memory::new(bounds.series_bytes),
            members: Vec::new(),
            keys: measures.keys.clone(),
            sheets: measures.takers.iter().map(sheet).collect(),
            heard: measures.takers.iter().map(|taker| vec![None; taker.wants.len()]).collect(),
            stamps: Stamps::default(),
            last: u32::MAX,
            bounds,
            measures,
        }
    }

    /// Reads a body. Of one of 4 GiB and more nothing is read: doors take none of that size.
    pub fn read(&mut self, body: Body) -> Parcel {
        let Body { topic, text, precision, now } = body;
        let mut parcel = Parcel { topic, body: text, ..Parcel::default() };
        if u32::try_from(parcel.body.len()).is_err() {
            return parcel;
        }
        self.stamps.begin(precision, now);
        let text = parcel.body.clone();
        Reading { reader: self, text: &text, now, parcel: &mut parcel }.run();
        parcel.readings.extend(self.sheets.iter_mut().filter_map(Sheet::take));
        parcel
    }
}

#[cfg(test)]
mod tests;
