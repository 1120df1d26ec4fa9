//! Answers in SQL: the worker wrote the rows, here they get what stands around them.

use engine::sql::Answer;

/// What stands beside the rows.
#[derive(serde::Serialize)]
struct Meta<'a> {
    columns: Vec<Column<'a>>,
    rows: u64,
}

/// A column: its name, and PostgreSQL's name of its type.
#[derive(serde::Serialize)]
struct Column<'a> {
    name: &'a str,
    r#type: &'a str,
}

/// The document `{"data":[…],"meta":{…}}` around rows that were written as JSON.
pub(crate) fn json(answer: &Answer) -> Vec<u8> {
    let columns = answer.columns.iter().map(|(name, kind)| Column { name, r#type: kind }).collect();
    let mut out = Vec::with_capacity(answer.body.len() + 1024);
    out.extend_from_slice(b"{\"data\":[");
    if answer.rows > 0 {
        out.push(b'\n');
    }
    out.extend_from_slice(&answer.body);
    out.extend_from_slice(b"\n],\"meta\":");
    // Strings and numbers only: writing them into memory cannot fail.
    let _ = serde_json::to_writer(&mut out, &Meta { columns, rows: answer.rows });
    out.extend_from_slice(b"}\n");
    out
}
