//! The figures at the head: totals of the time shown, latest means, and how many sensors are in each state now.

use super::Scene;
use super::measure::Measure;
use crate::panel::{Panel, by_name, fixed, ordered};
use crate::query::{Cell, Query, selector};
use serde_json::{Value, json};

/// Columns of the grid for all figures together.
const WIDTH: usize = 24;

/// The figures, one panel for each sort of them; together they fill a line.
pub(super) fn all(scene: &Scene<'_>) -> Vec<Panel> {
    let sums: Vec<&Measure> = scene.measures.iter().filter(|measure| measure.adds_up()).collect();
    let means: Vec<&Measure> =
        scene.measures.iter().filter(|measure| !measure.adds_up() && !measure.is_state()).collect();
    let states: Vec<&Measure> = scene.measures.iter().filter(|measure| measure.is_state()).collect();
    let mut sorts: Vec<(usize, Panel)> = Vec::new();
    if !sums.is_empty() {
        let about = "Sums over the time shown, widened to whole intervals.";
        sorts.push((sums.len(), figures(scene, &sums, "In the time shown", about, "sum")));
    }
    if !means.is_empty() {
        let about = "Means of the newest interval (one fiftieth of the time shown) over the chosen sensors.";
        sorts.push((means.len(), figures(scene, &means, "Latest means", about, "lastNotNull")));
    }
    sorts.extend(states.iter().map(|state| (state.words().count(), now(scene, state))));
    shared_out(sorts)
}

/// Gives each panel its part of the line, by how many figures it has.
fn shared_out(sorts: Vec<(usize, Panel)>) -> Vec<Panel> {
    let all: usize = sorts.iter().map(|(figures, _)| figures).sum();
    let (mut before, mut begun) = (0, 0);
    let share = |(figures, panel): (usize, Panel)| {
        before += figures;
        let end = before * WIDTH / all.max(1);
        let width = end - begun;
        begun = end;
        Panel { width: u32::try_from(width.max(1)).unwrap_or(1), ..panel }
    };
    sorts.into_iter().map(share).collect()
}

/// A figure for each field, over its course.
fn figures(scene: &Scene<'_>, measures: &[&Measure], title: &str, about: &str, reduced: &str) -> Panel {
    let columns: Vec<String> = measures.iter().map(|measure| measure.main()).collect();
    let call = scene.aggregates(&columns, "none", 1).column("start", Cell::Time).numbers(&columns);
    let mut panel = Panel::new("stat", title, 24, 4);
    panel.calls.push(Query { series: true, ..call });
    panel.about = about.to_owned();
    panel.transformations.push(ordered(columns.iter().map(|column| selector(column))));
    panel.overrides = measures.iter().map(|measure| figure(measure)).collect();
    panel.options = options(reduced, "area");
    panel
}

fn figure(measure: &Measure) -> Value {
    let mut settings = vec![("displayName", json!(measure.title)), ("color", fixed(measure.color))];
    // The colours of thresholds say more than the field's own.
    for (id, value) in measure.settings() {
        settings.retain(|(known, _)| *known != id);
        settings.push((id, value));
    }
    by_name(&measure.main(), &settings)
}

/// How many sensors are in each state.
fn now(scene: &Scene<'_>, state: &Measure) -> Panel {
    let mut panel = Panel::new("stat", format!("{}: now", state.title), 24, 4);
    let call = scene.latest(std::iter::once(state));
    let call = call.column("sensor", Cell::Text).column(state.name.as_str(), Cell::Text);
    panel.calls.push(call.where_present(state.name.as_str()));
    panel.about = "Sensors by the state they told last.".to_owned();
    panel.transformations = vec![
        json!({ "id": "groupBy", "options": { "fields": {
            state.name.as_str(): { "operation": "groupby", "aggregations": [] },
            "sensor": { "operation": "aggregate", "aggregations": ["count"] },
        } } }),
        json!({ "id": "rowsToFields", "options": { "mappings": [
            { "fieldName": state.name, "handlerKey": "field.name" },
            { "fieldName": "sensor (count)", "handlerKey": "field.value" },
        ] } }),
    ];
    panel.defaults = json!({ "unit": "none", "noValue": "0" });
    panel.overrides = state.words().map(|(word, color)| by_name(word, &[("color", fixed(color))])).collect();
    panel.options = options("lastNotNull", "none");
    panel
}

fn options(reduced: &str, graph: &str) -> Value {
    json!({
        "reduceOptions": { "calcs": [reduced], "fields": "", "values": false },
        "colorMode": "value",
        "graphMode": graph,
        "justifyMode": "center",
        "orientation": "auto",
        "textMode": "value_and_name",
        "wideLayout": true,
        "showPercentChange": false,
        "percentChangeColorMode": "standard",
    })
}
