//! Rows in columns, as Infinity hands them to Grafana, and what transformations make of their columns.

use super::Screen;
use serde_json::Value;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Number,
    Time,
}

/// A column: the name it came with, which `merge` goes by, and the name it is shown and found by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) shown: String,
    pub(super) kind: Kind,
}

impl Column {
    pub(super) fn new(name: impl Into<String>, kind: Kind) -> Column {
        let name = name.into();
        Column { shown: name.clone(), name, kind }
    }

    fn is(&self, name: &str) -> bool {
        self.name == name || self.shown == name
    }
}

/// The rows of one call.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    pub(super) name: String,
    pub(super) columns: Vec<Column>,
    /// Rows by the columns' places; only before transformations.
    pub(super) rows: Vec<Vec<Value>>,
}

impl Frame {
    pub(super) fn has(&self, column: &str) -> bool {
        self.columns.iter().any(|known| known.is(column))
    }

    pub(super) fn any(&self, kind: Kind) -> bool {
        self.columns.iter().any(|column| column.kind == kind)
    }

    /// The values of a column that are there.
    pub(super) fn values(&self, column: &str) -> Vec<&Value> {
        let place = self.columns.iter().position(|known| known.is(column)).unwrap();
        self.rows.iter().map(|row| &row[place]).filter(|value| !value.is_null()).collect()
    }

    /// The different texts of its only column.
    pub(super) fn texts(&self) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        for row in &self.rows {
            let value = row[0].as_str().unwrap();
            if !found.iter().any(|known| known == value) {
                found.push(value.to_owned());
            }
        }
        found
    }
}

/// What the transformations of a panel leave of its frames: the columns only. A name they do not find fails.
pub(super) fn transformed(panel: &Value, frames: &[Frame], screen: &Screen) -> Vec<Frame> {
    let mut frames = frames.to_vec();
    for step in panel["transformations"].as_array().unwrap() {
        let call = step["filter"]["options"].as_str();
        let (chosen, rest): (Vec<Frame>, Vec<Frame>) = frames.into_iter().partition(|frame| matches(call, &frame.name));
        assert!(!chosen.is_empty(), "{step} is for no call");
        frames = rest;
        frames.extend(apply(step, chosen, screen));
    }
    frames
}

/// Whether a transformation is for the call of a name. `/^(?!x$)/` is every call but x.
fn matches(filter: Option<&str>, name: &str) -> bool {
    match filter {
        None => true,
        Some(filter) => match filter.strip_prefix("/^(?!").and_then(|rest| rest.strip_suffix("$)/")) {
            Some(other) => name != other,
            None => name == filter,
        },
    }
}

fn apply(step: &Value, frames: Vec<Frame>, screen: &Screen) -> Vec<Frame> {
    let options = &step["options"];
    match step["id"].as_str().unwrap() {
        "merge" => vec![merged(frames)],
        "reduce" => vec![reduced(options, &frames)],
        id => frames.into_iter().map(|frame| one(id, options, frame, screen)).collect(),
    }
}

/// A transformation that takes frames one by one.
fn one(id: &str, options: &Value, mut frame: Frame, screen: &Screen) -> Frame {
    let found = |frame: &Frame, name: &str| assert!(frame.has(name), "{id}: no column {name:?} in {:?}", frame.columns);
    match id {
        "limit" => assert!(options["limitField"].as_u64().unwrap() > 0),
        "sortBy" => {
            options["sort"].as_array().unwrap().iter().for_each(|by| found(&frame, by["field"].as_str().unwrap()))
        }
        "filterByValue" => {
            for filter in options["filters"].as_array().unwrap() {
                found(&frame, filter["fieldName"].as_str().unwrap());
                assert!(filter["config"]["options"]["value"].is_number());
            }
        }
        "calculateField" => calculate(options, &mut frame, screen),
        "organize" => {
            for names in [&options["indexByName"], &options["renameByName"]] {
                names.as_object().unwrap().keys().for_each(|name| found(&frame, name));
            }
            frame.columns.retain(|column| options["excludeByName"][&column.shown] != true);
            for column in &mut frame.columns {
                if let Some(new) = options["renameByName"][&column.shown].as_str() {
                    column.shown = new.to_owned();
                }
            }
        }
        "groupBy" => {
            let mut columns = Vec::new();
            for (name, how) in options["fields"].as_object().unwrap() {
                found(&frame, name);
                let kind = frame.columns.iter().find(|column| column.is(name)).unwrap().kind;
                match how["operation"].as_str().unwrap() {
                    "groupby" => columns.push(Column::new(name, kind)),
                    _ => {
                        columns.extend(how["aggregations"].as_array().unwrap().iter().map(|function| {
                            Column::new(format!("{name} ({})", function.as_str().unwrap()), Kind::Number)
                        }))
                    }
                }
            }
            frame.columns = columns;
        }
        "rowsToFields" => {
            let column = |key: &str| {
                let mappings = options["mappings"].as_array().unwrap().iter();
                mappings
                    .filter(|mapping| mapping["handlerKey"] == key)
                    .map(|m| m["fieldName"].as_str().unwrap())
                    .next()
                    .unwrap()
            };
            found(&frame, column("field.name"));
            found(&frame, column("field.value"));
            // A column for each text; which there are is the data's affair.
            frame.columns = vec![Column::new("*", Kind::Number)];
        }
        other => panic!("{other} is not known here"),
    }
    frame
}

fn calculate(options: &Value, frame: &mut Frame, screen: &Screen) {
    if options["mode"] == "binary" {
        let left = screen.fill(options["binary"]["left"]["fixed"].as_str().unwrap());
        assert!(left.parse::<f64>().is_ok(), "{left} is not a number");
        let right = options["binary"]["right"]["matcher"]["options"].as_str().unwrap();
        assert!(frame.has(right), "calculateField: no column {right:?}");
    } else {
        assert!(options["reduce"]["reducer"].is_string() && frame.any(Kind::Number));
    }
    let alias = options["alias"].as_str().unwrap().to_owned();
    if options["replaceFields"] == true {
        frame.columns.retain(|column| column.kind == Kind::Time);
    }
    frame.columns.push(Column::new(alias, Kind::Number));
}

/// One table of all columns; its frames need one in common.
fn merged(frames: Vec<Frame>) -> Frame {
    let first = frames.first().unwrap().clone();
    let common = first
        .columns
        .iter()
        .any(|one| frames.iter().all(|frame| frame.columns.iter().any(|other| other.name == one.name)));
    assert!(frames.len() == 1 || common, "merge: no column in common");
    let mut columns = first.columns.clone();
    for column in frames.iter().flat_map(|frame| &frame.columns) {
        if !columns.iter().any(|known: &Column| known.name == column.name) {
            columns.push(column.clone());
        }
    }
    Frame { columns, ..first }
}

/// A row for each column of numbers.
fn reduced(options: &Value, frames: &[Frame]) -> Frame {
    assert!(frames.iter().all(|frame| frame.any(Kind::Number)));
    let mut columns = vec![Column::new("Field", Kind::Text)];
    for reducer in options["reducers"].as_array().unwrap() {
        let name = match reducer.as_str().unwrap() {
            "mean" => "Mean",
            "max" => "Max",
            other => panic!("{other}: what is its column called?"),
        };
        columns.push(Column::new(name, Kind::Number));
    }
    Frame { name: "reduce".to_owned(), columns, rows: Vec::new() }
}
