//! Single values as text: exact numbers, JSON strings, CSV fields.

/// Writes a whole number.
pub(crate) fn push_int(value: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Writes mantissa × 10^-scale exactly, without trailing zeros after the point: `12.5`, `-0.003`, `7`.
pub(crate) fn push_decimal(mantissa: i128, scale: u32, out: &mut Vec<u8>) {
    let mut buffer = itoa::Buffer::new();
    let digits = match u64::try_from(mantissa.unsigned_abs()) {
        Ok(small) => buffer.format(small),
        Err(_) => buffer.format(mantissa.unsigned_abs()),
    };
    if mantissa < 0 {
        out.push(b'-');
    }
    let scale = scale as usize;
    let (whole, fraction) = digits.split_at(digits.len().saturating_sub(scale));
    out.extend_from_slice(if whole.is_empty() { b"0" } else { whole.as_bytes() });
    let fraction = fraction.trim_end_matches('0');
    if !fraction.is_empty() {
        out.push(b'.');
        out.extend(std::iter::repeat_n(b'0', scale.saturating_sub(digits.len())));
        out.extend_from_slice(fraction.as_bytes());
    }
}

/// Writes a number of degrees with as many digits as tell it apart (the shortest that reads back the same).
pub(crate) fn push_real(value: f64, out: &mut Vec<u8>) {
    // Writing a number into memory cannot fail.
    let _ = serde_json::to_writer(out, &value);
}

/// Writes a JSON string with its quotes.
pub(crate) fn push_json_text(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let mut plain = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escape: &[u8] = match byte {
            b'"' => b"\\\"",
            b'\\' => b"\\\\",
            b'\n' => b"\\n",
            b'\r' => b"\\r",
            b'\t' => b"\\t",
            0..=0x1f => b"",
            _ => continue,
        };
        out.extend_from_slice(&text.as_bytes()[plain..at]);
        out.extend_from_slice(escape);
        if escape.is_empty() {
            out.extend_from_slice(format!("\\u{byte:04x}").as_bytes());
        }
        plain = at + 1;
    }
    out.extend_from_slice(&text.as_bytes()[plain..]);
    out.push(b'"');
}

/// Writes a CSV field, quoted where RFC 4180 needs it. Empty text is quoted to tell it from nothing.
pub(crate) fn push_csv_text(text: &str, out: &mut Vec<u8>) {
    if !text.is_empty() && !text.bytes().any(|byte| matches!(byte, b'"' | b',' | b'\r' | b'\n')) {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    out.push(b'"');
    for byte in text.bytes() {
        if byte == b'"' {
            out.push(b'"');
        }
        out.push(byte);
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl Fn(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap_or_default()
    }

    #[test]
    fn decimals_are_exact() {
        for (mantissa, scale, text) in [
            (0, 0, "0"),
            (0, 4, "0"),
            (125, 1, "12.5"),
            (-3, 3, "-0.003"),
            (70_000, 4, "7"),
            (-70_001, 4, "-7.0001"),
            (100, 0, "100"),
            (-120, 2, "-1.2"),
            (i128::from(u64::MAX) * 10 + 7, 1, "18446744073709551615.7"),
            (i128::MIN, 2, "-1701411834604692317316873037158841057.28"),
        ] {
            assert_eq!(written(|out| push_decimal(mantissa, scale, out)), text);
            assert_eq!(schemas::decimal::text(mantissa, scale), text, "the words' own text is the same");
        }
    }

    #[test]
    fn json_text_reads_back() {
        for text in ["", "plain", "q\"b\\n\nr\rt\tz\u{1}\u{1f}", "Hlavní třída", "\u{7f}\u{2028}😀"] {
            let json = written(|out| push_json_text(text, out));
            assert_eq!(serde_json::from_str::<String>(&json).ok().as_deref(), Some(text));
        }
    }

    #[test]
    fn csv_text_is_quoted_where_needed() {
        for (text, csv) in
            [("a b", "a b"), ("", "\"\""), ("a,b", "\"a,b\""), ("a\"b", "\"a\"\"b\""), ("a\nb", "\"a\nb\"")]
        {
            assert_eq!(written(|out| push_csv_text(text, out)), csv);
        }
    }

    #[test]
    fn degrees_are_the_shortest_that_read_back() {
        assert_eq!(written(|out| push_real(14.1475, out)), "14.1475");
        assert_eq!(written(|out| push_real(-0.1, out)), "-0.1");
    }
}
