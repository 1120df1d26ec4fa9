//! The choices at the head of a dashboard.

use crate::attribute::Attribute;
use crate::language;
use crate::query::{Cell, Query, source};
use schemas::Dataset;
use serde_json::{Value, json};

/// What stands for "whichever" in the API's parameters.
const ALL: &str = "*";

/// The parameters by which the calls of a dataset's panels keep to what is chosen.
pub(crate) fn selection(attributes: &[Attribute]) -> Vec<(String, String)> {
    let mut parameters = chosen(attributes);
    parameters.push(("sensor".to_owned(), "${sensor:csv}".to_owned()));
    parameters
}

/// The variables of a dataset's dashboard: an attribute's value each, then sensors that have them, then what is compared.
pub(crate) fn all(dataset: &Dataset, attributes: &[Attribute]) -> Vec<Value> {
    let sensors = || Query::new(format!("/api/v1/datasets/{}/sensors", dataset.id));
    let shared = || attributes.iter().filter(|attribute| attribute.shared);
    let mut variables: Vec<Value> = shared()
        .map(|attribute| {
            let column = format!("attributes.{}", attribute.name);
            let values = sensors().column(column.as_str(), Cell::Text).where_present(column);
            query(&attribute.variable(), &language::plain(&attribute.name), false, values)
        })
        .collect();
    let listed = sensors().with_all(&chosen(attributes)).column("sensor", Cell::Text);
    variables.push(query("sensor", "Sensor", true, listed));
    variables.push(compare(attributes));
    variables
}

fn chosen(attributes: &[Attribute]) -> Vec<(String, String)> {
    let shared = attributes.iter().filter(|attribute| attribute.shared);
    shared
        .map(|attribute| (format!("attribute.{}", attribute.name), format!("${{{}}}", attribute.variable())))
        .collect()
}

/// A choice of what a call answers; everything unless chosen otherwise.
fn query(name: &str, label: &str, several: bool, values: Query) -> Value {
    let mut values = values;
    values.name = "variable".to_owned();
    json!({
        "type": "query",
        "name": name,
        "label": label,
        "datasource": source(),
        "query": { "queryType": "infinity", "query": "", "infinityQuery": values.infinity() },
        "includeAll": true,
        "allValue": ALL,
        "multi": several,
        "current": { "selected": true, "text": if several { json!(["All"]) } else { json!("All") },
                     "value": if several { json!(["$__all"]) } else { json!("$__all") } },
        "options": [],
        // When the dashboard is opened; 7 is the natural order, in which 2 comes before 10.
        "refresh": 1,
        "sort": 7,
        "regex": "",
        "hide": 0,
        "skipUrlSync": false,
    })
}

/// What the charts of the row "Compare" have a line for: each sensor, or each value of an attribute.
fn compare(attributes: &[Attribute]) -> Value {
    let names = attributes.iter().filter(|attribute| attribute.shared || attribute.is_name());
    let names: Vec<&str> = std::iter::once("sensor").chain(names.map(|attribute| attribute.name.as_str())).collect();
    let option = |name: &&str| json!({ "selected": *name == "sensor", "text": language::plain(name), "value": name });
    let written: Vec<String> = names.iter().map(|name| format!("{} : {name}", language::plain(name))).collect();
    json!({
        "type": "custom",
        "name": "by",
        "label": "Compare by",
        "query": written.join(","),
        "current": { "selected": true, "text": "Sensor", "value": "sensor" },
        "options": names.iter().map(option).collect::<Vec<_>>(),
        "includeAll": false,
        "multi": false,
        "hide": 0,
        "skipUrlSync": false,
    })
}
