//! The commands, one file each.

pub mod backup;
mod bulk;
pub mod check;
pub mod dashboards;
pub mod demo;
pub mod erase;
mod feed;
pub mod import;
pub mod key;
pub mod replay;
pub mod restore;
pub mod serve;
pub mod sql;
pub mod status;

/// A delimiter as people type it.
fn delimiter(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        b"\\t" | b"tab" => Ok(b'\t'),
        &[byte] if byte.is_ascii() && !byte.is_ascii_alphanumeric() && byte != b'"' => Ok(byte),
        _ => Err("write one character, such as ';', or \"tab\"".into()),
    }
}
