//! The questions that are asked, each in many forms that cost about the same, so that no answer is in the cache.

use crate::city::{City, DAYS};
use jiff::ToSpan;
use jiff::civil::Date;

/// Days of a month as it is asked for.
const MONTH: i64 = 30;
/// Zones with the same hours, to ask the same in several ways.
const ZONES: [&str; 9] = [
    "Europe/Berlin",
    "Europe/Paris",
    "Europe/Prague",
    "Europe/Vienna",
    "Europe/Rome",
    "Europe/Madrid",
    "Europe/Warsaw",
    "Europe/Brussels",
    "Europe/Budapest",
];

/// A sort of question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sort {
    /// A sensor's chart: its hours of 30 days.
    OneMonth,
    /// Everything by hour: all sensors, 30 days; the largest answer.
    AllMonth,
    /// The city's trend: all sensors together by civil day, half a year; reads the most, answers little.
    TogetherHalfYear,
    /// The map: the newest values of all sensors.
    Latest,
}

/// Each sort and how it is called.
pub(crate) const SORTS: [(Sort, &str); 4] = [
    (Sort::OneMonth, "one sensor, hourly, 30 days"),
    (Sort::AllMonth, "all sensors, hourly, 30 days"),
    (Sort::TogetherHalfYear, "all together, by day, 182 days"),
    (Sort::Latest, "latest of all sensors"),
];

/// The `number`-th form of a question, as the path of a GET.
///
/// Aggregates carry a `limit` that no answer reaches and no two forms share: it changes nothing but the cache's key. Spans
/// and sensors change besides, so that not the same bytes are read each time.
pub(crate) fn path(city: &City, sensors: &[String], sort: Sort, number: usize) -> String {
    let root = format!("/api/v1/datasets/{}", city.dataset);
    if sort == Sort::Latest {
        let orders = (1..=city.fields.len()).product::<usize>();
        let fields = permutation(city.fields, number % orders).join(",");
        return format!("{root}/latest?fields={fields}&tz={}", ZONES[number / orders]);
    }
    let shift = if sort == Sort::TogetherHalfYear { 0 } else { number as i64 % (DAYS - MONTH) };
    let days = if sort == Sort::TogetherHalfYear { DAYS } else { MONTH };
    let (from, to) = (day(city.first, shift), day(city.first, shift + days));
    let shape = match sort {
        Sort::OneMonth => format!("bucket=1h&sensor={}", sensors[number % sensors.len()]),
        Sort::AllMonth => "bucket=1h&group=sensor".to_owned(),
        _ => "bucket=day&group=none".to_owned(),
    };
    let (field, zone, limit) = (city.count, city.zone, 400_000 - number);
    format!("{root}/aggregates?fields={field}_sum&from={from}&to={to}&tz={zone}&limit={limit}&{shape}")
}

fn day(first: Date, shift: i64) -> Date {
    first.checked_add(shift.days()).expect("a day of this century")
}

/// The `number`-th order of some names, in the factorial number system (Knuth, TAOCP 4A, 7.2.1.2).
fn permutation(names: &[&'static str], mut number: usize) -> Vec<&'static str> {
    let mut left = names.to_vec();
    let mut taken = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let at = number % left.len();
        number /= left.len();
        taken.push(left.remove(at));
    }
    taken
}
