//! Contracts: TOML text to datasets, all faults of all files in one run.
//!
//! One file declares one dataset. This is the reference of its keys; a key not named here is a fault.
//!
//! | key | value | default |
//! |---|---|---|
//! | `id` | `[a-z][a-z0-9_]*`, up to 40 characters; names the dataset in paths, API and SQL | required |
//! | `title`, `description` | a text (English), or a table of language tag to text | `title` required |
//! | `license` | SPDX id, such as `CC-BY-4.0` | required |
//! | `publisher` | who publishes it | required |
//! | `access` | `public` or `restricted` | `public` |
//! | `zone` | IANA zone of its civil days; fixed once data exists | required |
//! | `every` | expected cadence of one sensor: a duration, or `event` for none | required |
//! | `sensors` | registry file: a GeoJSON FeatureCollection, beside the contract | none |
//! | `unknown_sensors` | `accept` (listed as unregistered) or `refuse`, for sensors the file does not list | `accept` |
//! | `max_sensors` | past it a new sensor's readings are rejected | 100000 |
//! | `keep` | `{ raw, 15m, 1h, 1d }`: a duration from `1d` or `forever`, none shorter than the one before | `90d`, `2y`, `forever`, `forever` |
//!
//! Durations are a number with `s`, `m`, `h`, `d` or `y` (365 days).
//!
//! **`[[field]]`**, at least one:
//!
//! | key | value | default |
//! |---|---|---|
//! | `name` | like `id`; not a column of every answer (`sensor`, `time`, …), nor another field's name with `_mean` or the like | required |
//! | `title` | as above | its name |
//! | `kind` | `gauge`, `count`, `cumulative`, `state`, `level` or `angle` | required |
//! | `unit` | UCUM code; a `level` has decibels, an `angle` `deg`; of a `state` only `1` | required but for `state` |
//! | `resolution` | 1, 0.1, … 0.000001: values are kept as whole steps of it; not of a `state` | 1 |
//! | `range` | `[least, greatest]` valid value in `unit`, both in whole steps; at most 18 digits of steps; not of a `state` | required but for `state` |
//! | `quantiles` | `true`: the 1d tier keeps counts of values by bin, so that `p95_sketch` and the like are quick over long spans; of `gauge`, `count`, `level` | `false` |
//! | `values` | of a `state`: its words | required for `state` |
//! | `hold` | of a `state`: how long it stands without another reading | `24h` |
//!
//! **`[[source]]`**, at least one. Pointers are JSON pointers (RFC 6901) into one payload object.
//!
//! | key | value | default |
//! |---|---|---|
//! | `mqtt` | topic filter | none |
//! | `http` | `readings`: JSON and JSON lines posted to `/api/v1/datasets/{id}/readings` | none |
//! | `line` | measurement: its lines of InfluxDB line protocol, posted to `/write` or `/api/v2/write` | none |
//! | `graphite` | pattern of paths: `city.{station}.air.{name}`; Graphite's plaintext at the TCP door | none |
//! | `senml` | pattern of names: `urn:dev:ow:{station}:{name}`; SenML packs, over `mqtt` or posted to `/senml` or to the dataset's readings | none |
//! | `decoder` | `json`: an object, or an array of objects | `json` |
//! | `sensor` | template: text with `{topic.1}` (topic level, counted from 0) and `{/pointer}`; with `line` `{tag}`, with patterns `{part}` | required |
//! | `time` | `arrival`, or `{ path, format, zone, fold }`; see below. Lines, Graphite and SenML have their own | required |
//! | `stamp` | `start`, or `end` where the time marks the end of its interval: `every` is taken off | `start` |
//! | `every` | this source's cadence, where it differs; serves coverage and `stamp` | the dataset's |
//! | `missing` | texts that mean "no value"; JSON null always does | `[""]` |
//! | `map` | which payload values are which fields; see below | required |
//! | `place` | `{ lon, lat }`: pointers to WGS 84 degrees | none |
//! | `attributes` | attribute name to pointer | none |
//!
//! **`time`**: `path` is a pointer; `format` is `rfc3339`, `epoch_s`, `epoch_ms`, `epoch_us`, `epoch_ns` or a strptime
//! pattern (`%Y-%m-%d %H:%M:%S`, `%.f` for a fraction). A pattern without offset needs `zone`; `fold = "later"` takes the
//! second of two equal local times, `"earlier"` (the default) the first.
//!
//! **`map`**, wide (one object carries several fields): field to pointer, or to `{ path, unit, words }`. `unit` is the
//! payload's, converted exactly to the field's; `words` are for states: payload text to one of `values` (the values
//! themselves are always understood).
//!
//! **`map`**, long (one object carries one value): `by` and `value` are pointers to the name and the value; then field to
//! the name in the payload, or to `{ name, unit, words }`; `ignore` lists names that are known and not wanted.
//!
//! **`map`** of lines: field to the name the line has it by (or `{ path, unit, words }`); `place` and `attributes` name fields
//! and tags of the line in the same way. With patterns: field to what the part `{name}` stands for; a pattern without it tells
//! one value, which `map` calls `value`. A part stands for one character or more, without `.` in paths and without `:` and `/`
//! in names; `{*}` for any.

mod dataset;
mod decoder;
mod field;
mod keep;
mod map;
mod names;
mod section;
mod shape;
mod source;
mod time;

use crate::{Dataset, Fault, Faults};
use section::{Page, Section};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use toml::de::DeTable;

pub use shape::{check_shape, shape};

/// A contract's text as read from disk, by whoever may do I/O.
#[derive(Clone, Debug)]
pub struct Text {
    /// Its file, for messages.
    pub file: PathBuf,
    /// Its TOML.
    pub toml: String,
    /// The registry file its `sensors` key names: path for messages, and text or why it could not be read.
    pub registry: Option<(PathBuf, Result<String, String>)>,
}

/// The `sensors` file a contract's TOML names, so that the caller can read it before [`parse`]; nothing if it names none.
pub fn registry_file(toml: &str) -> Option<String> {
    let (table, _) = DeTable::parse_recoverable(toml);
    Some(table.get_ref().get("sensors")?.get_ref().as_str()?.to_string())
}

/// Parses contracts. Dataset ids are unique over all files. Every fault of every file is reported.
pub fn parse(texts: &[Text]) -> Result<Vec<Arc<Dataset>>, Faults> {
    let mut faults: Vec<Fault> = Vec::new();
    let mut datasets = Vec::new();
    let mut ids: BTreeMap<String, &Path> = BTreeMap::new();
    for text in texts {
        let page = Page::new(&text.file, &text.toml);
        let (table, errors) = DeTable::parse_recoverable(&text.toml);
        for error in &errors {
            let line = error.span().map_or(0, |span| page.line(span.start));
            page.fault(line, format!("not TOML: {}", error.message()), "write it as TOML 1.0");
        }
        if errors.is_empty() {
            let root = Section::root(&page, table.get_ref());
            if let Some((id, first, line)) = taken(&root, &mut ids, &text.file) {
                let remedy = "give each dataset an id of its own, and one file";
                page.fault(line, format!("`id` \"{id}\" is the id of {} too", first.display()), remedy);
            }
            datasets.extend(dataset::read(&root, text).map(Arc::new));
        }
        faults.extend(page.into_faults());
    }
    if faults.is_empty() {
        return Ok(datasets);
    }
    faults.sort();
    Err(Faults(faults))
}

/// The id, the file that has it already and the line, if an earlier file has the same.
fn taken<'a>(
    root: &Section<'_>,
    ids: &mut BTreeMap<String, &'a Path>,
    file: &'a Path,
) -> Option<(String, &'a Path, usize)> {
    let (id, line) = root.peek_text("id")?;
    match ids.get(id) {
        Some(first) => Some((id.into(), first, line)),
        None => {
            ids.insert(id.into(), file);
            None
        }
    }
}

#[cfg(test)]
mod tests;
