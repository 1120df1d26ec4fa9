//! Bytes as packets of a device.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ingest::fuzzing::packets(bytes));
