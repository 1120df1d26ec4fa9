//! A call as the Infinity data source makes it with its backend parser (3.x): parameters encoded by Go, rows by gjson,
//! columns by type, then its filter and its computed columns.

use super::Screen;
use super::frame::{Column, Frame, Kind};
use crate::cli::program::get;
use serde_json::Value;

/// Fetches what a query asks for. Everything a query can hold beside what is written here would be ignored: it fails.
pub(super) fn fetch(host: &str, query: &Value, screen: &Screen) -> Frame {
    for (key, value) in [("type", "json"), ("source", "url"), ("parser", "backend")] {
        assert_eq!(query[key], value, "{query}");
    }
    assert_eq!(query["url_options"]["method"], "GET");
    let address = address(query, screen);
    let (status, body) = get(host, &address);
    assert_eq!(status, 200, "{address}: {body}");
    let answer: Value = serde_json::from_str(&body).unwrap();
    let rows = rows(&answer, &screen.fill(query["root_selector"].as_str().unwrap()), &address);
    let mut frame = framed(query, &rows, &address);
    filter(query, &mut frame);
    for computed in query["computed_columns"].as_array().into_iter().flatten() {
        compute(computed["text"].as_str().unwrap(), computed["selector"].as_str().unwrap(), &mut frame);
    }
    frame
}

/// Adds a column: the text in apostrophes, or the values of another column.
fn compute(name: &str, expression: &str, frame: &mut Frame) {
    let text = expression.strip_prefix('\'').and_then(|text| text.strip_suffix('\''));
    let place = frame.columns.iter().position(|column| column.name == expression);
    for row in &mut frame.rows {
        let value = text.map_or_else(|| row[place.unwrap()].clone(), Value::from);
        row.push(value);
    }
    frame.columns.push(Column::new(name, Kind::Text));
}

/// Path and query as Go's `url.Values.Encode` writes them: by key, blanks as plus signs.
fn address(query: &Value, screen: &Screen) -> String {
    let pairs = query["url_options"]["params"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut pairs: Vec<(String, String)> =
        pairs.map(|pair| (text(&pair["key"]), screen.fill(&text(&pair["value"])))).collect();
    pairs.sort();
    let pairs: Vec<String> = pairs.iter().map(|(key, value)| format!("{}={}", escaped(key), escaped(value))).collect();
    let path = screen.fill(query["url"].as_str().unwrap());
    if pairs.is_empty() { path } else { format!("{path}?{}", pairs.join("&")) }
}

fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        match byte {
            b' ' => escaped.push('+'),
            byte if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) => escaped.push(char::from(byte)),
            byte => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}

/// The rows a root selector means: a key, or `key.#.{…}`, which makes an object of paths for each row.
fn rows(answer: &Value, root: &str, address: &str) -> Vec<Value> {
    let (key, object) = match root.split_once(".#.{") {
        Some((key, object)) => (key, Some(object.strip_suffix('}').unwrap())),
        None => (root, None),
    };
    let rows = answer[key].as_array().unwrap_or_else(|| panic!("{address} has no rows at {key:?}")).clone();
    let Some(object) = object else { return rows };
    let paths: Vec<(String, &str)> = object
        .split(',')
        .map(|part| match part.strip_prefix('"').and_then(|part| part.split_once("\":")) {
            Some((name, path)) => (name.to_owned(), path),
            None => (part.to_owned(), part),
        })
        .collect();
    let make =
        |row: &Value| paths.iter().map(|(name, path)| (name.clone(), found(row, path).cloned().unwrap())).collect();
    rows.iter().map(|row| Value::Object(make(row))).collect()
}

/// What is at a path of gjson: keys by dots, signs escaped by `\`.
fn found<'a>(row: &'a Value, path: &str) -> Option<&'a Value> {
    let (mut at, mut key, mut letters) = (row, String::new(), path.chars());
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => key.extend(letters.next()),
            '.' => (at, key) = (at.get(&key)?, String::new()),
            other => key.push(other),
        }
    }
    at.get(&key)
}

/// Columns of their declared types. What is not there is nothing, but a column that is in no row is a mistake, unless it is
/// an attribute, which the chosen sensors need not have.
fn framed(query: &Value, rows: &[Value], address: &str) -> Frame {
    let mut columns = Vec::new();
    let mut cells: Vec<Vec<Value>> = vec![Vec::new(); rows.len()];
    for column in query["columns"].as_array().unwrap() {
        let path = column["selector"].as_str().unwrap();
        let kind = match column["type"].as_str().unwrap() {
            "string" => Kind::Text,
            "number" => Kind::Number,
            "timestamp" => Kind::Time,
            other => panic!("{other} is no type of a column"),
        };
        assert_eq!(column["text"], "", "columns keep their names");
        let known = |row: &Value| path.starts_with("attributes.") || found(row, path).is_some();
        assert!(rows.is_empty() || rows.iter().any(known), "{address} has no {path:?}: {}", rows[0]);
        for (row, cells) in rows.iter().zip(&mut cells) {
            let value = found(row, path).cloned().unwrap_or_default();
            let right = match (&value, kind) {
                (Value::Null, _) | (Value::String(_), Kind::Text) | (Value::Number(_), Kind::Number) => true,
                (Value::String(text), Kind::Time) => text.parse::<jiff::Timestamp>().is_ok(),
                _ => false,
            };
            assert!(right, "{address}: {path} is {value}, not {kind:?}");
            cells.push(value);
        }
        columns.push(Column::new(path, kind));
    }
    Frame { name: query["refId"].as_str().unwrap().to_owned(), columns, rows: cells }
}

/// Keeps the rows that fit: `[a] != null && [b] == null`.
fn filter(query: &Value, frame: &mut Frame) {
    let Some(expression) = query["filterExpression"].as_str() else { return };
    for part in expression.split(" && ") {
        let (column, rest) = part.strip_prefix('[').and_then(|part| part.split_once("] ")).unwrap();
        let present = match rest {
            "!= null" => true,
            "== null" => false,
            other => panic!("{other} is not known here"),
        };
        let place = frame.columns.iter().position(|known| known.name == column).unwrap();
        frame.rows.retain(|row| row[place].is_null() != present);
    }
}
