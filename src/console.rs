//! Words for the person at the terminal: results on standard output, progress and complaints on standard error.
//!
//! A closed pipe (`lamppost status | head -1`) is no failure, so write errors are passed over.

use std::fmt::Display;
use std::io::{IsTerminal, Write};

/// One line of result.
pub(crate) fn say(line: impl Display) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
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

#[cfg(test)]
mod tests {
    #[test]
    fn counts_and_bytes_read_well() {
        assert_eq!(super::count(0), "0");
        assert_eq!(super::count(999), "999");
        assert_eq!(super::count(1_234_567), "1 234 567");
        assert_eq!(super::bytes(1023), "1023 B");
        assert_eq!(super::bytes(64 << 20), "64.0 MiB");
    }
}
