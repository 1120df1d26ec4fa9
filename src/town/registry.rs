//! The town's registry files: what each dataset's sensors are and where they stand.

use super::Town;
use serde_json::json;

impl Town {
    /// The registry of a dataset as a GeoJSON FeatureCollection (RFC 7946): id, place, attributes.
    pub fn registry(&self, dataset: &str) -> String {
        let listed = self.devices.iter().filter(|device| device.dataset == dataset);
        let features: Vec<serde_json::Value> = listed
            .map(|device| {
                let mut properties: serde_json::Map<String, serde_json::Value> =
                    device.attributes.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
                properties.insert("id".into(), json!(device.id));
                json!({
                    "type": "Feature",
                    "geometry": { "type": "Point", "coordinates": [device.place.lon, device.place.lat] },
                    "properties": properties,
                })
            })
            .collect();
        json!({ "type": "FeatureCollection", "features": features }).to_string()
    }
}
