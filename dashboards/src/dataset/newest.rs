//! The newest readings of every chosen sensor, as a table.

use super::Scene;
use crate::panel::{Panel, ago, arranged, by_name, sorted, table};
use crate::query::Cell;
use serde_json::json;

/// The table.
pub(super) fn panel(scene: &Scene<'_>) -> Panel {
    let mut panel = Panel::new("table", "Newest readings", 24, 10);
    let callers = scene.callers();
    let mut call = scene.latest(scene.measures.iter()).column("time", Cell::Time);
    for (path, _) in &callers {
        call = call.column(path.as_str(), Cell::Text);
    }
    for measure in &scene.measures {
        call = call.column(measure.name.as_str(), if measure.is_state() { Cell::Text } else { Cell::Number });
    }
    panel.calls.push(call);
    let mut order = callers;
    order.push(("time".to_owned(), "When".to_owned()));
    order.extend(scene.measures.iter().map(|measure| (measure.name.clone(), measure.title.clone())));
    panel.transformations = vec![sorted("sensor", false), arranged(&order)];
    panel.overrides = vec![by_name("When", &ago())];
    panel.overrides.extend(scene.measures.iter().map(|measure| {
        let mut settings = measure.settings();
        if measure.is_co2() || measure.is_state() {
            settings.push(("custom.cellOptions", json!({ "type": "color-text" })));
        }
        by_name(&measure.title, &settings)
    }));
    panel.options = table();
    panel
}
