//! Time zones: civil time to instants and back, from the IANA data bundled in the binary.

use crate::Time;
use crate::source::Fold;

/// An IANA time zone.
#[derive(Clone, Debug, PartialEq)]
pub struct Zone(jiff::tz::TimeZone);

impl Zone {
    /// UTC.
    pub fn utc() -> Zone {
        Zone(jiff::tz::TimeZone::UTC)
    }

    /// Looks an IANA name up (`Europe/Prague`); the error says what is accepted.
    pub fn parse(_name: &str) -> Result<Zone, String> {
        todo!()
    }

    /// Its IANA name.
    pub fn name(&self) -> &str {
        todo!()
    }

    /// jiff's own zone.
    pub fn tz(&self) -> &jiff::tz::TimeZone {
        &self.0
    }

    /// The instant of a civil date and time: the earlier or later of two as `fold` says, nothing if the zone skips it.
    pub fn instant(&self, _civil: jiff::civil::DateTime, _fold: Fold) -> Option<Time> {
        todo!()
    }

    /// RFC 3339 with the zone's offset at that instant: `2026-11-20T09:15:00+01:00`; `Z` for UTC.
    pub fn format(&self, _time: Time) -> String {
        todo!()
    }
}
