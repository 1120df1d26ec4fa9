//! `time` of a source: where it stands and how to read it.

use super::dataset::optional;
use super::section::{Item, Section};
use super::source::pointer;
use crate::source::{EpochUnit, Fold, TimeFormat, TimeSpec};
use crate::stamp::{PatternMeans, pattern_means};
use crate::{Zone, near};

/// Formats with a name; anything else is a strptime pattern.
const NAMED: [&str; 5] = ["rfc3339", "epoch_s", "epoch_ms", "epoch_us", "epoch_ns"];

/// `"arrival"` or a table.
pub(super) fn read(item: &Item<'_>) -> Option<TimeSpec> {
    if !item.is_table() {
        return item.parsed(|text| match text {
            "arrival" => Ok(TimeSpec::Arrival),
            _ => Err("write \"arrival\", or { path = \"/ts\", format = \"rfc3339\" }".into()),
        });
    }
    let section = item.section()?;
    let path = pointer(&section, "path", "add path = \"/ts\", the pointer to the time");
    let format_item =
        section.need("format", "add format = \"rfc3339\", \"epoch_s\", \"epoch_ms\" or a strptime pattern");
    let format = format_item.as_ref().and_then(|item| item.text().and_then(|text| format(&section, item, text)));
    section.close();
    Some(TimeSpec::Payload { path: path?, format: format? })
}

fn format(section: &Section<'_>, item: &Item<'_>, text: &str) -> Option<TimeFormat> {
    let named = match text {
        "rfc3339" => TimeFormat::Rfc3339,
        "epoch_s" => TimeFormat::Epoch(EpochUnit::Second),
        "epoch_ms" => TimeFormat::Epoch(EpochUnit::Milli),
        "epoch_us" => TimeFormat::Epoch(EpochUnit::Micro),
        "epoch_ns" => TimeFormat::Epoch(EpochUnit::Nano),
        _ => return pattern(section, item, text),
    };
    for key in ["zone", "fold"] {
        section.refuse(key, &format!("{text} gives an instant by itself: remove it, or write a strptime pattern"));
    }
    Some(named)
}

fn pattern(section: &Section<'_>, item: &Item<'_>, text: &str) -> Option<TimeFormat> {
    let zone_item = section.take("zone");
    let fold =
        optional(section.take("fold"), |item| item.one_of(&[("earlier", Fold::Earlier), ("later", Fold::Later)]));
    let has_zone = zone_item.is_some();
    let zone = optional(zone_item, |item| item.parsed(Zone::parse).map(Some));
    if !text.contains('%') {
        let near = near::nearest(text, NAMED).map(|near| format!("write \"{near}\""));
        let remedy = near.unwrap_or_else(|| {
            format!("write {} or a strptime pattern such as \"%Y-%m-%d %H:%M:%S\"", NAMED.join(", "))
        });
        item.fault(format!("is \"{text}\""), remedy);
        return None;
    }
    match (item.parsed(pattern_means)?, has_zone) {
        (PatternMeans::Civil, false) => {
            item.fault(
                "has no offset, and `time.zone` is missing",
                "add zone = \"Europe/Prague\" or whichever the stamps are in",
            );
            return None;
        }
        (PatternMeans::Instant, true) => {
            item.fault("has an offset, and `time.zone` is given too", "remove zone");
            return None;
        }
        _ => {}
    }
    Some(TimeFormat::Pattern { pattern: text.into(), zone: zone?, fold: fold? })
}
