//! Rows as they come out of files of all forms.

use super::topic::Pattern;
use super::*;
use std::io::Write;

/// Rows of a file with these bytes, as text, and the topics they give.
fn read(name: &str, bytes: &[u8], pattern: &str) -> Result<(Vec<String>, Vec<String>), String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(name);
    std::fs::write(&file, bytes).unwrap();
    let pattern = Pattern::parse(pattern)?;
    let mut reader = Reader::open(&file, None).map_err(|e| e.to_string())?;
    let (mut rows, mut topics) = (Vec::new(), Vec::new());
    while let Some(row) = reader.next_row().map_err(|e| e.to_string())? {
        rows.push(String::from_utf8(row.json).unwrap());
        topics.push(reader.topic(&pattern).map_err(|e| e.to_string())?.topic);
    }
    Ok((rows, topics))
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn csv_rows_become_objects_of_texts() {
    let text = "\u{feff}site,\"a \"\"b\"\"\",n\r\nx 1,\"1,5\",\r\n\r\ny/2,,3\r\nz";
    let (rows, topics) = read("a.csv", text.as_bytes(), "city/{site}/air").unwrap();
    assert_eq!(
        rows,
        [r#"{"site":"x 1","a \"b\"":"1,5","n":""}"#, r#"{"site":"y/2","a \"b\"":"","n":"3"}"#, r#"{"site":"z"}"#]
    );
    assert_eq!(topics, ["city/x 1/air", "city/y_2/air", "city/z/air"]);
}

#[test]
fn delimiters_are_guessed_and_gz_is_read() {
    for delimiter in [",", ";", "\t", "|"] {
        let text = format!("a{delimiter}\"b,;\"{delimiter}c\n1{delimiter}2{delimiter}3");
        let (rows, _) = read("a.csv.gz", &gzip(text.as_bytes()), "t").unwrap();
        assert_eq!(rows, [r#"{"a":"1","b,;":"2","c":"3"}"#], "{delimiter:?}");
    }
}

#[test]
fn json_lines_pass_as_they_stand() {
    let text = "{\"id\": 7, \"in\":{\"a\":\"x\"}}\n\n{\"id\":8,\"in\":{\"a\":\"y#\"}}";
    let (rows, topics) = read("a.jsonl", text.as_bytes(), "c/{id}/{/in/a}").unwrap();
    assert_eq!(rows, ["{\"id\": 7, \"in\":{\"a\":\"x\"}}", "{\"id\":8,\"in\":{\"a\":\"y#\"}}"]);
    assert_eq!(topics, ["c/7/x", "c/8/y_"]);
    assert_eq!(read("rows", text.as_bytes(), "t").unwrap().0.len(), 2, "known by its first byte");
    assert_eq!(read("a.jsonl", b"no json", "t").unwrap().0, ["no json"], "the receiver rejects it");
}

#[test]
fn faults_name_file_line_and_remedy() {
    for (name, bytes, pattern, told) in [
        ("a.csv", "a,b\n1,2\n1,2,3".as_bytes(), "t", "a.csv:3: 3 cells, but the header names 2"),
        ("a.csv", b"a,a\n1,2", "t", "a.csv:1: two columns are named \"a\""),
        ("a.csv", b"", "t", "is empty"),
        ("a.csv", b"a,b\n1,2", "c/{site}", "a.csv:2: no column \"site\"; there are a, b"),
        ("a.csv", b"a\n\xff", "t", "is not UTF-8"),
        ("a.jsonl", b"{\"a\":1}", "c/{b}", "a.jsonl:1: the object has no {b}"),
        ("a.jsonl", b"{", "c/{b}", "a.jsonl:1: not JSON"),
        ("a.csv", b"a\n1", "c/{", "is not closed"),
        ("a.csv", b"a\n1", "c/+/x", "has no `+`"),
        ("a.csv", b"a\n1", "", "not empty"),
    ] {
        let fault = read(name, bytes, pattern).unwrap_err();
        assert!(fault.contains(told), "{fault}");
    }
}

#[test]
fn a_bookmark_is_for_its_own_run() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.json");
    let files = [PathBuf::from("a.csv")];
    let (bookmark, rows) = bookmark::Bookmark::open(&file, "replay t", &files).unwrap();
    assert_eq!(rows, 0);
    bookmark.save(42).unwrap();
    assert_eq!(bookmark::Bookmark::open(&file, "replay t", &files).unwrap().1, 42);
    assert_eq!(bookmark::Bookmark::open(&file, "replay u", &files).unwrap_err().kind, crate::Kind::Usage);
}
