//! Sizes and durations as people write them in the config.

use std::time::Duration;

/// What a size looks like, for messages.
pub(crate) const SIZE: &str = "write bytes with a unit in quotes, such as \"64MiB\" or \"500MB\"";
/// What a duration looks like, for messages.
pub(crate) const AGE: &str = "write a number with a unit in quotes, such as \"30s\", \"15m\" or \"90d\"";

/// Bytes of `64MiB`, `2 GiB`, `500MB`, `4096B`: binary units (IEC 80000-13) and decimal ones, whole numbers only.
pub fn size(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let number: u64 = text[..digits].parse().ok()?;
    let factor: u64 = match text[digits..].trim_start() {
        "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "TiB" => 1 << 40,
        "kB" | "KB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "TB" => 1_000_000_000_000,
        _ => return None,
    };
    number.checked_mul(factor)
}

/// The span of `30s`, `15m`, `90d`.
pub fn age(text: &str) -> Option<Duration> {
    let micros = schemas::window::parse_duration(text).ok()?;
    u64::try_from(micros).ok().map(Duration::from_micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (text, bytes) in [
            ("64MiB", Some(64 << 20)),
            ("2 GiB", Some(2 << 30)),
            ("500MB", Some(500_000_000)),
            ("0B", Some(0)),
            ("64", None),
            ("MiB", None),
            ("-1MiB", None),
            ("1.5MiB", None),
            ("64mib", None),
            ("99999999999TiB", None),
            ("", None),
        ] {
            assert_eq!(size(text), bytes, "{text:?}");
        }
    }
}
