//! Bytes as a JSON payload.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ingest::fuzzing::json(bytes));
