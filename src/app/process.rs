//! What the kernel says of this process, under the names that every Prometheus client uses.

use schemas::Time;
use serve::{Figure, FigureKind};
use std::fs;

/// Ticks of the kernel's process times in a second: the same on every Linux that Rust knows (`USER_HZ`).
const TICKS: f64 = 100.0;

/// Resident memory in bytes; 0 where the kernel does not say.
pub(super) fn memory() -> u64 {
    status("VmRSS:")
}

/// The process' figures. What the kernel does not say is left out.
pub(super) fn figures(started: Time) -> Vec<Figure> {
    let gauge = |name, help, value: f64| figure(name, help, FigureKind::Gauge, value);
    let mut figures = vec![
        gauge("process_start_time_seconds", "When the process started, in seconds since 1970", started.0 as f64 / 1e6),
        gauge("process_resident_memory_bytes", "Memory in use", memory() as f64),
        gauge("process_virtual_memory_bytes", "Address space in use", status("VmSize:") as f64),
    ];
    figures.extend(open_files().map(|open| gauge("process_open_fds", "Open files and sockets", open as f64)));
    figures.extend(most_files().map(|most| gauge("process_max_fds", "Files and sockets that may be open", most)));
    let help = "Processor time used";
    figures.extend(processor().map(|seconds| figure("process_cpu_seconds", help, FigureKind::Counter, seconds)));
    figures
}

fn figure(name: &'static str, help: &'static str, kind: FigureKind, value: f64) -> Figure {
    Figure { name, help, kind, values: vec![(Vec::new(), value)] }
}

/// Bytes of a line of `/proc/self/status`, which gives kibibytes.
fn status(line: &str) -> u64 {
    let text = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let value = text.lines().find_map(|found| found.strip_prefix(line)?.trim().strip_suffix(" kB")?.parse().ok());
    value.unwrap_or(0_u64) * 1024
}

fn open_files() -> Option<usize> {
    // One of them is the look itself.
    Some(fs::read_dir("/proc/self/fd").ok()?.count().saturating_sub(1))
}

fn most_files() -> Option<f64> {
    let text = fs::read_to_string("/proc/self/limits").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Seconds of user and system time: fields 14 and 15 of `/proc/self/stat`, counted behind the name in its parentheses.
fn processor() -> Option<f64> {
    let text = fs::read_to_string("/proc/self/stat").ok()?;
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |field: usize| fields.get(field)?.parse::<f64>().ok();
    Some((ticks(11)? + ticks(12)?) / TICKS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_says_all_of_it() {
        let figures = figures(Time(5_000_000));
        let value = |name: &str| figures.iter().find(|figure| figure.name == name).map(|figure| figure.values[0].1);
        assert_eq!(value("process_start_time_seconds"), Some(5.0));
        assert!(value("process_resident_memory_bytes") > Some(1e6));
        assert!(value("process_virtual_memory_bytes") >= value("process_resident_memory_bytes"));
        assert!(value("process_open_fds") >= Some(3.0) && value("process_max_fds") >= value("process_open_fds"));
        assert!(value("process_cpu_seconds") >= Some(0.0));
    }
}
