//! Where a sensor stands.

/// WGS 84 longitude and latitude in degrees.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Place {
    /// Longitude, -180 to 180.
    pub lon: f64,
    /// Latitude, -90 to 90.
    pub lat: f64,
}

impl Place {
    /// The place, if both numbers are finite and within their ranges.
    pub fn new(lon: f64, lat: f64) -> Option<Place> {
        ((-180.0..=180.0).contains(&lon) && (-90.0..=90.0).contains(&lat)).then_some(Place { lon, lat })
    }
}
