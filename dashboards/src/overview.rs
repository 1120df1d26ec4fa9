//! The dashboard over all datasets: where sensors stand and how fresh they are, what there is, and who is silent.

use crate::board::Board;
use crate::dataset::uid;
use crate::geomap::{layer, options, places};
use crate::language::Language;
use crate::panel::{Panel, ago, arranged, bar, by_call, by_name, sorted, steps, table};
use crate::query::{Cell, Query};
use schemas::time::HOUR;
use schemas::{Cadence, Dataset};
use serde_json::{Value, json};
use std::sync::Arc;

/// Missed readings after which a sensor is late, and silent (as `lamppost status` has it).
const MISSED: (i64, i64) = (3, 12);
/// The call for the list of datasets.
const LIST: &str = "datasets";
/// The column that is computed from the time of a reading: milliseconds before the end of the time shown.
const AGE: &str = "age";

/// The dashboard.
pub(crate) fn board(datasets: &[Arc<Dataset>], language: &Language) -> Board {
    let mut panels = vec![list(datasets, language), map(datasets, language)];
    // Where readings come by events, no silence is too long.
    panels.extend(datasets.iter().any(|dataset| dataset.every != Cadence::Event).then(|| silent(datasets, language)));
    Board {
        uid: "lamppost".to_owned(),
        title: "Lamppost: overview".to_owned(),
        about: "All datasets: where their sensors stand, how fresh and how complete they are.".to_owned(),
        variables: Vec::new(),
        panels,
        closed: None,
    }
}

/// All sensors, coloured by how long ago they told something.
fn map(datasets: &[Arc<Dataset>], language: &Language) -> Panel {
    let mut panel = Panel::new("geomap", "Sensors", 14, 18);
    panel.about =
        format!("Green: heard from; yellow: {} readings missing; red: {} or more, silent.", MISSED.0, MISSED.1);
    let mut layers: Vec<Value> = Vec::new();
    for dataset in datasets {
        panel.calls.push(places(latest(dataset, language)));
        panel.transformations.push(age(dataset));
        if let Cadence::Every(every) = dataset.every {
            panel.overrides.push(by_call(&dataset.id, &[("thresholds", freshness(every))]));
        }
        layers.push(layer(&dataset.id, &language.of(&dataset.title, &dataset.id), AGE, false));
    }
    panel.defaults = json!({ "color": { "mode": "thresholds" }, "thresholds": steps("green", &[]) });
    panel.overrides.push(by_name("time", &ago()));
    panel.overrides.push(by_name("sensor", &[("displayName", json!("Sensor"))]));
    let age = [("displayName", json!("Silent for")), ("unit", json!("ms")), ("decimals", json!(0))];
    panel.overrides.push(by_name(AGE, &age));
    panel.options = options(&layers);
    panel
}

/// What datasets there are, with the newest reading and the coverage of the last day.
fn list(datasets: &[Arc<Dataset>], language: &Language) -> Panel {
    let mut panel = Panel::new("table", "Datasets", 24, 8);
    panel.about = "Coverage: readings of the last 24 hours over those expected, of the best covered field.".to_owned();
    let list = Query::new("/api/v1/datasets").column("id", Cell::Text).column("sensors", Cell::Number);
    // `reduce` names its column of names "Field", and `merge` knows columns by the names they came with.
    let list = list.column("last", Cell::Time).computed("Field", "id");
    panel.calls.push(Query { name: LIST.to_owned(), ..list });
    for dataset in datasets {
        let Cadence::Every(every) = dataset.every else { continue };
        panel.calls.push(coverage(dataset, every));
        panel.transformations.push(of_call(
            &dataset.id,
            "calculateField",
            json!({
                "mode": "reduceRow",
                "reduce": { "reducer": "max" },
                "alias": dataset.id,
                "replaceFields": true,
            }),
        ));
    }
    // Each coverage becomes a row named after its dataset, which then becomes one with the row of the list.
    panel.transformations.extend([
        of_call(&format!("/^(?!{LIST}$)/"), "reduce", json!({ "mode": "seriesToRows", "reducers": ["mean"] })),
        of_call(LIST, "organize", json!({ "excludeByName": { "id": true }, "indexByName": {}, "renameByName": {} })),
        json!({ "id": "merge", "options": {} }),
        arranged(&[
            ("Field".to_owned(), "Dataset".to_owned()),
            ("sensors".to_owned(), "Sensors".to_owned()),
            ("last".to_owned(), "Newest reading".to_owned()),
            ("Mean".to_owned(), "Coverage".to_owned()),
        ]),
        sorted("Dataset", false),
    ]);
    let title =
        |dataset: &Arc<Dataset>| (dataset.id.to_string(), json!({ "text": language.of(&dataset.title, &dataset.id) }));
    let titles: serde_json::Map<String, Value> = datasets.iter().map(title).collect();
    panel.overrides = vec![
        by_name(
            "Dataset",
            &[("mappings", json!([{ "type": "value", "options": titles }])), ("links", links(datasets))],
        ),
        by_name("Sensors", &[("custom.width", json!(80))]),
        by_name("Newest reading", &ago()),
        by_name(
            "Coverage",
            &[
                ("unit", json!("percentunit")),
                ("decimals", json!(1)),
                ("min", json!(0)),
                ("max", json!(1)),
                ("color", json!({ "mode": "thresholds" })),
                ("thresholds", steps("red", &[(0.5, "yellow"), (0.9, "green")])),
                bar(),
            ],
        ),
    ];
    panel.options = table();
    panel
}

/// Sensors that should have told something and did not.
fn silent(datasets: &[Arc<Dataset>], language: &Language) -> Panel {
    let mut panel = Panel::new("table", "Silent sensors", 10, 18);
    panel.about = format!("{} or more readings missing.", MISSED.1);
    for dataset in datasets {
        let Cadence::Every(every) = dataset.every else { continue };
        panel.calls.push(latest(dataset, language));
        panel.transformations.push(age(dataset));
        panel.transformations.push(of_call(&dataset.id, "filterByValue", json!({
            "type": "include",
            "match": "any",
            "filters": [{ "fieldName": AGE, "config": { "id": "greater", "options": { "value": every / 1000 * MISSED.1 } } }],
        })));
    }
    panel.transformations.extend([
        json!({ "id": "merge", "options": {} }),
        sorted(AGE, true),
        arranged(&[
            ("sensor".to_owned(), "Sensor".to_owned()),
            ("dataset".to_owned(), "Dataset".to_owned()),
            ("time".to_owned(), "Last reading".to_owned()),
            (AGE.to_owned(), "Silent for".to_owned()),
        ]),
    ]);
    panel.overrides = vec![
        by_name("Last reading", &[("unit", json!("dateTimeAsSystem"))]),
        by_name("Silent for", &[("unit", json!("ms")), ("decimals", json!(1))]),
    ];
    panel.defaults = json!({ "noValue": "every sensor is heard from" });
    panel.options = table();
    panel
}

/// The sensors of a dataset and when they were last heard from.
fn latest(dataset: &Dataset, language: &Language) -> Query {
    let call = Query::new(format!("/api/v1/datasets/{}/latest", dataset.id))
        .column("sensor", Cell::Text)
        .column("time", Cell::Time);
    // A sensor that was never heard from is not silent: it may not stand yet.
    let call = call.where_present("time").marked("dataset", &language.of(&dataset.title, &dataset.id));
    Query { name: dataset.id.to_string(), ..call }
}

/// Coverage of every field in each hour of the last day, whatever time the dashboard shows. Hours say nothing of sensors that
/// tell something less often: of those, in today and yesterday.
fn coverage(dataset: &Dataset, every: i64) -> Query {
    let bucket = if every <= HOUR { "1h" } else { "day" };
    let columns: Vec<String> = dataset.fields.iter().map(|field| format!("{}_coverage", field.name)).collect();
    let call = Query::new(format!("/api/v1/datasets/{}/aggregates", dataset.id))
        .with("fields", columns.join(","))
        .with("group", "none")
        .with("bucket", bucket)
        .with("from", "now-24h")
        .column("start", Cell::Time);
    Query { name: dataset.id.to_string(), ..call.numbers(&columns) }
}

/// Adds the age of the newest reading to the rows of a dataset.
fn age(dataset: &Dataset) -> Value {
    of_call(
        &dataset.id,
        "calculateField",
        json!({
            "mode": "binary",
            "binary": { "left": { "fixed": "${__to}" }, "operator": "-", "right": { "matcher": { "id": "byName", "options": "time" } } },
            "alias": AGE,
            "timeSeries": false,
        }),
    )
}

/// A transformation of the rows of one call.
fn of_call(call: &str, id: &str, options: Value) -> Value {
    json!({ "id": id, "filter": { "id": "byRefId", "options": call }, "options": options })
}

/// Colours of an age in milliseconds, for a cadence in microseconds.
fn freshness(every: i64) -> Value {
    let missed = |readings: i64| (every / 1000 * readings) as f64;
    steps("green", &[(missed(MISSED.0), "yellow"), (missed(MISSED.1), "red")])
}

/// Links from a dataset's row to its dashboard. Where ids are long, uids differ from the rest.
fn links(datasets: &[Arc<Dataset>]) -> Value {
    let regular = datasets.iter().all(|dataset| uid(dataset) == format!("lamppost-{}", dataset.id));
    if !regular {
        return json!([]);
    }
    json!([{ "title": "Open", "url": "/d/lamppost-${__value.raw}", "targetBlank": false }])
}
