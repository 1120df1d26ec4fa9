//! What could not become a reading, kept with its reason.

use crate::Time;
use std::sync::Arc;

/// Why a message, a reading or one field of it was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// No contract has a source for this topic or path.
    UnknownTopic,
    /// The payload is not what the decoder reads (not JSON, not an object or array of objects).
    InvalidPayload,
    /// The payload is larger than the door takes.
    TooLarge,
    /// The sensor template found nothing to fill it with.
    MissingSensor,
    /// The sensor's id is empty, too long, or has control characters.
    InvalidSensor,
    /// The registry does not list the sensor and the contract refuses such.
    UnknownSensor,
    /// The dataset has as many sensors as its contract allows.
    TooManySensors,
    /// The payload has no time where the contract says it is.
    MissingTime,
    /// The time is not in the contract's format.
    InvalidTime,
    /// A naive local time that the zone skips.
    NoSuchLocalTime,
    /// Before 2000-01-01.
    BeforeEarliest,
    /// More than five minutes ahead of arrival.
    InFuture,
    /// In a window whose raw readings are gone.
    TooOld,
    /// A retained message for a source whose time is arrival.
    RetainedWithoutTime,
    /// None of the mapped fields is in the payload.
    NoFields,
    /// The value is not a number (or not a word of the state's list).
    InvalidValue,
    /// The value is outside the field's range.
    OutOfRange,
    /// Longitude or latitude is not a number or out of its range.
    InvalidPlace,
}

impl Reason {
    /// The word in the rejects table and in metrics: `out_of_range`.
    pub fn name(self) -> &'static str {
        match self {
            Reason::UnknownTopic => "unknown_topic",
            Reason::InvalidPayload => "invalid_payload",
            Reason::TooLarge => "too_large",
            Reason::MissingSensor => "missing_sensor",
            Reason::InvalidSensor => "invalid_sensor",
            Reason::UnknownSensor => "unknown_sensor",
            Reason::TooManySensors => "too_many_sensors",
            Reason::MissingTime => "missing_time",
            Reason::InvalidTime => "invalid_time",
            Reason::NoSuchLocalTime => "no_such_local_time",
            Reason::BeforeEarliest => "before_earliest",
            Reason::InFuture => "in_future",
            Reason::TooOld => "too_old",
            Reason::RetainedWithoutTime => "retained_without_time",
            Reason::NoFields => "no_fields",
            Reason::InvalidValue => "invalid_value",
            Reason::OutOfRange => "out_of_range",
            Reason::InvalidPlace => "invalid_place",
        }
    }

    /// What a person can do about it.
    pub fn remedy(self) -> &'static str {
        match self {
            Reason::UnknownTopic => "write a contract whose source has this topic, or let the device publish elsewhere",
            Reason::InvalidPayload => "see what the device sends; the contract's decoder must be the one for it",
            Reason::TooLarge => "send smaller messages, or raise message.bytes in the config",
            Reason::MissingSensor => "correct `sensor` in the contract, or let the device send what it names",
            Reason::InvalidSensor => {
                "give the sensor an id that is neither empty nor too long and has no control characters"
            }
            Reason::UnknownSensor => "add the sensor to the registry file, or set sensors to accept unknown ones",
            Reason::TooManySensors => "raise max_sensors in the contract; if ids look random, mend what makes them",
            Reason::MissingTime => "correct `time` in the contract, or let the device send its time",
            Reason::InvalidTime => "correct the time's `format` in the contract to what the device sends",
            Reason::NoSuchLocalTime => "let the device send UTC or an offset; local clocks skip an hour in spring",
            Reason::BeforeEarliest => "set the device's clock",
            Reason::InFuture => "set the device's clock, or correct the zone of its times in the contract",
            Reason::TooOld => "import it while raw readings of that day are kept, or keep them longer",
            Reason::RetainedWithoutTime => "publish without the retain flag, or send the time in the payload",
            Reason::NoFields => "correct `map` in the contract: none of its paths is in the payload",
            Reason::InvalidValue => "see the value; what stands for none belongs into `missing` of the contract",
            Reason::OutOfRange => {
                "see whether the sensor is broken; else widen `range` or correct the unit in the contract"
            }
            Reason::InvalidPlace => "correct `place` in the contract, or what the device sends for it",
        }
    }
}

/// One rejected message, reading or field. The store counts equal ones: key (source, topic, hash, reason, field).
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Reject {
    /// Which source it was for: `air_quality/0`; empty when no source matched.
    pub source: Arc<str>,
    /// Topic or path it came by.
    pub topic: Arc<str>,
    /// Hash of the whole payload.
    pub hash: u64,
    /// Why.
    pub reason: Reason,
    /// The field concerned; empty when the reading or message as a whole is.
    pub field: Arc<str>,
    /// What was wrong and what would be right, for a person.
    pub detail: String,
    /// The payload, up to a cap.
    pub payload: Vec<u8>,
    /// When it arrived.
    pub time: Time,
}
