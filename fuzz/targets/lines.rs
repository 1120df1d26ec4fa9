//! Bytes as a body of line protocol.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ingest::fuzzing::lines(bytes));
