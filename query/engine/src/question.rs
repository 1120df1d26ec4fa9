//! Typed questions, and the texts of the API they are parsed from.

use crate::{Error, Order};
use schemas::{Bucket, Place, Time, Zone};
use std::str::FromStr;
use std::sync::Arc;

/// A question about what the store holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Question {
    /// Functions of fields per bucket and group.
    Aggregates(Aggregates),
    /// Raw rows.
    Readings(Readings),
    /// Newest values.
    Latest(Latest),
    /// The registry.
    Sensors(Sensors),
    /// What datasets there are.
    Datasets {
        /// Their ids, in the order they are to stand in.
        ids: Vec<Arc<str>>,
    },
    /// One dataset by id.
    Dataset(String),
}

/// Functions of fields per bucket and group: columns `start`, `end`, the group's, then one per field and function.
#[derive(Clone, Debug, PartialEq)]
pub struct Aggregates {
    /// Dataset id.
    pub dataset: String,
    /// First instant; widened to a whole bucket.
    pub from: Time,
    /// First instant after; widened to a whole bucket.
    pub to: Time,
    /// Width of a row.
    pub bucket: BucketChoice,
    /// `co2_mean`, `vehicles_sum`, `co2_n`, `co2_coverage`; a bare `co2` or none at all gives default functions by kind.
    pub fields: Vec<String>,
    /// What makes a row besides the bucket.
    pub group: Group,
    /// Zone of civil buckets and of the times in the answer; the dataset's if not said.
    pub tz: Option<Zone>,
    /// Only these sensors; all when empty.
    pub sensors: Vec<String>,
    /// Only while a sensor's attribute has this value: (name, value), all must hold.
    pub attributes: Vec<(String, String)>,
    /// Whether buckets without readings are rows.
    pub fill: Fill,
    /// The order of rows; by start of the bucket, then by group if not said.
    pub order: Option<Order>,
    /// Rows at most: with an order the first of it, else more are refused, not cut. The engine's own limit if not said.
    pub limit: Option<usize>,
}

/// Width of a row of aggregates.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum BucketChoice {
    /// This one.
    Fixed(Bucket),
    /// The narrowest of a ladder that gives at most so many buckets, not narrower than the dataset's cadence.
    Auto {
        /// Buckets at most.
        max_points: usize,
    },
}

/// What makes a row of aggregates besides the bucket.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Group {
    /// One row per sensor: column `sensor`.
    #[default]
    Sensor,
    /// All sensors together.
    None,
    /// One row per value the attribute had then: column of the attribute's name, null for sensors without it.
    Attribute(String),
}

/// Whether buckets without readings are rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fill {
    /// Only buckets with readings.
    #[default]
    None,
    /// Every bucket of every group, values null.
    Null,
}

/// Raw rows by (time, sensor) ascending: columns `time`, `sensor`, then the fields.
#[derive(Clone, Debug, PartialEq)]
pub struct Readings {
    /// Dataset id.
    pub dataset: String,
    /// Only these sensors; all when empty.
    pub sensors: Vec<String>,
    /// First instant.
    pub from: Time,
    /// First instant after.
    pub to: Time,
    /// Field names; all when empty.
    pub fields: Vec<String>,
    /// `meta.next` of the page before.
    pub cursor: Option<String>,
    /// Rows of a page.
    pub limit: Option<usize>,
    /// Zone of the times in the answer; the dataset's if not said.
    pub tz: Option<Zone>,
}

/// Newest values, a row per sensor: columns `sensor`, `lon`, `lat`, `attributes`, `time` (of the newest of the fields), then per
/// field its value and `<field>_time`.
#[derive(Clone, Debug, PartialEq)]
pub struct Latest {
    /// Dataset id.
    pub dataset: String,
    /// Only these sensors; all when empty.
    pub sensors: Vec<String>,
    /// Whose attributes have these values: (name, value), all must hold.
    pub attributes: Vec<(String, String)>,
    /// Field names; all when empty.
    pub fields: Vec<String>,
    /// The order of rows; by sensor if not said.
    pub order: Option<Order>,
    /// Rows at most: with an order the first of it, else more are refused, not cut.
    pub limit: Option<usize>,
    /// Zone of the times in the answer; the dataset's if not said.
    pub tz: Option<Zone>,
}

/// The registry, a row per sensor: columns `sensor`, `lon`, `lat`, `attributes`, `registered`, `since`, `retired`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sensors {
    /// Dataset id.
    pub dataset: String,
    /// Within west, south, east, north in degrees.
    pub bbox: Option<[f64; 4]>,
    /// Within a distance of a point, nearest first.
    pub near: Option<Near>,
    /// Whose attributes have these values: (name, value).
    pub attributes: Vec<(String, String)>,
    /// Whose id or one of whose attribute values contains this text, whatever the case.
    pub q: Option<String>,
}

/// Within a distance of a point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Near {
    /// The point.
    pub place: Place,
    /// Metres.
    pub metres: f64,
}

impl BucketChoice {
    /// Buckets of `auto` when the question does not say.
    pub const DEFAULT_POINTS: usize = 500;

    /// Parses `bucket` (with `max_points` for `auto`).
    pub fn parse(text: &str, max_points: Option<usize>) -> Result<BucketChoice, Error> {
        if text == "auto" {
            let max_points = max_points.unwrap_or(Self::DEFAULT_POINTS);
            if max_points == 0 {
                return Err(Error::invalid("max_points", "max_points is 0", ["a whole number from 1".to_owned()]));
            }
            return Ok(BucketChoice::Auto { max_points });
        }
        Bucket::parse(text).map(BucketChoice::Fixed).map_err(|why| {
            let accepted = ["a duration from 1s (15m, 24h)", "day", "week", "month", "year", "auto"];
            Error::invalid("bucket", format!("bucket {text:?}: {why}"), accepted.map(str::to_owned))
        })
    }
}

impl Group {
    /// The column that names the group, if there is one.
    pub fn column(&self) -> Option<&str> {
        match self {
            Group::Sensor => Some("sensor"),
            Group::None => None,
            Group::Attribute(name) => Some(name),
        }
    }
}

impl FromStr for Group {
    type Err = Error;

    /// Parses `group`: `sensor`, `none`, or the name of an attribute.
    fn from_str(text: &str) -> Result<Group, Error> {
        match text {
            "sensor" => Ok(Group::Sensor),
            "none" => Ok(Group::None),
            "" => {
                let accepted = ["sensor", "none", "the name of an attribute"];
                Err(Error::invalid("group", "group is empty", accepted.map(str::to_owned)))
            }
            name => Ok(Group::Attribute(name.to_owned())),
        }
    }
}

impl FromStr for Fill {
    type Err = Error;

    /// Parses `fill`: `none` or `null`.
    fn from_str(text: &str) -> Result<Fill, Error> {
        match text {
            "none" => Ok(Fill::None),
            "null" => Ok(Fill::Null),
            _ => {
                Err(Error::invalid("fill", format!("fill {text:?} is not known"), ["none", "null"].map(str::to_owned)))
            }
        }
    }
}

/// Parses a time: RFC 3339 with offset, an ISO date (its start in `zone`), `now`, `now-7d`, `now+1h`.
pub fn parse_time(parameter: &'static str, text: &str, now: Time, zone: &Zone) -> Result<Time, Error> {
    let refuse = |why: String| {
        let accepted = ["RFC 3339 with offset (2026-11-20T08:15:00Z)", "a date (2026-11-20)", "now", "now-7d"];
        Error::invalid(parameter, format!("{parameter} {text:?}: {why}"), accepted.map(str::to_owned))
    };
    if let Some(rest) = text.strip_prefix("now") {
        let ahead = match rest.as_bytes().first() {
            None => return Ok(now),
            // A `+` of a query string that was not percent-encoded arrives as a space.
            Some(b'+' | b' ') => 1,
            Some(b'-') => -1,
            Some(_) => return Err(refuse("after now comes - or + and a duration".to_owned())),
        };
        let micros = schemas::window::parse_duration(&rest[1..]).map_err(refuse)?;
        return Ok(now.plus(ahead * micros));
    }
    if let Ok(date) = text.parse::<jiff::civil::Date>()
        && text.len() == 10
    {
        let zoned = date.to_zoned(zone.tz().clone()).map_err(|why| refuse(why.to_string()))?;
        return Ok(Time(zoned.timestamp().as_microsecond()));
    }
    // The same plus sign in an offset.
    let text = text.replace(' ', "+");
    let stamp: jiff::Timestamp = text.parse().map_err(|_| refuse("it is not a time with an offset".to_owned()))?;
    Ok(Time(stamp.as_microsecond()))
}

/// Parses `tz`.
pub fn parse_zone(text: &str) -> Result<Zone, Error> {
    let accepted = ["an IANA zone (Europe/Prague)", "UTC"].map(str::to_owned);
    Zone::parse(text).map_err(|why| Error::invalid("tz", format!("tz {text:?}: {why}"), accepted))
}

/// Parses `bbox`: west, south, east, north in degrees, by commas.
pub fn parse_bbox(text: &str) -> Result<[f64; 4], Error> {
    let refuse = || {
        let accepted = ["west,south,east,north in degrees, south below north".to_owned()];
        Error::invalid("bbox", format!("bbox {text:?} is not four degrees"), accepted)
    };
    let [west, south, east, north] = numbers(text).ok_or_else(refuse)?;
    let valid = Place::new(west, south).is_some() && Place::new(east, north).is_some() && south <= north;
    valid.then_some([west, south, east, north]).ok_or_else(refuse)
}

/// Parses `near`: longitude, latitude and metres, by commas.
pub fn parse_near(text: &str) -> Result<Near, Error> {
    let refuse = || {
        let accepted = ["lon,lat,metres".to_owned()];
        Error::invalid("near", format!("near {text:?} is not a point and a distance"), accepted)
    };
    let [lon, lat, metres] = numbers(text).ok_or_else(refuse)?;
    let place = Place::new(lon, lat).ok_or_else(refuse)?;
    (metres.is_finite() && metres >= 0.0).then_some(Near { place, metres }).ok_or_else(refuse)
}

/// Exactly `N` numbers by commas.
fn numbers<const N: usize>(text: &str) -> Option<[f64; N]> {
    let parts: Vec<f64> = text.split(',').map(|part| part.trim().parse().ok()).collect::<Option<_>>()?;
    parts.try_into().ok()
}

#[cfg(test)]
mod tests;
