//! Words for the person at the terminal: results on standard output, progress and complaints on standard error.
//!
//! A closed pipe (`lamppost status | head -1`) is no failure, so write errors are passed over.

use std::fmt::Display;
use std::io::{IsTerminal, Write};

/// One line of result.
pub(crate) fn say(line: impl Display) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// A page in place of the one before.
pub(crate) fn replace(page: impl Display) {
    let mut stdout = std::io::stdout().lock();
    let clear = if stdout.is_terminal() { "\x1b[H\x1b[2J" } else { "" };
    let _ = writeln!(stdout, "{clear}{page}");
    let _ = stdout.flush();
}

/// One line beside the result: a complaint, a warning.
pub(crate) fn note(line: impl Display) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// A progress line. On a terminal each replaces the one before; elsewhere each is a line.
pub(crate) fn progress(line: impl Display) {
    let mut stderr = std::io::stderr().lock();
    let _ = match stderr.is_terminal() {
        true => write!(stderr, "\r\x1b[2K{line}").and_then(|()| stderr.flush()),
        false => writeln!(stderr, "{line}"),
    };
}

/// Ends a run of progress lines.
pub(crate) fn progress_end() {
    let mut stderr = std::io::stderr().lock();
    if stderr.is_terminal() {
        let _ = write!(stderr, "\r\x1b[2K").and_then(|()| stderr.flush());
    }
}

/// Whether the person at the terminal says yes. Nobody there says no.
pub(crate) fn agreed(question: &str) -> bool {
    let mut stderr = std::io::stderr().lock();
    let _ = write!(stderr, "{question}").and_then(|()| stderr.flush());
    let mut line = String::new();
    let said = std::io::stdin().read_line(&mut line).is_ok_and(|bytes| bytes > 0);
    said && matches!(line.trim(), "y" | "Y" | "yes")
}

/// A count for people: `1 234 567`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// Bytes for people: `64.0 MiB`.
pub(crate) fn bytes(number: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut value = number as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{number} B") } else { format!("{value:.1} {}", UNITS[unit]) }
}

/// So many of something that is counted: `1 segment`, `1 204 segments`.
pub(crate) fn plural(number: u64, one: &str) -> String {
    format!("{} {one}{}", count(number), if number == 1 { "" } else { "s" })
}

/// A span of time for people, in its one or two largest units: `1.2 ms`, `4 s`, `3 min`, `2 h 5 min`, `12 days`.
pub(crate) fn span(seconds: f64) -> String {
    let whole = seconds.max(0.0) as u64;
    match whole {
        0 if seconds < 0.001 => format!("{:.0} µs", seconds.max(0.0) * 1e6),
        0 => format!("{:.1} ms", seconds * 1e3),
        1..=119 => format!("{whole} s"),
        120..=7_199 => format!("{} min", whole / 60),
        7_200..=172_799 => match whole % 3600 / 60 {
            0 => format!("{} h", whole / 3600),
            minutes => format!("{} h {minutes} min", whole / 3600),
        },
        _ => plural(whole / 86_400, "day"),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn spans_and_plurals_read_well() {
        for (seconds, said) in [
            (0.0, "0 µs"),
            (0.000_25, "250 µs"),
            (0.0012, "1.2 ms"),
            (4.9, "4 s"),
            (119.0, "119 s"),
            (180.0, "3 min"),
            (7_200.0, "2 h"),
            (7_500.0, "2 h 5 min"),
            (86_400.0 * 12.5, "12 days"),
        ] {
            assert_eq!(super::span(seconds), said);
        }
        assert_eq!(super::plural(1, "segment"), "1 segment");
        assert_eq!(super::plural(0, "segment"), "0 segments");
        assert_eq!(super::plural(1204, "reading"), "1 204 readings");
    }

    #[test]
    fn counts_and_bytes_read_well() {
        assert_eq!(super::count(0), "0");
        assert_eq!(super::count(999), "999");
        assert_eq!(super::count(1_234_567), "1 234 567");
        assert_eq!(super::bytes(1023), "1023 B");
        assert_eq!(super::bytes(64 << 20), "64.0 MiB");
    }
}
