//! The parts of maps: columns that say where, layers of markers, and the look of it all.

use crate::query::{Cell, Query};
use serde_json::{Value, json};

/// With the columns that say where.
pub(crate) fn places(call: Query) -> Query {
    call.column("lon", Cell::Number).column("lat", Cell::Number)
}

/// A layer of markers for the rows of a call, coloured by a column, with or without a legend of the colours.
pub(crate) fn layer(call: &str, title: &str, color: &str, legend: bool) -> Value {
    json!({
        "type": "markers",
        "name": title,
        "tooltip": true,
        "filterData": { "id": "byRefId", "options": call },
        "location": { "mode": "coords", "latitude": "lat", "longitude": "lon" },
        "config": {
            "showLegend": legend,
            "style": {
                "color": { "field": color, "fixed": "dark-green" },
                "opacity": 0.9,
                "size": { "fixed": 6, "min": 2, "max": 15 },
                "symbol": { "fixed": "img/icons/marker/circle.svg", "mode": "fixed" },
            },
        },
    })
}

/// The look of a map that shows all its sensors.
pub(crate) fn options(layers: &[Value]) -> Value {
    json!({
        "view": { "id": "fit", "allLayers": true, "lat": 0, "lon": 0, "zoom": 15, "padding": 5 },
        "basemap": { "type": "default", "name": "Basemap", "config": {} },
        "controls": { "showZoom": true, "mouseWheelZoom": false, "showAttribution": true, "showScale": false,
                      "showMeasure": false, "showDebug": false },
        "tooltip": { "mode": "details" },
        "layers": layers,
    })
}
