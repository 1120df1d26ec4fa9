//! Bytes on disk of each system, by value.

use crate::system::Kind;
use crate::table::print;
use crate::town::{DATASETS, DAY, END, LAST, SENSORS};
use std::path::Path;

/// Goals for the raw tables of Lamppost and for all of its tables, in bytes a value.
const GOALS: (f64, f64) = (0.62, 0.85);

/// Values of so many days.
fn values(days: i64) -> f64 {
    let fields: usize = DATASETS.iter().map(|dataset| dataset.fields.len()).sum();
    fields as f64 * SENSORS as f64 * minutes(days)
}

/// Minutes of which there are readings.
fn minutes(days: i64) -> f64 {
    (days * DAY + LAST - END) as f64
}

/// Prints the sizes of what was loaded, and how long that took.
pub(crate) fn print_all(loaded: &[(&Kind, &Path, f64)], days: i64) {
    let rows = (DATASETS.len() * SENSORS) as f64 * minutes(days);
    let mut lines = vec![vec![format!("bytes a value, {days} days"), "MB".into(), "B/value".into(), "goal".into()]];
    let mut line = |name: String, bytes: u64, goal: Option<f64>| {
        let each = bytes as f64 / values(days);
        let goal = goal.map(|goal| format!("{goal} {}", if each <= goal { "met" } else { "missed" }));
        lines.push(vec![name, format!("{:.1}", bytes as f64 / 1e6), format!("{each:.3}"), goal.unwrap_or_default()]);
    };
    for (kind, folder, seconds) in loaded {
        let parts = kind.sizes(folder);
        let all = parts.iter().map(|(_, bytes)| bytes).sum();
        let rate = format!("{}, loaded at {:.0} rows/s", kind.name, rows / seconds);
        if kind.name == "Lamppost" {
            let raw = parts.iter().filter(|(part, _)| part.ends_with("raw")).map(|(_, bytes)| bytes).sum();
            line(rate, all, Some(GOALS.1));
            line("  all raw".into(), raw, Some(GOALS.0));
        } else {
            line(rate, all, None);
        }
        for (part, bytes) in parts {
            line(format!("  {part}"), bytes, None);
        }
    }
    print(&lines);
}
