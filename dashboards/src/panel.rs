//! A panel, and the small parts all panels are made of.

use crate::POINTS_PER_COLUMN;
use crate::query::{Query, source};
use serde_json::{Value, json};

/// A panel, without its place.
#[derive(Clone, Debug)]
pub(crate) struct Panel {
    /// Grafana's visualisation: `timeseries`.
    pub(crate) kind: &'static str,
    pub(crate) title: String,
    /// What a reader should know, shown at the title.
    pub(crate) about: String,
    /// Of the 24 columns of the grid.
    pub(crate) width: u32,
    /// Rows of the grid, 30 pixels each.
    pub(crate) height: u32,
    pub(crate) calls: Vec<Query>,
    pub(crate) transformations: Vec<Value>,
    /// Of all its columns: unit, colour, `custom`.
    pub(crate) defaults: Value,
    /// Of single columns.
    pub(crate) overrides: Vec<Value>,
    pub(crate) options: Value,
}

impl Panel {
    pub(crate) fn new(kind: &'static str, title: impl Into<String>, width: u32, height: u32) -> Panel {
        Panel {
            kind,
            title: title.into(),
            about: String::new(),
            width,
            height,
            calls: Vec::new(),
            transformations: Vec::new(),
            defaults: json!({}),
            overrides: Vec::new(),
            options: json!({}),
        }
    }

    /// At its place.
    pub(crate) fn json(&self, id: u32, x: u32, y: u32) -> Value {
        json!({
            "id": id,
            "type": self.kind,
            "title": self.title,
            "description": self.about,
            "gridPos": { "h": self.height, "w": self.width, "x": x, "y": y },
            "datasource": source(),
            "targets": self.calls.iter().map(Query::target).collect::<Vec<_>>(),
            "transformations": self.transformations,
            "fieldConfig": { "defaults": self.defaults, "overrides": self.overrides },
            "options": self.options,
        })
    }
}

/// The parameters that cut time into as many buckets as a panel of so many columns shows.
pub(crate) fn buckets(width: u32) -> [(String, String); 2] {
    let points = width * POINTS_PER_COLUMN;
    [("bucket".to_owned(), "auto".to_owned()), ("max_points".to_owned(), points.to_string())]
}

/// Settings of the column of a name.
pub(crate) fn by_name(name: &str, settings: &[(&str, Value)]) -> Value {
    over("byName", name, settings)
}

/// Settings of all columns of numbers.
pub(crate) fn of_numbers(settings: &[(&str, Value)]) -> Value {
    over("byType", "number", settings)
}

/// Settings of all columns of a call.
pub(crate) fn by_call(name: &str, settings: &[(&str, Value)]) -> Value {
    over("byFrameRefID", name, settings)
}

fn over(matcher: &str, name: &str, settings: &[(&str, Value)]) -> Value {
    let property = |(id, value): &(&str, Value)| json!({ "id": id, "value": value });
    json!({
        "matcher": { "id": matcher, "options": name },
        "properties": settings.iter().map(property).collect::<Vec<_>>(),
    })
}

/// One colour for every value.
pub(crate) fn fixed(color: &str) -> Value {
    json!({ "mode": "fixed", "fixedColor": color })
}

/// Colours from values on.
pub(crate) fn steps(base: &str, steps: &[(f64, &str)]) -> Value {
    let mut all = vec![json!({ "color": base, "value": null })];
    all.extend(steps.iter().map(|(value, color)| json!({ "color": color, "value": value })));
    json!({ "mode": "absolute", "steps": all })
}

/// Columns in this order under these names; others keep their names and come last.
pub(crate) fn arranged(columns: &[(String, String)]) -> Value {
    let order = columns.iter().enumerate().map(|(place, (name, _))| (name.clone(), json!(place)));
    let names = columns.iter().filter(|(name, title)| name != title);
    let names = names.map(|(name, title)| (name.clone(), json!(title)));
    json!({
        "id": "organize",
        "options": {
            "excludeByName": {},
            "indexByName": order.collect::<serde_json::Map<_, _>>(),
            "renameByName": names.collect::<serde_json::Map<_, _>>(),
        },
    })
}

/// Columns in this order; Infinity hands them over by the alphabet.
pub(crate) fn ordered(columns: impl Iterator<Item = String>) -> Value {
    arranged(&columns.map(|name| (name.clone(), name)).collect::<Vec<_>>())
}

/// Rows by a column.
pub(crate) fn sorted(column: &str, descending: bool) -> Value {
    json!({ "id": "sortBy", "options": { "fields": {}, "sort": [{ "field": column, "desc": descending }] } })
}

/// The look of a table.
pub(crate) fn table() -> Value {
    json!({ "showHeader": true, "cellHeight": "sm" })
}

/// A bar behind the number.
pub(crate) fn bar() -> (&'static str, Value) {
    ("custom.cellOptions", json!({ "type": "gauge", "mode": "basic", "valueDisplayMode": "text" }))
}

/// How long ago a time was.
pub(crate) fn ago() -> [(&'static str, Value); 2] {
    [("unit", json!("dateTimeFromNow")), ("custom.width", json!(150))]
}
