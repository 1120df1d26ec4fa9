//! Which rows of a file are whose, told in its footer, so that a question for few sensors reads only their pages.
//!
//! Key [`KEY`] of the file's metadata: a CRC-32C in 8 hexadecimal digits, a blank, and JSON with two lists. `ids`: sensor ids
//! ascending by bytes, each as [bytes it shares with the one before, the rest]. `rows`: [rows, sensors] where that many
//! sensors in a row have that many rows each. Some 8 KB for 1,000 sensors.

use parquet::file::metadata::KeyValue;
use serde::{Deserialize, Serialize};

/// Its key.
const KEY: &str = "lamppost.sensors";

#[derive(Default, Serialize, Deserialize)]
struct Text {
    ids: Vec<(usize, String)>,
    rows: Vec<(u32, u32)>,
}

/// Sensors in the order of the file, each with the row after its last.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Sensors {
    pub(super) ids: Vec<String>,
    pub(super) ends: Vec<u32>,
}

/// The entry of sensors in the order of the file, each with its rows.
pub(super) fn entry<'a>(sensors: impl Iterator<Item = (&'a str, usize)>) -> KeyValue {
    let mut text = Text::default();
    let mut before = "";
    for (id, rows) in sensors {
        let same = id.char_indices().zip(before.chars()).find(|((_, a), b)| a != b).map(|((at, _), _)| at);
        let shared = same.unwrap_or(id.len().min(before.len()));
        text.ids.push((shared, id[shared..].to_owned()));
        before = id;
        match text.rows.last_mut() {
            Some((last, times)) if *last as usize == rows => *times += 1,
            _ => text.rows.push((rows as u32, 1)),
        }
    }
    let json = serde_json::to_string(&text).unwrap_or_default();
    KeyValue::new(KEY.to_owned(), format!("{:08x} {json}", crc32c::crc32c(json.as_bytes())))
}

/// Whether a file has one.
pub(super) fn is_in(entries: Option<&Vec<KeyValue>>) -> bool {
    entries.is_some_and(|entries| entries.iter().any(|entry| entry.key == KEY))
}

/// The sensors of a file; nothing if it has no index. Says what is wrong with it.
pub(super) fn read(entries: Option<&Vec<KeyValue>>) -> Result<Option<Sensors>, String> {
    let Some(entry) = entries.and_then(|entries| entries.iter().find(|entry| entry.key == KEY)) else {
        return Ok(None);
    };
    let damaged = || "its index of sensors is damaged".to_owned();
    let (sum, json) = entry.value.as_deref().and_then(|text| text.split_once(' ')).ok_or_else(damaged)?;
    if u32::from_str_radix(sum, 16) != Ok(crc32c::crc32c(json.as_bytes())) {
        return Err(damaged());
    }
    let text: Text = serde_json::from_str(json).map_err(|_| damaged())?;
    let mut ids: Vec<String> = Vec::with_capacity(text.ids.len());
    for (shared, rest) in text.ids {
        let before = ids.last().map_or("", String::as_str).get(..shared).ok_or_else(damaged)?;
        ids.push(format!("{before}{rest}"));
    }
    let mut ends = Vec::with_capacity(ids.len());
    let mut end = 0_u32;
    for (rows, times) in text.rows {
        for _ in 0..times.min(u32::try_from(ids.len()).unwrap_or(u32::MAX)) {
            end = end.checked_add(rows).ok_or_else(damaged)?;
            ends.push(end);
        }
    }
    if ends.len() == ids.len() { Ok(Some(Sensors { ids, ends })) } else { Err(damaged()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sensors_come_back_from_the_index() {
        let sensors = [("a", 1440), ("aber", 1440), ("abend", 7), ("ž", 7), ("žž", 7)];
        let mut entries = vec![entry(sensors.into_iter())];
        let found = read(Some(&entries)).unwrap().unwrap();
        assert_eq!(found.ids, sensors.map(|(id, _)| id));
        assert_eq!(found.ends, [1440, 2880, 2887, 2894, 2901]);
        assert!(is_in(Some(&entries)));
        assert_eq!(read(None), Ok(None));
        entries[0].value = entries[0].value.take().map(|text| text.replace("ber", "bet"));
        assert!(read(Some(&entries)).is_err());
    }

    #[test]
    fn a_thousand_sensors_take_few_bytes() {
        let ids: Vec<String> = (0..1000).map(|n| format!("crossing-{n:04}")).collect();
        let entry = entry(ids.iter().map(|id| (id.as_str(), 1440)));
        assert!(entry.value.unwrap().len() < 10_000);
    }
}
