//! Entrances for the fuzz targets of `fuzz/`, and for the test that replays their corpus. No part of the API.
//!
//! A property that does not hold panics: that is how a fuzzer learns of it.

/// Bytes as a record's body, as records of a segment, and as a whole segment; see `log/fuzz.rs`.
pub fn log_records(bytes: &[u8]) {
    crate::log::fuzz::run(bytes);
}
