//! Bytes as lines of Graphite.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ingest::fuzzing::graphite(bytes));
