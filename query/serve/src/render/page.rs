//! One rendered page as the engine keeps it: the cursor of the next page, a line end, the body.
//!
//! The cursor goes into the header `Link` of every format, also of those that have no room for it inside.

use crate::format::Format;
use crate::render::{csv, json};
use bytes::Bytes;
use engine::Answer;

/// Renders an answer for the engine to keep.
pub(crate) fn pack(answer: &Answer, format: Format) -> Bytes {
    let mut out = Vec::new();
    out.extend_from_slice(answer.meta.next.as_deref().unwrap_or_default().as_bytes());
    out.push(b'\n');
    match format {
        Format::Json => json::write(answer, &mut out),
        Format::Csv => csv::write(answer, &mut out),
    }
    Bytes::from(out)
}

/// Cursor of the next page, if there is one, and body of a kept page.
pub(crate) fn unpack(kept: &Bytes) -> (Option<&str>, Bytes) {
    let end = kept.iter().position(|byte| *byte == b'\n').unwrap_or(0);
    let cursor = std::str::from_utf8(&kept[..end]).ok().filter(|cursor| !cursor.is_empty());
    (cursor, kept.slice((end + 1).min(kept.len())..))
}
