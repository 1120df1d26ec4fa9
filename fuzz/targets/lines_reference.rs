//! A body of line protocol, as `influxdb-line-protocol` reads it and as we do.
//!
//! Compared are the readings of `air`, by the tag `room` and the field `co2`, of bodies that the other crate reads whole: there our reader may
//! refuse nothing of them but what a contract forbids. It keeps values as floating point, so that the last digit may differ.
#![no_main]

use influxdb_line_protocol::{FieldValue, parse_lines};
use std::collections::BTreeMap;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(theirs) = parse_lines(text).collect::<Result<Vec<_>, _>>() else { return };
    let ours: BTreeMap<(String, i64), i64> =
        ingest::fuzzing::lines_read(bytes).into_iter().map(|(room, time, value)| ((room, time), value)).collect();
    for line in theirs.iter().filter(|line| line.series.measurement == "air") {
        let room = line.tag_value("room").map(ToString::to_string).unwrap_or_default();
        // The rest is a matter of the contract: ids, instants and values that are kept.
        let Some(time) = line.timestamp.map(|nanos| nanos.div_euclid(1000)) else { continue };
        let kept = (946_684_800_000_000..1_795_161_600_000_000).contains(&time);
        let Some(value) = line.field_value("co2").and_then(number).filter(|value| value.abs() < 999_999.0) else { continue };
        let is_once = theirs.iter().filter(|other| other.timestamp.map(|nanos| nanos.div_euclid(1000)) == Some(time)).count() == 1;
        let is_plain = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !kept || !is_once || !is_plain(&room) || line.field_set.iter().filter(|(name, _)| *name == "co2").count() != 1 {
            continue;
        }
        let read = ours.get(&(room.clone(), time)).unwrap_or_else(|| panic!("{line:?} was not read"));
        assert!((*read as f64 / 100.0 - value).abs() <= 0.011, "{line:?} was read as {read} hundredths");
    }
});

fn number(value: &FieldValue<'_>) -> Option<f64> {
    match value {
        FieldValue::I64(value) => Some(*value as f64),
        FieldValue::U64(value) => Some(*value as f64),
        FieldValue::F64(value) => Some(*value),
        _ => None,
    }
}
