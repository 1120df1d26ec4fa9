//! Where the sensors stand, coloured by what they told last.

use super::Scene;
use super::measure::Measure;
use crate::geomap::{layer, options, places};
use crate::panel::{Panel, ago, by_name};
use crate::query::{Cell, Query};
use serde_json::{Value, json};

/// The map of a dataset: its first field, and one more at the sensors that do not measure the first.
pub(super) fn panel(scene: &Scene<'_>) -> Panel {
    let mut panel = Panel::new("geomap", format!("{}: map", scene.title), 12, 12);
    panel.about = "The newest reading of each sensor.".to_owned();
    let shown = shown(scene);
    panel.calls = (0..shown.len()).map(|layer| call(scene, &shown[..=layer])).collect();
    let named = |(path, title): &(String, String)| by_name(path, &[("displayName", json!(title))]);
    panel.overrides = scene.callers().iter().map(named).collect();
    panel.overrides.push(by_name("time", &ago()));
    panel.overrides.extend(shown.iter().map(|measure| by_name(&measure.name, &settings(measure))));
    let layers: Vec<Value> =
        shown.iter().map(|measure| layer(&measure.name, &measure.title, &measure.name, true)).collect();
    panel.options = options(&layers);
    panel
}

/// The fields that are shown. A dataset of states or of the air in rooms often has sensors of another sort beside them.
fn shown<'a>(scene: &'a Scene<'_>) -> Vec<&'a Measure> {
    let Some(first) = scene.first() else { return Vec::new() };
    let mixed = first.is_state() || first.is_co2();
    let others = scene.measures.iter().filter(|measure| mixed && measure.name != first.name && !measure.is_state());
    std::iter::once(first).chain(others.take(1)).collect()
}

/// The call for the last of these fields: sensors that have it, and none of those before.
fn call(scene: &Scene<'_>, measures: &[&Measure]) -> Query {
    let mut call = places(scene.latest(measures.iter().copied())).column("time", Cell::Time);
    for (path, _) in scene.callers() {
        call = call.column(path, Cell::Text);
    }
    for (place, measure) in measures.iter().enumerate() {
        let name = measure.name.as_str();
        call = call.column(name, if measure.is_state() { Cell::Text } else { Cell::Number });
        call = if place + 1 == measures.len() { call.where_present(name) } else { call.where_absent(name) };
        call.name = measure.name.clone();
    }
    call
}

/// A field's settings; its colours go from low to high unless it has its own.
fn settings(measure: &Measure) -> Vec<(&'static str, Value)> {
    let mut settings = measure.settings();
    settings.push(("displayName", json!(measure.title)));
    if !measure.is_state() && !measure.is_co2() {
        settings.push(("color", json!({ "mode": "continuous-GrYlRd" })));
    }
    settings
}
