//! How readings of a dataset arrive: door, decoder, mapping.

use crate::template::{Pointer, Template};
use crate::topic::Filter;
use crate::{Cadence, Pattern, Unit, Zone};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A source, as the contract's `[[source]]` declares it.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its name in rejects and metrics: dataset id and index, `air_quality/0`.
    pub name: Arc<str>,
    /// MQTT subscription, and the pattern for the built-in door.
    pub mqtt: Option<Filter>,
    /// Whether the dataset's own HTTP door takes it: `http = "readings"`. SenML always comes in there too.
    pub http: bool,
    /// The sensor's id, from topic levels and payload values.
    pub sensor: Template,
    /// What reads the payload.
    pub decoder: Decoder,
    /// Where the time comes from.
    pub time: TimeSpec,
    /// Whether a stamp marks the start or the end of its interval.
    pub stamp: Stamp,
    /// Expected cadence of this source's sensors, if it differs from the dataset's.
    pub every: Option<Cadence>,
    /// Texts that mean "no value".
    pub missing: Vec<String>,
    /// Which payload values are which fields.
    pub map: Mapping,
    /// Where the payload tells the sensor's place.
    pub place: Option<PlaceSpec>,
    /// Where the payload tells attributes of the sensor: attribute name to pointer.
    pub attributes: BTreeMap<String, Pointer>,
}

/// What reads a payload, and which of what it reads is for the source. Further formats become further variants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decoder {
    /// A JSON object, or an array of objects, each one reading.
    Json,
    /// InfluxDB line protocol: the lines of this measurement. Parts are tags; `map` names fields of the line.
    Line(Arc<str>),
    /// Graphite's plaintext: the paths of this pattern. `map` names what the part [`crate::pattern::NAME`] stands for, or
    /// [`crate::pattern::VALUE`] where the pattern has none.
    Graphite(Pattern),
    /// A SenML pack (RFC 8428): the records whose name has this pattern; `map` as with Graphite.
    Senml(Pattern),
}

impl Decoder {
    /// Whether its records tell their time by themselves; those that do not are as old as their arrival.
    pub fn has_time(&self) -> bool {
        !matches!(self, Decoder::Json)
    }
}

/// Where a reading's time comes from.
#[derive(Clone, Debug)]
pub enum TimeSpec {
    /// The message carries none: the instant it arrived.
    Arrival,
    /// Where the format has it ([`Decoder::has_time`]).
    Record,
    /// A value of the payload.
    Payload {
        /// Where it is.
        path: Pointer,
        /// How to read it.
        format: TimeFormat,
    },
}

/// How to read a time.
#[derive(Clone, Debug)]
pub enum TimeFormat {
    /// RFC 3339 with offset; `+0100` and a space for the `T` are taken too.
    Rfc3339,
    /// Number of so many microseconds each since 1970 (1_000_000 for seconds; 0 stands for nanoseconds).
    Epoch(EpochUnit),
    /// A strptime pattern. Naive stamps are read in `zone`; ambiguous ones by `fold`.
    Pattern {
        /// The pattern, in strptime's letters: `%Y-%m-%d %H:%M:%S`.
        pattern: String,
        /// Zone of naive stamps; nothing when the pattern itself has an offset.
        zone: Option<Zone>,
        /// Which of two instants an ambiguous stamp means.
        fold: Fold,
    },
}

/// Unit of an epoch number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EpochUnit {
    /// Seconds; a fraction is taken.
    Second,
    /// Milliseconds.
    Milli,
    /// Microseconds.
    Micro,
    /// Nanoseconds, cut to microseconds towards the past.
    Nano,
}

/// Which of the two instants a local time that occurs twice means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fold {
    /// The earlier (the default).
    #[default]
    Earlier,
    /// The later.
    Later,
}

/// Whether a stamp marks the start or the end of the interval it counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stamp {
    /// The start (the default).
    #[default]
    Start,
    /// The end: `every` is taken off.
    End,
}

/// Which payload values are which fields.
#[derive(Clone, Debug)]
pub enum Mapping {
    /// One payload object carries several fields.
    Wide(Vec<Mapped>),
    /// One payload object carries one value, named by another of its values.
    Long {
        /// Where the name is.
        by: Pointer,
        /// Where the value is.
        value: Pointer,
        /// Name in the payload to field. Names not listed are ignored only if `ignore` lists them; else `no_fields`.
        names: Vec<LongName>,
        /// Names that are known and not taken.
        ignore: Vec<String>,
    },
}

/// One field of a wide mapping.
#[derive(Clone, Debug)]
pub struct Mapped {
    /// Index of the field in the dataset.
    pub field: usize,
    /// Where its value is; of formats without pointers its name is the one part.
    pub path: Pointer,
    /// Unit the payload gives it in; converted exactly to the field's.
    pub unit: Unit,
    /// For a state: payload text to the index of the state's value; identity names included.
    pub words: BTreeMap<String, i64>,
}

/// One name of a long mapping.
#[derive(Clone, Debug)]
pub struct LongName {
    /// The name in the payload.
    pub name: String,
    /// Index of the field in the dataset.
    pub field: usize,
    /// Unit the payload gives it in.
    pub unit: Unit,
    /// For a state: payload text to the index of the state's value.
    pub words: BTreeMap<String, i64>,
}

/// Where a payload tells its sensor's place.
#[derive(Clone, Debug)]
pub struct PlaceSpec {
    /// Longitude in degrees.
    pub lon: Pointer,
    /// Latitude in degrees.
    pub lat: Pointer,
}
