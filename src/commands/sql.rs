//! `lamppost sql`: asks the running server a question in SQL.
//!
//! A question that is wrong ends with 64, as a wrong command line does; all else that fails with 1.

use crate::client::{Answer, Client};
use crate::{Error, console};
use comfy_table::{CellAlignment, Table, presets};
use serde_json::Value;
use std::io::Read;
use std::path::PathBuf;
use std::time::Duration;

/// How long the server may take: it gives up itself long before.
const PATIENCE: Duration = Duration::from_secs(600);

/// What `sql` takes.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The question; - reads it from standard input.
    #[arg(value_name = "SQL")]
    text: String,
    /// Where the server's HTTP door is.
    #[arg(long, default_value = "http://127.0.0.1:8080", value_name = "URL")]
    url: String,
    /// How to print the answer.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// File with the key to ask with.
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
}

/// How to print an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Aligned columns.
    Table,
    /// The server's CSV.
    Csv,
    /// The server's JSON.
    Json,
}

/// Asks and prints.
pub async fn run(options: Options) -> Result<(), Error> {
    let text = if options.text == "-" { standard_input()? } else { options.text };
    let accept = if options.format == Format::Csv { "text/csv" } else { "application/json" };
    let client = Client::new(&options.url, PATIENCE)?.with_key(options.key_file.as_deref())?;
    let client = client.with("Content-Type", "application/sql").with("Accept", accept);
    let reply = client.send("POST", "/api/v1/sql", &text).await?;
    if reply.code != 200 {
        return Err(refused(&reply, &text));
    }
    match options.format {
        Format::Table => console::say(table(&reply.body)?),
        // One line end is the console's; what else stands at the end belongs to the answer.
        Format::Csv | Format::Json => console::say(line_end(&reply.body)),
    }
    Ok(())
}

/// A text without its last line end.
fn line_end(text: &str) -> &str {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.strip_suffix('\r').unwrap_or(text)
}

fn standard_input() -> Result<String, Error> {
    let mut text = String::new();
    let read = std::io::stdin().read_to_string(&mut text);
    read.map(|_| text).map_err(|e| Error::usage(format!("the question on standard input cannot be read: {e}")))
}

/// What the server has against the question, where in its text, and what would be right.
fn refused(reply: &Answer, text: &str) -> Error {
    let problem: Value = serde_json::from_str(&reply.body).unwrap_or_default();
    let detail = problem["detail"].as_str().unwrap_or(reply.body.trim());
    let faults = problem["errors"].as_array().into_iter().flatten();
    let accepted = faults.filter_map(|fault| fault["accepted"].as_array()).flatten().filter_map(Value::as_str);
    let accepted: Vec<&str> = accepted.collect();
    let hint = if accepted.is_empty() { String::new() } else { format!("\n  try: {}", accepted.join(", ")) };
    let message = format!("{detail}{}{hint}", shown(detail, text).unwrap_or_default());
    if reply.code == 400 { Error::usage(message) } else { Error::run(message) }
}

/// The line of the text that a message names, and a caret below the column it names.
fn shown(detail: &str, text: &str) -> Option<String> {
    let (_, place) = detail.rsplit_once(" at line ")?;
    let (line, column) = place.split_once(", column ")?;
    let column = column.split(|letter: char| !letter.is_ascii_digit()).next()?;
    let (line, column): (usize, usize) = (line.parse().ok()?, column.parse().ok()?);
    let line = text.lines().nth(line.checked_sub(1)?)?;
    let indent: String = line.chars().take(column.checked_sub(1)?).map(|c| if c == '\t' { c } else { ' ' }).collect();
    Some(format!("\n  {}\n  {indent}^", line.replace(|letter: char| letter.is_control() && letter != '\t', "\u{fffd}")))
}

/// The answer as a table, and how many rows it has.
fn table(body: &str) -> Result<String, Error> {
    let told = |what: &str| Error::run(format!("the server's answer is not one of this version: {what}"));
    let answer: Value = serde_json::from_str(body).map_err(|e| told(&e.to_string()))?;
    let columns = answer["meta"]["columns"].as_array().ok_or_else(|| told("it names no columns"))?;
    let names: Vec<&str> = columns.iter().filter_map(|column| column["name"].as_str()).collect();
    let rows = answer["data"].as_array().ok_or_else(|| told("it has no rows"))?;
    let mut table = Table::new();
    table.load_preset(presets::ASCII_MARKDOWN).set_header(&names);
    for row in rows {
        table.add_row(names.iter().map(|name| cell(&row[*name])));
    }
    for (at, name) in names.iter().enumerate() {
        let number = rows.iter().all(|row| row[*name].is_number() || row[*name].is_null());
        if let Some(column) = table.column_mut(at).filter(|_| number) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let count = match rows.len() {
        1 => "1 row".to_owned(),
        many => format!("{} rows", console::count(many as u64)),
    };
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    Ok(format!("{}\n{count}", lines.join("\n")))
}

/// A value in one line, without what would upset a terminal.
fn cell(value: &Value) -> String {
    let text = match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    text.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_tables_with_numbers_to_the_right() {
        let body = r#"{"data":[{"sensor":"a\u001b[1m","mean":12.50},{"sensor":null,"mean":7}],
            "meta":{"columns":[{"name":"sensor","type":"text"},{"name":"mean","type":"numeric"}],"rows":2}}"#;
        let lines: Vec<String> = table(body).unwrap().lines().map(|line| line.trim_end().to_owned()).collect();
        assert_eq!(lines[0], "| sensor |  mean |");
        assert_eq!(lines[2], "| a\u{fffd}[1m  | 12.50 |");
        assert_eq!(lines.last().unwrap(), "2 rows");
        assert!(lines.contains(&"|        |     7 |".to_owned()), "{lines:#?}");
        assert!(table("{}").is_err() && table("no").is_err());
    }

    #[test]
    fn wrong_questions_end_as_wrong_usage() {
        let body = r#"{"detail":"there is no table \"trafic\"","errors":[{"parameter":"q","accepted":["traffic","weather"]}]}"#;
        let error = refused(&Answer { code: 400, body: body.to_owned() }, "");
        assert_eq!(error.message, "there is no table \"trafic\"\n  try: traffic, weather");
        assert_eq!(error.kind, crate::Kind::Usage);
        assert_eq!(refused(&Answer { code: 503, body: "no".to_owned() }, "").kind, crate::Kind::Run);
    }

    #[test]
    fn a_caret_stands_below_what_is_wrong() {
        let text = "SELECT 1\n  FROM twon";
        let found = shown("there is no table twon at line 2, column 8", text);
        assert_eq!(found.as_deref(), Some("\n    FROM twon\n         ^"));
        for nowhere in ["no place", "x at line 9, column 1", "x at line 0, column 0", "x at line y, column 1"] {
            assert_eq!(shown(nowhere, text), None, "{nowhere}");
        }
    }
}
