//! Bytes as a pack of SenML.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ingest::fuzzing::senml(bytes));
