//! Bytes as what a log holds.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| store::fuzzing::log_records(bytes));
