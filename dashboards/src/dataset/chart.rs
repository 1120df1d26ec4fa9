//! A field over time: of all chosen sensors together, and compared.

use super::Scene;
use super::measure::{CO2, CO2_ABOUT, Measure};
use crate::panel::{Panel, by_name, fixed, of_numbers, ordered, steps};
use crate::query::{Cell, Query, selector};
use schemas::Kind;
use serde_json::{Value, json};
use std::sync::Arc;

/// Half of the grid.
const WIDTH: u32 = 12;

/// A field of all chosen sensors together, by the function that is right for its kind.
pub(super) fn over_time(scene: &Scene<'_>, measure: &Measure) -> Panel {
    let columns = columns(measure);
    // Gaps are told, so that no line crosses them.
    let call = scene.aggregates(&columns, "none", WIDTH).with("fill", "null").column("start", Cell::Time);
    let mut panel = Panel::new("timeseries", measure.title.as_str(), WIDTH, 8);
    panel.calls.push(Query { series: true, ..call.numbers(&columns) });
    panel.transformations.push(ordered(columns.iter().map(|column| selector(column))));
    panel.about = about(measure);
    panel.defaults = defaults(measure);
    panel.overrides = overrides(measure);
    panel.options = options(columns.len() > 1, json!({ "displayMode": "list", "placement": "bottom", "calcs": [] }));
    panel
}

/// A field with a line for each sensor or each value of an attribute, as the variable `by` says.
pub(super) fn compared(scene: &Scene<'_>, measure: &Measure) -> Panel {
    let column = measure.main();
    let path = selector(&column);
    let call = scene.aggregates(std::slice::from_ref(&column), "${by}", WIDTH);
    let call = call.column("start", Cell::Time).column("group", Cell::Text).column(path.as_str(), Cell::Number);
    let mut panel = Panel::new("timeseries", title(measure), WIDTH, 10);
    panel.calls.push(Query {
        series: true,
        // The column named after what is compared becomes `group` (gjson's multipaths).
        root: format!("data.#.{{start,\"group\":${{by}},{}:{path}}}", json!(column)),
        ..call.where_present("group")
    });
    panel.about = about(measure);
    panel.defaults = defaults(measure);
    panel.overrides.push(of_numbers(&[("displayName", json!("${__field.labels.group}"))]));
    panel.defaults["color"] = json!({ "mode": "palette-classic" });
    let draw = if measure.kind == Kind::Angle { "points" } else { "line" };
    panel.defaults["custom"]["drawStyle"] = json!(draw);
    panel.defaults["custom"]["fillOpacity"] = json!(0);
    panel.defaults["custom"]["stacking"] = json!({ "mode": "none", "group": "A" });
    let legend = json!({ "displayMode": "table", "placement": "right", "calcs": ["mean", "max"],
                         "sortBy": "Mean", "sortDesc": true, "width": 260 });
    panel.options = options(true, legend);
    panel
}

/// The columns a field is drawn from.
fn columns(measure: &Measure) -> Vec<String> {
    match &measure.kind {
        Kind::Gauge | Kind::Level => ["mean", "min", "max"].map(|function| measure.column(function)).to_vec(),
        Kind::State { .. } => measure.words().map(|(word, _)| measure.column(&format!("share_{word}"))).collect(),
        Kind::Count | Kind::Cumulative | Kind::Angle => vec![measure.main()],
    }
}

/// What a comparison is of; of a state, the word whose share is shown.
fn title(measure: &Measure) -> String {
    match measure.words().next() {
        Some((word, _)) => format!("{}: {word}", measure.title),
        None => measure.title.clone(),
    }
}

/// How its numbers came about.
fn about(measure: &Measure) -> String {
    let how = match measure.kind {
        Kind::Gauge => "Mean; the band goes from the least to the greatest reading.",
        Kind::Level => "Energetic mean; the band goes from the least to the greatest reading.",
        Kind::Count => "Sum of each interval; the last one is still being counted.",
        Kind::Cumulative => "Growth in each interval.",
        Kind::Angle => "Mean direction.",
        Kind::State { .. } => "Share of time in each state.",
    };
    if measure.is_co2() { format!("{how} {CO2_ABOUT}") } else { how.to_owned() }
}

/// How all its lines are drawn.
fn defaults(measure: &Measure) -> Value {
    let (draw, fill) = match measure.kind {
        Kind::Gauge | Kind::Level => ("line", 0),
        Kind::Count | Kind::Cumulative => ("bars", 70),
        Kind::Angle => ("points", 0),
        Kind::State { .. } => ("line", 60),
    };
    let mut defaults = json!({
        "unit": measure.unit,
        "decimals": measure.decimals,
        "color": fixed(measure.color),
        "custom": {
            "drawStyle": draw,
            "fillOpacity": fill,
            "lineWidth": 1,
            "lineInterpolation": "linear",
            "pointSize": 4,
            "showPoints": "auto",
            "spanNulls": false,
            "stacking": { "mode": "none", "group": "A" },
        },
    });
    match measure.kind {
        Kind::Count | Kind::Cumulative => defaults["min"] = json!(0),
        Kind::Angle => (defaults["min"], defaults["max"]) = (json!(0), json!(360)),
        Kind::State { .. } => {
            (defaults["unit"], defaults["decimals"]) = (json!("percentunit"), json!(0));
            (defaults["min"], defaults["max"]) = (json!(0), json!(1));
            defaults["custom"]["stacking"] = json!({ "mode": "normal", "group": "A" });
        }
        Kind::Gauge | Kind::Level => {}
    }
    if measure.is_co2() {
        defaults["thresholds"] = steps("green", &CO2);
        defaults["custom"]["thresholdsStyle"] = json!({ "mode": "dashed" });
    }
    defaults
}

/// How single lines are drawn: the band of a gauge, the colours of a state.
fn overrides(measure: &Measure) -> Vec<Value> {
    let band = |function: &str, name: &str, more: &[(&str, Value)]| {
        let mut settings = vec![("displayName", json!(name)), ("custom.lineWidth", json!(0))];
        settings.extend_from_slice(more);
        by_name(&measure.column(function), &settings)
    };
    match &measure.kind {
        Kind::Gauge | Kind::Level => vec![
            by_name(&measure.main(), &[("displayName", json!("mean")), ("custom.lineWidth", json!(2))]),
            band("min", "least", &[]),
            band(
                "max",
                "greatest",
                &[("custom.fillBelowTo", json!(measure.column("min"))), ("custom.fillOpacity", json!(18))],
            ),
        ],
        Kind::State { .. } => {
            let word = |(word, color): (&Arc<str>, &str)| {
                let name = selector(&measure.column(&format!("share_{word}")));
                by_name(&name, &[("displayName", json!(word)), ("color", fixed(color))])
            };
            measure.words().map(word).collect()
        }
        Kind::Count | Kind::Cumulative | Kind::Angle => {
            vec![by_name(&measure.main(), &[("displayName", json!(measure.title))])]
        }
    }
}

fn options(shown: bool, mut legend: Value) -> Value {
    legend["showLegend"] = json!(shown);
    json!({ "legend": legend, "tooltip": { "mode": "multi", "sort": "desc" } })
}
