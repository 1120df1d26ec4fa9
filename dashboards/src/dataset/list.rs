//! The list beside the map: the busiest places of counts, the air of rooms, what is free now, or where values are highest.

use super::measure::{CO2_ABOUT, Measure};
use super::{Scene, caller};
use crate::attribute::{self, Attribute};
use crate::language;
use crate::panel::{Panel, arranged, bar, by_name, fixed, sorted, table};
use crate::query::Cell;
use schemas::Kind;
use serde_json::{Value, json};

/// Size of the list, the map's counterpart.
const SIZE: (u32, u32) = (12, 12);
/// Places a ranking shows.
const PLACES: u32 = 10;
/// What rooms are called by.
const ROOM: [&str; 3] = ["building", "floor", "room"];

/// The list that suits the dataset.
pub(super) fn panel(scene: &Scene<'_>) -> Panel {
    let counts: Vec<&Measure> = scene.measures.iter().filter(|measure| measure.kind == Kind::Count).collect();
    let first = |fits: fn(&Kind) -> bool| scene.measures.iter().find(|measure| fits(&measure.kind));
    match scene.first() {
        _ if !counts.is_empty() => most(scene, "Busiest", &counts),
        Some(dioxide) if dioxide.is_co2() => rooms(scene, dioxide),
        Some(state) if state.is_state() => now(scene),
        _ => match (first(|kind| matches!(kind, Kind::Gauge | Kind::Level)), first(|kind| *kind == Kind::Cumulative)) {
            (Some(measure), _) => highest(scene, measure),
            (None, Some(measure)) => most(scene, &measure.title, &[measure]),
            (None, None) => now(scene),
        },
    }
}

/// The places with most of the first of these fields, with the others beside it.
fn most(scene: &Scene<'_>, title: &str, measures: &[&Measure]) -> Panel {
    let columns: Vec<(String, &Measure)> = measures.iter().map(|measure| (measure.main(), *measure)).collect();
    let mut panel = ranking(scene, title, &columns, "sum");
    panel.about = "Sums over the time shown, widened to whole intervals; a click on a head sorts by it.".to_owned();
    panel
}

/// The places with the highest reading of a field.
fn highest(scene: &Scene<'_>, measure: &Measure) -> Panel {
    let title = format!("Highest: {}", measure.title);
    let mut panel = ranking(scene, &title, &[(measure.column("max"), measure)], "max");
    panel.about = "The greatest single reading in the time shown.".to_owned();
    panel
}

/// Places by a column reduced over the time shown. Sums of sums and the greatest of the greatest are exact.
fn ranking(scene: &Scene<'_>, title: &str, columns: &[(String, &Measure)], reduced: &str) -> Panel {
    let place = attribute::most_telling(&scene.attributes);
    let (group, named) =
        place.map_or(("sensor", "Sensor".to_owned()), |place| (&place.name, language::plain(&place.name)));
    let names: Vec<String> = columns.iter().map(|(column, _)| column.clone()).collect();
    let mut panel = Panel::new("table", format!("{title} by {}", named.to_lowercase()), SIZE.0, SIZE.1);
    let call = scene.aggregates(&names, group, SIZE.0 / 4).column(group, Cell::Text).numbers(&names);
    panel.calls.push(call.where_present(group));
    let mut fields = serde_json::Map::new();
    fields.insert(group.to_owned(), json!({ "operation": "groupby", "aggregations": [] }));
    for name in &names {
        fields.insert(name.clone(), json!({ "operation": "aggregate", "aggregations": [reduced] }));
    }
    let reduced: Vec<String> = names.iter().map(|name| format!("{name} ({reduced})")).collect();
    panel.transformations.push(json!({ "id": "groupBy", "options": { "fields": fields } }));
    panel.transformations.extend(reduced.first().map(|first| sorted(first, true)));
    panel.transformations.push(json!({ "id": "limit", "options": { "limitField": PLACES } }));
    let mut order = vec![(group.to_owned(), named)];
    order.extend(reduced.into_iter().zip(columns).map(|(name, (_, measure))| (name, measure.title.clone())));
    panel.transformations.push(arranged(&order));
    panel.overrides = columns.iter().map(|(_, measure)| column(measure, true)).collect();
    panel.options = table();
    panel
}

/// Rooms by their newest carbon dioxide.
fn rooms(scene: &Scene<'_>, dioxide: &Measure) -> Panel {
    let known: Vec<&Attribute> =
        scene.attributes.iter().filter(|attribute| ROOM.contains(&attribute.name.as_str())).collect();
    let callers: Vec<(String, String)> =
        if known.is_empty() { scene.callers() } else { known.into_iter().map(caller).collect() };
    let what = if callers.iter().any(|(path, _)| path == "attributes.room") { "room" } else { "sensor" };
    let mut panel = Panel::new("table", format!("{} by {what}: now", dioxide.title), SIZE.0, SIZE.1);
    panel.about = CO2_ABOUT.to_owned();
    newest(scene, &mut panel, callers, &[dioxide]);
    panel
}

/// What is free now: the newest numbers beside a state.
fn now(scene: &Scene<'_>) -> Panel {
    let numbers: Vec<&Measure> = scene.measures.iter().filter(|measure| !measure.is_state()).collect();
    let shown = if numbers.is_empty() { scene.measures.iter().collect() } else { numbers };
    let named = scene.attributes.iter().filter(|attribute| attribute.is_name()).map(caller);
    let mut callers: Vec<(String, String)> = named.collect();
    if callers.is_empty() {
        callers = scene.callers();
    }
    let mut panel = Panel::new("table", format!("{}: now", scene.title), SIZE.0, SIZE.1);
    panel.about = "The newest readings.".to_owned();
    newest(scene, &mut panel, callers, &shown);
    panel
}

/// Rows of the newest values of fields, the highest of the first field first.
fn newest(scene: &Scene<'_>, panel: &mut Panel, callers: Vec<(String, String)>, measures: &[&Measure]) {
    let mut call = scene.latest(measures.iter().copied());
    for (path, _) in &callers {
        call = call.column(path.as_str(), Cell::Text);
    }
    for measure in measures {
        let cell = if measure.is_state() { Cell::Text } else { Cell::Number };
        call = call.column(measure.name.as_str(), cell);
    }
    if let Some(first) = measures.first() {
        call = call.where_present(first.name.as_str());
        panel.transformations.push(sorted(&first.name, true));
    }
    panel.calls.push(call);
    let mut order = callers;
    order.extend(measures.iter().map(|measure| (measure.name.clone(), measure.title.clone())));
    panel.transformations.push(arranged(&order));
    panel.overrides = measures.iter().enumerate().map(|(place, measure)| column(measure, place == 0)).collect();
    panel.options = table();
}

/// The settings of a field's column, with a bar behind its numbers if it is what the list is about.
fn column(measure: &Measure, barred: bool) -> Value {
    let mut settings = measure.settings();
    if barred && !measure.is_state() {
        settings.extend([bar(), ("min", json!(0))]);
        if !measure.is_co2() {
            settings.push(("color", fixed(measure.color)));
        }
    }
    by_name(&measure.title, &settings)
}
